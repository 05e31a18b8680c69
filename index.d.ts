// Types of the package `websocket`. Written by hand; checked by `npm run test:types`.
//
// Everything that @types/websocket 1.0.10 declares is declared here with a type that accepts the same programs, and a
// value with a type of this file can be given to code compiled against the other. What programs make themselves (options,
// cookies, events for handlers they call) may leave out what @types/websocket does not declare.

/// <reference types="node" />

import { EventEmitter } from 'events';
import * as http from 'http';
import * as https from 'https';
import * as net from 'net';
import * as stream from 'stream';
import * as url from 'url';

/** Anything that can be sent as text: its `toString()` is called. */
export interface IStringified {
  toString: (...args: any[]) => string;
}

/** Anything that is sent as binary without being copied into a string first. */
export type BinaryData = Buffer | ArrayBufferView | ArrayBuffer | SharedArrayBuffer;

/** An Error of this package, of Node or of the system; docs/errors.md lists those of this package. */
export interface IWebSocketError extends NodeJS.ErrnoException {
  /** Which error this is: `ERR_WEBSOCKET_…`, or the code of Node or of the system, such as `ECONNREFUSED`. */
  code?: string | undefined;
}

/** Called once: without an argument after the bytes were handed to the system, or with what went wrong. */
export type SendCallback = (err?: IWebSocketError) => void;

/** How one message is sent. */
export interface ISendOptions {
  /**
   * False sends it as it is, although compression was agreed on.
   * @default true
   */
  compress?: boolean | undefined;
}

/** How a connection takes the messages of a topic. */
export interface ISubscribeOptions {
  /**
   * What happens to a message while so much waits for the connection that its peer is too slow (`highWaterMark`): it waits as
   * well, as far as `maxBufferedAmount` allows; it is not sent; it waits in place of the one before on the same topic; or the
   * connection is dropped with 1008.
   * @default 'queue'
   */
  slow?: 'queue' | 'drop' | 'latest' | 'close' | undefined;
}

/** How one message is published. */
export interface IPublishOptions extends ISendOptions {
  /** Who of this process does not get it. */
  except?: connection | connection[] | undefined;

  /**
   * True sends it to subscribers of this process only.
   * @default false
   */
  local?: boolean | undefined;
}

/** Subscribers of a topic in all processes. */
export interface ITopicCount {
  connections: number;
  /** Processes that have answered, this one included. */
  nodes: number;
  /** The ids of processes that have not answered in time. */
  silent: string[];
}

/** What an adapter tells the server. */
export interface IPubSubContext {
  /** The id of this server among those that have one engine: 12 characters. */
  node: string;
  /** The engine has brought this, in the order in which it comes. Never throws. */
  deliver(topic: string, envelope: Uint8Array): void;
  /** The engine is away; messages may get lost from now on. To be called before the first message behind a gap. */
  lost(error?: Error): void;
  /** The engine is back, with all subscriptions that it had confirmed. */
  restored(): void;
}

/** What connects servers of several processes: an engine such as Redis or NATS. docs/adapters.md says how to write one. */
export interface IPubSubAdapter {
  /** Done when messages can be published and topics subscribed. Called again after it has failed. */
  start(context: IPubSubContext): void | Promise<void>;
  /** Done when the engine has confirmed. Topics that are subscribed already are no fault. */
  subscribe(topics: string[]): Promise<void>;
  /** Done when the engine has confirmed. Topics that are not subscribed are no fault. */
  unsubscribe(topics: string[]): Promise<void>;
  /** Done when the engine has the message. */
  publish(topic: string, envelope: Uint8Array): Promise<void>;
  /** Without it, the servers count by messages to each other. */
  count?(topic: string, timeout: number): Promise<ITopicCount>;
  /** Gives subscriptions and listeners up. The program's clients stay open. */
  close(): Promise<void>;
}

/** Compression of messages, permessage-deflate (RFC 7692): what this side does, and asks of the other. */
export interface IPerMessageDeflate {
  /**
   * The server compresses each message for itself: less memory, worse compression.
   * @default false
   */
  serverNoContextTakeover?: boolean | undefined;

  /**
   * The client compresses each message for itself.
   * @default false
   */
  clientNoContextTakeover?: boolean | undefined;

  /**
   * How far back the server refers to what it has sent, as the logarithm of a number of bytes: 8 to 15.
   * @default 15
   */
  serverMaxWindowBits?: number | undefined;

  /**
   * The same for the client. A server can ask only clients for it that understand the parameter.
   * @default 15
   */
  clientMaxWindowBits?: number | undefined;

  /**
   * How much effort goes into compression, 0 (none) to 9 (most).
   * @default 1
   */
  level?: number | undefined;

  /**
   * Messages with fewer bytes are sent as they are.
   * @default 1024
   */
  threshold?: number | undefined;

  /**
   * All connections of a thread share one compressor: each message is compressed for itself, as with
   * `serverNoContextTakeover` on servers and `clientNoContextTakeover` on clients.
   * @default false
   */
  sharedCompressor?: boolean | undefined;
}

/** Options that servers and clients share. Sizes are bytes, times milliseconds. */
export interface IConfig {
  /**
   * Largest frame accepted from the peer. A larger one ends the connection with 1009 as soon as its header was read.
   * @default 65536 on servers, 1048576 on clients
   */
  maxReceivedFrameSize?: number | undefined;

  /**
   * Largest message accepted from the peer, whether it comes in one frame or in many. A larger one ends the
   * connection with 1009.
   * @default 1048576 on servers, 8388608 on clients
   */
  maxReceivedMessageSize?: number | undefined;

  /**
   * Whether messages longer than `fragmentationThreshold` are sent as several frames.
   * @default true
   */
  fragmentOutgoingMessages?: boolean | undefined;

  /**
   * Longest payload sent in one frame while `fragmentOutgoingMessages` is on.
   * @default 16384
   */
  fragmentationThreshold?: number | undefined;

  /**
   * If true, the fragments of a message are put together and `message` is emitted. If false, every data frame is
   * emitted as `frame`, and a message that came in a single frame as `message` too.
   * @default true
   */
  assembleFragments?: boolean | undefined;

  /**
   * How long `close()` waits for the peer's Close frame before the socket is ended.
   * @default 5000
   */
  closeTimeout?: number | undefined;

  /**
   * Sends small packets at once (TCP_NODELAY) instead of letting the system collect them.
   * @default true
   */
  disableNagleAlgorithm?: boolean | undefined;

  /**
   * Whether a ping is sent after `keepaliveInterval` without received data.
   * @default true on servers, false on clients
   */
  keepalive?: boolean | undefined;

  /**
   * Silence after which a keepalive ping is sent. Any received data starts it anew.
   * @default 20000 on servers; required on clients that set `keepalive`
   */
  keepaliveInterval?: number | undefined;

  /**
   * Whether a connection that stays silent for `keepaliveGracePeriod` after a keepalive ping is dropped with 1006.
   * @default true on servers, false on clients
   */
  dropConnectionOnKeepaliveTimeout?: boolean | undefined;

  /**
   * How long a peer may take to answer a keepalive ping.
   * @default 10000 on servers; required on clients that set `dropConnectionOnKeepaliveTimeout`
   */
  keepaliveGracePeriod?: number | undefined;

  /**
   * Uses TCP keep-alive instead of WebSocket pings. `keepaliveGracePeriod` and `dropConnectionOnKeepaliveTimeout`
   * are then without effect.
   * @default false
   */
  useNativeKeepalive?: boolean | undefined;

  /**
   * Answers a valid Close frame with the peer's own status code instead of 1000.
   * @default false
   */
  echoCloseCode?: boolean | undefined;

  /**
   * How many frames a message may come in. A message of more ends the connection with 1009.
   * @default Infinity
   */
  maxFragments?: number | undefined;

  /**
   * How many messages may come within a second. More end the connection with 1008.
   * @default Infinity
   */
  maxMessagesPerSecond?: number | undefined;

  /**
   * How many bytes may come within a second, frame headers and control frames included. More end the connection with 1008.
   * @default Infinity
   */
  maxBytesPerSecond?: number | undefined;

  /**
   * From how many bytes on that wait to be sent, calls that send return false; `drain` tells when all of it has been handed to
   * the system.
   * @default null, the mark of the socket
   */
  highWaterMark?: number | null | undefined;

