// What the blocks of the pages take as given: names that the text around them explains, and packages that are not installed here.

import type { Server } from 'http';
import type * as events from 'events';
import type * as websocket from 'websocket';

declare global {
  const http: typeof import('http');
  const httpServer: Server;
  const wsServer: websocket.server;
  const connection: websocket.IterableConnection;
  const client: websocket.client;
  const once: typeof events.once;
  const WebSocketServer: typeof websocket.server;
  const WebSocketClient: typeof websocket.client;
  const WebSocketConnection: typeof websocket.connection;
  const w3cwebsocket: typeof websocket.w3cwebsocket;
  const socket: import('net').Socket;
  const config: websocket.IServerConfig;
  const rows: string[];
  const position: string;
  const jpeg: Buffer;
  const callback: (error?: Error) => void;
  const tenants: Set<string | undefined>;
  const store: { append(room: string, text: string): Promise<number>; after(room: string, number: number): Promise<unknown[]> };
  const database: { insert(row: unknown): Promise<void> };
  function findUser(session: string | null): Promise<{ name: string } | undefined>;
  function handle(message: websocket.Message): Promise<void>;
  function token(): string;
}
