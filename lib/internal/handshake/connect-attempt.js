'use strict';

// What ends an attempt to connect besides the server's answer: an AbortSignal, a limit on time. And where else it may go: the
// rules for redirects.

const { AsyncResource } = require('async_hooks');
const { deadlinesOf } = require('../time/deadlines');
const { isTime } = require('../time/is-time');
const { abortError, isAbortSignal, onAbort } = require('../base/abort-signal');
const { errorsWithCode, optionError, websocketError } = require('../base/errors');
const { isUtf8 } = require('../base/utf8');
const { ATTEMPT_OPTIONS } = require('../options/tables');
const { optionValue } = require('../options/read-options');
const { SCHEMES } = require('./client-url');

const redirectError = errorsWithCode('ERR_WEBSOCKET_REDIRECT');

const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/** What identifies a client to one host and is not for any other. */
const CREDENTIAL_HEADERS = new Set(['authorization', 'cookie', 'host', 'proxy-authorization']);
const CREDENTIAL_OPTIONS = ['auth', 'cert', 'key', 'passphrase', 'pfx', 'servername', 'session', 'socketPath'];

/**
 * Takes the options of an attempt out of those for `http.request()`; what is not among them is the client's.
 * @param {object} options changed
 * @param {object} config
 * @throws {Error} that names the option
 */
function takeAttemptOptions(options, config) {
  const taken = { signal: options.signal === null ? undefined : options.signal };
  for (const name of Object.keys(ATTEMPT_OPTIONS)) {
    taken[name] = optionValue(ATTEMPT_OPTIONS, name, options[name] === undefined ? config[name] : options[name]);
    delete options[name];
  }
  delete options.signal;
  const { signal } = taken;
  if (signal !== undefined && !isAbortSignal(signal)) {
    throw optionError(`The option signal must be an AbortSignal, not ${String(signal)}.`);
  }
  return taken;
}

/** Waits for what ends an attempt from outside, and tells once. */
class Interruption {
  /**
   * @param {object} options as of takeAttemptOptions()
   * @param {(error: Error) => void} onInterrupt
   */
  constructor({ signal, handshakeTimeout }, onInterrupt) {
    this._list = null;
    this._forgetSignal = null;
    if (signal !== undefined) {
      this._forgetSignal = onAbort(signal, () => {
        this.stop();
        onInterrupt(abortError(signal));
      });
    }
    if (isTime(handshakeTimeout)) {
      this._list = deadlinesOf(handshakeTimeout);
      this._entry = this._list.add(null, AsyncResource.bind(() => {
        this.stop();
        onInterrupt(websocketError('ETIMEDOUT',
          `The server did not complete the opening handshake within ${handshakeTimeout} ms (handshakeTimeout).`));
      }));
    }
  }

  /** The attempt has come to an end. */
  stop() {
    if (this._forgetSignal !== null) this._forgetSignal();
    if (this._list !== null) this._list.remove(this._entry);
  }
}

/** Whether a response sends the client somewhere else. */
function isRedirect({ statusCode, headers }) {
  return REDIRECTS.has(statusCode) && headers.location !== undefined;
}

/**
 * Where a redirect leads.
 * @param {string} from URL that was asked for
 * @param {string} location the header of the answer
 * @returns {URL} with the scheme `ws:` or `wss:`
 * @throws {Error} for what is no such place, and for one that is less secure
 */
function redirectTarget(from, location) {
  let target;
  try {
    target = new URL(headerText(location), from);
  } catch {
    throw redirectError(`The server redirected to something that is no URL: ${location}`);
  }
  const scheme = SCHEMES.get(target.protocol);
  if (scheme === undefined) throw redirectError(`The server redirected to a URL that is no WebSocket: ${target.href}`);
  target = new URL(scheme + target.href.slice(target.protocol.length));
  if (from.startsWith('wss:') && scheme === 'ws:') {
    throw redirectError(`The server redirected from wss: to ws:, which is not followed: ${target.href}`);
  }
  target.hash = '';
  return target;
}

/** The text of a header, of which Node has made one character for each byte: servers send UTF-8 there as well. */
function headerText(value) {
  const bytes = Buffer.from(value, 'latin1');
  return isUtf8(bytes) ? bytes.toString() : value;
}

/** Headers, as pairs of name and value, without those that are for one host only. */
function withoutCredentialHeaders(headers) {
  return headers.filter(([name]) => !CREDENTIAL_HEADERS.has(String(name).toLowerCase()));
}

/** Options of a request without those that are for one host only. */
function withoutCredentialOptions(options) {
  return Object.fromEntries(Object.entries(options || {}).filter(([name]) => !CREDENTIAL_OPTIONS.includes(name)));
}

module.exports = {
  takeAttemptOptions, Interruption, abortError, isRedirect, redirectTarget,
  withoutCredentialHeaders, withoutCredentialOptions,
};