  /**
   * How many bytes may wait to be sent; `maxBufferedAmountPolicy` says what happens to a message that would make them more.
   * @default Infinity
   */
  maxBufferedAmount?: number | undefined;

  /**
   * `'close'` ends the connection with 1008, `'drop'` does not send the message and emits `dropped`.
   * @default 'close'
   */
  maxBufferedAmountPolicy?: 'close' | 'drop' | undefined;

  /**
   * How long a connection may last; then it is closed with 1001. 0 is no limit.
   * @default 0
   */
  maxLifetime?: number | undefined;

  /**
   * How long a connection may stay without a message in either direction; then it is closed with 1001. Pings and pongs are no
   * messages. 0 is no limit.
   * @default 0
   */
  idleTimeout?: number | undefined;

  /**
   * Who reads and writes the socket: `'stream'` is Node's socket; `'loop'` and `'threads'` are the addon, on Node's event loop
   * or on a thread of its own, where that is possible; `'auto'` leaves it to the library. `connection.transport` tells what it is.
   * @default 'auto', or the environment variable WEBSOCKET_IO
   */
  io?: 'auto' | 'loop' | 'threads' | 'stream' | undefined;

  /**
   * Compression of messages (RFC 7692), if the other side agrees: true for the defaults.
   * @default false
   */
  perMessageDeflate?: boolean | IPerMessageDeflate | undefined;
}

/** Options of a server. */
export interface IServerConfig extends IConfig {
  /** The HTTP or HTTPS server(s) whose `upgrade` event is to be handled. */
  httpServer: http.Server | https.Server | Array<http.Server | https.Server>;

  /**
   * Listens on this port without an HTTP server; see {@link IListeningServerConfig}.
   * @default null
   */
  port?: null | undefined;

  /**
   * Whether others may listen at the port of a server that listens itself; see {@link IListeningServerConfig}.
   * @default false
   */
  reusePort?: false | null | undefined;

  /**
   * The HTTP server that gets all other requests on the port of a server that listens itself; see
   * {@link IListeningServerConfig}.
   * @default null
   */
  fallback?: null | undefined;

  /**
   * TLS of a server that listens itself; see {@link IListeningServerConfig}.
   * @default null
   */
  tls?: null | undefined;

  /**
   * Mounts the server on no HTTP server: the program calls `handleUpgrade()`.
   * @default false
   */
  noServer?: boolean | undefined;

  /**
   * The path(s) whose requests are for this server, without a query. Others are left to other servers.
   * @default null, all paths
   */
  path?: string | RegExp | Array<string | RegExp> | null | undefined;

  /**
   * The host name(s), with or without a port, whose requests are for this server; a RegExp is tested on the `Host` header in
   * lower case. Others are left to other servers.
   * @default null, all hosts
   */
  host?: string | RegExp | Array<string | RegExp> | null | undefined;

  /**
   * The origins whose pages may connect, such as `https://example.com`. Pages of other origins are refused with 403. Clients
   * that send no `Origin` are no browsers and may connect.
   * @default null, all origins
   */
  allowedOrigins?: string | RegExp | Array<string | RegExp> | null | undefined;

  /**
   * Says whether a page of this origin may connect (undefined: the client has sent none); false or a promise of it refuses the
   * request with 403.
   * @default null
   */
  verifyOrigin?: ((origin: string | undefined, request: request) => boolean | Promise<boolean>) | null | undefined;

  /**
   * Accepts every request with the first subprotocol it names and from any origin. For experiments only: the
   * `request` event is not emitted.
   * @default false
   */
  autoAcceptConnections?: boolean | undefined;

  /**
   * If true, `X-Forwarded-For` is not looked at and `remoteAddress` is always the address of the socket.
   * @default false
   */
  ignoreXForwardedFor?: boolean | undefined;

  /**
   * Which proxies are believed when they name the client in `X-Forwarded-For`: everybody (true), nobody (false), or
   * those with one of these addresses or in one of these ranges (`10.0.0.0/8`). `'unix:'` stands for Unix sockets.
   * @default true
   */
  trustProxy?: boolean | string | string[] | undefined;

  /**
   * Whether the `Cookie` header is parsed into `request.cookies`.
   * @default true
   */
  parseCookies?: boolean | undefined;

  /**
   * Whether the `Sec-WebSocket-Extensions` header is parsed into `request.requestedExtensions`.
   * @default true
   */
  parseExtensions?: boolean | undefined;

  /**
   * How long a request may stay neither accepted nor rejected before it is refused with 408; with `port`, also how long it may
   * take to arrive. 0 is no limit, and 60 seconds for the arrival.
   * @default 0
   */
  handshakeTimeout?: number | undefined;

  /**
   * How many connections may be open at once; further requests are refused with 503.
   * @default Infinity
   */
  maxConnections?: number | undefined;

  /**
   * How many connections and waiting requests there may be from one address (see `trustProxy`); further requests are refused
   * with 429.
   * @default Infinity
   */
  maxConnectionsPerAddress?: number | undefined;

  /**
   * How many requests may wait for `accept()` or `reject()` at once; further ones are refused with 503.
   * @default 16384
   */
  maxPendingRequests?: number | undefined;

  /**
   * Connects the topics of this server with those of other processes.
   * @default null
   */
  pubsub?: IPubSubAdapter | null | undefined;

  /**
   * How many topics a connection may be subscribed to; `subscribe()` is rejected for further ones.
   * @default 128
   */
  maxTopicsPerConnection?: number | undefined;

  /**
   * How many bytes of UTF-8 a topic may have.
   * @default 255
   */
  maxTopicLength?: number | undefined;

  /**
   * How many bytes of messages wait while the engine is away; further ones are refused.
   * @default 0
   */
  maxPublishQueue?: number | undefined;

  /**
   * How long this process still gets the messages of a topic from the engine after its last subscriber has left.
   * @default 1000
   */
  topicLinger?: number | undefined;

  /**
   * `'local-first'` sends to subscribers of this process at once; `'engine'` sends to them when the engine brings the message,
   * so that all processes have one order, if the engine has one: Redis has, NATS has only that of each process.
   * @default 'local-first'
   */
  topicOrder?: 'local-first' | 'engine' | undefined;
}

/** Options of a server that is mounted on no HTTP server. */
export type INoServerConfig = Omit<IServerConfig, 'httpServer'> & { noServer: true };

/** A key and the certificates for it: the contents of files in PEM or DER. Several are of different kinds, such as RSA and EC. */
export interface ITlsIdentity {
  /** PKCS#8, PKCS#1 or SEC1, not encrypted. */
  key: string | Uint8Array | Array<string | Uint8Array>;
  /** The certificate, and those of the authorities between it and the root. */
  cert: string | Uint8Array | Array<string | Uint8Array>;
}

/** The option `tls` of a server that listens itself; docs/tls.md describes it. */
export interface ITlsOptions extends ITlsIdentity {
  /**
   * The authorities whose certificates of clients count.
   * @default those of Node (`tls.rootCertificates`)
   */
  ca?: string | Uint8Array | Array<string | Uint8Array> | null | undefined;
  /**
   * Asks clients for a certificate.
   * @default false
   */
  requestCert?: boolean | undefined;
  /**
   * With `requestCert`: refuses clients without a certificate that counts. If false, look at `socket.authorized`.
   * @default true
   */
  rejectUnauthorized?: boolean | undefined;
  /** @default 'TLSv1.2' */
  minVersion?: 'TLSv1.2' | 'TLSv1.3' | null | undefined;
  /** Certificates for names that clients ask for, such as `'chat.example'` or `'*.example'`; all others get `cert`. */
  sni?: Record<string, ITlsIdentity> | null | undefined;
  /**
   * The protocols for ALPN, the preferred one first.
   * @default ['http/1.1']
   */
  alpn?: string[] | null | undefined;
  /** Keys of session tickets that several processes share: 48 bytes each. The first one is used for new tickets. */
  ticketKeys?: Uint8Array | null | undefined;
  /** An answer of OCSP, to be sent with `cert`. */
  ocsp?: Uint8Array | null | undefined;
}

