'use strict';

// permessage-deflate (RFC 7692) as the tester does it: zlib for each message on its own, with the window so far as a
// preset dictionary, which for raw deflate is the same as one stream kept open.

const zlib = require('zlib');

const TAIL = Buffer.from([0x00, 0x00, 0xff, 0xff]);
const NAME = 'permessage-deflate';

class Codec {
  constructor({ windowBits = 15, contextTakeover = true }) {
    this.windowBits = windowBits;
    this.contextTakeover = contextTakeover;
    this.window = Buffer.alloc(0);
  }

  get options() {
    return {
      windowBits: this.windowBits,
      finishFlush: zlib.constants.Z_SYNC_FLUSH,
      dictionary: this.window.length > 0 ? this.window : undefined,
    };
  }

  remember(data) {
    if (!this.contextTakeover) return;
    const size = 1 << this.windowBits;
    const all = Buffer.concat([this.window, data.subarray(Math.max(0, data.length - size))]);
    this.window = all.subarray(Math.max(0, all.length - size));
  }
}

/** Compresses the tester's messages (RFC 7692 section 7.2.1). */
class Deflater extends Codec {
  compress(data, level = zlib.constants.Z_DEFAULT_COMPRESSION) {
    const out = zlib.deflateRawSync(data, { ...this.options, level });
    this.remember(data);
    return out.subarray(0, out.length - TAIL.length);
  }
}

/** Decompresses the peer's messages (section 7.2.2), with no larger a window than was agreed to. */
class Inflater extends Codec {
  decompress(data) {
    const out = zlib.inflateRawSync(Buffer.concat([data, TAIL]), this.options);
    this.remember(out);
    return out;
  }
}

/**
 * Parses a Sec-WebSocket-Extensions value (RFC 6455 section 9.1) into `[{ name, params: Map }]`; a parameter without a
 * value is true. Enough for what well-formed peers send.
 */
function parseExtensions(value) {
  return value.split(',').map((element) => {
    const [name, ...params] = element.split(';').map((part) => part.trim());
    return {
      name: name.toLowerCase(),
      params: new Map(params.map((param) => {
        const [key, text] = param.split('=').map((part) => part.trim());
        return [key.toLowerCase(), text === undefined ? true : text.replace(/^"(.*)"$/, '$1')];
      })),
    };
  }).filter((extension) => extension.name !== '');
}

const isBits = (value) => /^([89]|1[0-5])$/.test(String(value));

/** What is wrong with a server's answer to an offer (RFC 7692 section 7.1): a list of texts. */
function answerProblems(answer, offers) {
  const problems = [];
  if (answer.length > 1 || answer.some(({ name }) => name !== NAME)) {
    return [`the extensions ${answer.map(({ name }) => name).join(', ')} in the answer`];
  }
  for (const { params } of answer) {
    for (const [key, value] of params) {
      const flag = key === 'server_no_context_takeover' || key === 'client_no_context_takeover';
      const bits = key === 'server_max_window_bits' || key === 'client_max_window_bits';
      if (!flag && !bits) problems.push(`the unknown parameter ${key}`);
      if (flag && value !== true) problems.push(`a value for ${key}`);
      if (bits && !isBits(value)) problems.push(`${key}=${value}`);
    }
    const fits = (offer) => (
      (!offer.params.has('server_no_context_takeover') || params.has('server_no_context_takeover')) &&
      (!offer.params.has('server_max_window_bits') ||
        Number(params.get('server_max_window_bits')) <= Number(offer.params.get('server_max_window_bits'))) &&
      (!params.has('client_max_window_bits') || (offer.params.has('client_max_window_bits') &&
        (offer.params.get('client_max_window_bits') === true ||
          Number(params.get('client_max_window_bits')) <= Number(offer.params.get('client_max_window_bits'))))));
    if (!offers.some(fits)) problems.push('parameters that answer none of the offers');
  }
  return problems;
}

/**
 * The two directions of an agreed extension.
 * @param {Map} params of the answer
 * @param {'server'|'client'} role of the peer under test
 * @returns {{ deflater: Deflater, inflater: Inflater }} of the tester
 */
function codecs(params, role) {
  const side = (name) => ({
    windowBits: Number(params.get(`${name}_max_window_bits`) || 15),
    contextTakeover: !params.has(`${name}_no_context_takeover`),
  });
  const [tester, peer] = role === 'server' ? ['client', 'server'] : ['server', 'client'];
  return { deflater: new Deflater(side(tester)), inflater: new Inflater(side(peer)) };
}

module.exports = { NAME, Deflater, Inflater, parseExtensions, answerProblems, codecs };
