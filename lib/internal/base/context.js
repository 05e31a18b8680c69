'use strict';

// Async contexts (AsyncLocalStorage, tracing): each event of a connection is emitted in the context of its socket, and
// what a listener enters there is not seen by the next event.

const { AsyncResource } = require('async_hooks');

/** Since Node 24 a scope takes back what was entered in it; before, it stays with the resource. */
const SCOPES_ARE_CLEAN = Number(process.versions.node.split('.')[0]) >= 24;

class Context extends AsyncResource {
  constructor() {
    super('WEBSOCKET');
  }

  /** It keeps no process alive: what looks for open handles, such as Jest, asks. */
  hasRef() {
    return false;
  }
}

/** The context in which nothing has been entered. */
const ROOT = new Context();

/** What every AsyncResource has: its ids. */
const IDS = Object.getOwnPropertySymbols(ROOT).filter(({ description }) => String(description).endsWith('async_id_symbol'));

/** Whether there is anything in a context: a store of an AsyncLocalStorage, or somebody who watches it. */
function isUsed(resource) {
  for (const symbol of Object.getOwnPropertySymbols(resource)) {
    if (!IDS.includes(symbol) && resource[symbol] !== undefined) return true;
  }
  return false;
}

/** The context of the caller, for runInContext(); null when there is nothing in it. */
function captureContext() {
  const resource = new Context();
  return isUsed(resource) ? resource : null;
}

function runInChild(connection, fn, kind, value) {
  new Context().runInAsyncScope(fn, null, connection, kind, value);
}

/** Calls `fn(connection, kind, value)` in the context of the connection. */
function runInContext(connection, fn, kind, value) {
  const context = connection._context || ROOT;
  if (SCOPES_ARE_CLEAN) context.runInAsyncScope(fn, null, connection, kind, value);
  else context.runInAsyncScope(runInChild, null, connection, fn, kind, value);
}

/** Since Node 24: has a function run in the empty context, and takes back what was entered meanwhile. */
const runInRoot = SCOPES_ARE_CLEAN &&
  ((fn, connection, kind, value) => ROOT.runInAsyncScope(fn, null, connection, kind, value));

/**
 * An async resource for several calls in a row, of which none should see what another has entered; `onEnter` is called
 * when something was. Not needed since Node 24.
 */
function watchedResource(onEnter) {
  return new Proxy({}, {
    set(target, key, value) {
      onEnter();
      return Reflect.set(target, key, value);
    },
  });
}

/** Calls `fn()` where nothing has been entered, and returns what it returns: for what is shared between connections. */
function outsideOfContexts(fn) {
  return ROOT.runInAsyncScope(fn);
}

/**
 * A function that runs in the context of whoever has made this. AsyncResource.bind() is for the same, and takes a hundred
 * times as long.
 */
class BoundFunction extends Context {
  constructor(fn) {
    super();
    this.fn = fn;
  }

  call(argument) {
    this.runInAsyncScope(this.fn, null, argument);
  }
}

module.exports = { BoundFunction, captureContext, runInContext, runInRoot, outsideOfContexts, watchedResource };