/** What `connection.socket` and `request.socket` have besides, on a server with the option `tls`: members of Node's TLSSocket. */
export interface ITlsSocket extends net.Socket {
  readonly encrypted: true;
  /** Whether the client has shown a certificate that counts. */
  readonly authorized: boolean;
  /** Why not, as a code such as `CERT_HAS_EXPIRED`; null without `requestCert`. */
  readonly authorizationError: string | null;
  /** The protocol of ALPN; false for none. */
  readonly alpnProtocol: string | false;
  /** The name of the server that the client has asked for; false for none. */
  readonly servername: string | false;
  getPeerCertificate(detailed?: boolean): object | null;
  getPeerX509Certificate(): import('crypto').X509Certificate | undefined;
  getCipher(): { name: string; standardName: string; version: string };
  getProtocol(): string | null;
  isSessionReused(): boolean;
}

/** Options of a server that listens itself. */
export type IListeningServerConfig = Omit<IServerConfig, 'httpServer' | 'noServer' | 'host' | 'port' | 'reusePort' | 'fallback' | 'tls'> & {
  /** The port to listen on, as a number or in digits; 0 lets the operating system choose. */
  port: number | string;
  /**
   * The address to listen at, or a name for one.
   * @default all addresses
   */
  host?: string | null | undefined;
  /**
   * Several processes, or threads of one, listen at this port, each with this option, and the system spreads connections among
   * them. Linux only.
   * @default false
   */
  reusePort?: boolean | undefined;
  /**
   * The HTTP server that gets all requests on this port that are not for WebSockets, as if it listened there. It must not
   * listen itself.
   * @default null, such requests are refused
   */
  fallback?: http.Server | null | undefined;
  /**
   * Listens with TLS.
   * @default null
   */
  tls?: ITlsOptions | null | undefined;
};

/** Why a request was refused. docs/errors.md lists the codes. */
export interface IUpgradeError extends IWebSocketError {
  /** The HTTP status of the answer. */
  statusCode?: number | undefined;
}

/** Events of {@link server} and the arguments of their listeners. */
export interface IServerEvents {
  /** A server with the option `port` listens. */
  listening: [];
  /** A server with the option `port` cannot listen; the error is that of the operating system. */
  error: [error: NodeJS.ErrnoException];
  /** A client asks to connect: call `accept()` or `reject()` on the request. Not emitted with `autoAcceptConnections`. */
  request: [request: request];
  /** A request was accepted. */
  connect: [connection: connection];
  /** The same as `connect`, by the name it has in the documentation of WebSocket-Node. */
  connection: [connection: connection];
  /** A connection of this server is closed. */
  close: [connection: connection, reason: number, desc: string];
  /** The server itself has refused a request, before `request` was emitted or because nobody has answered it. */
  upgradeError: [error: IUpgradeError];
  /** A connection has subscribed to a topic. */
  subscribe: [connection: connection, topic: string];
  /** A connection is not subscribed to a topic any more, because of `unsubscribe()` or because it closes. */
  unsubscribe: [connection: connection, topic: string];
  /** The engine is away: messages of other processes may get lost. */
  pubsubLost: [error: IWebSocketError];
  /** It is back; after so many milliseconds. */
  pubsubRestored: [window: { downtime: number }];
  /** The engine has refused something, or brought something that cannot be read. */
  pubsubError: [error: IWebSocketError, where: { topic: string; stage: string; others: number }];
  /** A TLS handshake of a client has failed, on a server with the option `tls`. */
  tlsClientError: [error: NodeJS.ErrnoException, address: net.AddressInfo];
}

/** Accepts WebSockets on HTTP servers, or on a port of its own. */
export class server extends EventEmitter {
  /** The options in force, defaults included. `httpServer` is always an array in it. Not set before `mount()`. */
  config?: IServerConfig | undefined;
  /** The open connections. */
  connections: connection[];
  /** The requests that were neither accepted nor rejected yet. */
  pendingRequests: request[];
  /** The topics that have a subscriber in this process, in no particular order. */
  readonly topics: string[];

  /** With options, `mount()` is called with them. */
  constructor(serverConfig?: IServerConfig | INoServerConfig | IListeningServerConfig);

  /** Sends to every open connection: binary data as it is, everything else as text. */
  broadcast(data: BinaryData | IStringified): void;
  /** Sends a binary message to every open connection. */
  broadcastBytes(data: BinaryData): void;
  /** Sends a text message to every open connection. */
  broadcastUTF(data: IStringified): void;

  /**
   * Sends to all subscribers of a topic: binary data as it is, everything else as text.
   * @param cb called once: when the message has gone to all subscribers of this process and the engine has it, or with an Error
   * @returns how many subscribers of this process get it
   */
  publish(topic: string, data: BinaryData | IStringified, options?: IPublishOptions | SendCallback, cb?: SendCallback): number;
  /** The connections of this process that are subscribed to a topic. */
  subscribers(topic: string): connection[];
  /**
   * Counts the subscribers of a topic in all processes. Processes that do not answer in time are named.
   * @param options `timeout` in milliseconds, 1000 by default
   */
  count(topic: string, options?: { timeout?: number | undefined }): Promise<ITopicCount>;

  /** Starts to handle the `upgrade` event of `serverConfig.httpServer`, or to listen on `serverConfig.port`. */
  mount(serverConfig: IServerConfig | INoServerConfig | IListeningServerConfig): void;
  /** Stops handling `upgrade`, and listening. Open connections are not touched. */
  unmount(): void;
  /** Where a server with the option `port` listens; null before `listening`, after `close()` and without the option. */
  address(): net.AddressInfo | null;
  /** The same as `unmount()`; `callback` is called once, when the last connection has closed. */
  close(callback?: () => void): void;
  /** Closes every open connection with 1000 and rejects every pending request with 503. */
  closeAllConnections(): void;
  /** `unmount()` and `closeAllConnections()`. */
  shutDown(): void;
  /** Figures about the server up to now. */
  stats(): IServerStats;
  /** Gives new connections of a server with the option `tls` other certificates. */
  setSecureContext(tls: ITlsOptions): void;

  /**
   * Handles one `upgrade` event of an HTTP server. For programs which listen for it themselves.
   * @param head what the client sent after the request head
   */
  handleUpgrade(request: http.IncomingMessage, socket: stream.Duplex, head?: Buffer): void;
  handleRequestAccepted(connection: connection): void;
  handleConnectionClose(connection: connection, closeReason: number, description: string): void;
  handleRequestResolved(request: request): void;

  on<E extends keyof IServerEvents>(event: E, cb: (...args: IServerEvents[E]) => void): this;
  addListener<E extends keyof IServerEvents>(event: E, cb: (...args: IServerEvents[E]) => void): this;
  once<E extends keyof IServerEvents>(event: E, cb: (...args: IServerEvents[E]) => void): this;
  once(event: string | symbol, cb: (...args: any[]) => void): this;
  off<E extends keyof IServerEvents>(event: E, cb: (...args: IServerEvents[E]) => void): this;
  off(event: string | symbol, cb: (...args: any[]) => void): this;
  removeListener<E extends keyof IServerEvents>(event: E, cb: (...args: IServerEvents[E]) => void): this;
  removeListener(event: string | symbol, cb: (...args: any[]) => void): this;
  prependListener<E extends keyof IServerEvents>(event: E, cb: (...args: IServerEvents[E]) => void): this;
  prependListener(event: string | symbol, cb: (...args: any[]) => void): this;
  prependOnceListener<E extends keyof IServerEvents>(event: E, cb: (...args: IServerEvents[E]) => void): this;
  prependOnceListener(event: string | symbol, cb: (...args: any[]) => void): this;
  emit<E extends keyof IServerEvents>(event: E, ...args: IServerEvents[E]): boolean;
  emit(event: string | symbol, ...args: any[]): boolean;
}

/**
 * A cookie, in `request.cookies` (only `name` and `value`) and as an argument of `accept()`.
 * A received cookie without `=` has the value null.
 */
export interface ICookie {
  name: string;
  value: string;
  path?: string | undefined;
  domain?: string | undefined;
  expires?: Date | undefined;
  /** Seconds, more than 0. */
  maxage?: number | undefined;
  secure?: boolean | undefined;
  httponly?: boolean | undefined;
}

/** What `accept()` takes besides. */
export interface IAcceptOptions {
  /** Headers for the answer; a list of values makes several lines. Those of the handshake itself cannot be set. */
  headers?: { [name: string]: string | number | Array<string | number> | null | undefined } | null | undefined;
}

