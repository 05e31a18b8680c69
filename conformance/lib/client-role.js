'use strict';

// Runs cases against a client: the tester is the server. It speaks the protocol of Autobahn's fuzzing server, so that
// whatever client was written for that can be tested:
//
//   /getCaseCount            one text message, the number of cases
//   /runCase?case=N&agent=X  case N, from 1 on; the client echoes messages until the connection ends
//   /updateReports?agent=X   the client has done

const net = require('net');
const { once } = require('events');
const { Session } = require('./session');
const { converse, sendClose, endStream } = require('./conversation');
const { judge, seen } = require('./judge');
const { judgeOpening } = require('./opening-judge');
const { OPCODE } = require('../../__test__/helpers/raw');
const { parseHead, all, requestProblems, answerFields, answerHead, deflateOffers, agreeOnDeflate } = require('./opening');
const { writeHead, headText, tryConnection } = require('./opening-steps');

const STATUS_LINE = 'HTTP/1.1 101 Switching Protocols';

/** The answer to an offer of permessage-deflate with these parameters, or null when the offer does not allow it. */
function deflateAnswer(request, params) {
  const [offer] = deflateOffers(request);
  if (!offer) return null;
  if (params.client_max_window_bits !== undefined && !offer.params.has('client_max_window_bits')) return null;
  return ['permessage-deflate', ...Object.entries(params).map(([name, value]) => (value === true ? name : `${name}=${value}`))].join('; ');
}

/** Whether the client has offered what a case needs. */
function applies(request, { offer, windowBits, protocol } = {}) {
  const [offered] = deflateOffers(request);
  if (offer !== undefined && offer !== Boolean(offered)) return false;
  if (windowBits !== undefined && windowBits !== offered.params.has('client_max_window_bits')) return false;
  return !protocol || all(parseHead(request).fields, 'sec-websocket-protocol').length > 0;
}

const unimplemented = (why) => ({ verdict: 'UNIMPLEMENTED', why, seen: [] });

async function runConversation(session, conformanceCase, patience) {
  const { deflate } = conformanceCase;
  const expect = typeof conformanceCase.expect === 'function' ? conformanceCase.expect() : conformanceCase.expect;
  const extensions = deflate ? deflateAnswer(session.head, deflate.answer) : null;
  if (deflate && extensions === null) {
    await refuse(session);
    return unimplemented('the client does not offer permessage-deflate, or not so that the server may choose this');
  }
  const answer = answerHead(answerFields(session.head, extensions));
  await session.write(answer, 0, `${STATUS_LINE}${extensions ? `, ${extensions}` : ''}`);
  agreeOnDeflate(session, extensions);
  await converse(session, { ...conformanceCase, expect }, patience);
  return judge(session, expect);
}

/** Ends a connection whose case does not apply. */
async function refuse(session) {
  await session.write(answerHead([['Content-Length', '0'], ['Connection', 'close']], 'HTTP/1.1 501 Not Implemented'));
  session.socket.end();
}

async function runOpening(session, conformanceCase, patience) {
  const { expect, change = (fields) => fields, line, early = [], needs, end } = conformanceCase;
  if (!applies(session.head, needs)) {
    await refuse(session);
    return unimplemented('the client has not offered what this case is about');
  }
  const fields = change(answerFields(session.head));
  const head = headText(line ? line() : STATUS_LINE, fields, conformanceCase);
  if (conformanceCase.split >= head.length) {
    await refuse(session);
    return null;
  }
  await writeHead(session, head, conformanceCase);
  agreeOnDeflate(session, fields.filter(([name]) => name === 'Sec-WebSocket-Extensions').map(([, value]) => value).join(','));
  const outcome = { what: 'silent', problems: [] };
  if (end) {
    session.socket.end();
    await session.until(() => session.ended !== null || session.trace.length > 0, patience);
  } else {
    const trouble = await tryConnection(session, early, patience);
    if (trouble && trouble.lostEarly) outcome.problems.push('what came with the answer is lost');
  }
  if (session.received('text').length > 0) {
    outcome.what = 'opened';
    await sendClose(session);
    await session.until(() => session.over, patience);
  } else if (session.over) {
    outcome.what = 'refused';
  }
  session.socket.end();
  await session.until(() => session.ended !== null, patience);
  if (session.ended === null && outcome.what === 'opened') outcome.problems.push('the connection is not closed after the closing handshake');
  if (outcome.what === 'opened' && expect.opened === 'OK') {
    outcome.problems.push(...session.trace.filter(({ kind }) => kind === 'violation').map(({ text }) => text));
  }
  return { ...judgeOpening(outcome, expect), seen: [outcome.what, ...seen(session).slice(0, 5)] };
}

