// A server: every option, every event, requests judged by their properties, cookies set, messages of both kinds echoed.

import * as http from 'http';
import * as https from 'https';
import websocket, { server as WebSocketServer, connection, request, ICookie, IRequestedExtension, IServerConfig, Message } from 'websocket';

const httpServer = http.createServer((_request, response) => {
  response.writeHead(404);
  response.end();
});
const httpsServer = https.createServer({ key: '', cert: '' });

const config: IServerConfig = {
  httpServer: [httpServer, httpsServer],
  maxReceivedFrameSize: 0x10000,
  maxReceivedMessageSize: 0x200000000,
  fragmentOutgoingMessages: true,
  fragmentationThreshold: 0x4000,
  keepalive: true,
  keepaliveInterval: 20000,
  dropConnectionOnKeepaliveTimeout: true,
  keepaliveGracePeriod: 10000,
  useNativeKeepalive: false,
  assembleFragments: true,
  autoAcceptConnections: false,
  ignoreXForwardedFor: false,
  trustProxy: ['10.0.0.0/8', '::1'],
  io: 'loop',
  perMessageDeflate: {
    serverNoContextTakeover: false,
    clientNoContextTakeover: true,
    serverMaxWindowBits: 12,
    clientMaxWindowBits: 12,
    level: 3,
    threshold: 256,
    sharedCompressor: false,
  },
  parseCookies: true,
  parseExtensions: true,
  disableNagleAlgorithm: true,
  closeTimeout: 5000,
  echoCloseCode: false,
  handshakeTimeout: 10000,
  maxConnections: 1000,
  maxPendingRequests: 100,
};

const wsServer = new WebSocketServer(config);
const unmounted = new websocket.server();
unmounted.mount({ httpServer });
unmounted.unmount();

function originIsAllowed(origin: string): boolean {
  return origin === 'https://example.com';
}

function echo(connection: connection, message: Message): void {
  if (message.type === 'utf8') {
    const text: string = message.utf8Data;
    connection.sendUTF(text);
  } else {
    const data: Buffer = message.binaryData;
    connection.sendBytes(data, (error) => {
      if (error) console.error(error.message);
    });
  }
}

wsServer.on('request', (request) => {
  const { key, host, resource, resourceURL, webSocketVersion, websocketVersion, requestedProtocols, cookies, remoteAddresses } = request;
  const query: string | string[] | undefined = resourceURL.query.token;
  const path: string | null = resourceURL.pathname;
  const versions: [number, string | undefined] = [webSocketVersion, websocketVersion];
  const addresses: string[] = remoteAddresses.concat(request.remoteAddress);
  const offered: IRequestedExtension[] = request.requestedExtensions;
  const parameter: string | undefined = offered[0]?.params[0]?.value;
  const userAgent: string | undefined = request.httpRequest.headers['user-agent'];
  console.log(key, host, resource, query, path, versions, addresses, parameter, userAgent, request.socket.remotePort);

  if (!originIsAllowed(request.origin)) {
    request.reject(403, 'Origin not allowed', { 'X-Try': 'elsewhere', 'Retry-After': 10 });
    return;
  }
  request.once('requestAccepted', (accepted) => accepted.sendUTF('welcome'));
  request.on('requestRejected', (rejected) => console.log(rejected.resource));
  request.off('requestResolved', console.log);

  const answer: ICookie[] = [
    { name: 'session', value: '1', path: '/', domain: 'example.com', expires: new Date(), maxage: 60, secure: true, httponly: true },
  ];
  const protocol = requestedProtocols.includes('echo') ? 'echo' : null;
  const connection = request.accept(protocol, request.origin, cookies.length === 0 ? answer : null);

  connection.on('message', (message) => echo(connection, message));
  connection.on('ping', (cancel, data) => {
    if (data.length === 0) cancel();
  });
  connection.on('pong', (data) => console.log(data.toString('latin1')));
  connection.on('error', (error) => console.error(error.message));
  connection.once('close', (code, description) => {
    const sum: number = code + description.length;
    console.log(sum);
  });
  connection.ping();
  connection.ping('text');
  connection.pong(Buffer.from('unsolicited'));
  connection.send(new Uint16Array(4));
  connection.send(new DataView(new ArrayBuffer(4)), () => {});
  connection.sendBytes(new ArrayBuffer(4));
  connection.sendUTF({ toString: () => 'anything' });
  if (connection.outputBufferFull) connection.pause();
  connection.on('drain', () => connection.resume());
});