/** An extension agreed on for a connection. */
export interface IExtension {
  /** `permessage-deflate` */
  name: string;
  /** Its parameters as in the header, such as `server_max_window_bits=10`; empty when there are none. */
  value: string;
  /** Its parameters one by one. */
  params?: Array<{ name: string; value: string | undefined }> | undefined;
}

/** An extension as an opening handshake has agreed on it. */
export interface IAgreedExtension extends IExtension {
  params: Array<{ name: string; value: string | undefined }>;
}

/** An extension a client offers, as in `request.requestedExtensions`. Names and values are in lower case. */
export interface IRequestedExtension {
  name: string;
  params: Array<{ name: string; value: string | undefined }>;
}

/** Events of {@link request} and the arguments of their listeners. */
export interface IRequestEvents<R = request> {
  /** The request was accepted or rejected. */
  requestResolved: [request: R];
  /** The request was accepted; emitted before `accept()` returns. */
  requestAccepted: [connection: connection];
  /** The request was rejected. */
  requestRejected: [request: R];
}

/** A client's request to connect. Answer it by exactly one call of `accept()` or `reject()`. */
export class request extends EventEmitter {
  /** The HTTP request, with its headers. */
  httpRequest: http.IncomingMessage;
  /** The `Host` header, with a port if the client named one. */
  host: string;
  /** Path and query as in the request line; the whole URL if the client or a proxy sent that. */
  resource: string;
  /** The `Sec-WebSocket-Key` header. */
  key: string;
  /** `resource` taken apart; `query` is an object. */
  resourceURL: url.UrlWithParsedQuery;

  /** The client's address, taken from `X-Forwarded-For` as far as that is believed: see `trustProxy`. */
  remoteAddress: string;
  /** All addresses of `X-Forwarded-For`, followed by the address of the socket. */
  remoteAddresses: string[];

  /** The `Origin` header. Undefined if there is none, as with most clients that are no browsers. */
  origin: string;

  /** Version of the protocol that the client speaks: 13 or 8. */
  webSocketVersion: number;
  /** The same as a string. */
  websocketVersion: string;

  /** The extensions offered, each an {@link IRequestedExtension}. */
  requestedExtensions: any[];
  /** The cookies sent. */
  cookies: ICookie[];
  /** The socket the request came on. */
  socket: net.Socket;

  /** The subprotocols offered, in lower case and in the client's order. Null after `accept()`. */
  requestedProtocols: string[];
  /** From a subprotocol in lower case to the client's spelling of it. Null after `accept()`. */
  protocolFullCaseMap: { [key: string]: string };

  /** The options of the server. */
  serverConfig: IServerConfig;

  _resolved: boolean;
  _socketIsClosing: boolean;

  /**
   * For programs that handle `upgrade` without a server object.
   * @param config the options of a server, of which only `httpServer` is not needed: no defaults are filled in
   * @param head what the client sent after the request head
   */
  constructor(socket: stream.Duplex, httpRequest: http.IncomingMessage, config: Partial<IServerConfig>, head?: Buffer);

  /**
   * Accepts the request.
   * @param acceptedProtocol one of the subprotocols offered (letter case does not matter), or null for none
   * @param allowedOrigin sent back to the client as `Origin`
   * @param cookies to be set by the answer
   * @param options more headers for the answer
   * @throws Error if the request was answered before, or if an argument is not valid (the client is then answered with 500)
   */
  accept(
    acceptedProtocol?: string | null, allowedOrigin?: string | null, cookies?: ICookie[] | null, options?: IAcceptOptions | null,
  ): connection;

  /**
   * Rejects the request and closes its socket.
   * @param httpStatus default 403
   * @param reason sent as `X-WebSocket-Reject-Reason`
   * @param extraHeaders more headers for the answer
   * @throws Error if the request was answered before, or if a header cannot be sent
   */
  reject(httpStatus?: number, reason?: string, extraHeaders?: object): void;

  /** Reads and checks the headers. Throws if this is not a valid request. A server has done this already. */
  readHandshake(): void;
  /** Parses a `Sec-WebSocket-Extensions` header into a list of {@link IRequestedExtension}. */
  parseExtensions(extensionString: string): any[];
  /** Parses a `Cookie` header. */
  // eslint-disable-next-line @typescript-eslint/no-invalid-void-type
  parseCookies(str: string): ICookie[] | void;

  _handleSocketCloseBeforeAccept(): void;
  _removeSocketCloseListeners(): void;
  _verifyResolution(): void;

  on<E extends keyof IRequestEvents>(event: E, cb: (...args: IRequestEvents<this>[E]) => void): this;
  addListener<E extends keyof IRequestEvents>(event: E, cb: (...args: IRequestEvents<this>[E]) => void): this;
  once<E extends keyof IRequestEvents>(event: E, cb: (...args: IRequestEvents<this>[E]) => void): this;
  once(event: string | symbol, cb: (...args: any[]) => void): this;
  off<E extends keyof IRequestEvents>(event: E, cb: (...args: IRequestEvents<this>[E]) => void): this;
  off(event: string | symbol, cb: (...args: any[]) => void): this;
  removeListener<E extends keyof IRequestEvents>(event: E, cb: (...args: IRequestEvents<this>[E]) => void): this;
  removeListener(event: string | symbol, cb: (...args: any[]) => void): this;
  prependListener<E extends keyof IRequestEvents>(event: E, cb: (...args: IRequestEvents<this>[E]) => void): this;
  prependListener(event: string | symbol, cb: (...args: any[]) => void): this;
  prependOnceListener<E extends keyof IRequestEvents>(event: E, cb: (...args: IRequestEvents<this>[E]) => void): this;
  prependOnceListener(event: string | symbol, cb: (...args: any[]) => void): this;
  emit<E extends keyof IRequestEvents>(event: E, ...args: IRequestEvents<this>[E]): boolean;
  emit(event: string | symbol, ...args: any[]): boolean;
}

/** A text message. */
export interface IUtf8Message {
  type: 'utf8';
  utf8Data: string;
}

/** A binary message. */
export interface IBinaryMessage {
  type: 'binary';
  binaryData: Buffer;
}

/** What `message` listeners receive; `type` tells the two apart. */
export type Message = IUtf8Message | IBinaryMessage;

/** A queue of Buffers that can be read as if it were one. */
export interface IBufferList extends EventEmitter {
  encoding: string;
  /** Bytes in the list. */
  length: number;
  /** Appends a Buffer. Returns true. */
  write(buf: Buffer): boolean;
  /** Appends a last Buffer. */
  end(buf: Buffer): void;
  /** Appends any number of Buffers. */
  push(...buffers: any[]): any;

  /** Calls `fn` with one Buffer after the other until it returns something truthy. */
  forEach(fn: (buf: Buffer) => boolean): void;
  /** Copies the bytes from `start` to `end` into a new Buffer. */
  join(start: number, end: number): Buffer;
  /** Copies the bytes from `start` to `end` into `buf`, beginning at `offset`. */
  joinInto(buf: Buffer, offset: number, start: number, end: number): Buffer;
  /** Removes `n` bytes from the front. */
  advance(n: number): IBufferList;
  /** The first `n` bytes, or all: a Buffer, or a string if there is an encoding. Removes nothing. */
  take(n: number, encoding?: string): any;
  take(encoding?: string): any;
  toString(): string;

  on(event: 'advance', cb: (n: number) => void): this;
  on(event: 'write', cb: (buf: Buffer) => void): this;
  addListener(event: 'advance', cb: (n: number) => void): this;
  addListener(event: 'write', cb: (buf: Buffer) => void): this;
}

/** Events of {@link connection} and the arguments of their listeners. */
export interface IConnectionEvents {
  /** A whole message was received. */
  message: [data: Message];
  /** With `assembleFragments: false`: a frame was received. */
  frame: [frame: frame];
  /** A ping was received. It is answered after the listeners were called, unless one of them calls `cancel()`. */
  ping: [cancel: () => void, binaryPayload: Buffer];
  /** A pong was received. */
  pong: [binaryPayload: Buffer];
  /** The socket takes data again after `outputBufferFull`. */
  drain: [];
  /** With `maxBufferedAmountPolicy: 'drop'`: a message was not sent. */
  dropped: [data: string | Buffer, error: IWebSocketError];
  /** Receiving was paused. */
  pause: [];
  /** Receiving goes on. */
  resume: [];
  /** The socket failed. `close` follows. */
  error: [err: IWebSocketError];
  /** The connection is closed. Emitted exactly once, after everything else. */
  close: [code: number, desc: string];
}

