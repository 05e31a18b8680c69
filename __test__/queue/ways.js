'use strict';

// The ways in which bytes are moved between a connection and its peer, and pairs of connection and raw peer for each of
// them. What the tests of this folder say must hold for all ways alike.

const { isReference } = require('../helpers/under-test');
const { openPair, eventually } = require('../helpers/under-test/endpoints');
const { OPCODE } = require('../helpers/raw');

/** Whether the addon can read and write sockets here; elsewhere, and with 1.0.35, every connection uses Node's streams. */
const TAKES_OVER = !isReference && process.platform !== 'win32' && process.versions.bun === undefined && typeof globalThis.Deno === 'undefined';

/**
 * `auto` comes first: a connection that names a driver decides for all connections of the process.
 * `listener` is a server that listens itself.
 */
const ALL = [
  { name: 'auto', role: 'server', io: 'auto' },
  { name: 'loop', role: 'server', io: 'loop' },
  { name: 'threads', role: 'server', io: 'threads' },
  { name: 'stream', role: 'server', io: 'stream' },
  { name: 'listener, loop', role: 'server', io: 'loop', listener: true },
  { name: 'listener, threads', role: 'server', io: 'threads', listener: true },
  { name: 'client, loop', role: 'client', io: 'loop' },
  { name: 'client, threads', role: 'client', io: 'threads' },
];

const WAYS = ALL.filter(({ io }) => TAKES_OVER || io === 'stream');
/** Those whose sockets the addon has, and can give back. */
const TAKEN_OVER = WAYS.filter(({ io }) => io !== 'stream');
const LISTENERS = WAYS.filter(({ listener }) => listener);
/** Those that no helper but an HTTP server of the program is needed for. */
const MOUNTED = WAYS.filter(({ role, listener }) => role === 'server' && !listener);

/** The options of a server or client for a way; what is sent leaves in one frame for each message. */
function optionsOf({ io, listener }) {
  return { io, keepalive: false, fragmentOutgoingMessages: false, ...(listener && { port: 0, host: '127.0.0.1' }) };
}

/**
 * A connection of this way and its raw peer, as from `openPair`. A worker has begun to drive it if one is to.
 * @param {import('node:test').TestContext} t
 * @param {object} way one of WAYS
 * @param {object} [config] further options
 * @param {string} [extensions] what the peer offers, or answers
 */
async function open(t, way, config = {}, extensions = undefined) {
  const pair = await openPair(t, way.role, { ...optionsOf(way), ...config }, false, extensions);
  if (way.io === 'threads') {
    await eventually(() => {
      pair.send({ opcode: OPCODE.TEXT, payload: 'is it a worker?' });
      return pair.connection.transport === 'threads';
    }, 'a worker that drives');
    // The answer to the last of them may still be on its way.
    const asked = pair.seen.messages.length;
    pair.send({ opcode: OPCODE.TEXT, payload: 'the last one' });
    await eventually(() => pair.seen.messages.includes('the last one'), `the messages after the first ${asked}`);
    for (const list of Object.values(pair.seen)) list.length = 0;
  }
  return pair;
}

/** Keeps this thread busy for some milliseconds. */
function block(ms) {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** What a connection was given to send, and whether it has done all that is owed for it. */
class Account {
  constructor(connection) {
    this.connection = connection;
    this.sent = [];
    /** For each message what its callback got, call by call. */
    this.called = [];
    this.owesDrain = false;
    this.drains = 0;
    this.pongs = 0;
    connection.on('drain', () => {
      this.drains++;
      this.owesDrain = false;
    });
  }

  /** Sends a text that nobody else sends; returns what the call returned. */
  send(length = 10) {
    const index = this.sent.length;
    const text = `${index}:`.padEnd(length, 'x');
    this.sent.push(text);
    this.called.push([]);
    const room = this.connection.sendUTF(text, (error) => this.called[index].push(error));
    if (!room) this.owesDrain = true;
    return room;
  }

  /** Sends more than the mark of 16 KiB. Where nothing leaves before the end of the tick, a call returns false, and a `drain` has to come. */
  fill() {
    for (let i = 0; i < 8; i++) if (!this.send(4000)) return;
  }

  /** Sends until a call returns false. Node's own socket hands everything to the system at once, which takes megabytes. */
  fillUp() {
    this.fill();
    for (let i = 0; i < 1000 && !this.owesDrain; i++) this.send(100000);
  }

  /** Resolves when nothing is owed any more; rejects with what still is when nothing has come for `ms` milliseconds. */
  async settled({ peer }, what, ms = 15000) {
    const frames = () => peer.frames.filter(({ opcode }) => opcode === OPCODE.TEXT);
    const owed = () => [
      this.owesDrain && 'drain',
      this.called.some((calls) => calls.length === 0) && `${this.called.filter((calls) => calls.length === 0).length} callbacks`,
      frames().length < this.sent.length && `${this.sent.length - frames().length} of ${this.sent.length} messages`,
    ].filter(Boolean).join(', ');
    // On a busy machine much takes long, and a peer that has not read for long gets the rest when a timer of TCP says so, which
    // doubles each time: what comes, however slowly, is not lost.
    for (let before = owed(), deadline = Date.now() + ms; owed() !== '' && Date.now() < deadline; await sleep(20)) {
      if (owed() === before) continue;
      before = owed();
      deadline = Date.now() + ms;
    }
    if (owed() !== '') throw new Error(`${what}: still owed: ${owed()}`);
    const texts = frames().map(({ payload }) => payload.toString());
    const wrong = texts.findIndex((text, index) => text !== this.sent[index]);
    if (wrong !== -1) throw new Error(`${what}: message ${wrong} is ${texts[wrong].slice(0, 20)}, not ${this.sent[wrong].slice(0, 20)}`);
    const twice = this.called.filter((calls) => calls.length !== 1).length;
    if (twice > 0) throw new Error(`${what}: ${twice} callbacks were called more than once`);
    const failed = this.called.flat().find(Boolean);
    if (failed) throw new Error(`${what}: a callback got ${failed}`);
  }
}

/**
 * What must be true of every open connection, whatever has happened to it before: a Ping is answered, a message arrives, and
 * a reset is told as one `close`.
 */
async function isAlive(pair, what, ms = 6000) {
  const mark = `alive ${pair.peer.frames.length}`;
  pair.send({ opcode: OPCODE.PING, payload: mark }, { opcode: OPCODE.TEXT, payload: mark });
  const lacks = () => [
    !pair.peer.frames.some(({ opcode, payload }) => opcode === OPCODE.PONG && payload.toString() === mark) && 'a Ping is not answered',
    !pair.seen.messages.includes(mark) && 'a message does not arrive',
  ].filter(Boolean).join(', ');
  const deadline = Date.now() + ms;
  while (lacks() !== '' && Date.now() < deadline) await sleep(2);
  if (lacks() !== '') throw new Error(`${what}: ${lacks()}; closes ${JSON.stringify(pair.seen.closes)}`);
  pair.peer.socket.resetAndDestroy();
  await eventually(() => pair.seen.closes.length > 0, `${what}: the close event of a connection that was reset`, ms);
  if (pair.connection.connected) throw new Error(`${what}: connected is still true after the reset`);
}

module.exports = { TAKES_OVER, WAYS, TAKEN_OVER, LISTENERS, MOUNTED, optionsOf, open, block, sleep, Account, isAlive };
