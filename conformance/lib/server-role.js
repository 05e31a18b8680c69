'use strict';

// Runs cases against a server: the tester is the client.

const net = require('net');
const tls = require('tls');
const { Session } = require('./session');
const { converse, sendClose, endStream } = require('./conversation');
const { judge, seen } = require('./judge');
const { judgeOpening } = require('./opening-judge');
const { KEY, parseHead, all, responseProblems, testerRequest, agreeOnDeflate } = require('./opening');
const { pool } = require('./pool');
const { writeHead, headText, tryConnection } = require('./opening-steps');

/** Many, because most of the time of a run is waiting for what a peer that fails a case does not do. */
const WIDTH = 64;
const HEAVY_WIDTH = 3;

/** Connects a socket without Nagle's algorithm, so that each write is a segment. */
async function dial(url, patience) {
  const target = { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port) || (url.protocol === 'wss:' ? 443 : 80) };
  // Half-open: whether the peer closes after its Close frame is for the case to see.
  const plain = net.connect({ ...target, noDelay: true, allowHalfOpen: true });
  const socket = url.protocol === 'wss:' ? tls.connect({ socket: plain, rejectUnauthorized: false, allowHalfOpen: true }) : plain;
  await new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new Error('the connection is not accepted in time'));
    }, patience);
    socket.once('error', reject);
    socket.once(url.protocol === 'wss:' ? 'secureConnect' : 'connect', () => {
      clearTimeout(timer);
      socket.removeListener('error', reject);
      resolve();
    });
  });
  return socket;
}

/** A conversation after a correct opening handshake. */
async function runConversation(url, conformanceCase, patience) {
  const { deflate } = conformanceCase;
  const expect = typeof conformanceCase.expect === 'function' ? conformanceCase.expect() : conformanceCase.expect;
  const session = new Session(await dial(url, patience), 'server');
  const request = testerRequest(url, { 'Sec-WebSocket-Key': KEY, ...(deflate && { 'Sec-WebSocket-Extensions': deflate.offer }) });
  await session.write(Buffer.from(request, 'latin1'), 0, request.split('\r\n')[0]);
  await session.until(() => session.head !== null || session.ended !== null, patience);
  const problems = session.head === null ? ['there is no answer'] : responseProblems(session.head, request);
  if (problems.length > 0) {
    session.destroy();
    return { verdict: 'FAILED', why: `the opening handshake fails: ${problems.join('; ')}`, seen: seen(session), log: session.log };
  }
  if (deflate && !agreeOnDeflate(session, all(parseHead(session.head).fields, 'sec-websocket-extensions').join(','))) {
    session.destroy();
    return { verdict: 'UNIMPLEMENTED', why: 'the server does not agree to permessage-deflate', seen: seen(session), log: session.log };
  }
  await converse(session, { ...conformanceCase, expect }, patience);
  return { ...judge(session, expect), log: session.log };
}

/** The request of an opening case, as text. */
function openingRequest(url, conformanceCase) {
  const { change = (fields) => fields, line } = conformanceCase;
  const right = parseHead(testerRequest(url, { 'Sec-WebSocket-Key': KEY }));
  const path = url.pathname + url.search;
  const startLine = line ? line(path, url.host) : right.startLine;
  const names = { host: 'Host', upgrade: 'Upgrade', connection: 'Connection', 'sec-websocket-key': 'Sec-WebSocket-Key', 'sec-websocket-version': 'Sec-WebSocket-Version' };
  const fields = change(right.fields.map(([name, value]) => [names[name], value]));
  return headText(startLine, fields, conformanceCase);
}

async function runOpening(url, conformanceCase, patience) {
  const { expect, early = [], names } = conformanceCase;
  const head = openingRequest(url, conformanceCase);
  if (conformanceCase.split >= head.length) return null;
  const session = new Session(await dial(url, patience), 'server');
  await writeHead(session, head, conformanceCase);
  await session.until(() => session.head !== null || session.ended !== null, patience);
  const status = session.head === null ? undefined : Number((/^HTTP\/\d\.\d (\d{3})/.exec(session.head) || [])[1]);
  const outcome = { what: 'silent', status, problems: [] };
  if (status === 101) {
    outcome.what = 'opened';
    // What a request is that must be refused, its answer cannot be judged by.
    if (expect.opened === 'OK') outcome.problems.push(...responseProblems(session.head, head));
    const extensions = all(parseHead(session.head).fields, 'sec-websocket-extensions').join(',');
    outcome.extension = agreeOnDeflate(session, extensions) ? 'agreed' : 'declined';
    if (expect.opened === 'OK') {
      const trouble = await tryConnection(session, early, patience);
      if (trouble && trouble.lostEarly) outcome.lostEarly = true;
      else if (trouble) outcome.problems.push('the connection is not usable');
      await sendClose(session);
      await session.until(() => session.over, patience);
      await endStream(session, patience);
      if (session.unfinished) outcome.problems.push(session.unfinished);
      outcome.problems.push(...session.trace.filter(({ kind }) => kind === 'violation').map(({ text }) => text));
    }
  } else if (status !== undefined) {
    outcome.what = 'refused';
    const fields = all(parseHead(session.head).fields, names || '');
    if (names && fields.length === 0) outcome.missing = names;
  } else if (session.ended !== null) {
    outcome.what = 'dropped';
  }
  session.destroy();
  const result = judgeOpening(outcome, expect);
  if (result.verdict === 'OK' && outcome.lostEarly) Object.assign(result, { verdict: 'INFORMATIONAL', why: 'what came with the request is lost; clients ought to wait' });
  if (result.verdict === 'OK' && outcome.missing) Object.assign(result, { verdict: 'NON-STRICT', why: `the refusal lacks ${names}` });
  return { ...result, seen: [outcome.what + (status ? ` (${status})` : ''), ...seen(session).slice(0, 5)], log: session.log };
}

/** Runs one case; null when it does not apply. */
async function runCase(url, conformanceCase, patience) {
  try {
    return await (conformanceCase.opening ? runOpening : runConversation)(url, conformanceCase, patience);
  } catch (error) {
    return { verdict: 'FAILED', why: error.message, seen: [], log: [] };
  }
}

/**
 * Runs all cases against a server.
 * @param {string} target the server's URL, ws: or wss:
 * @param {object[]} cases
 * @param {{ patience: number, onResult?: (result: object) => void }} options
 * @returns {Promise<object[]>} results in the order of the cases
 */
async function testServer(target, cases, { patience, onResult = () => {} }) {
  const url = new URL(target);
  const results = new Map();
  const run = async (conformanceCase) => {
    const started = performance.now();
    const result = await runCase(url, conformanceCase, patience);
    if (result === null) return;
    results.set(conformanceCase.id, { id: conformanceCase.id, ...result, ms: Math.round(performance.now() - started) });
    onResult(results.get(conformanceCase.id));
  };
  // The heavy ones by themselves: their time is a part of the report.
  await pool(cases.filter(({ weight = 0 }) => weight === 0), WIDTH, run);
  await pool(cases.filter(({ weight = 0 }) => weight > 0), HEAVY_WIDTH, run);
  return cases.filter(({ id }) => results.has(id)).map(({ id }) => results.get(id));
}

module.exports = { testServer };
