// Members that exist are promised: a strict program reads and calls them without asking whether they are there.

import {
  client as WebSocketClient, connection as WebSocketConnection, request as WebSocketRequest, router as WebSocketRouter,
  server as WebSocketServer, w3cwebsocket as W3CWebSocket, IServerStats, IConnectionStats, IAgreedExtension, IterableConnection, Message,
  IStreamClosedError,
} from 'websocket';
import { Duplex } from 'stream';

export function ofServer(server: WebSocketServer): IServerStats {
  const port: number | undefined = server.address()?.port;
  server.close();
  server.close(() => console.log(port));
  return server.stats();
}

export async function ofConnection(connection: WebSocketConnection): Promise<IConnectionStats> {
  const waiting: number = connection.bufferedAmount;
  const latency: number | null = connection.latency;
  const transport: 'stream' | 'loop' | 'threads' = connection.transport;
  const closed: boolean = connection.closeEventEmitted;
  const measured: number = await connection.measureLatency();
  const [extension]: IAgreedExtension[] = connection.extensions;
  const parameter: string | undefined = extension?.params[0]?.value;
  for await (const message of connection) {
    const received: Message = message;
    console.log(received.type, waiting + measured, latency, transport, closed, parameter);
  }
  const lines: Duplex = connection.stream({ objectMode: true, highWaterMark: 16, signal: new AbortController().signal });
  lines.on('error', (error: IStreamClosedError) => console.log(error.closeCode, error.closeReason));
  const iterator: AsyncIterator<Message> = connection[Symbol.asyncIterator]();
  await iterator.return?.();
  // @ts-expect-error who reads and writes the socket is not for the program to say
  connection.transport = 'loop';
  return connection.stats();
}

export function ofRequest(request: WebSocketRequest): string {
  return request.websocketVersion;
}

export function ofClient(client: WebSocketClient): number | undefined {
  return client.config.closeTimeout;
}

export function ofRouter(router: WebSocketRouter): WebSocketServer | null {
  return router.config.server;
}

// Listeners get what is promised, whatever name their program has for it.
export function ofEvents(server: WebSocketServer, client: WebSocketClient, socket: W3CWebSocket): void {
  server.on('connect', (connection) => console.log(connection.stats().bytesSent));
  server.on('connection', async (connection: IterableConnection) => { for await (const message of connection) console.log(message.type); });
  server.on('request', (request) => request.on('requestAccepted', (connection) => console.log(connection.transport)));
  client.on('connect', (connection) => console.log(connection.bufferedAmount));
  socket.addEventListener('close', (event) => console.log(event.type.length, event.target.readyState));
  socket.addEventListener('error', (event) => console.log(event.error.message, event.error.code));
}