/** Figures that connections have and that add up over them. */
export interface IMessageStats {
  messagesReceived: number;
  messagesSent: number;
  /** Of the socket: with frame headers and, except with the option `port`, the opening handshake. */
  bytesReceived: number;
  bytesSent: number;
  /** Payload bytes of compressed messages, as they were on the wire. */
  compressedBytesReceived: number;
  compressedBytesSent: number;
  framesReceived: number;
  pingsReceived: number;
  pingsSent: number;
  pongsReceived: number;
}

/** Figures about a connection. */
export interface IConnectionStats extends IMessageStats {
  /** As {@link connection.latency}. */
  latency: number | null;
  /** As {@link connection.bufferedAmount}. */
  bufferedAmount: number;
  /** As {@link connection.transport}. */
  transport: 'stream' | 'loop' | 'threads';
}

/** Figures about a server, over all its connections, those included that are closed. */
export interface IServerStats extends IMessageStats {
  /** Open connections. */
  connections: number;
  /** Requests neither accepted nor rejected. */
  pendingRequests: number;
  /** Connections accepted up to now. */
  connectionsAccepted: number;
  /** Requests refused by the server itself up to now: those with `upgradeError`. */
  requestsRefused: number;
  /** Bytes that wait to be sent on all open connections. */
  bufferedAmount: number;
  /** How many of the open connections have which transport. */
  transports: { stream: number; loop: number; threads: number };
  /** Topics, and what has gone through the engine. */
  pubsub: IPubSubStats;
}

/** `stats().pubsub` of a {@link server}. */
export interface IPubSubStats {
  /** Topics that have a subscriber in this process. */
  topics: number;
  /** Subscriptions in this process. */
  subscriptions: number;
  /** Messages given to the engine. */
  published: number;
  /** Messages of other processes. */
  received: number;
  /** Own messages that the engine has brought back. */
  echoes: number;
  /** Envelopes that could not be read. */
  malformed: number;
  /** Messages dropped because the engine brings more than this process can deliver. */
  dropped: number;
  /** Messages that came twice. */
  repeated: number;
  /** Messages that did not come although later ones did. */
  missed: number;
  /** Bytes that wait for the engine to come back. */
  queuedBytes: number;
  /** Milliseconds since the engine is away; 0 when it is there. */
  lostFor: number;
}

/** Options of `connection.stream()`. */
export interface IStreamOptions {
  /**
   * Whether texts are read as strings, and strings are sent as texts. Otherwise everything that is read is a Buffer, and
   * everything that is written goes out as binary.
   * @default false
   */
  objectMode?: boolean | undefined;
  /** The same for what is read. */
  readableObjectMode?: boolean | undefined;
  /** The same for what is written. */
  writableObjectMode?: boolean | undefined;
  /**
   * How many bytes, or messages in object mode, may wait in the stream in each direction.
   * @default that of Node's streams
   */
  highWaterMark?: number | undefined;
  /** The same for what is read. */
  readableHighWaterMark?: number | undefined;
  /** The same for what is written. */
  writableHighWaterMark?: number | undefined;
  /** Destroys the stream when it is aborted. */
  signal?: AbortSignal | null | undefined;
}

/** What a stream of a connection is destroyed with when messages may be missing. */
export interface IStreamClosedError extends IWebSocketError {
  code: 'ERR_WEBSOCKET_STREAM_CLOSED';
  /** How the connection was closed, as in its event `close`. */
  closeCode: number;
  closeReason: string;
  /** What has failed, if the socket has. */
  cause?: unknown;
}

/** @deprecated Every connection can be read with `for await`: use {@link connection}. */
export type IterableConnection = connection;

/** An open WebSocket, of a server or of a client. */
export class connection extends EventEmitter {
  /** 1000 */
  static CLOSE_REASON_NORMAL: number;
  /** 1001 */
  static CLOSE_REASON_GOING_AWAY: number;
  /** 1002 */
  static CLOSE_REASON_PROTOCOL_ERROR: number;
  /** 1003 */
  static CLOSE_REASON_UNPROCESSABLE_INPUT: number;
  /** 1004, never sent */
  static CLOSE_REASON_RESERVED: number;
  /** 1005, never sent: a Close frame without a status code was received */
  static CLOSE_REASON_NOT_PROVIDED: number;
  /** 1006, never sent: the connection ended without a Close frame */
  static CLOSE_REASON_ABNORMAL: number;
  /** 1007 */
  static CLOSE_REASON_INVALID_DATA: number;
  /** 1008 */
  static CLOSE_REASON_POLICY_VIOLATION: number;
  /** 1009 */
  static CLOSE_REASON_MESSAGE_TOO_BIG: number;
  /** 1009, the documented name */
  static CLOSE_REASON_MESSAGE_TOO_LARGE: number;
  /** 1010 */
  static CLOSE_REASON_EXTENSION_REQUIRED: number;
  /** 1011 */
  static CLOSE_REASON_INTERNAL_SERVER_ERROR: number;
  /** 1015, never sent */
  static CLOSE_REASON_TLS_HANDSHAKE_FAILED: number;

  /** The description used for a close code when none was given. */
  static CLOSE_DESCRIPTIONS: { [code: number]: string };

  /** Why the connection was closed. Null while it is open. */
  closeDescription: string;
  /** Code with which the connection was closed. -1 while it is open. */
  closeReasonCode: number;
  /** Whether `close` was emitted. */
  closeEventEmitted: boolean;
  /**
   * The subprotocol agreed on. On servers as it was given to `accept()`, on clients as the server spelt it;
   * null or undefined if there is none.
   */
  protocol: string;

  /** The options of the server or client. */
  config: IConfig;
  /** The socket, for its address, certificate, `ref()`, `unref()` and the like. Do not read from it or write to it. */
  socket: net.Socket;
  /** True on clients. */
  maskOutgoingPackets: boolean;
  maskBytes: Buffer;
  frameHeader: Buffer;
  bufferList: IBufferList;
  currentFrame: frame;
  /** Bytes of the message whose fragments are being collected. */
  fragmentationSize: number;
  frameQueue: frame[];
  /** `open`, `peer_requested_close`, `ending` or `closed`. */
  state: string;
  /** Whether `close()` was called and the peer's Close frame has not come yet. */
  waitingForCloseResponse: boolean;
  /** Whether the peer has ended its side of the socket. */
  receivedEnd: boolean;
  closeTimeout: number;
  /** A boolean; declared as a number by @types/websocket. */
  assembleFragments: any;
  maxReceivedMessageSize: number;
  /** Whether the last write asked to wait for `drain`. */
  outputBufferFull: boolean;
  /** Whether receiving is paused. */
  inputPaused: boolean;
  /** @deprecated Declared by @types/websocket, but never set by any version. */
  bytesWaitingToFlush: number;
  /** Whether the socket was closed because of an error. */
  socketHadError: boolean;

  /** The extensions agreed on. */
  extensions: IAgreedExtension[];

  /** The peer's address. On servers from `X-Forwarded-For` if that was respected. */
  remoteAddress: string;
  /** On servers: all addresses of `X-Forwarded-For`, followed by the address of the socket. */
  remoteAddresses?: string[] | undefined;
  /** Version of the protocol: 13 or 8. */
  webSocketVersion: number;
  /** Who reads and writes the socket: Node's socket (`'stream'`) or the addon, on Node's event loop (`'loop'`)
   * or a thread of its own (`'threads'`). */
  readonly transport: 'stream' | 'loop' | 'threads';
  /** Bytes accepted for sending, frame headers included, that the system has not taken yet. */
  readonly bufferedAmount: number;
  /** Milliseconds that the newest ping took to be answered, keepalive ones included; null when none was. */
  readonly latency: number | null;
  /** Whether messages can be sent: true until either side starts to close. */
  connected: boolean;

  _pingListenerCount: number;

  /**
   * A connection on a socket whose opening handshake was done elsewhere.
   * Receives nothing before `_addSocketEventListeners()` was called.
   */
  constructor(
    socket: stream.Duplex,
    extensions: IExtension[],
    protocol: string | null,
    maskOutgoingPackets: boolean,
    config: IConfig,
  );

