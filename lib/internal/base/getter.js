'use strict';

/**
 * Defines a property that is computed. A program that keeps a value of its own by that name, which was free in websocket 1.0.35,
 * gets its value back.
 * @param {object} prototype
 * @param {string} name
 * @param {(object: object) => unknown} get called with the object
 */
function defineGetter(prototype, name, get) {
  Object.defineProperty(prototype, name, {
    configurable: true,
    get() { return get(this); },
    set(value) {
      Object.defineProperty(this, name, { value, writable: true, enumerable: true, configurable: true });
    },
  });
}

module.exports = { defineGetter };