class ClientTester {
  constructor(cases, { patience, onResult = () => {} }) {
    this.cases = cases;
    this.patience = patience;
    this.onResult = onResult;
    this.results = new Map();
    this.keys = new Map();
    this.running = 0;
    this.lastActive = Date.now();
    this.done = false;
    this.server = net.createServer({ noDelay: true, allowHalfOpen: true }, (socket) => this._connection(socket));
  }

  async listen() {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    this.host = `127.0.0.1:${this.server.address().port}`;
    return `ws://${this.host}`;
  }

  async _connection(socket) {
    const session = new Session(socket, 'client');
    this.lastActive = Date.now();
    this.running++;
    try {
      await session.until(() => session.head !== null || session.ended !== null, this.patience * 3);
      if (session.head !== null) await this._serve(session);
    } finally {
      session.destroy();
      this.running--;
      this.lastActive = Date.now();
    }
  }

  async _serve(session) {
    const { startLine } = parseHead(session.head);
    const url = new URL(startLine.split(' ')[1] || '/', 'ws://tester');
    if (url.pathname === '/runCase') {
      await this._case(session, Number(url.searchParams.get('case')));
      return;
    }
    await session.write(answerHead(answerFields(session.head)), 0, STATUS_LINE);
    if (url.pathname === '/getCaseCount') {
      await session.write(session.encode({ opcode: OPCODE.TEXT, payload: String(this.cases.length) }));
    }
    await sendClose(session);
    await session.until(() => session.over, this.patience);
    await endStream(session, this.patience);
    if (url.pathname === '/updateReports') this.done = true;
  }

  async _case(session, number) {
    const conformanceCase = this.cases[number - 1];
    if (!conformanceCase || this.results.has(conformanceCase.id)) {
      await refuse(session);
      return;
    }
    const started = performance.now();
    let result;
    try {
      result = await (conformanceCase.opening ? runOpening : runConversation)(session, conformanceCase, this.patience);
    } catch (error) {
      result = { verdict: 'FAILED', why: error.message, seen: [] };
    }
    if (result === null) {
      this.results.set(conformanceCase.id, null);
      return;
    }
    const problems = this._requestProblems(session.head, conformanceCase.id);
    if (problems.length > 0) Object.assign(result, { verdict: 'FAILED', why: `wrong in the request: ${problems.join('; ')}` });
    const whole = { id: conformanceCase.id, ...result, log: session.log, ms: Math.round(performance.now() - started) };
    this.results.set(whole.id, whole);
    this.onResult(whole);
  }

  /** Every request is judged, and no two may have the same key (RFC 6455 section 4.1 (7)). */
  _requestProblems(head, id) {
    const problems = requestProblems(head, this.host);
    const [key] = all(parseHead(head).fields, 'sec-websocket-key');
    if (this.keys.has(key)) problems.push(`the key of case ${this.keys.get(key)} again`);
    this.keys.set(key, id);
    return problems;
  }

  /** Results in the order of the cases; those the client has not come for are FAILED. */
  collect() {
    return this.cases.filter(({ id }) => this.results.get(id) !== null).map(({ id }) => (
      this.results.get(id) || { id, verdict: 'FAILED', why: 'the client has not come for this case', seen: [], log: [], ms: 0 }));
  }
}

/**
 * Runs all cases against a client.
 * @param {(url: string) => import('child_process').ChildProcess} start starts the client with the URL of the tester
 * @param {object[]} cases
 * @param {{ patience: number, onResult?: (result: object) => void }} options
 * @returns {Promise<object[]>} results in the order of the cases
 */
async function testClient(start, cases, options) {
  const tester = new ClientTester(cases, options);
  const client = start(await tester.listen());
  let exited = false;
  client.once('exit', () => { exited = true; });
  client.once('error', (error) => {
    exited = true;
    console.error(`the client could not be started: ${error.message}`);
  });
  const idle = () => tester.running === 0 && Date.now() - tester.lastActive > options.patience * 5;
  await new Promise((resolve) => {
    const timer = setInterval(() => {
      if (!exited && !idle() && !(tester.done && tester.running === 0)) return;
      clearInterval(timer);
      resolve();
    }, 50);
  });
  if (!exited) client.kill('SIGTERM');
  tester.server.close();
  return tester.collect();
}

module.exports = { testClient };