  /**
   * Closes the connection: sends a Close frame, waits up to `closeTimeout` for the peer's and ends the socket.
   * Does nothing if the connection is closing or closed.
   * @param reasonCode 1000 (default), another code that may be sent, or 3000 to 4999
   * @param description at most 123 bytes of UTF-8
   * @throws Error if the code may not be sent or the description is too long
   */
  close(reasonCode?: number, description?: string): void;

  /**
   * Ends the connection at once: `close` is emitted, the socket destroyed, the peer's answer not awaited.
   * @param reasonCode default 1002; with a code that may not be sent, such as 1006, no Close frame is sent
   * @param skipCloseFrame true to send no Close frame
   */
  drop(reasonCode?: number, description?: string, skipCloseFrame?: boolean): void;

  // The calls that send return a boolean. They are declared with `any` for programs written against @types/websocket, where
  // they return nothing: those pass it on in functions that return nothing. The callback may take the place of the options.

  /** The topics that this connection is subscribed to, in no particular order. */
  readonly topics: string[];

  /**
   * Subscribes to a topic, at once for what is published in this process. Again, it changes the options.
   * @returns resolved when messages of other processes come as well. Rejected for a topic that is empty or too long, for too
   *   many topics, and when the connection is not open. You need not look at it.
   */
  subscribe(topic: string, options?: ISubscribeOptions): Promise<void>;
  /** Ends a subscription; false when there was none. Subscriptions end with the connection anyway. */
  unsubscribe(topic: string): boolean;
  isSubscribed(topic: string): boolean;
  /**
   * Sends to all subscribers of a topic but this connection, which need not be one of them.
   * @returns false when nothing was sent: the connection is not open, or the topic is empty or too long
   */
  publish(topic: string, data: BinaryData | IStringified, options?: IPublishOptions | SendCallback, cb?: SendCallback): boolean;

  /**
   * Sends a text message.
   * @returns false when it is better to wait for `drain`, and when nothing was sent
   */
  sendUTF(data: IStringified, options?: ISendOptions | SendCallback, cb?: SendCallback): any;
  /** Sends a binary message. Returns as `sendUTF()`. */
  sendBytes(data: BinaryData, options?: ISendOptions | SendCallback, cb?: SendCallback): any;
  /** Sends Buffers, ArrayBuffers and their views as a binary message, everything else as text. Returns as `sendUTF()`. */
  send(data: BinaryData | IStringified, options?: ISendOptions | SendCallback, cb?: SendCallback): any;
  /** Sends a ping. More than 125 bytes are cut off. */
  ping(data?: BinaryData | IStringified): void;
  /** Sends a pong. Not needed to answer pings: that is done by itself. */
  pong(data?: BinaryData | IStringified): void;
  /** Sends a frame as it is, except that `mask` is set as the connection's role demands. Returns as `sendUTF()`. */
  sendFrame(frame: frame, cb?: SendCallback): any;
  /**
   * Sends the payload of a data frame, in several frames if it is longer than `fragmentationThreshold`. Returns as
   * `sendUTF()`.
   */
  fragmentAndSend(frame: frame, cb?: (err: IWebSocketError) => void): any;
  /** Sends a Close frame and ends the socket's writable side. */
  sendCloseFrame(reasonCode?: number, reasonText?: string | null, cb?: SendCallback): void;

  /** Stops receiving. */
  pause(): void;
  /** Goes on receiving. */
  resume(): void;

  /**
   * The messages that come from now on, for `for await`, at the program's own pace: the connection is paused while 64 of them
   * or 1 MiB wait. Ends when the connection is closed, is rejected when its socket fails.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<Message>;

  /**
   * The messages from now on as a Duplex: `end()` closes the connection with 1000, `destroy()` ends it at once, and a connection
   * that does not end with 1000 or without a code destroys the stream with an {@link IStreamClosedError}. docs/streams.md has more.
   * @throws Error for options that mean nothing, and without `assembleFragments`
   */
  stream(options?: IStreamOptions): stream.Duplex;

  /** Sends a ping and resolves with the milliseconds its answer took. Rejected when the connection ends before. */
  measureLatency(): Promise<number>;

  /** Figures about the connection up to now. */
  stats(): IConnectionStats;

  setKeepaliveTimer(): void;
  clearKeepaliveTimer(): void;
  handleKeepaliveTimer(): void;
  setGracePeriodTimer(): void;
  clearGracePeriodTimer(): void;
  handleGracePeriodTimer(): void;
  handleSocketData(data: Buffer): void;
  processReceivedData(): void;
  handleSocketError(error: IWebSocketError): void;
  handleSocketEnd(): void;
  handleSocketClose(hadError: boolean): void;
  handleSocketDrain(): void;
  handleSocketPause(): void;
  handleSocketResume(): void;
  setCloseTimer(): void;
  clearCloseTimer(): void;
  handleCloseTimer(): void;
  processFrame(frame: frame): void;

  _addSocketEventListeners(): void;

  on<E extends keyof IConnectionEvents>(event: E, cb: (...args: IConnectionEvents[E]) => void): this;
  addListener<E extends keyof IConnectionEvents>(event: E, cb: (...args: IConnectionEvents[E]) => void): this;
  once<E extends keyof IConnectionEvents>(event: E, cb: (...args: IConnectionEvents[E]) => void): this;
  once(event: string | symbol, cb: (...args: any[]) => void): this;
  off<E extends keyof IConnectionEvents>(event: E, cb: (...args: IConnectionEvents[E]) => void): this;
  off(event: string | symbol, cb: (...args: any[]) => void): this;
  removeListener<E extends keyof IConnectionEvents>(event: E, cb: (...args: IConnectionEvents[E]) => void): this;
  removeListener(event: string | symbol, cb: (...args: any[]) => void): this;
  prependListener<E extends keyof IConnectionEvents>(event: E, cb: (...args: IConnectionEvents[E]) => void): this;
  prependListener(event: string | symbol, cb: (...args: any[]) => void): this;
  prependOnceListener<E extends keyof IConnectionEvents>(event: E, cb: (...args: IConnectionEvents[E]) => void): this;
  prependOnceListener(event: string | symbol, cb: (...args: any[]) => void): this;
  emit<E extends keyof IConnectionEvents>(event: E, ...args: IConnectionEvents[E]): boolean;
  emit(event: string | symbol, ...args: any[]): boolean;
}

/** A single frame of the protocol (RFC 6455 section 5.2). */
export class frame {
  /** Whether this is the only or the last frame of a message. */
  fin: boolean;
  rsv1: boolean;
  rsv2: boolean;
  rsv3: boolean;
  /** Whether the payload is masked, a boolean; declared as a number by @types/websocket. Set by `sendFrame()`. */
  mask: any;
  /** 0 continuation, 1 text, 2 binary, 8 close, 9 ping, 10 pong. */
  opcode: number;
  /** Bytes of payload. Set by `toBuffer()` on frames to be sent. */
  length: number;
  /** The payload, of text frames as well. On Close frames what follows the status code. */
  binaryPayload: Buffer;

  maskBytes: Buffer;
  frameHeader: Buffer;
  config: IConfig;
  maxReceivedFrameSize: number;
  /** Whether the frame breaks the rules of the protocol; `dropReason` says how. */
  protocolError: boolean;
  /** Why the connection ought to be dropped. */
  dropReason: string;
  /** Whether the frame is longer than `maxReceivedFrameSize`. */
  frameTooLarge: boolean;
  /** Whether this is a Close frame with a payload of one byte. */
  invalidCloseFrameLength: boolean;
  /** How far `addData()` has come: 1 header, 2 and 3 length, 4 mask, 5 payload, 6 complete. */
  parseState: number;
  /** Status code of a Close frame, -1 if there is none. */
  closeStatus: number;

  /** Without arguments: a frame to be filled and sent. */
  constructor(maskBytes?: Buffer, frameHeader?: Buffer, config?: IConfig);

  /** Reads from the front of a list. Returns true when the frame is complete or broken, false when more is needed. */
  addData(bufferList: IBufferList): boolean;
  /** Skips the payload. Returns false when more data is needed for that. */
  throwAwayPayload(bufferList: IBufferList): boolean;
  /**
   * The frame in the form that goes over the wire.
   * @param nullMask true to mask with zeros
   */
  toBuffer(nullMask?: boolean): Buffer;
  toString(): string;
}

/** Options of a client. */
export interface IClientConfig extends IConfig {
  /**
   * Version of the protocol to ask for, 13 or 8. With 8 the origin is sent as `Sec-WebSocket-Origin`.
   * @default 13
   */
  webSocketVersion?: number | undefined;

