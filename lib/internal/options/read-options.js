'use strict';

// Reads the options that a program gives, those that it inherits included, and checks all of them before anything is changed.

const { optionError } = require('../base/errors');
const { shown } = require('./kinds');
const { SERVER_OPTIONS, CLIENT_OPTIONS, CONNECTION_OPTIONS } = require('./tables');
const { warnOnce, warnOfUnknown } = require('./warn');

/** Configurations that have been checked: those of servers and clients belong to all of their connections. */
const checked = new WeakSet();

/**
 * The options in force: those of the program over the defaults. What has another name is kept, for the program to find.
 * @param {Object<string, [any, Function]>} table
 * @param {string} owner whose options they are, for messages
 * @param {object|undefined} given
 * @returns {object}
 * @throws {Error} that names the option
 */
function readOptions(table, owner, given) {
  const options = {};
  for (const [name, [value]] of Object.entries(table)) {
    if (value !== undefined) options[name] = value;
  }
  if (given && (!(typeof given === 'object' || typeof given === 'function') || Array.isArray(given))) {
    warnOnce(shown(given), `The options of a ${owner} are an object; ${shown(given)} has no effect.`);
  } else {
    // Not by Object.keys(): the options may be inherited.
    for (const name in given) readOption(table, owner, given, name, options);
  }
  checkKeepalive(options);
  checked.add(options);
  return options;
}

function readOption(table, owner, given, name, options) {
  const value = given[name];
  if (Object.hasOwn(table, name)) {
    options[name] = optionValue(table, name, value);
    return;
  }
  warnOf(table, owner, given, name);
  // Assigning __proto__ would change the prototype instead.
  Object.defineProperty(options, name, { value, writable: true, enumerable: true, configurable: true });
}

/**
 * The value to work with for one option.
 * @throws {Error} that names the option
 */
function optionValue(table, name, value) {
  const [byDefault, kind] = table[name];
  return value === undefined && !kind.takesUndefined ? byDefault : kind(value, name);
}

/** What the configuration of a connection may have: mostly it is that of a server or client, or a copy. */
const ALL_OPTIONS = { ...CLIENT_OPTIONS, ...SERVER_OPTIONS };

/**
 * Checks the options of a connection, unless they are those of a server or client. The object stays the program's: a number
 * written as text stays text in it, and what is missing stays missing.
 * @throws {Error} that names the option
 */
function checkConnectionOptions(config) {
  if (typeof config !== 'object' || config === null) {
    throw optionError(`A WebSocketConnection needs an object of options, not ${shown(config)}.`);
  }
  if (checked.has(config)) return;
  // First, because of its texts.
  checkKeepalive(config);
  for (const name in config) {
    const value = config[name];
    if (!Object.hasOwn(ALL_OPTIONS, name)) {
      warnOf(ALL_OPTIONS, 'WebSocketConnection', config, name);
    } else if (Object.hasOwn(CONNECTION_OPTIONS, name) && value !== undefined && value !== null) {
      const [, kind] = CONNECTION_OPTIONS[name];
      kind(value, name);
    }
  }
}

/** Times that are needed once the keepalive is on. The texts are those of websocket 1.0.35. */
function checkKeepalive(options) {
  if (!options.keepalive || options.useNativeKeepalive) return;
  if (typeof options.keepaliveInterval !== 'number') {
    throw optionError('keepaliveInterval must be specified and numeric if keepalive is true.');
  }
  if (options.dropConnectionOnKeepaliveTimeout && typeof options.keepaliveGracePeriod !== 'number') {
    // The double space stands in the text that programs know.
    throw optionError('keepaliveGracePeriod  must be specified and numeric if dropConnectionOnKeepaliveTimeout is true.');
  }
}

/** Warns of an option that a class does not have, unless it looks as if it was not meant for us. */
function warnOf(table, owner, given, name) {
  const value = given[name];
  // What is not set, what is private, and the methods of a class of configurations.
  if (value === undefined || name.startsWith('_') || (typeof value === 'function' && !Object.hasOwn(given, name))) return;
  if (Object.hasOwn(ALL_OPTIONS, name)) {
    const having = Object.hasOwn(SERVER_OPTIONS, name) ? 'WebSocketServer' : 'WebSocketClient';
    warnOnce(name, `${owner} has no option ${name}. It is one of ${having}.`);
  } else {
    warnOfUnknown(owner, name, Object.keys(table));
  }
}

module.exports = { readOptions, optionValue, checkConnectionOptions, checkKeepalive };