wsServer.on('connect', (connection) => {
  const all: string[] | undefined = connection.remoteAddresses;
  console.log(connection.transport === 'stream', connection.remoteAddress, all, connection.protocol, connection.state, connection.connected);
});
wsServer.once('connection', (connection) => connection.close());
wsServer.on('close', (connection, reason, description) => {
  console.log(connection.closeReasonCode === reason, connection.closeDescription === description, connection.closeEventEmitted);
});
wsServer.on('upgradeError', (error) => console.error(error.message));
wsServer.prependListener('request', (request: request) => console.log(request.resource));

wsServer.broadcast('text');
wsServer.broadcast(Buffer.alloc(1));
wsServer.broadcastUTF('text');
wsServer.broadcastBytes(new Uint8Array(1));

const open: number = wsServer.connections.length;
const pending: request[] = wsServer.pendingRequests;
console.log(open, pending.length, wsServer.config?.closeTimeout);

wsServer.closeAllConnections();
wsServer.shutDown();

// What goes beyond @types/websocket.
declare const netSocket: import('net').Socket;
const alone = new WebSocketServer({ noServer: true, path: ['/a', /^\/b/], host: 'a.test', allowedOrigins: /^https:/ });
const guarded = new WebSocketServer({
  httpServer: http.createServer(),
  verifyOrigin: async (origin, request) => origin !== undefined && request.resource === '/',
  maxConnectionsPerAddress: 10, maxFragments: 100, maxMessagesPerSecond: 50, maxBytesPerSecond: 1e6, maxLifetime: 3.6e6,
  idleTimeout: 60000,
});
guarded.on('request', (request) => request.accept(null, null, null, { headers: { 'X-A': 'b', 'X-C': ['d', 5] } }));
alone.handleUpgrade(new http.IncomingMessage(netSocket), netSocket);

alone.on('connect', async (connection) => {
  const room: boolean = connection.sendUTF('x');
  if (!room && connection.bufferedAmount > 0) connection.once('drain', () => {});
  connection.on('dropped', (data, error) => console.log(data.length, error.message));
  const latency: number = await connection.measureLatency();
  for await (const message of connection) if (message.type === 'utf8') console.log(message.utf8Data, latency);
  const transport: 'stream' | 'loop' | 'threads' = connection.stats().transport;
  console.log(transport, alone.stats().transports.loop);
});
new WebSocketServer({
  noServer: true, pubsub: null, maxTopicsPerConnection: 10, maxTopicLength: 64, maxPublishQueue: 1e6, topicLinger: 500, topicOrder: 'engine',
});
alone.on('connect', async (connection) => {
  await connection.subscribe('news', { slow: 'latest' });
  const ended: boolean = connection.isSubscribed('news') && connection.unsubscribe('news');
  const sent: boolean = connection.publish('news', 'text', { except: [connection], compress: false }, (error) => console.log(error?.code));
  const reached: number = alone.publish('news', Buffer.alloc(1), { local: true }) + alone.publish('news', 'text', () => {});
  const others: connection[] = alone.subscribers('news');
  const { connections, silent } = await alone.count('news', { timeout: 100 });
  console.log(ended, sent, reached, others.length, connections, silent.join(), alone.topics[0], connection.topics[0]);
  console.log(alone.stats().pubsub.subscriptions);
  // @ts-expect-error there is no such policy
  connection.subscribe('news', { slow: 'wait' });
});
alone.on('subscribe', (connection, topic) => console.log(connection.remoteAddress, topic.length));
alone.on('pubsubRestored', ({ downtime }) => console.log(downtime));
new WebSocketServer({ noServer: true, highWaterMark: 1 << 20, maxBufferedAmount: 1 << 24, maxBufferedAmountPolicy: 'drop' });
new WebSocketServer({ port: '8080', host: '127.0.0.1', fallback: http.createServer() });
new WebSocketServer({ port: 0, fallback: null });