  /**
   * Options for `https.request()` when the URL begins with `wss:`. Their `headers` are sent too.
   * @default {}
   */
  tlsOptions?: https.RequestOptions | undefined;

  /**
   * How long the opening handshake may take, redirects included, before `connectFailed`. 0 is no limit.
   * @default 0
   */
  handshakeTimeout?: number | undefined;

  /**
   * Whether redirects are followed: never from `wss:` to `ws:`, and to other hosts without credentials.
   * @default false
   */
  followRedirects?: boolean | undefined;

  /**
   * How many of them.
   * @default 10
   */
  maxRedirects?: number | undefined;
}

/** Options of one attempt to connect, among those for `http.request()`. */
export interface IConnectOptions extends https.RequestOptions {
  /** Gives the attempt up when it is aborted: `connectFailed` with an AbortError. An open connection is not concerned. */
  signal?: AbortSignal | undefined;
  /** Takes the place of the client's own option. */
  handshakeTimeout?: number | undefined;
  /** Takes the place of the client's own option. */
  followRedirects?: boolean | undefined;
  /** Takes the place of the client's own option. */
  maxRedirects?: number | undefined;
}

/** Why there is no connection. docs/errors.md lists the codes. */
export interface IConnectError extends IWebSocketError {
  /** The status of the server's answer, if there was one. */
  statusCode?: number | undefined;
  /** The headers of that answer, their names in lower case. */
  headers?: http.IncomingHttpHeaders | undefined;
  /** Why the server refuses, in its own words: what its `reject()` was given, or the phrase of the status. */
  reason?: string | undefined;
  /** What was wrong with each address, if the host has several. */
  errors?: Error[] | undefined;
}

/** Headers of a request: an object, or pairs of name and value as in a `Headers` object or a Map. */
export type IRequestHeaders = http.OutgoingHttpHeaders | Iterable<readonly [string, http.OutgoingHttpHeader]>;

/** Events of {@link client} and the arguments of their listeners. */
export interface IClientEvents {
  /** The connection is open. */
  connect: [connection: connection];
  /** There will be no connection: the error of the system, or what was wrong with the server's answer. */
  connectFailed: [err: IConnectError];
  /** The server answered with something else than 101. With a listener for it, `connectFailed` is not emitted. */
  httpResponse: [response: http.IncomingMessage, client: client];
  /** The same as `connectFailed`, emitted only if somebody listens for it. */
  error: [err: IConnectError];
}

/** Opens connections to servers. */
export class client extends EventEmitter {
  /** The options in force, defaults included. */
  config: IClientConfig;
  /** The URL given to `connect()`, taken apart. */
  url?: url.Url | undefined;
  /** The subprotocols offered. */
  protocols?: string[] | undefined;
  /** The origin given to `connect()`. */
  origin?: string | undefined;
  /** Whether the URL begins with `wss:`. */
  secure?: boolean | undefined;
  /** The `Sec-WebSocket-Key` sent. */
  base64nonce?: string | undefined;
  /** The subprotocol the server chose. */
  protocol?: string | undefined;
  /** The socket, once the server has answered with 101. */
  socket?: net.Socket | undefined;
  /** The server's answer, if it was a 101. */
  response?: http.IncomingMessage | undefined;
  /** What the server sent after its answer. */
  firstDataChunk?: Buffer | null | undefined;
  /** The HTTP request while it waits for an answer. */
  _req: http.ClientRequest | null;

  constructor(ClientConfig?: IClientConfig);

  /**
   * Opens a connection; `connect` or `connectFailed` follows.
   * @param requestUrl `ws:` or `wss:` (`http:` and `https:` mean the same), as a string, a URL object, or what `url.parse()`
   * returns
   * @param requestedProtocols subprotocols to offer, the preferred one first
   * @param origin value for the `Origin` header
   * @param headers more headers for the request
   * @param extraRequestOptions options for `http.request()` or `https.request()`, for instance `agent` or `createConnection`
   * (any Duplex will do), and for this attempt
   * @throws Error if the URL or a subprotocol is not valid
   * @example client.connect('ws://127.0.0.1:8080/', 'echo-protocol')
   */
  connect(
    requestUrl: url.Url | url.URL | string,
    requestedProtocols?: string | string[] | null,
    origin?: string | null,
    headers?: IRequestHeaders | null,
    extraRequestOptions?: IConnectOptions | null,
  ): void;

  /** Gives up while the server has not answered yet; `connectFailed` follows if there is a socket. Later it does nothing. */
  abort(): void;

  on<E extends keyof IClientEvents>(event: E, cb: (...args: IClientEvents[E]) => void): this;
  addListener<E extends keyof IClientEvents>(event: E, cb: (...args: IClientEvents[E]) => void): this;
  once<E extends keyof IClientEvents>(event: E, cb: (...args: IClientEvents[E]) => void): this;
  once(event: string | symbol, cb: (...args: any[]) => void): this;
  off<E extends keyof IClientEvents>(event: E, cb: (...args: IClientEvents[E]) => void): this;
  off(event: string | symbol, cb: (...args: any[]) => void): this;
  removeListener<E extends keyof IClientEvents>(event: E, cb: (...args: IClientEvents[E]) => void): this;
  removeListener(event: string | symbol, cb: (...args: any[]) => void): this;
  prependListener<E extends keyof IClientEvents>(event: E, cb: (...args: IClientEvents[E]) => void): this;
  prependListener(event: string | symbol, cb: (...args: any[]) => void): this;
  prependOnceListener<E extends keyof IClientEvents>(event: E, cb: (...args: IClientEvents[E]) => void): this;
  prependOnceListener(event: string | symbol, cb: (...args: any[]) => void): this;
  emit<E extends keyof IClientEvents>(event: E, ...args: IClientEvents[E]): boolean;
  emit(event: string | symbol, ...args: any[]): boolean;
}

/** Events of {@link IRouterRequest} and the arguments of their listeners. */
export interface IRouterRequestEvents<R = IRouterRequest> {
  /** The request was accepted through this object. */
  requestAccepted: [connection: connection];
  /** The request was rejected through this object. */
  requestRejected: [request: R];
}

/** What a handler of a router receives: the request, and the subprotocol it was matched by. */
export interface IRouterRequest extends EventEmitter {
  /** The request itself. */
  webSocketRequest: request;
  /** The subprotocol that `accept()` will choose; null if the client offered none. */
  protocol: string | null;
  /** The `Origin` header. Undefined if there is none. */
  origin: string;
  /** Path and query as in the request line. */
  resource: string;
  /** `resource` taken apart; `query` is an object. */
  resourceURL: url.UrlWithParsedQuery;
  /** The HTTP request, with its headers. */
  httpRequest: http.IncomingMessage;
  /** The client's address, as in {@link request.remoteAddress}. */
  remoteAddress: string;
  /** Version of the protocol that the client speaks: 13 or 8. */
  webSocketVersion: number;
  /** The extensions offered, each an {@link IRequestedExtension}. */
  requestedExtensions: any[];
  /** The cookies sent. */
  cookies: ICookie[];

  /**
   * Accepts the request with `protocol`. A list in the third place is declared only for programs written against
   * @types/websocket, which declares the arguments of `request.accept()` here; nor is a string in the second place accepted at
   * run time.
   * @param allowedOrigin sent back to the client as `Origin`
   * @param cookies to be set by the answer
   */
  accept(
    allowedOrigin?: string | null, cookies?: ICookie[] | string | null, options?: IAcceptOptions | ICookie[] | null,
  ): connection;

  /** Rejects the request, as {@link request.reject} does. */
  reject(httpStatus?: number, reason?: string, extraHeaders?: object): void;

