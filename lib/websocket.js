'use strict';

const server = require('./WebSocketServer');
const client = require('./WebSocketClient');
const router = require('./WebSocketRouter');
const frame = require('./WebSocketFrame');
const request = require('./WebSocketRequest');
const connection = require('./WebSocketConnection');
const w3cwebsocket = require('./W3CWebSocket');
const deprecation = require('./Deprecation');
const version = require('./version');

// Shorthand names, so that Node finds them for `import { server } from 'websocket'`.
module.exports = { server, client, router, frame, request, connection, w3cwebsocket, deprecation, version };
