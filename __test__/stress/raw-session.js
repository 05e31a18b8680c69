'use strict';

// One life of a peer that is nothing but a socket.

const net = require('net');
const { once } = require('events');
const { setTimeout: sleep, setImmediate: turn } = require('timers/promises');
const { OPCODE, encodeFrame, closePayload, requestHead } = require('../helpers/raw');
const { MessageReader } = require('./reader');
const { Random, randomPayload, CLOSE_CODES } = require('./random');

const MAX_OUTSTANDING = 512 * 1024;

const ENDINGS = ['close', 'close', 'close early', 'close early', 'server close', 'server close', 'server drop',
  'destroy', 'reset', 'half-close'];

/** Bytes of a message in one or several frames, now and then with a Ping between them. */
function encodeMessage({ text, data }, random, expectations) {
  const first = text ? OPCODE.TEXT : OPCODE.BINARY;
  if (!random.chance(25)) return encodeFrame({ opcode: first, payload: data });
  const cuts = Array.from({ length: 1 + random.int(5) }, () => random.int(data.length + 1)).sort((a, b) => a - b);
  const parts = [];
  let start = 0;
  for (const end of [...cuts, data.length]) {
    const fin = parts.length > 0 && end === data.length;
    parts.push(encodeFrame({ opcode: parts.length === 0 ? first : OPCODE.CONTINUATION, payload: data.subarray(start, end), fin }));
    start = end;
    if (fin) break;
    if (random.chance(10)) parts.push(encodeFrame({ opcode: OPCODE.PING, payload: expectations.ping(random) }));
  }
  return Buffer.concat(parts);
}

/** Writes bytes in pieces that begin and end anywhere. */
async function writeInPieces(socket, bytes, random) {
  let start = 0;
  for (let pieces = random.int(5); pieces > 0 && start < bytes.length; pieces--) {
    const end = start + random.int(Math.min(bytes.length - start, random.chance(50) ? 20 : 1 << 18) + 1);
    socket.write(bytes.subarray(start, end));
    start = end;
    if (random.chance(30)) await (random.chance(30) ? sleep(random.int(4)) : turn());
  }
  socket.write(bytes.subarray(start));
}

/** Connects, and gives everything that is received to `expectations`. */
async function connect(port, number, expectations) {
  const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  const state = { socket, close: null, ended: false, closed: false, error: null, reader: null };
  let head = Buffer.alloc(0);
  let open = false;
  state.reader = new MessageReader({
    message: (text, data) => expectations.message(text, data),
    ping: (payload) => socket.write(encodeFrame({ opcode: OPCODE.PONG, payload })),
    pong: (payload) => expectations.pong(payload),
    close: (code, reason) => { state.close = { code, reason }; },
    violation: (what) => expectations.fault(`violation of the protocol: ${what}`)
  });
  socket.on('data', (chunk) => {
    if (!open) {
      head = Buffer.concat([head, chunk]);
      const end = head.indexOf('\r\n\r\n');
      if (end === -1) return;
      if (!head.toString('latin1', 0, 12).startsWith('HTTP/1.1 101')) expectations.fault(`refused: ${head}`);
      open = true;
      chunk = head.subarray(end + 4);
    }
    state.reader.push(chunk);
    expectations.wake();
  });
  socket.on('end', () => { state.ended = true; expectations.wake(); });
  socket.on('error', (error) => { state.error = error; });
  socket.on('close', () => { state.closed = true; expectations.wake(); });
  await once(socket, 'connect');
  socket.write(requestHead({ path: `/${number}` }));
  await expectations.until(() => open || state.closed, 'the answer to the handshake');
  if (!open) expectations.fault(`no handshake: ${state.error}`);
  return state;
}

