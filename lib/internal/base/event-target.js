'use strict';

// The DOM's event interface as far as WebSockets need it. Events are plain objects that programs may add to.

const { isAbortSignal, onAbort } = require('./abort-signal');
const { websocketError } = require('./errors');

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

/**
 * Adds a listener: a function or an object with `handleEvent()`. Adding one twice has no effect.
 * @param {string} type
 * @param {Function|object} listener
 * @param {boolean|{ once?: boolean, signal?: AbortSignal }} [options] aborting `signal` removes the listener
 * @throws {TypeError} for another `signal`
 */
function addEventListener(type, listener, options) {
  const { once, signal } = typeof options === 'object' && options !== null ? options : {};
  const hasSignal = signal !== undefined && signal !== null;
  if (hasSignal && !isAbortSignal(signal)) {
    throw websocketError('ERR_WEBSOCKET_ARGUMENT', 'The option signal of addEventListener() must be an AbortSignal, not ' +
      `${String(signal)}.`, undefined, TypeError);
  }
  if (!type || !listener || (hasSignal && signal.aborted)) return;
  const all = listenersOf(this);
  const list = all.get(type) || [];
  if (list.some((entry) => entry.listener === listener)) return;
  const entry = { listener, once: Boolean(once), removed: false, forgetSignal: null };
  // A new array, so that an event under way is not disturbed.
  all.set(type, [...list, entry]);
  if (hasSignal) removeWhenAborted(signal, this, type, entry);
}

/** A signal may live much longer than a target, and keeps none. */
function removeWhenAborted(signal, target, type, entry) {
  const targetRef = new WeakRef(target);
  const entryRef = new WeakRef(entry);
  entry.forgetSignal = onAbort(signal, () => {
    const listening = targetRef.deref();
    const listed = entryRef.deref();
    if (listening !== undefined && listed !== undefined) remove(listening, type, listed);
  });
}

function removeEventListener(type, listener) {
  const entry = (listenersOf(this).get(type) || []).find((one) => one.listener === listener);
  if (entry !== undefined) remove(this, type, entry);
}

/** Removes an entry of a list: it is not to be called any more, not even by an event that is under way. */
function remove(target, type, entry) {
  const all = listenersOf(target);
  entry.removed = true;
  if (entry.forgetSignal !== null) entry.forgetSignal();
  all.set(type, (all.get(type) || []).filter((one) => one !== entry));
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
    if (once) remove(this, event.type, entry);
    if (typeof listener === 'function') listener.call(this, event);
    else if (typeof listener.handleEvent === 'function') listener.handleEvent(event);
  }
  return !event.defaultPrevented;
}

module.exports = { Event, mixInEventTarget };
