'use strict';

// Which of the files below websockets/ are run, and which are not, and why.

/** [pattern of the path, reason] */
const NOT_RUN = [
  [/^stream\//, 'WebSocketStream, another interface'],
  [/^(cookies\/|security\/|mixed-content|referrer)/, 'cookies, origins and secure contexts of pages'],
  [/^(unload-a-document|multi-globals|back-forward-cache|remove-own-iframe)/, 'documents, frames and history'],
  [/^(Create-on-worker-shutdown|Send-data\.worker|opening-handshake\/003-sets-origin\.worker)/, 'workers of the browser'],
  [/^idlharness/, 'Web IDL of the interface; members are accessors on a function\'s prototype as in websocket 1.0.35'],
  [/^bufferedAmount-unchanged-by-sync-xhr/, 'synchronous XMLHttpRequest'],
  [/^interfaces\/CloseEvent\/(constructor|historical)/, 'the constructor CloseEvent, which is the platform\'s'],
  [/^Create-blocked-port/, 'ports that browsers block; nobody listens on them, so the test could not tell'],
  [/(^|\/)(support|resources|handlers)\//, 'no tests'],
  [/constants\.sub\.js$/, 'no tests'],
  [/\.(md|yml|py)$/, 'no tests'],
];

/** Why a file is not run, or null. */
function notRun(file) {
  const rule = NOT_RUN.find(([pattern]) => pattern.test(file));
  return rule ? rule[1] : null;
}

/** The variants of a file that are run: `?default` (ws) and `?wss`; HTTP/2 is not implemented. */
function variants(text) {
  const named = [...text.matchAll(/(?:META: variant=|name=["']?variant["']? content=["'])([^"'\s>]*)/g)].map((match) => match[1]);
  const wanted = named.filter((variant) => !variant.includes('wpt_flags'));
  return wanted.length > 0 ? wanted : [''];
}

/** Milliseconds for each test of a file: some say that they are slow. */
function timeout(text) {
  return /META: timeout=long|name=["']?timeout["']? content=["']?long/.test(text) ? 30000 : 10000;
}

module.exports = { notRun, variants, timeout };