/** Sends until `world` wants no more; the server has no reason to end the connection meanwhile. */
async function talk(state, world, random, expectations) {
  const { socket } = state;
  // A source of its own: how often it is called depends on the clock.
  const solo = new Random(random.next());
  let between = true;
  const sing = () => {
    if (!between || expectations.finished || socket.destroyed || expectations.outstandingBytes > MAX_OUTSTANDING / 8) return;
    const message = randomPayload(solo, 'e', solo.int(100));
    expectations.expectEcho(message);
    socket.write(encodeMessage(message, solo, expectations));
  };
  world.chorus.add(sing);
  for (let steps = 5 + random.int(world.pace > 1 ? 60 : 300); steps > 0 && !expectations.finished && !world.wantsLess(); steps--) {
    if (world.pace > 1) await sleep(random.int(25 * world.pace));
    const kind = random.int(100);
    between = kind >= 70;
    if (kind < 60) {
      const parts = [];
      for (let count = random.chance(20) ? 1 + random.int(20) : 1; count > 0; count--) {
        const message = randomPayload(random, 'e', random.chance(70) ? random.int(200) : undefined);
        expectations.expectEcho(message);
        parts.push(encodeMessage(message, random, expectations));
      }
      await writeInPieces(socket, Buffer.concat(parts), random);
    } else if (kind < 70) {
      await writeInPieces(socket, encodeFrame({ opcode: OPCODE.PING, payload: expectations.ping(random) }), random);
    } else if (kind < 73) {
      socket.pause();
      setTimeout(() => socket.resume(), 1 + random.int(150));
    } else {
      await sleep(random.int(25));
    }
    between = true;
    if (state.ended || state.closed) expectations.fault(`the server ended the connection (${state.error})`);
    await expectations.until(() => expectations.outstandingBytes < MAX_OUTSTANDING || state.closed, 'echoes');
  }
  world.chorus.delete(sing);
}

/** Ends the connection in one of the ways there are, and checks what the server does. */
async function end(state, world, number, random, expectations) {
  const { socket } = state;
  const ending = random.pick(ENDINGS);
  const code = random.pick(CLOSE_CODES);
  const reason = random.chance(50) ? 'reason '.repeat(random.int(15)) : '';
  const sendClose = (payload) => socket.write(encodeFrame({ opcode: OPCODE.CLOSE, payload }));
  world.ending(ending);
  if (ending === 'destroy' || ending === 'reset') {
    world.expectServerClose(number, 1006, ending);
    if (ending === 'destroy') socket.destroy();
    else socket.resetAndDestroy();
  } else if (ending === 'half-close') {
    socket.end();
  } else {
    if (ending === 'close') await expectations.until(() => expectations.complete || state.ended, 'all echoes and pongs');
    if (ending.startsWith('server')) {
      const command = Buffer.from(`c${JSON.stringify({ drop: ending === 'server drop', code, reason })}`);
      await writeInPieces(socket, encodeFrame({ opcode: OPCODE.TEXT, payload: command }), random);
    } else {
      sendClose(closePayload(code, reason));
    }
    world.expectServerClose(number, code, ending);
  }
  await expectations.until(() => state.ended || state.closed, `the end of the stream after "${ending}"`);
  if (expectations.finished) return;
  // When the server is to drop the connection, or it breaks, what was under way may be lost; otherwise nothing is.
  if (ending.startsWith('close') || ending === 'server close') {
    if (expectations.next !== expectations.echoes.length) expectations.fault(`echoes lost on "${ending}" (${state.error})`);
    if (state.close === null) expectations.fault(`no Close frame on "${ending}" (${state.error})`);
    else if (state.close.code !== code) expectations.fault(`Close frame ${state.close.code} instead of ${code} on "${ending}"`);
    if (state.reader.incomplete) expectations.fault(`the stream ended in the middle of a frame or message on "${ending}"`);
    if (ending === 'server close') sendClose(closePayload(code));
  }
  socket.end();
  await expectations.until(() => state.closed, `the socket to close after "${ending}"`);
}

async function rawSession(world, number, random, expectations) {
  const state = await connect(world.port, number, expectations);
  if (expectations.finished) return;
  await talk(state, world, random, expectations);
  if (!expectations.finished) await end(state, world, number, random, expectations);
  state.socket.destroy();
}

module.exports = { rawSession, MAX_OUTSTANDING };
