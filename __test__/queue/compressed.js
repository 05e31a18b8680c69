'use strict';

// Compressed messages as raw peers send and receive them.

const crypto = require('crypto');
const zlib = require('zlib');
const { OPCODE } = require('../helpers/raw');

const { TEXT, BINARY } = OPCODE;
/** What a peer offers or answers. */
const DEFLATE = 'permessage-deflate';

/** Text of this many characters that does not compress to nothing. */
const longText = (length) => crypto.createHash('shake256', { outputLength: length / 2 }).update('seed').digest('hex');

/** Bytes as the payload of a compressed message that refers to nothing (RFC 7692 section 7.2.1). */
const compressed = (bytes) => zlib.deflateRawSync(bytes, { finishFlush: zlib.constants.Z_SYNC_FLUSH }).subarray(0, -4);

/** The text of the messages a peer has received, compressed ones inflated. */
function inflated(frames) {
  const inflate = zlib.createInflateRaw();
  const texts = [];
  return frames.reduce(async (before, { opcode, rsv, payload }) => {
    await before;
    if (opcode !== TEXT && opcode !== BINARY) return texts;
    if ((rsv & 4) === 0) {
      texts.push(payload.toString());
      return texts;
    }
    const chunks = [];
    const collect = (chunk) => chunks.push(chunk);
    inflate.on('data', collect);
    inflate.write(Buffer.concat([payload, Buffer.from([0, 0, 0xff, 0xff])]));
    await new Promise((resolve) => inflate.flush(resolve));
    inflate.removeListener('data', collect);
    texts.push(Buffer.concat(chunks).toString());
    return texts;
  }, Promise.resolve());
}

module.exports = { DEFLATE, longText, compressed, inflated };
