'use strict';

const { websocketError } = require('./errors');

// The DOM's event interface as far as WebSockets need it. Events are plain objects that programs may add to.

class Event {
  constructor(type) {
    this.type = type;
    this.isTrusted = false;
  }
}

/** Gives the prototype of a class the methods of an EventTarget. */
function mixInEventTarget(prototype) {
  Object.assign(prototype, { addEventListener, removeEventListener, dispatchEvent });
}

function listenersOf(target) {
  // A Map: event types are names that anybody may choose.
  if (target._listeners === undefined) {
    Object.defineProperty(target, '_listeners', { value: new Map(), writable: true, configurable: true });
  }
  return target._listeners;
}

/** Adds a listener: a function or an object with `handleEvent()`. Adding one twice has no effect. */
function addEventListener(type, listener, options) {
  if (!type || !listener) return;
  const all = listenersOf(this);
  const list = all.get(type) || [];
  if (list.some((entry) => entry.listener === listener)) return;
  const once = typeof options === 'object' && options !== null && Boolean(options.once);
  // A new array, so that an event under way is not disturbed.
  all.set(type, [...list, { listener, once, removed: false }]);
}

function removeEventListener(type, listener) {
  const list = listenersOf(this).get(type) || [];
  for (const entry of list) {
    // Not to be called any more, not even by an event that is under way.
    if (entry.listener === listener) entry.removed = true;
  }
  listenersOf(this).set(type, list.filter((entry) => !entry.removed));
}

/**
 * Calls the `on…` handler and the listeners of an event.
 * @returns {boolean} false when one of them has set `defaultPrevented`
 * @throws {Error} without a `type`
 */
function dispatchEvent(event) {
  if (!event || typeof event.type !== 'string') {
    throw websocketError('ERR_WEBSOCKET_ARGUMENT', '`event` must have a valid `type` property');
  }
  let stopped = false;
  try {
    if (event instanceof Event) {
      event.target = this;
      event.cancelable = true;
    }
    event.stopImmediatePropagation = () => { stopped = true; };
  } catch {
    // An event of the platform, whose properties are read-only.
  }
  const handler = this[`on${event.type}`];
  if (typeof handler === 'function') handler.call(this, event);
  for (const entry of listenersOf(this).get(event.type) || []) {
    if (stopped) break;
    if (entry.removed) continue;
    const { listener, once } = entry;
    if (once) this.removeEventListener(event.type, listener);
    if (typeof listener === 'function') listener.call(this, event);
    else if (typeof listener.handleEvent === 'function') listener.handleEvent(event);
  }
  return !event.defaultPrevented;
}

module.exports = { Event, mixInEventTarget };
