'use strict';

// The rules. What is not as they say is a fault of the package.

/** Ends of a connection by the program after which everything sent before still arrives. */
const ORDERLY_ENDS = ['close', 'end'];

/** A callback that has not been called, or undefined. */
function uncalled(record) {
  return record.withCallback.find((entry) => entry.calls === 0);
}

/** What an open connection still owes: `{ kind, text }`, or null. */
function owed(record) {
  const { connection, peer } = record;
  if (connection === null) return { kind: 'never-accepted', text: 'the connection was never accepted' };
  if (!peer.scriptDone) return { kind: 'never-open', text: 'the peer has not come to the end of its script' };
  if (!record.inbound.isComplete) return sequenceFault(record.inbound, 'message', true) || { kind: 'message-lost', text: 'unknown' };
  if (!record.outbound.isComplete) return sequenceFault(record.outbound, 'sent', true) || { kind: 'sent-lost', text: 'unknown' };
  const callback = uncalled(record);
  if (callback !== undefined) return { kind: 'callback-lost', text: `the callback of ${callback.label} was not called` };
  if (record.full.length > 0) return { kind: 'drain-lost', text: `${record.full[0].label} has returned false, and no drain came` };
  if (record.socketFull > 0) return { kind: 'socket-drain-lost', text: 'socket.write() has returned false, and the socket has not emitted drain' };
  const pong = owedPong(record);
  if (pong !== null || !connection.connected) return pong;
  // Last of all, so that asking for it wakes nothing that is still owed.
  const { bufferedAmount } = connection;
  return bufferedAmount === 0 ? null : { kind: 'buffered', text: `all has arrived, and bufferedAmount is ${bufferedAmount}` };
}

/** Of the Pings that were told to the program, the newest at least is answered. */
function owedPong({ pings, answers }) {
  const newest = pings.filter((ping) => ping.sure).pop();
  if (newest === undefined || answers.includes(newest.payload)) return null;
  return { kind: 'pong-lost', text: `the Ping ${newest.payload} was not answered` };
}

function sequenceFault(sequence, what, whole) {
  const fault = sequence.fault(whole);
  return fault === null ? null : { kind: `${what}-${fault.kind}`, text: `${what === 'message' ? 'from the peer' : 'to the peer'}: ${fault.text}` };
}

/** What is still to come of a connection that has ended, or is ending. */
function unfinished(record) {
  const { connection, peer, closes } = record;
  if (!peer.closed) return { kind: 'socket-open', text: `the socket of the peer is not closed (state ${connection && connection.state})` };
  if (connection === null) return null;
  if (closes.length === 0) return { kind: 'close-lost', text: `close was not emitted (state ${connection.state})` };
  if (record.socketCloses === 0) return { kind: 'socket-close-lost', text: 'connection.socket has not emitted close' };
  const callback = uncalled(record);
  if (callback !== undefined) return { kind: 'callback-lost', text: `the callback of ${callback.label} was not called` };
  return null;
}

/** Everything that is wrong with a connection that is over: a list of `{ kind, text }`. */
function judge(record, { closeTimeout, hasServer }) {
  const { peer, connection } = record;
  const faults = peer.violations.map((text) => ({ kind: 'violation', text: `the peer got ${text}` }));
  const add = (kind, text) => faults.push({ kind, text });
  if (connection === null) {
    if (peer.ends === null || ['close', 'fin'].includes(peer.ends.kind)) add('never-accepted', `there was no request (${peer.error})`);
    return faults;
  }
  const pending = unfinished(record);
  if (pending !== null) faults.push(pending);
  if (record.socketCloses > 1) add('socket-close-twice', `connection.socket has emitted close ${record.socketCloses} times`);
  if (hasServer && record.closes.length > 0 && record.serverCloses !== 1) add('server-close', `close of the server came ${record.serverCloses} times`);

  const slow = closeTimeout < 1000 || (record.endedAt > 0 && record.closedAt - record.endedAt > closeTimeout * 0.8);
  const peerReads = (peer.ends === null || ['close', 'fin'].includes(peer.ends.kind)) && peer.error === null && peer.end;
  const orderly = peerReads && !record.abused && !slow;
  const programOnly = (...ends) => record.serverEnds.every((end) => ends.includes(end));
  const wholeInbound = orderly && programOnly('end');
  const wholeOutbound = orderly && programOnly(...ORDERLY_ENDS);
  for (const [sequence, what, whole] of [
    [record.inbound, 'message', wholeInbound], [record.outbound, 'sent', wholeOutbound],
  ]) {
    const fault = sequenceFault(sequence, what, whole);
    if (fault !== null) faults.push(fault);
  }
  if (wholeOutbound && peer.incomplete) add('truncated', 'the bytes to the peer end in the middle of a frame or message');
  // Behind a reset, the end of the stream may look like an orderly one; behind a Close frame nothing is missing. Writing to a
  // socket that has ended destroys it, which is a reset when the peer has sent more than was read.
  const hasAll = peerReads && !peer.incomplete && !record.abused && (programOnly(...ORDERLY_ENDS) || peer.close !== null);
  judgeCallbacks(record, wholeOutbound, hasAll, add);
  judgePongs(record, add);
  judgeClose(record, { slow, orderly, programOnly }, add);
  return faults;
}

