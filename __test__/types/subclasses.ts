// Subclasses, replaced methods, augmented classes.

import * as http from 'http';
import { frame, client, connection, request, router, server, w3cwebsocket, IClientConfig, IServerConfig, ICookie } from 'websocket';

declare module 'websocket' {
  interface connection {
    userName?: string;
  }
}

class CountingServer extends server {
  upgrades = 0;

  constructor(config: IServerConfig) {
    super({ closeTimeout: 1000, ...config });
  }

  override handleUpgrade(request: http.IncomingMessage, socket: import('stream').Duplex, head?: Buffer): void {
    this.upgrades++;
    super.handleUpgrade(request, socket, head);
  }

  override handleRequestAccepted(connection: connection): void {
    connection.userName = 'nobody';
    super.handleRequestAccepted(connection);
  }
}

class JsonConnection extends connection {
  sendJson(value: unknown): void {
    this.sendUTF(JSON.stringify(value));
  }

  override sendUTF(data: { toString(): string }, cb?: (err?: Error) => void): void {
    super.sendUTF(data, cb);
  }

  override drop(reasonCode?: number, description?: string, skipCloseFrame?: boolean): void {
    super.drop(reasonCode, description, skipCloseFrame);
  }
}

class QuietRequest extends request {
  override accept(protocol?: string | null, origin?: string | null, cookies?: ICookie[] | null): connection {
    return super.accept(protocol, origin, cookies);
  }
}

class RetryingClient extends client {
  attempts = 0;

  constructor(config?: IClientConfig) {
    super(config);
    this.on('connectFailed', () => this.attempts++);
  }
}

class TextFrame extends frame {
  override opcode = 1;
  override mask = true;
}

class QuietSocket extends w3cwebsocket {
  override onopen = (): void => {};
  override onmessage = (): void => {};
}

class LoggingRouter extends router {
  override handleRequest(request: request): void {
    console.log(request.resource);
    super.handleRequest(request);
  }
}

const counting = new CountingServer({ httpServer: http.createServer() });
counting.on('connect', (connection) => console.log(connection.userName, counting.upgrades));
counting.on('request', (request) => {
  const quiet = new QuietRequest(request.socket, request.httpRequest, request.serverConfig);
  quiet.readHandshake();
  quiet.on('requestResolved', (self: QuietRequest) => console.log(self.key));
});

export { counting, JsonConnection, RetryingClient, TextFrame, QuietSocket, LoggingRouter };
