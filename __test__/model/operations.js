'use strict';

// How the operations of a program are done, and what is noted about them.

const { OPCODE, encodeFrame } = require('../helpers/raw');
const { UNIQUE_LENGTH, makePayload, isText } = require('./payloads');

/** The error of the operation `throw`. */
class PlannedError extends Error {}

/** The payload of the next message: recognisable for certain when it may be missing, or when there are two orders. */
function nextPayload(record, kind, length) {
  const unsure = record.mayBeSent !== 'sure' || record.connection.config.maxBufferedAmount < Infinity;
  return makePayload(record.nextName(), kind, unsure ? Math.max(length, UNIQUE_LENGTH) : length);
}

function typeOf(kind) {
  return isText(kind) ? 'text' : 'binary';
}

/** Calls `send(callback)`, which sends `entry`, and notes what comes of it. */
function noteCall(record, entry, withCallback, send) {
  const callback = withCallback ? record.callbackFor(entry) : undefined;
  entry.sending = true;
  const room = send(callback);
  record.returned(entry, room);
  return room;
}

function send(record, { kind, length, callback, compress = true, general = false }, what = 'send') {
  const { connection } = record;
  const payload = nextPayload(record, kind, length);
  const entry = record.sends(typeOf(kind), payload, `${what} ${record.sendCount - 1}`, { droppable: true });
  const data = isText(kind) ? payload.toString() : payload;
  return noteCall(record, entry, callback, (cb) => {
    const method = general ? 'send' : isText(kind) ? 'sendUTF' : 'sendBytes';
    const rest = cb === undefined ? [] : [cb];
    return compress ? connection[method](data, ...rest) : connection[method](data, { compress: false }, ...rest);
  });
}

function sendFrame(record, { kind, length, callback }, Frame) {
  const { connection } = record;
  const payload = nextPayload(record, kind, length);
  const entry = record.sends(typeOf(kind), payload, `sendFrame ${record.sendCount - 1}`);
  const frame = new Frame(Buffer.alloc(4), Buffer.alloc(10), connection.config);
  frame.fin = true;
  frame.opcode = isText(kind) ? OPCODE.TEXT : OPCODE.BINARY;
  frame.binaryPayload = payload;
  return noteCall(record, entry, callback, (cb) => connection.sendFrame(frame, cb));
}

/** Writes a frame that is encoded already to the socket itself. */
function writeToSocket(record, { kind, length, callback, pieces }) {
  const { socket } = record.connection;
  const payload = makePayload(record.nextName(), kind, Math.max(length, UNIQUE_LENGTH));
  const opcode = isText(kind) ? OPCODE.TEXT : OPCODE.BINARY;
  const open = record.mayBeSent === 'sure' && !record.abused;
  if (socket.writableEnded || socket.destroyed) record.abused = true;
  const entry = record.sends(typeOf(kind), payload, `socket.write ${record.sendCount - 1}`, { written: true });
  entry.sure = open;
  const half = pieces === 2 ? Math.floor(payload.length / 2) : 0;
  if (half > 0) socket.write(encodeFrame({ opcode, payload: payload.subarray(0, half), fin: false, mask: false }));
  const last = encodeFrame({ opcode: half > 0 ? OPCODE.CONTINUATION : opcode, payload: payload.subarray(half), mask: false });
  const cb = callback ? record.callbackFor(entry) : undefined;
  entry.sending = true;
  const room = socket.write(last, cb);
  entry.sending = false;
  if (room === false && open) record.socketFull++;
}

function control(record, opcode, { length }) {
  const { connection } = record;
  const payload = makePayload(record.nextName(), 'ascii', Math.max(length, UNIQUE_LENGTH));
  const name = opcode === OPCODE.PING ? 'ping' : 'pong';
  record.sends(name, payload, `${name}() ${record.sendCount - 1}`);
  connection[name](payload);
}

function pause(record, run, { via, ms, again }) {
  const { connection } = record;
  record.paused = true;
  connection.pause();
  const goOn = () => {
    resume(record);
    if (again) pause(record, run, { via: 'timer', ms });
  };
  if (via === 'sync') goOn();
  else if (via === 'tick') process.nextTick(goOn);
  else run.later(ms, goOn);
}

function resume(record) {
  record.paused = false;
  record.connection.resume();
}

function giveBack({ connection: { socket } }, { how }) {
  if (how === 'data') {
    socket.on('data', () => {});
    return;
  }
  const { write } = socket;
  socket.write = function spy(...args) { return write.apply(this, args); };
}

