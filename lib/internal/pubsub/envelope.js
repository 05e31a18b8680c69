'use strict';

// What goes through the engine for each message: a header of 25 bytes, the publisher's id, and the payload as it is.
//
//   0      version, 1
//   1      flags: 1 binary, 2 the publisher's own node waits for it
//   2-13   id of the node that published it, 12 characters
//   14-19  sequence number, counted over all topics of the node
//   20-23  how far back the number of its previous message in this topic is; 0 if that is not known
//   24     length of the publisher's id

const { errorsWithCode } = require('../base/errors');

const VERSION = 1;
const HEADER = 25;
const NODE = 2;
const SEQUENCE = 14;
const DISTANCE = 20;
const PUBLISHER = 24;

const BINARY = 1;
const OWN = 2;

const NODE_LENGTH = SEQUENCE - NODE;
const MAX_DISTANCE = 0xffffffff;

const envelopeError = errorsWithCode('ERR_WEBSOCKET_PUBSUB_ENVELOPE');

/**
 * @param {object} message
 * @param {string} message.node id of this node
 * @param {number} message.sequence
 * @param {number} message.distance 0 if the previous message is not known
 * @param {boolean} message.isBinary
 * @param {boolean} message.own whether this node waits for it too
 * @param {string} message.publisher at most 255 bytes
 * @param {Uint8Array} message.payload
 * @returns {Buffer}
 */
function encode({ node, sequence, distance, isBinary, own, publisher, payload }) {
  const length = Buffer.byteLength(publisher);
  const envelope = Buffer.allocUnsafe(HEADER + length + payload.length);
  envelope[0] = VERSION;
  envelope[1] = (isBinary ? BINARY : 0) | (own ? OWN : 0);
  envelope.latin1Write(node, NODE, NODE_LENGTH);
  envelope.writeUIntBE(sequence, SEQUENCE, 6);
  envelope.writeUInt32BE(distance > MAX_DISTANCE ? 0 : distance, DISTANCE);
  envelope[PUBLISHER] = length;
  if (length > 0) envelope.utf8Write(publisher, HEADER, length);
  envelope.set(payload, HEADER + length);
  return envelope;
}

/**
 * @param {Uint8Array} bytes
 * @returns {{ node: string, sequence: number, distance: number, isBinary: boolean, own: boolean, publisher: string, payload: Buffer }}
 * @throws an Error with the code ERR_WEBSOCKET_PUBSUB_ENVELOPE
 */
function decode(bytes) {
  if (!(bytes instanceof Uint8Array)) throw envelopeError(`The engine delivered ${typeof bytes} and no bytes.`);
  const envelope = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (envelope.length === 0) throw envelopeError('The engine delivered an empty envelope.');
  if (envelope[0] !== VERSION) {
    throw envelopeError(`The engine delivered an envelope of version ${envelope[0]}; this package reads version ${VERSION}.`);
  }
  const begin = HEADER + envelope[PUBLISHER];
  const flags = envelope[1];
  if (!(begin <= envelope.length) || flags > (BINARY | OWN)) throw envelopeError('The engine delivered a malformed envelope.');
  return {
    node: envelope.latin1Slice(NODE, SEQUENCE),
    sequence: envelope.readUIntBE(SEQUENCE, 6),
    distance: envelope.readUInt32BE(DISTANCE),
    isBinary: (flags & BINARY) !== 0,
    own: (flags & OWN) !== 0,
    publisher: begin === HEADER ? '' : envelope.utf8Slice(HEADER, begin),
    payload: envelope.subarray(begin)
  };
}

module.exports = { encode, decode, HEADER, NODE_LENGTH };
