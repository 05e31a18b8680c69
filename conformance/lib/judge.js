'use strict';

// Compares what a peer has done with what a case expects. Expectations are data, made by cases/expect.js:
//
//   { verdict, receives, prefix?, closes?, why? }
//
// `receives` are the messages and pongs that must come, in order, before anything is closed; with `prefix` the first few
// of them suffice. `closes` says how the peer ends the connection: a list of close codes, 'any' code, 'dropped' (without a
// Close frame), 'open' (it does not); without it the peer has to leave that to the tester and to answer its Close frame.
// The first expectation that fits decides; FAILED if none does.

const { describe } = require('./session');

/** Whether `seen` begins with the wanted entries, or, with `prefix`, is the beginning of them. */
function messagesFit(seen, wanted, prefix) {
  if (prefix ? seen.length > wanted.length : seen.length !== wanted.length) return false;
  return seen.every((entry, i) => entry.kind === wanted[i].kind && entry.payload.equals(wanted[i].payload));
}

/** Whether pings are answered: all of them in order, or some, if the last is among them (RFC 6455 section 5.5.3). */
function pongsFit(seen, wanted, prefix) {
  let next = 0;
  for (const { payload } of seen) {
    while (next < wanted.length && !wanted[next].payload.equals(payload)) next++;
    if (next === wanted.length) return false;
    next++;
  }
  if (prefix) return true;
  return wanted.length === 0 || (seen.length > 0 && next === wanted.length);
}

function closeFits(session, closes) {
  const frame = session.closeFrame;
  if (closes === undefined) return frame !== null && session.testerClosedFirst;
  if (session.testerClosedFirst || session.stayedOpen) return closes === 'open' && session.stayedOpen;
  if (closes === 'dropped') return frame === null && session.ended !== null;
  return frame !== null && (closes === 'any' || closes.includes(frame.code));
}

function fits(session, { receives, prefix = false, closes }) {
  const isPong = ({ kind }) => kind === 'pong';
  return messagesFit(session.received('text', 'binary'), receives.filter((entry) => !isPong(entry)), prefix) &&
    pongsFit(session.received('pong'), receives.filter(isPong), prefix) &&
    closeFits(session, closes);
}

/** What was seen, for the report. */
function seen(session) {
  const entries = session.trace.map(describe);
  if (session.testerClosedFirst && session.closeFrame === null) entries.push('no answer to the Close frame');
  if (session.stayedOpen) entries.push('the connection stays open');
  if (!session.stayedOpen && session.ended !== null && session.closeFrame === null) entries.push('the stream ends without a Close frame');
  return entries;
}

/**
 * Judges a conversation.
 * @returns {{ verdict: string, why: string, seen: string[] }}
 */
function judge(session, expectations) {
  const result = { verdict: 'FAILED', why: 'none of the expectations fits', seen: seen(session) };
  const violation = session.trace.find(({ kind }) => kind === 'violation');
  if (violation) return { ...result, why: `the peer sends ${violation.text}` };
  const fitting = expectations.find((expectation) => fits(session, expectation));
  if (!fitting) return result;
  Object.assign(result, { verdict: fitting.verdict, why: fitting.why || '' });
  if (fitting.closes === 'dropped' && session.cutOff) {
    Object.assign(result, { verdict: 'INFORMATIONAL', why: 'the stream was reset while the tester was writing, which may have cost it the Close frame (7.1.1)' });
  }
  if (session.late && result.verdict === 'OK') {
    Object.assign(result, { verdict: 'NON-STRICT', why: 'not at the first wrong byte, only when more had come' });
  }
  if (session.unfinished) Object.assign(result, { verdict: 'FAILED', why: session.unfinished });
  const { code } = session.closeFrame || {};
  if (session.testerClosedFirst && code !== undefined && ![session.closeCode, 1000, null].includes(code) && result.verdict === 'OK') {
    Object.assign(result, { verdict: 'NON-STRICT', why: `the Close frame with ${session.closeCode} is answered with ${code}` });
  }
  return result;
}

module.exports = { judge, seen };
