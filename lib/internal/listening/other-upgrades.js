'use strict';

// Requests at the HTTP server of the option `fallback` that ask for an upgrade to something else, h2c mostly. Node takes them
// for an `upgrade` event because the WebSocket server listens for those. Without it they would be requests like any other, and
// they are: whoever asks for an upgrade has to do without one (RFC 9110 section 7.8).

const { afterResponses, isBehindResponse } = require('../handshake/pipelining');

/** HTTP servers that are the fallback of a WebSocket server. */
const fallbacks = new WeakSet();

/** Requests that were given back, of which several WebSocket servers may hear. */
const givenBack = new WeakSet();

function asksForWebSocket({ headers }) {
  return String(headers.upgrade).split(',').some((protocol) => protocol.trim().toLowerCase() === 'websocket');
}

/**
 * Notes that an HTTP server is a fallback. From Node 22 on, Node asks whether a request is for the `upgrade` event.
 * @param {import('http').Server} httpServer
 * @param {() => boolean} isOursAlone whether nobody but WebSocket servers of this package listens for `upgrade`
 */
function becomeFallback(httpServer, isOursAlone) {
  if (fallbacks.has(httpServer)) return;
  fallbacks.add(httpServer);
  const { shouldUpgradeCallback: original } = httpServer;
  if (typeof original !== 'function') return;
  httpServer.shouldUpgradeCallback = function shouldUpgradeCallback(request) {
    return original.call(this, request) && (asksForWebSocket(request) || !isOursAlone());
  };
}

/**
 * Whether an `upgrade` event is none for a WebSocket server. If nobody else listens, the HTTP server gets the request once more,
 * without its wish for an upgrade.
 */
function isOtherUpgrade(httpServer, request, socket, head, isOursAlone) {
  if (!fallbacks.has(httpServer) || asksForWebSocket(request)) return false;
  if (isOursAlone() && !givenBack.has(request)) {
    givenBack.add(request);
    const proceed = () => {
      socket.unshift(Buffer.concat([headWithoutUpgrade(request), head]));
      httpServer.emit('connection', socket);
    };
    if (isBehindResponse(request, socket)) afterResponses(request, socket, proceed);
    else proceed();
  }
  return true;
}

const ABOUT_UPGRADE = ['upgrade', 'http2-settings'];

function headWithoutUpgrade({ method, url, httpVersion, rawHeaders }) {
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i];
    if (ABOUT_UPGRADE.includes(name.toLowerCase())) continue;
    const value = name.toLowerCase() === 'connection' ? withoutUpgrade(rawHeaders[i + 1]) : rawHeaders[i + 1];
    lines.push(`${name}: ${value}`);
  }
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
}

/** The value of a header `Connection` without what belongs to the upgrade. */
function withoutUpgrade(connection) {
  return connection.split(',').map((option) => option.trim())
    .filter((option) => !ABOUT_UPGRADE.includes(option.toLowerCase())).join(', ');
}

module.exports = { becomeFallback, isOtherUpgrade };