/** One message to all connections of the server that the one of `record` belongs to. */
function broadcast(record, run, { kind, length }) {
  const server = run.serverOf(record);
  if (server === null) return;
  const payload = makePayload(`s*.${(run.broadcasts++).toString(36)}`, kind, Math.max(length, UNIQUE_LENGTH));
  const sent = run.recordsOf(server).map((one) => [one, one.sends(typeOf(kind), payload, 'broadcast', { droppable: true })]);
  run.broadcasting++;
  if (isText(kind)) server.broadcastUTF(payload.toString());
  else server.broadcastBytes(payload);
  run.broadcasting--;
  for (const [one, entry] of sent) {
    // Refused, and the connection ended for it.
    if (!entry.refusedBefore && one.closes.length > 0) entry.sure = false;
  }
}

/** Keeps this thread busy. */
function block(ms) {
  for (const end = performance.now() + ms; performance.now() < end;);
}

function look({ connection, fault }, at) {
  if (at === 'bufferedAmount') {
    if (!(connection.bufferedAmount >= 0)) fault('look', `bufferedAmount is ${connection.bufferedAmount}`);
  } else if (at === 'stats') {
    connection.stats();
  } else if (at === 'writableLength') {
    if (!(connection.socket.writableLength >= 0)) fault('look', `socket.writableLength is ${connection.socket.writableLength}`);
  } else if (at === 'counters') {
    if (!(connection.socket.bytesRead >= 0 && connection.socket.bytesWritten >= 0)) fault('look', 'bytesRead or bytesWritten is no number');
  } else {
    // A socket of a server that listens itself becomes a real one.
    const { localPort } = connection.socket;
    if (localPort !== undefined && !(localPort > 0)) fault('look', `socket.localPort is ${localPort}`);
  }
}

function close(record, { code }) {
  const { connection } = record;
  if (!connection.connected) return;
  record.ends('close', code);
  record.stopped = true;
  connection.close(code, `closed with ${code}`);
}

function drop(record, { code, skip }) {
  const { connection } = record;
  if (record.closes.length > 0) return;
  record.ends('drop', code);
  record.stopped = true;
  connection.drop(code, `dropped with ${code}`, skip);
  if (record.closes.length === 0) record.fault('drop', 'drop() has not emitted close');
  else if (record.closes[0].code !== code) record.fault('close-code', `drop(${code}) has emitted close with ${record.closes[0].code}`);
}

/** Ends the socket itself: `end` lets everything be sent, `destroy` does not. */
function endSocket(record, how) {
  const { connection: { socket } } = record;
  if (record.closes.length > 0 || socket.destroyed) return;
  record.ends(how, 1006);
  socket[how]();
}

const OPERATIONS = {
  send: (record, _run, operation) => send(record, operation),
  burst(record, _run, { count, length, ...operation }) {
    for (let i = 0; i < count; i++) send(record, { ...operation, length: (i * 13) % (length + 1) });
  },
  fill(record, _run, { most, ...operation }) {
    for (let i = 0; i < most && send(record, operation, 'fill'); i++);
  },
  flood(record, _run, { count, ...operation }) {
    for (let i = 0; i < count; i++) send(record, operation, 'flood');
  },
  write: (record, _run, operation) => writeToSocket(record, operation),
  frame: (record, run, operation) => sendFrame(record, operation, run.Frame),
  ping: (record, _run, operation) => control(record, OPCODE.PING, operation),
  pong: (record, _run, operation) => control(record, OPCODE.PONG, operation),
  pause: (record, run, operation) => pause(record, run, operation),
  resume: (record) => resume(record),
  giveBack: (record, _run, operation) => giveBack(record, operation),
  broadcast: (record, run, operation) => broadcast(record, run, operation),
  block: (_record, _run, { ms }) => block(ms),
  look: (record, _run, { at }) => look(record, at),
  close: (record, _run, operation) => close(record, operation),
  drop: (record, _run, operation) => drop(record, operation),
  destroy: (record) => endSocket(record, 'destroy'),
  end: (record) => endSocket(record, 'end'),
  throw() { throw new PlannedError('planned'); },
};

/** Does an operation on the connection of `record`, if there is one. */
function perform(record, run, operation) {
  if (record.connection === null) return;
  record.trace(`does ${JSON.stringify(operation)}`);
  OPERATIONS[operation.do](record, run, operation);
}

module.exports = { block, perform, resume, PlannedError };
