'use strict';

// Plays the steps of a case over an open connection and brings the connection to its end.

const { OPCODE, closePayload } = require('../../__test__/helpers/raw');
const { describe } = require('./session');

const NAMES = new Map(Object.entries(OPCODE).map(([name, opcode]) => [opcode, name.toLowerCase()]));
/** Frames above this go to the kernel in one write and are not copied together with others. */
const LARGE = 1 << 16;

/** A step that sends, as `{ bytes, note }`; null for steps that wait. */
function toSend(session, step) {
  if (Buffer.isBuffer(step)) return { bytes: step };
  if (step.compressed) return compressed(session, step.compressed);
  if (step.cut !== undefined) {
    const whole = session.encode(step.frame);
    const bytes = step.cut < 0 ? whole.subarray(0, whole.length + step.cut) : whole.subarray(0, step.cut);
    session.remainder = whole.subarray(bytes.length);
    return { bytes, note: `the first ${bytes.length} of ${whole.length} bytes of a frame` };
  }
  if (step.remainder) return { bytes: session.remainder, note: 'the rest of it' };
  if (step.opcode === undefined) return null;
  return { bytes: session.encode(step), note: frameNote(step) };
}

function frameNote({ opcode, payload = '', fin = true, rsv = 0, mask, lengthBits, declaredLength }) {
  const data = Buffer.from(payload);
  const parts = [describe({ kind: NAMES.get(opcode) || `opcode ${opcode}`, payload: data, code: data.length > 1 ? data.readUInt16BE(0) : null, reason: data.subarray(2) })];
  if (!fin) parts.push('not final');
  if (rsv) parts.push(`rsv ${rsv.toString(2).padStart(3, '0')}`);
  if (mask === 'wrong') parts.push('wrongly masked');
  if (lengthBits) parts.push(`length in ${lengthBits} bits`);
  if (declaredLength !== undefined) parts.push(`announces ${declaredLength} bytes`);
  return parts.join(', ');
}

/** A message that is compressed and cut into fragments (RFC 7692 section 7.2.1). */
function compressed(session, { opcode = OPCODE.TEXT, payload, fragments = 1, level }) {
  const data = session.deflater.compress(Buffer.from(payload), level);
  const size = Math.max(1, Math.ceil(data.length / fragments));
  const frames = [];
  for (let at = 0; at < data.length || at === 0; at += size) {
    frames.push(session.encode({
      opcode: at === 0 ? opcode : OPCODE.CONTINUATION,
      rsv: at === 0 ? 4 : 0,
      payload: data.subarray(at, at + size),
      fin: at + size >= data.length,
    }));
  }
  return { bytes: Buffer.concat(frames), note: `${NAMES.get(opcode)} of ${Buffer.byteLength(payload)} bytes, compressed to ${data.length}, in ${frames.length} frames` };
}

/** Sends one Close frame and no second. */
async function sendClose(session, code = 1000) {
  if (session.sentClose) return;
  session.sentClose = true;
  session.closeCode = code;
  await session.write(session.encode({ opcode: OPCODE.CLOSE, payload: code === null ? Buffer.alloc(0) : closePayload(code) }), 0, `close ${code}`);
}

async function wait(session, step, patience) {
  if (step.seen !== undefined) {
    await session.until(() => session.over || session.received('text', 'binary', 'pong').length >= step.seen, patience);
  } else if (step.failed) {
    // Whoever has not seen the fault by now gets more bytes, and is not strict.
    session.late = !await session.until(() => session.over, patience);
  }
}

/**
 * Plays a case.
 * @param {import('./session').Session} session with an open connection
 * @param {object} conformanceCase
 * @param {number} patience milliseconds for what should come at once
 */
async function converse(session, { steps, expect, chop = 0, joined = false, weight = 0, abort = false }, patience) {
  const time = patience * (1 + weight);
  const list = typeof steps === 'function' ? steps(session) : steps;
  let batch = [];
  const flush = async () => {
    if (batch.length === 0) return;
    const bytes = batch.length === 1 ? batch[0].bytes : Buffer.concat(batch.map((one) => one.bytes));
    const note = batch.every((one) => one.note) ? batch.map((one) => one.note).join(' + ') : undefined;
    batch = [];
    await session.write(bytes, chop, note);
  };
  for (const step of list) {
    const sending = toSend(session, step);
    if (sending !== null) {
      if (step.opcode === OPCODE.CLOSE && !session.sentClose) {
        session.sentClose = true;
        session.testerClosedFirst = !session.over;
        session.closeCode = step.payload && step.payload.length >= 2 ? Buffer.from(step.payload).readUInt16BE(0) : null;
      }
      batch.push(sending);
      if (!joined || sending.bytes.length > LARGE) await flush();
    } else {
      await flush();
      await wait(session, step, time);
    }
  }
  await flush();
  if (abort) {
    session.testerClosedFirst = false;
    session.socket.end();
    await endStream(session, time);
  } else {
    await finish(session, expect[0], time);
  }
}

/** Brings the connection to its end, as the first expectation has it. */
async function finish(session, { receives, closes }, patience) {
  if (closes === undefined && !session.sentClose) {
    const messages = receives.filter(({ kind }) => kind !== 'pong').length;
    const pongs = receives.filter(({ kind }) => kind === 'pong');
    const lastPong = pongs[pongs.length - 1];
    const complete = () => session.received('text', 'binary').length >= messages &&
      (!lastPong || session.received('pong').some(({ payload }) => payload.equals(lastPong.payload)));
    await session.until(() => session.over || complete(), patience);
    session.testerClosedFirst = !session.over;
  } else if (closes !== undefined) {
    // A case whose own Close frame is the fault is answered by a Close frame of the peer's, not by one of the tester's.
    session.testerClosedFirst = false;
    if (!await session.until(() => session.over, patience)) {
      session.stayedOpen = true;
      session.destroy();
      return;
    }
  }
  if (session.ended === null) await sendClose(session);
  await session.until(() => session.over, patience);
  await endStream(session, patience);
}

/** After the closing handshake the server closes first (section 7.1.1), whichever of the two that is. */
async function endStream(session, patience) {
  if (session.role === 'client') session.socket.end();
  if (!await session.until(() => session.ended !== null, patience)) {
    session.unfinished = 'the stream is not closed after the closing handshake (7.1.1)';
  }
  session.destroy();
}

module.exports = { converse, sendClose, endStream };
