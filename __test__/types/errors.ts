// What Errors say besides their text: `code`, and for refused handshakes `statusCode`, `headers` and `reason`.

import * as http from 'http';
import {
  client as WebSocketClient, connection as WebSocketConnection, server as WebSocketServer, w3cwebsocket as W3CWebSocket,
  IConnectError, IUpgradeError, IWebSocketError, SendCallback,
} from 'websocket';

export function ofClient(client: WebSocketClient): void {
  client.on('connectFailed', (error) => {
    const code: string | undefined = error.code;
    const status: number | undefined = error.statusCode;
    const retryAfter: string | undefined = error.headers?.['retry-after'];
    const reason: string | undefined = error.reason;
    console.log(code === 'ECONNREFUSED', error.syscall, status === 401, retryAfter, reason, error.cause, error.errors?.length);
  });
  client.on('error', (error: IConnectError) => console.log(error.statusCode));
  client.emit('connectFailed', new Error('of the program'));
  client.emit('connectFailed', Object.assign(new Error('refused'), { statusCode: 403, headers: {}, reason: 'no' }));
}

export function ofServer(server: WebSocketServer): void {
  server.on('upgradeError', (error) => console.log(error.code, error.statusCode?.toFixed()));
  server.on('error', (error) => console.log(error.code === 'EADDRINUSE'));
}

export function ofConnection(connection: WebSocketConnection): void {
  connection.on('error', (error) => console.log(error.code, error.errno, error.syscall));
  connection.on('error', (error: NodeJS.ErrnoException) => console.log(error.code));
  connection.on('dropped', (_data, error) => console.log(error.code === 'ERR_WEBSOCKET_BUFFER_FULL'));
  connection.send('text', (error) => console.log(error?.code === 'ERR_WEBSOCKET_CLOSED'));
  const callback: SendCallback = (error?: Error) => console.log(error?.message);
  connection.sendBytes(Buffer.alloc(1), callback);
  // @ts-expect-error no such field
  connection.on('error', (error) => console.log(error.status));
}

export function ofW3C(socket: W3CWebSocket): void {
  socket.onerror = (event) => console.log(event.error?.code, event.error?.statusCode);
}

export const headersOf = (error: IConnectError): http.IncomingHttpHeaders => error.headers ?? {};
export const codeOf = (error: IWebSocketError): string => error.code ?? 'none';
export const statusOf = (error: IUpgradeError): number => error.statusCode ?? 0;
