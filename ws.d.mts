import WebSocket = require('./ws.js');
import type { DuplexOptions, Duplex } from 'stream';

export import ServerOptions = WebSocket.ServerOptions;
export import ClientOptions = WebSocket.ClientOptions;
export import PerMessageDeflateOptions = WebSocket.PerMessageDeflateOptions;
export import RawData = WebSocket.RawData;
export import Data = WebSocket.Data;
export import CertMeta = WebSocket.CertMeta;
export import Event = WebSocket.Event;
export import ErrorEvent = WebSocket.ErrorEvent;
export import CloseEvent = WebSocket.CloseEvent;
export import MessageEvent = WebSocket.MessageEvent;
export import Server = WebSocket.Server;
export import Sender = WebSocket.Sender;
export import Receiver = WebSocket.Receiver;
export import WebSocketServer = WebSocket.WebSocketServer;
export { WebSocket, WebSocket as default };
export declare function createWebSocketStream(websocket: WebSocket, options?: DuplexOptions): Duplex;
