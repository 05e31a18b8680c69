// What must not compile. A directive without an error under it is an error itself.

import { client, connection, frame, request, router, server, w3cwebsocket, IServerConfig, Message } from 'websocket';

declare const httpServer: import('http').Server;
declare const wsServer: server;
declare const wsClient: client;
declare const wsConnection: connection;
declare const wsRequest: request;
declare const wsRouter: router;
declare const w3c: w3cwebsocket;
declare const message: Message;

// @ts-expect-error httpServer is required
new server({ keepalive: true });
// @ts-expect-error misspelt option
new server({ httpServer, keepAlive: true });
// @ts-expect-error an interval is a number
new server({ httpServer, keepaliveInterval: '20s' });
// @ts-expect-error no such transport
new server({ httpServer, io: 'fast' });
// @ts-expect-error a server's option
new client({ maxConnections: 1 });
// @ts-expect-error a client's option
export const config: IServerConfig = { httpServer, tlsOptions: {} };

// @ts-expect-error no such event
wsServer.on('opened', () => {});
// @ts-expect-error the listener gets a connection
wsServer.on('connect', (code: number) => console.log(code));
// @ts-expect-error close gives three arguments
wsServer.on('close', (_connection, _code, _description, more) => console.log(more));
// @ts-expect-error no such event
wsConnection.on('open', () => {});
// @ts-expect-error the description is a string
wsConnection.on('close', (_code, description: Buffer) => console.log(description));
// @ts-expect-error no such event
wsClient.on('open', () => {});
// @ts-expect-error no such event
wsRequest.on('accepted', () => {});

// @ts-expect-error a text message has no binaryData
if (message.type === 'utf8') console.log(message.binaryData);
// @ts-expect-error no such type of message
if (message.type === 'text') console.log(message);

// @ts-expect-error strings go through sendUTF()
wsConnection.sendBytes('text');
// @ts-expect-error nothing to send
wsConnection.send();
// @ts-expect-error undefined cannot be sent
wsConnection.sendUTF(undefined);
// @ts-expect-error an option that does not exist
wsConnection.send('text', { compres: false });
// @ts-expect-error a number of bits
new server({ httpServer, perMessageDeflate: { serverMaxWindowBits: '10' } });
// @ts-expect-error the code comes first
wsConnection.close('reason');
// @ts-expect-error the payload is a Buffer
new frame().binaryPayload = 'text';
// @ts-expect-error no mask given
new connection(wsConnection.socket, [], null, {});

// @ts-expect-error cookies are a list
wsRequest.accept(null, null, { name: 'a', value: '1' });
// @ts-expect-error a cookie needs a value
wsRequest.accept(null, null, [{ name: 'a' }]);
// @ts-expect-error the status is a number
wsRequest.reject('404');

// @ts-expect-error a URL is needed
wsClient.connect();
// @ts-expect-error headers are an object
wsClient.connect('ws://127.0.0.1/', [], '', 'Cookie: a=1');

// @ts-expect-error a callback is needed
wsRouter.mount('/', null);
// @ts-expect-error the path is a string or a RegExp
wsRouter.mount(1, null, () => {});

// @ts-expect-error a form browsers do not know either
w3c.binaryType = 'nodebuffer';
// @ts-expect-error the code comes first
w3c.close('reason');
// @ts-expect-error a handler is a function
w3c.onmessage = 'handler';
// @ts-expect-error a message has data, not a code
w3c.addEventListener('message', (event) => console.log(event.code));