function judgeCallbacks(record, whole, hasAll, add) {
  let last = null;
  for (const entry of record.withCallback) {
    const { label, error, calls } = entry;
    if (calls === 0) continue;
    const code = error && error.code;
    if (entry.refusedBefore) {
      if (!entry.written && code !== 'ERR_WEBSOCKET_CLOSED') add('callback-wrong', `${label} was sent on a closed connection, and its callback got ${code}`);
      continue;
    }
    if (entry.dropped || entry.overflowed) {
      if (code !== 'ERR_WEBSOCKET_BUFFER_FULL') add('callback-wrong', `${label} was refused, and its callback got ${code}`);
      continue;
    }
    if (code === 'ERR_WEBSOCKET_BUFFER_FULL' && entry.droppable) {
      const policy = record.connection.config.maxBufferedAmountPolicy;
      if (policy === 'drop' && !entry.refusedAtClose) add('callback-wrong', `${label} was refused, and dropped was not emitted`);
      continue;
    }
    if (whole && entry.sure && error) add('callback-wrong', `${label} has arrived, and its callback got ${error}`);
    // The peer has all that the system took.
    if (!error && hasAll && !entry.arrived) add('callback-wrong', `the callback of ${label} says that it was sent, and it has not arrived`);
    // What was sent on a socket that had ended was refused.
    if (entry.written || (!entry.sure && error)) continue;
    if (last !== null && entry.calledAt < last.calledAt) add('callback-order', `the callback of ${label} came before that of ${last.label}`);
    last = entry;
  }
}

/** The answers are among the Pings that came, in their order, each once. */
function judgePongs({ pings, answers }, add) {
  let at = 0;
  for (const answer of answers) {
    while (at < pings.length && pings[at].payload !== answer) at++;
    if (at === pings.length) {
      add('pong-wrong', `the Pong ${answer} answers no Ping, came twice or out of order`);
      return;
    }
    if (pings[at].cancelled) add('pong-wrong', `the Ping ${answer} was cancelled, and answered`);
    at++;
  }
}

function judgeClose(record, { slow, orderly, programOnly }, add) {
  const { peer, closes, serverEnds } = record;
  if (closes.length === 0 || record.abused) return;
  const [{ code, description }] = closes;
  const ends = peer.ends === null ? null : peer.ends.kind;
  if (serverEnds.length === 0 && ends === null) {
    add('closed-by-itself', `the connection was closed with ${code} ${description} (errors: ${record.errors.map(String)}; the peer: ${peer.error})`);
    return;
  }
  const allowed = new Set(record.codes);
  if (ends === 'close') allowed.add(peer.ends.code);
  if (ends !== null && ends !== 'close') allowed.add(1006);
  // The peer may break off while the program closes, and the other way round.
  if (serverEnds.length > 0 && (peer.error !== null || slow)) allowed.add(1006);
  if (!allowed.has(code)) add('close-code', `closed with ${code} ${description}; possible were ${[...allowed]}`);
  if (peer.error !== null && !slow && (ends === null || ends === 'close' || ends === 'fin') && programOnly(...ORDERLY_ENDS)) {
    add('reset', `the peer got ${peer.error} at the end of a connection that ended in an orderly way`);
  }
  if (!orderly) return;
  const answer = peer.close === null ? 'none' : peer.close.code;
  if (serverEnds.length === 0 && ends === 'close' && answer !== 1000) add('close-frame', `the peer has sent a Close frame, the answer was ${answer}`);
  if (serverEnds.length === 1 && serverEnds[0] === 'close' && ends === null && !record.codes.has(answer)) {
    add('close-frame', `the Close frame of close() was ${answer}`);
  }
}

module.exports = { owed, unfinished, judge };
