'use strict';

// What opening cases of both roles do on the wire.

const { OPCODE } = require('../../__test__/helpers/raw');

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Writes the head of an opening case and what comes with it, as the case wants it cut. */
async function writeHead(session, head, { split, chop = 0, data, cut }) {
  const extra = data ? data() : Buffer.alloc(0);
  const first = cut === undefined ? extra : extra.subarray(0, cut);
  const bytes = Buffer.concat([Buffer.from(head, 'latin1'), first]);
  if (split !== undefined) {
    await session.write(bytes.subarray(0, split), 0, `the first ${split} bytes of ${head.split('\r\n')[0]}`);
    await turn();
    await session.write(bytes.subarray(split), 0, 'the rest');
  } else {
    await session.write(bytes, chop, JSON.stringify(head.length > 600 ? `${head.slice(0, 600)}…` : head));
  }
  if (cut !== undefined) {
    await turn();
    await session.write(extra.subarray(cut));
  }
}

/** After the handshake: is the connection usable? Returns what is wrong with it. */
async function tryConnection(session, early, patience) {
  await session.write(session.encode({ opcode: OPCODE.TEXT, payload: 'usable' }), 0, 'text "usable"');
  const wanted = [...early, 'usable'];
  const texts = () => session.received('text').map(({ payload }) => payload.toString());
  await session.until(() => session.over || texts().length >= wanted.length, patience);
  const got = texts();
  if (got.join() === wanted.join()) return null;
  return { lostEarly: early.length > 0 && got.join() === 'usable' };
}

/** The lines of a head as the case wants them written. */
function headText(startLine, fields, { write = {}, head = (text) => text }) {
  const lines = fields.map(([name, value]) => (Object.hasOwn(write, name) ? write[name](name, value) : `${name}: ${value}`));
  return head(`${[startLine, ...lines].join('\r\n')}\r\n\r\n`);
}

module.exports = { writeHead, headText, tryConnection };
