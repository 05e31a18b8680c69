'use strict';

/**
 * Where an EventEmitter keeps its listeners, by event. As the dictionary that Node makes, the few that a connection has take
 * half a kilobyte; as an object with a shape that all connections have in common, a tenth of that.
 */
function Listeners() {}
Listeners.prototype = Object.create(null);

/**
 * Puts such an object in place of the one of an EventEmitter that has its listeners for good. Removing one, as during an opening
 * handshake, makes a dictionary of any object.
 */
function compactListeners(emitter) {
  const listeners = new Listeners();
  for (const event of Reflect.ownKeys(emitter._events)) listeners[event] = emitter._events[event];
  emitter._events = listeners;
}

module.exports = { Listeners, compactListeners };
