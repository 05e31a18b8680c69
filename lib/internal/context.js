'use strict';

// Async contexts (AsyncLocalStorage, tracing): each event of a connection is emitted in the context of its socket, and
// what a listener enters there is not seen by the next event.

const { AsyncResource } = require('async_hooks');

/** Since Node 24 a scope takes back what was entered in it; before, it stays with the resource. */
const SCOPES_ARE_CLEAN = Number(process.versions.node.split('.')[0]) >= 24;

/** A new context, a child of the one that the caller is in. */
function createContext() {
  return new AsyncResource('WEBSOCKET');
}

function runInChild(connection, fn, kind, value) {
  createContext().runInAsyncScope(fn, null, connection, kind, value);
}

/** Calls `fn(connection, kind, value)` in the context of the connection. */
function runInContext(connection, fn, kind, value) {
  if (SCOPES_ARE_CLEAN) connection._context.runInAsyncScope(fn, null, connection, kind, value);
  else connection._context.runInAsyncScope(runInChild, null, connection, fn, kind, value);
}

module.exports = { createContext, runInContext };
