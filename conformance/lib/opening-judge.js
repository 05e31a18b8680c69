'use strict';

// Judges opening handshakes: `expect` of such a case says what it comes to when the peer opens the connection, refuses it,
// or drops it without a word (see cases/opening.js).

/**
 * @param {object} outcome what happened: `{ what: 'opened'|'refused'|'dropped'|'silent', status?, extension?, problems: string[] }`
 * @param {object} expect
 * @returns {{ verdict: string, why: string }}
 */
function judgeOpening({ what, status, extension, problems }, expect) {
  if (problems.length > 0) return { verdict: 'FAILED', why: `wrong in the handshake: ${problems.join('; ')}` };
  if (what === 'silent') return { verdict: 'FAILED', why: 'neither opens nor refuses' };
  if (what === 'opened') {
    if (expect.opened === 'FAILED') return { verdict: 'FAILED', why: 'a handshake that must be refused opens the connection' };
    if (expect.extension === 'agreed' && extension !== 'agreed') return { verdict: 'UNIMPLEMENTED', why: 'permessage-deflate is not agreed to' };
    if (expect.extension === 'declined' && extension !== 'declined') return { verdict: 'FAILED', why: 'an offer that must be declined is agreed to' };
    const { opened: verdict } = expect;
    return { verdict, why: verdict === 'OK' ? '' : 'opens the connection' };
  }
  const verdict = expect[what];
  if (what === 'dropped') return { verdict, why: verdict === 'OK' ? '' : 'the connection is dropped without an answer' };
  if (verdict === 'OK' && status !== undefined) {
    const { statuses = [] } = expect;
    const fits = statuses.length === 0 ? status >= 400 && status <= 599 : statuses.includes(status);
    if (!fits) return { verdict: 'NON-STRICT', why: `is refused with ${status}` };
  }
  return { verdict, why: verdict === 'OK' ? '' : `is refused${status === undefined ? '' : ` with ${status}`}` };
}

module.exports = { judgeOpening };
