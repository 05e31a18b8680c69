// What this package declares can be given to code compiled against @types/websocket 1.0.10. Not the other way round: an
// object typed by @types/websocket lacks members that these typings promise. Only what programs make themselves (options,
// messages, cookies, events) goes both ways.

import type * as ours from 'websocket';
import type * as theirs from 'types-websocket';

/** Compiles only if A can be given where B is expected. */
type Assignable<A extends B, B> = A;

export type OursToTheirs = [
  Assignable<ours.connection, theirs.connection>,
  Assignable<ours.request, theirs.request>,
  Assignable<ours.server, theirs.server>,
  Assignable<ours.client, theirs.client>,
  Assignable<ours.frame, theirs.frame>,
  Assignable<ours.router, theirs.router>,
  Assignable<ours.w3cwebsocket, theirs.w3cwebsocket>,
  Assignable<ours.IConfig, theirs.IConfig>,
  Assignable<ours.IServerConfig, theirs.IServerConfig>,
  Assignable<ours.IClientConfig, theirs.IClientConfig>,
  Assignable<ours.Message, theirs.Message>,
  Assignable<ours.IUtf8Message, theirs.IUtf8Message>,
  Assignable<ours.IBinaryMessage, theirs.IBinaryMessage>,
  Assignable<ours.IBufferList, theirs.IBufferList>,
  Assignable<ours.ICookie, theirs.ICookie>,
  Assignable<ours.IExtension, theirs.IExtension>,
  Assignable<ours.IStringified, theirs.IStringified>,
  Assignable<ours.IRouterConfig, theirs.IRouterConfig>,
  Assignable<ours.IRouterHandler, theirs.IRouterHandler>,
  Assignable<ours.IRouterRequest, theirs.IRouterRequest>,
  Assignable<ours.ICloseEvent, theirs.ICloseEvent>,
  Assignable<ours.IMessageEvent, theirs.IMessageEvent>,
  Assignable<typeof ours.deprecation, typeof theirs.deprecation>,
  Assignable<typeof ours.version, typeof theirs.version>,
  // The classes themselves, and the module as a whole.
  Assignable<typeof ours.server, typeof theirs.server>,
  Assignable<typeof ours.client, typeof theirs.client>,
  Assignable<typeof ours.router, typeof theirs.router>,
  Assignable<typeof ours.request, typeof theirs.request>,
  Assignable<typeof ours.connection, typeof theirs.connection>,
  Assignable<typeof ours.frame, typeof theirs.frame>,
  Assignable<typeof ours.w3cwebsocket, typeof theirs.w3cwebsocket>,
  Assignable<typeof ours, typeof theirs>,
];

/** What programs make themselves, or pass on as plain data. */
export type TheirsToOurs = [
  Assignable<theirs.frame, ours.frame>,
  Assignable<theirs.IConfig, ours.IConfig>,
  Assignable<theirs.IServerConfig, ours.IServerConfig>,
  Assignable<theirs.IClientConfig, ours.IClientConfig>,
  Assignable<theirs.Message, ours.Message>,
  Assignable<theirs.IUtf8Message, ours.IUtf8Message>,
  Assignable<theirs.IBinaryMessage, ours.IBinaryMessage>,
  Assignable<theirs.IBufferList, ours.IBufferList>,
  Assignable<theirs.ICookie, ours.ICookie>,
  Assignable<theirs.IExtension, ours.IExtension>,
  Assignable<theirs.IStringified, ours.IStringified>,
  Assignable<theirs.IRouterHandler, ours.IRouterHandler>,
  Assignable<theirs.ICloseEvent, ours.ICloseEvent>,
  Assignable<theirs.IMessageEvent, ours.IMessageEvent>,
];

/** Every name that @types/websocket exports as a value is one of ours. */
export type NoNameIsMissing = Assignable<Exclude<keyof typeof theirs, keyof typeof ours>, never>;

// The same in code, with functions whose arguments are typed by the other side.
declare const ourServer: ours.server;
declare const theirServer: theirs.server;
declare function handleOurs(connection: ours.connection): void;
declare function handleTheirs(connection: theirs.connection): void;
declare function onTheirRequest(request: theirs.request): void;
declare function onOurMessage(message: ours.Message): void;
declare function onTheirMessage(message: theirs.Message): void;
declare function onTheirClient(client: theirs.client): void;
declare const ourClient: ours.client;

ourServer.on('connect', handleTheirs);
ourServer.on('request', onTheirRequest);
ourServer.connections.forEach(handleTheirs);
ourServer.once('connect', (connection) => connection.on('message', onTheirMessage));
ourClient.on('connect', handleTheirs);
ourClient.on('httpResponse', (_response, client) => onTheirClient(client));
theirServer.on('connect', (connection) => connection.on('message', onOurMessage));
// @ts-expect-error @types/websocket knows nothing of what a connection has beyond 1.0.35
theirServer.on('connect', handleOurs);