  on<E extends keyof IRouterRequestEvents>(event: E, cb: (...args: IRouterRequestEvents<this>[E]) => void): this;
  addListener<E extends keyof IRouterRequestEvents>(event: E, cb: (...args: IRouterRequestEvents<this>[E]) => void): this;
  once<E extends keyof IRouterRequestEvents>(event: E, cb: (...args: IRouterRequestEvents<this>[E]) => void): this;
  once(event: string | symbol, cb: (...args: any[]) => void): this;
  off<E extends keyof IRouterRequestEvents>(event: E, cb: (...args: IRouterRequestEvents<this>[E]) => void): this;
  off(event: string | symbol, cb: (...args: any[]) => void): this;
  removeListener<E extends keyof IRouterRequestEvents>(event: E, cb: (...args: IRouterRequestEvents<this>[E]) => void): this;
  removeListener(event: string | symbol, cb: (...args: any[]) => void): this;
  prependListener<E extends keyof IRouterRequestEvents>(event: E, cb: (...args: IRouterRequestEvents<this>[E]) => void): this;
  prependListener(event: string | symbol, cb: (...args: any[]) => void): this;
  prependOnceListener<E extends keyof IRouterRequestEvents>(event: E, cb: (...args: IRouterRequestEvents<this>[E]) => void): this;
  prependOnceListener(event: string | symbol, cb: (...args: any[]) => void): this;
  emit<E extends keyof IRouterRequestEvents>(event: E, ...args: IRouterRequestEvents<this>[E]): boolean;
  emit(event: string | symbol, ...args: any[]): boolean;
}

/** Options of a router. */
export interface IRouterConfig {
  /** The server whose requests are to be handled. */
  server: server;
}

/** A handler mounted on a router. */
export interface IRouterHandler {
  /** A RegExp; declared as a string by @types/websocket. */
  path: any;
  /** `String(path)` */
  pathString: string;
  /** In lower case; `*` for any, `____no_protocol____` for none. */
  protocol: string;
  /** Called with an {@link IRouterRequest}; `any` because @types/websocket declares another one. */
  callback: (request: any) => void;
}

/** Gives each request of a server to the handler for its path and subprotocol. */
export class router extends EventEmitter {
  handlers: IRouterHandler[];
  config: { server: server | null };
  /** The server attached to. */
  server?: server | null | undefined;

  constructor(config?: IRouterConfig);

  /** Starts to handle the `request` event of a server. */
  attachServer(server: server): void;
  /** Stops handling it. */
  detachServer(): void;

  /**
   * @param path a path as it is, `*` for every path, or a RegExp
   * @param protocol a subprotocol, `*` for any or none, or null for clients that offer none
   * @throws Error if an argument is missing, or if there is a handler for this combination already
   */
  mount(path: string | RegExp, protocol: string | null, callback: (request: IRouterRequest) => void): void;
  /**
   * Removes a handler.
   * @throws Error if there is none for this combination
   */
  unmount(path: string | RegExp, protocol?: string | null): void;

  /** Index in `handlers`, or -1. */
  findHandlerIndex(pathString: string, protocol: string): number;
  pathToRegExp(path: string | RegExp): RegExp;
  /** @deprecated Misspelt by @types/websocket, no version has it. Use `pathToRegExp()`. */
  pathToRegEx(path: RegExp): RegExp;
  /** Finds the handler for a request and calls it; rejects with 404 if there is none. */
  handleRequest(request: request): void;
}

/** An event of {@link w3cwebsocket}: a plain object. */
export interface IEvent {
  type: string;
  target: w3cwebsocket;
}

// Events for the `on…` handlers: `type` and `target` are always there on those of a socket. Programs that call a handler
// themselves may leave them out.

/** Tells how a connection ended. */
export interface ICloseEvent {
  type?: string | undefined;
  target?: w3cwebsocket | undefined;
  /** The close code; 1006 if the connection failed or broke off. */
  code: number;
  reason: string;
  /** Whether the closing handshake was completed. */
  wasClean: boolean;
}

/**
 * A message. Text is a string, binary data an ArrayBuffer, or a Blob if `binaryType` is `'blob'`
 * (`event.data instanceof Blob` tells the compiler).
 */
export interface IMessageEvent {
  type?: string | undefined;
  target?: w3cwebsocket | undefined;
  data: string | Buffer | ArrayBuffer;
}

/** Something failed; `close` follows. */
export interface IErrorEvent extends Error {
  type?: string | undefined;
  target?: w3cwebsocket | undefined;
  /** What went wrong. */
  error?: IConnectError | undefined;
  /** The message of `error`. */
  message: string;
  /** @deprecated Never set. Declared because @types/websocket says that the event is an Error. */
  name: string;
  /** @deprecated Never set. See `error.stack`. */
  stack?: string;
}

/** The events of {@link w3cwebsocket} by their names. */
export interface IW3CEventMap {
  open: IEvent;
  message: IEvent & IMessageEvent;
  error: IEvent & IErrorEvent & { error: IConnectError };
  close: IEvent & ICloseEvent;
}

/** The WebSocket class of browsers. */
export class w3cwebsocket {
  /** 0 */
  static CONNECTING: number;
  /** 1 */
  static OPEN: number;
  /** 2 */
  static CLOSING: number;
  /** 3 */
  static CLOSED: number;

  _url: string;
  _readyState: number;
  _protocol?: string | undefined;
  _extensions: any;
  _bufferedAmount: number;
  _binaryType: any;
  _connection?: connection | undefined;
  _client: client;

  /** The URL given to the constructor. Read-only. */
  url: string;
  /** `CONNECTING`, `OPEN`, `CLOSING` or `CLOSED`. Read-only. */
  readyState: number;
  /** The subprotocol the server chose. Read-only. */
  protocol?: string | undefined;
  /** The extensions agreed on: a string as in browsers, or an empty array when there are none. Read-only. */
  extensions: any;
  /** Bytes of messages given to `send()` that the system has not taken yet. Read-only. */
  bufferedAmount: number;

  /** The form of received binary messages: `'arraybuffer'` (default) or `'blob'`. */
  get binaryType(): any;
  set binaryType(type: 'arraybuffer' | 'blob');

  CONNECTING: number;
  OPEN: number;
  CLOSING: number;
  CLOSED: number;

  /** Called with an {@link IEvent}. */
  onopen: (event?: any) => void;
  onerror: IEventHandler<IErrorEvent>;
  onclose: IEventHandler<ICloseEvent>;
  onmessage: IEventHandler<IMessageEvent>;

  /**
   * @param protocols subprotocols to offer
   * @param origin value for the `Origin` header
   * @param headers more headers for the request
   * @param requestOptions options for `http.request()` or `https.request()`
   * @param IClientConfig options of the client; `assembleFragments` is always true
   */
  constructor(
    url: string,
    protocols?: string | string[] | null,
    origin?: string | null,
    headers?: IRequestHeaders | null,
    requestOptions?: object | null,
    IClientConfig?: IClientConfig | null,
  );

  /**
   * Sends strings as text, everything else as binary.
   * @throws Error while there is no connection
   */
  send(data: ArrayBufferView | ArrayBuffer | Buffer | IStringified): void;

  /**
   * Closes the connection, or gives up opening it.
   * @param code 1000 or 3000 to 4999
   * @param reason at most 123 bytes of UTF-8
   * @throws Error if an argument is not valid
   */
  close(code?: number, reason?: string): void;

  addEventListener<K extends keyof IW3CEventMap>(
    type: K, listener: IEventListener<IW3CEventMap[K]>, options?: boolean | IListenerOptions,
  ): void;
  addEventListener(type: string, listener: IEventListener<any>, options?: boolean | IListenerOptions): void;
  removeEventListener<K extends keyof IW3CEventMap>(type: K, listener: IEventListener<IW3CEventMap[K]>): void;
  removeEventListener(type: string, listener: IEventListener<any>): void;
  /**
   * Calls the `on…` handler and the listeners for `event.type`.
   * @returns false if one of them has set `event.defaultPrevented`
   * @throws Error if `event` has no type
   */
  dispatchEvent(event: { type: string; [property: string]: any }): boolean;
}

/** Options of a listener: whether it is for one event only, and what removes it when it is aborted. */
export interface IListenerOptions {
  once?: boolean | undefined;
  signal?: AbortSignal | null | undefined;
}

/** A listener for one event: a function, or an object with the method `handleEvent()`. */
export type IEventListener<E> = ((event: E) => void) | { handleEvent(event: E): void };

/** A handler of one event. Compared as methods are, so that a handler may declare its argument more or less precisely. */
export type IEventHandler<E> = { bivarianceHack(event: E): void }['bivarianceHack'];

/** Warnings about names that will go away. */
export const deprecation: {
  disableWarnings: boolean;
  /** From the name of a warning to its text; false once it was shown. */
  deprecationWarningMap: { [name: string]: string };
  /** Shows a warning, once. */
  warn(deprecationName: string): void;
};

/** Version of this package. */
export const version: string;
