// A client: options, URLs, headers, agents, answers that are no 101, and the close codes.

import * as http from 'http';
import * as https from 'https';
import { PassThrough } from 'stream';
import * as tls from 'tls';
import * as url from 'url';
import { once } from 'events';
import { client as WebSocketClient, connection as WebSocketConnection, IClientConfig, version } from 'websocket';

const config: IClientConfig = {
  webSocketVersion: 13,
  maxReceivedFrameSize: 1 << 20,
  maxReceivedMessageSize: 8 << 20,
  keepalive: true,
  keepaliveInterval: 1000,
  dropConnectionOnKeepaliveTimeout: true,
  keepaliveGracePeriod: 1000,
  tlsOptions: { rejectUnauthorized: false, ca: 'pem', headers: { 'X-Token': 'abc' } },
};

const client = new WebSocketClient(config);
new WebSocketClient();

client.on('connectFailed', (error) => {
  const code: string | undefined = error.code;
  if (error.code === 'ERR_WEBSOCKET_REFUSED') console.error(error.statusCode, error.headers?.['www-authenticate'], error.reason);
  console.error(error.message, code, (error as NodeJS.ErrnoException).syscall);
});
client.on('error', (error) => console.error(error.message));
client.on('connectFailed', ({ code, statusCode, headers, reason, errors }) => {
  console.error(code?.startsWith('ERR_WEBSOCKET_'), statusCode === 401, headers?.['www-authenticate'], reason?.trim(), errors?.length);
});
client.on('connectFailed', (error: Error) => console.error(error.message));
client.on('httpResponse', (response, failed) => {
  console.log(response.statusCode, response.headers.location, failed === client);
});
client.once('connect', (connection) => {
  const socket = connection.socket;
  socket.unref();
  if (socket instanceof tls.TLSSocket) console.log(socket.getPeerCertificate().subject.CN);
  console.log(socket === client.socket, client.response?.headers['sec-websocket-protocol'], client.protocol, client.base64nonce);
  connection.sendUTF('hello', (error?: Error) => console.log(error));
  connection.on('close', (code) => {
    switch (code) {
      case WebSocketConnection.CLOSE_REASON_NORMAL:
      case WebSocketConnection.CLOSE_REASON_GOING_AWAY:
        break;
      case WebSocketConnection.CLOSE_REASON_MESSAGE_TOO_BIG:
      case WebSocketConnection.CLOSE_REASON_MESSAGE_TOO_LARGE:
      case WebSocketConnection.CLOSE_REASON_INTERNAL_SERVER_ERROR:
      case WebSocketConnection.CLOSE_REASON_TLS_HANDSHAKE_FAILED:
      default:
        console.error(WebSocketConnection.CLOSE_DESCRIPTIONS[code]);
    }
  });
  connection.close(WebSocketConnection.CLOSE_REASON_NORMAL, 'done');
  connection.drop(1002, 'never mind', true);
});

client.connect('ws://127.0.0.1:8080/');
client.connect('ws://127.0.0.1:8080/', null, null, new Headers({ Cookie: 'a=1' }), { createConnection: () => new PassThrough() });
client.connect('ws://127.0.0.1:8080/', null, null, new Map([['X-List', ['1', '2']]]));
client.connect(new URL('ws://127.0.0.1:8080/'));
client.connect('ws://127.0.0.1:8080/', 'echo-protocol');
client.connect('ws://127.0.0.1:8080/', ['echo', 'chat'], 'https://example.com', { Cookie: 'a=1', 'X-List': ['1', '2'] });
client.connect(url.parse('ws://127.0.0.1:8080/'), null, null, null, { agent: new http.Agent() });
client.connect('wss://127.0.0.1/', [], undefined, undefined, { agent: new https.Agent(), rejectUnauthorized: false });
client.abort();

async function firstMessage(): Promise<string> {
  const [connection] = (await once(client, 'connect')) as [WebSocketConnection];
  const [message] = await once(connection, 'message');
  return message.utf8Data;
}

firstMessage().then((text) => console.log(text, client.url?.hostname, client.protocols?.length, client.secure, version.split('.')));
client.removeListener('connect', console.log);
client.removeAllListeners();

// What goes beyond @types/websocket.
new WebSocketClient({ handshakeTimeout: 5000, followRedirects: true, maxRedirects: 3, idleTimeout: 1000 })
  .connect('ws://a.test/', null, null, null, { signal: new AbortController().signal, followRedirects: false, agent: undefined });
