'use strict';

// The 16384 slots of a Redis Cluster: which one a channel is in.

const SLOTS = 16_384;

/** CRC-16/XMODEM, as the specification of Redis Cluster asks for it. */
const TABLE = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
  return crc;
});

function crc16(bytes) {
  let crc = 0;
  for (const byte of bytes) crc = ((crc << 8) ^ TABLE[((crc >> 8) ^ byte) & 0xff]) & 0xffff;
  return crc;
}

/**
 * Only what is between the first `{` and the `}` behind it counts, if there is something.
 * @param {string} channel
 * @returns {number}
 */
function slotOf(channel) {
  const open = channel.indexOf('{');
  const close = open === -1 ? -1 : channel.indexOf('}', open + 1);
  const hashed = close > open + 1 ? channel.slice(open + 1, close) : channel;
  return crc16(Buffer.from(hashed)) % SLOTS;
}

/** A short text in the given slot, for `{…}`. There are some for every slot within a few ten thousands. */
function textInSlot(slot) {
  for (let i = 0; ; i++) {
    const text = i.toString(36);
    if (slotOf(text) === slot) return text;
  }
}

module.exports = { SLOTS, slotOf, textInSlot };
