'use strict';

// What the value of an option may be. A kind is a function that returns the value to work with, or throws an Error that names
// the option. `undefined` stands for the default, unless the kind has `takesUndefined`.

const { inspect } = require('util');
const { optionError } = require('../base/errors');

const LONGEST_SHOWN = 80;

/** A value as an error text shows it: on one line, and not too long. */
function shown(value) {
  if (typeof value === 'function') return value.name === '' ? 'a function' : `the function ${value.name}`;
  const text = inspect(value, { depth: 0, breakLength: Infinity, customInspect: false });
  return text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}…` : text;
}

/** A number, or what websocket 1.0.35 compared like one: a text that is a number, and a BigInt. NaN for anything else. */
function toNumber(value) {
  if (typeof value === 'number') return value;
  const isNumeric = typeof value === 'bigint' || (typeof value === 'string' && value.trim() !== '');
  return isNumeric ? Number(value) : NaN;
}

/**
 * Numbers from `least` on.
 * @param {number} least
 * @param {{ orNull?: boolean }} [more]
 */
function number(least, { orNull = false } = {}) {
  const words = `${orNull ? 'null or ' : ''}a number of at least ${least}`;
  return (value, name) => {
    if (orNull && value === null) return null;
    const result = toNumber(value);
    if (!(result >= least)) throw optionError(`The option ${name} must be ${words}, not ${shown(value)}.`);
    return result;
  };
}

const anyNumber = number(0);

/** The longest frame or message. In websocket 1.0.35, `undefined` was no limit, and programs came to rely on it. */
function size(value, name) {
  return value === undefined ? Infinity : anyNumber(value, name);
}
size.takesUndefined = true;

/** Milliseconds that only matter when another option is on; checkKeepalive() looks whether they are there then. */
function keepaliveTime(value, name) {
  return value === null ? null : anyNumber(value, name);
}

/** True or false as JavaScript understands it, `undefined` being false, as in websocket 1.0.35. */
function flag(value) {
  return value;
}
flag.takesUndefined = true;

/** One of some texts. */
function oneOf(...values) {
  const words = values.map((value) => `'${value}'`).join(' or ');
  return (value, name) => {
    if (!values.includes(value)) throw optionError(`The option ${name} must be ${words}, not ${shown(value)}.`);
    return value;
  };
}

/** A value that is checked where it is put to use, before anything is changed. */
function other(value) {
  return value;
}

/** An object with more options, or nothing. */
function group(value, name) {
  if (value && typeof value !== 'object') throw optionError(`The option ${name} must be an object, not ${shown(value)}.`);
  return value;
}

/** What connects a server with others: an object with the methods of an adapter, or nothing. */
function pubsub(value, name) {
  if (value === null) return null;
  const missing = ['start', 'subscribe', 'unsubscribe', 'publish', 'close'].find((method) => typeof value?.[method] !== 'function');
  if (missing) throw optionError(`The option ${name} must be an adapter, with a method ${missing}(), not ${shown(value)}.`);
  return value;
}

function webSocketVersion(value) {
  if (value !== 8 && value !== 13) {
    throw optionError('Requested webSocketVersion is not supported. Allowed values are 8 and 13.');
  }
  return value;
}
webSocketVersion.takesUndefined = true;

module.exports = { shown, toNumber, number, size, keepaliveTime, flag, oneOf, other, group, pubsub, webSocketVersion };
