'use strict';

// What programs pass to the methods for topics. A wrong type is a mistake of the program and throws. A wrong name may be a
// peer's, and must not end the process: it is told to a callback or a Promise.

const { inspect } = require('util');
const { asBuffer } = require('../base/arguments');
const { websocketError } = require('../base/errors');
const { OPCODE } = require('../transport/encode');
const { textOf } = require('../connection/text-of');
const { POLICY } = require('./deliver');

function argumentError(message) {
  return websocketError('ERR_WEBSOCKET_TOPIC', message, {}, TypeError);
}

/** @throws {TypeError} for a topic that is no string */
function checkTopic(topic) {
  if (typeof topic !== 'string') throw argumentError(`A topic is a string, not ${inspect(topic, { depth: 0 }).slice(0, 80)}.`);
}

/** The number of the policy in the options of `subscribe()`. */
function policyOf(options) {
  if (options === undefined || options === null) return POLICY.queue;
  if (typeof options !== 'object') throw argumentError('The options of subscribe() are an object.');
  const { slow = 'queue' } = options;
  if (typeof slow !== 'string' || !Object.hasOwn(POLICY, slow)) {
    throw argumentError(`The option slow of subscribe() must be 'queue', 'drop', 'latest' or 'close', not ${inspect(slow)}.`);
  }
  return POLICY[slow];
}

/** The opcode and the data of a message: bytes as binary, anything else as text. */
function messageOf(data) {
  if (typeof data !== 'string') {
    const bytes = asBuffer(data);
    if (bytes !== null) return { opcode: OPCODE.BINARY, data: bytes };
    if (data === null || data === undefined || typeof data.toString !== 'function') {
      throw websocketError('ERR_WEBSOCKET_DATA', 'Data provided must either be a Node Buffer or implement toString()', {}, TypeError);
    }
  }
  return { opcode: OPCODE.TEXT, data: typeof data === 'string' ? data : textOf(data) };
}

const NO_OPTIONS = { compress: true, local: false, except: [] };

/** The options of `publish()`, and the callback that may stand in their place. */
function publishOptions(options, cb) {
  if (typeof options === 'function') return { ...NO_OPTIONS, cb: options };
  if (options === undefined || options === null) return { ...NO_OPTIONS, cb };
  if (typeof options !== 'object') throw argumentError('The options of publish() are an object.');
  const { compress, local, except } = options;
  const list = except === undefined || except === null ? [] : [].concat(except);
  // By what every connection has: the class would be loaded in a circle.
  if (!list.every((connection) => connection !== null && typeof connection === 'object' && '_member' in connection)) {
    throw argumentError('The option except of publish() must be a connection or an array of connections.');
  }
  return { compress: compress !== false, local: Boolean(local), except: list, cb };
}

module.exports = { checkTopic, policyOf, messageOf, publishOptions };
