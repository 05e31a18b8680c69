// Beside an HTTP application such as Express (whose application object is a request listener), with several
// WebSocket servers on one HTTP server, and with no WebSocket server at all.

import * as http from 'http';
import { connection, request as WebSocketRequest, server as WebSocketServer } from 'websocket';

interface Application {
  (request: http.IncomingMessage, response: http.ServerResponse): void;
  get(path: string, handler: (request: http.IncomingMessage, response: http.ServerResponse) => void): this;
}
declare function express(): Application;

const app = express();
app.get('/', (_request, response) => response.end('hello'));
const httpServer = http.createServer(app).listen(0, '127.0.0.1');

// One server for each path: its handleUpgrade() is called by hand, so that nothing else answers the request.
const chat = new WebSocketServer({ httpServer: [] });
const news = new WebSocketServer({ httpServer: [] });

httpServer.on('upgrade', (request, socket, head) => {
  if (request.url === '/chat') {
    chat.handleUpgrade(request, socket, head);
  } else if (request.url === '/news') {
    news.handleUpgrade(request, socket, head);
  } else {
    accept(new WebSocketRequest(socket, request, { maxReceivedFrameSize: 1024, closeTimeout: 1000 }, head));
  }
});

const connections = new Map<string, connection>();

function accept(request: WebSocketRequest): void {
  try {
    request.readHandshake();
  } catch (error) {
    request.reject(400, (error as Error).message);
    return;
  }
  const session = request.cookies.find((cookie) => cookie.name === 'session');
  if (session === undefined) {
    request.reject(401);
    return;
  }
  connections.set(session.value, request.accept());
}
