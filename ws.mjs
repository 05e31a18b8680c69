import WebSocket from './lib/ws/index.js';

export const {
  createWebSocketStream, extension, PerMessageDeflate, Receiver, Sender, Server, subprotocol, WebSocketServer,
} = WebSocket;
export { WebSocket, WebSocket as default };
