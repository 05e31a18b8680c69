'use strict';

// The words the tables of cases are written in: frames to send, things to receive, and what is expected of the peer.

const { OPCODE, closePayload } = require('../../__test__/helpers/raw');

const bytes = (payload) => Buffer.from(payload);

/** Frames to send. `more` may say fin, rsv, mask, lengthBits, declaredLength, as for encodeFrame(). */
const text = (payload = '', more = {}) => ({ opcode: OPCODE.TEXT, payload: bytes(payload), ...more });
const binary = (payload = '', more = {}) => ({ opcode: OPCODE.BINARY, payload: bytes(payload), ...more });
const more = (payload = '', options = {}) => ({ opcode: OPCODE.CONTINUATION, payload: bytes(payload), fin: false, ...options });
const last = (payload = '', options = {}) => ({ opcode: OPCODE.CONTINUATION, payload: bytes(payload), ...options });
const ping = (payload = '', options = {}) => ({ opcode: OPCODE.PING, payload: bytes(payload), ...options });
const pong = (payload = '', options = {}) => ({ opcode: OPCODE.PONG, payload: bytes(payload), ...options });
const close = (code, reason = '', options = {}) => ({
  opcode: OPCODE.CLOSE, payload: code === null ? bytes('') : closePayload(code, reason), ...options,
});
const unfinished = { fin: false };

/** What the peer sends. */
const gets = {
  text: (payload) => ({ kind: 'text', payload: bytes(payload) }),
  binary: (payload) => ({ kind: 'binary', payload: bytes(payload) }),
  pong: (payload = '') => ({ kind: 'pong', payload: bytes(payload) }),
};

/** The peer sends exactly this and answers the tester's Close frame. */
function echoes(...receives) {
  return [{ verdict: 'OK', receives }];
}

/**
 * The peer fails the connection (RFC 6455 section 7.1.7) with one of these codes, after having answered what came before.
 * The Close frame and its code are a SHOULD; the end of the connection is a MUST.
 */
function fails(codes, ...receives) {
  return [
    { verdict: 'OK', receives, closes: [codes].flat() },
    { verdict: 'NON-STRICT', receives, closes: 'any', why: 'another close code' },
    { verdict: 'NON-STRICT', receives, prefix: true, closes: 'any', why: 'what came before the fault is not answered' },
    { verdict: 'NON-STRICT', receives, prefix: true, closes: 'dropped', why: 'no Close frame' },
  ];
}

/** The peer may do either; both are reported as INFORMATIONAL. */
function eitherWay(receives, codes) {
  return [
    { verdict: 'INFORMATIONAL', receives, why: 'is accepted' },
    ...fails(codes).map((expectation) => ({ ...expectation, verdict: 'INFORMATIONAL', prefix: true, receives, why: 'is refused' })),
  ];
}

/** Waits until the peer has sent so many messages and pongs. */
const seen = (count) => ({ seen: count });
/** Waits until the peer has failed the connection; when it does not, the case goes on and can be NON-STRICT at best. */
const failed = { failed: true };

/** Numbers a table of cases: `id` is the family with the number of the row. */
function family(id, section, rows) {
  return rows.map((row, i) => ({ id: `${id}.${i + 1}`, section: row.section || section, ...row }));
}

module.exports = {
  OPCODE, text, binary, more, last, ping, pong, close, unfinished, gets, echoes, fails, eitherWay, seen, failed, family,
};
