'use strict';

// What console.log() shows of the objects of this package: what a reader looks for, on one screen. Their sockets, timers and
// buffers would fill several.

const { inspect } = require('util');

/** Properties that are large, or say nothing to a reader. */
const HIDDEN = new Set(['config', 'serverConfig', 'socket', 'httpRequest', 'response', 'firstDataChunk', 'resourceURL', 'protocolFullCaseMap',
  'domain']);

const LONGEST_STRING = 200;

/** Lists of more than this are shown by their length. */
const LONGEST_LIST = 8;

function summary(value) {
  if (Array.isArray(value) && value.length > LONGEST_LIST) return `[${value.length} items]`;
  // A URL taken apart is long; and its user and password are nobody's business.
  if (value && typeof value === 'object' && typeof value.href === 'string') return `${value.protocol}//${value.host}${value.path || ''}`;
  if (ArrayBuffer.isView(value)) return `<${value.byteLength} bytes>`;
  return value;
}

/**
 * Gives the objects of a class a short form. What the program has added to one of them is shown, too.
 * @param {Function} Class
 * @param {string[]} names properties to show first, getters among them
 * @param {string[]} [hidden] own properties not to show
 */
function makeInspectable(Class, names, hidden = []) {
  const skip = new Set([...HIDDEN, ...hidden, ...names]);
  const isShown = (name) => !skip.has(name) && !name.startsWith('_');
  Object.defineProperty(Class.prototype, inspect.custom, {
    writable: true,
    configurable: true,
    value: function inspectObject(depth, options) {
      const { constructor } = this;
      const title = typeof constructor === 'function' && constructor.name ? constructor.name : Class.name;
      if (depth < 0) return options.stylize(`[${title}]`, 'special');
      const shown = {};
      const own = Object.keys(this).filter(isShown);
      for (const name of [...names, ...own]) {
        const value = valueOf(this, name);
        if (value !== undefined) shown[name] = summary(value);
      }
      return `${title} ${inspect(shown, { ...options, maxStringLength: LONGEST_STRING, depth: options.depth === null ? null : Math.min(options.depth, 1) })}`;
    },
  });
}

/** The value of a property; a getter may not be ready for an object that is only half made, such as a prototype. */
function valueOf(object, name) {
  try {
    return object[name];
  } catch {
    return undefined;
  }
}

module.exports = { makeInspectable };
