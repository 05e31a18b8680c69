'use strict';

// Values as text that is equal for equal values, on every Node version, and readable in a diff.

const crypto = require('crypto');
const net = require('net');
const http = require('http');
const { EventEmitter } = require('events');

const LONG = 120;

const digest = (data) => crypto.createHash('sha1').update(data).digest('hex').slice(0, 12);

/** True for what is long and all the same: then the length tells everything. */
const isUniform = (data) => data.length > 16 && [...data].every((item) => item === data[0]);

function formatBytes(name, bytes) {
  if (isUniform(bytes)) return `<${name} ${bytes.length} x ${bytes.subarray(0, 1).toString('hex')}>`;
  if (bytes.length > LONG) return `<${name} ${bytes.length} bytes, sha1 ${digest(bytes)}>`;
  return `<${name}${bytes.length > 0 ? ' ' : ''}${bytes.toString('hex')}>`;
}

function formatString(text) {
  if (isUniform(text)) return `<${text.length} x ${JSON.stringify(text[0])}>`;
  return text.length > 2000 ? `<string of ${text.length}, sha1 ${digest(text)}>` : JSON.stringify(text);
}

/** Properties of Errors, besides the message. */
const ERROR_PROPERTIES = ['code', 'syscall', 'httpCode', 'headers'];

/**
 * An Error by everything a program can tell it by, except the stack. Left out are the codes of this package, which 1.0.35 does
 * not have and unit/errors.test.js looks after, and the headers that come with them, which 1.0.35 gives in the message only.
 */
function formatError(error) {
  const isOurs = String(error.code).startsWith('ERR_WEBSOCKET_');
  const isAnswer = isOurs && error.httpCode === undefined;
  const extra = ERROR_PROPERTIES
    .filter((key) => error[key] !== undefined && !(key === 'code' && isOurs) && !(key === 'headers' && isAnswer))
    .map((key) => `, ${key}=${format(error[key])}`);
  const name = error.constructor ? error.constructor.name : 'Error';
  return `<${name} ${formatString(String(error.message))}${extra.join('')}>`;
}

function isPlain(value) {
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

/**
 * @param {any} value
 * @param {(value: object) => string|undefined} [nameOf] gives known objects their name
 * @param {number} [depth] how deep to look into plain objects and arrays
 */
function format(value, nameOf = () => undefined, depth = 6) {
  if (typeof value === 'string') return formatString(value);
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'function') return nameOf(value) || '<function>';
  if (typeof value !== 'object' || value === null) return String(value);
  const name = nameOf(value);
  if (name !== undefined) return name;
  if (Buffer.isBuffer(value)) return formatBytes('Buffer', value);
  if (ArrayBuffer.isView(value)) {
    return formatBytes(value.constructor.name, Buffer.from(value.buffer, value.byteOffset, value.byteLength));
  }
  if (value instanceof ArrayBuffer) return formatBytes('ArrayBuffer', Buffer.from(value));
  if (value instanceof Error) return formatError(value);
  if (value instanceof RegExp || value instanceof Date) return String(value);
  if (value instanceof net.Socket) return '<Socket>';
  if (value instanceof http.IncomingMessage) return '<IncomingMessage>';
  if (value instanceof http.Server) return '<http.Server>';
  if (depth === 0) return '<...>';
  if (Array.isArray(value)) return `[${value.map((item) => format(item, nameOf, depth - 1)).join(', ')}]`;
  if (value instanceof EventEmitter || !isPlain(value)) return `<${value.constructor ? value.constructor.name : 'object'}>`;
  const entries = Object.keys(value).sort().map((key) => `${key}: ${format(value[key], nameOf, depth - 1)}`);
  return `{${entries.join(', ')}}`;
}

const OPCODES = { 0: 'CONTINUATION', 1: 'TEXT', 2: 'BINARY', 8: 'CLOSE', 9: 'PING', 10: 'PONG' };

/** A frame as `decodeFrames` of the raw helper gives it, as one line. */
function formatFrame(frame) {
  const parts = [OPCODES[frame.opcode] || `opcode ${frame.opcode}`];
  if (!frame.fin) parts.push('fin=0');
  if (frame.rsv) parts.push(`rsv=${frame.rsv}`);
  if (frame.masked) parts.push('masked');
  if (frame.opcode === 8) {
    parts.push(frame.code === null ? 'empty' : `${frame.code} ${formatString(frame.reason)}`);
  } else if (frame.opcode === 1 && frame.payload.length <= LONG) {
    parts.push(formatString(frame.payload.toString()));
  } else {
    parts.push(formatBytes('bytes', frame.payload));
  }
  return parts.join(' ');
}

module.exports = { format, formatFrame };
