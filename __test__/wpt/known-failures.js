'use strict';

// Tests that fail, and why: w3cwebsocket follows websocket 1.0.35 where programs may rest on it (docs/compatibility.md),
// and WHATWG only beyond that.

const REASONS = {
  errors: 'what is wrong with arguments is an `Error` with the text of websocket 1.0.35, not a DOMException',
  urls: 'URLs are taken as websocket 1.0.35 takes them: no relative ones; fragments, repeated subprotocols and odd hosts are no error, what is one is an `Error`, and `url` is the string that was given',
  close: '`close()` without a code sends 1000, and the `close` event has the code that `close()` was given, as in websocket 1.0.35',
  binaryType: '`binaryType` starts as `\'arraybuffer\'`',
  negotiated: '`protocol` is undefined while there is none, `extensions` is an array once open, as in websocket 1.0.35',
  data: '`send()` takes strings and bytes: no Blobs, and nothing is converted to a string',
  sending: '`send()` throws in every state but OPEN, an `Error` with the text of websocket 1.0.35',
  handlers: '`on…` are plain properties: undefined at first, and whatever is assigned',
  events: 'events are plain objects that programs may change, without `currentTarget` and `eventPhase`; the `on…` handler is called before the listeners',
  accessors: 'accessors are not configurable, as in websocket 1.0.35',
  throttle: 'connections to the same host are opened at the same time',
  name: 'needs a host name that resolves to the server',
  platform: 'this Node has no Float16Array',
};

/** [file, reason]: every test of the file fails. */
const KNOWN = [
  ['Close-1005-verify-code.any.js', 'close'],
  ['closing-handshake/003.html', 'close'],
  ['opening-handshake/005.html', 'close'],
  ['Create-asciiSep-protocol-string.any.js', 'errors'],
  ['Create-nonAscii-protocol-string.any.js', 'errors'],
  ['Create-protocol-with-space.any.js', 'errors'],
  ['constructor/001.html', 'errors'],
  ['constructor/004.html', 'errors'],
  ['constructor/021.html', 'errors'],
  ['Create-http-urls.any.js', 'urls'],
  ['Create-invalid-urls.any.js', 'urls'],
  ['Create-non-absolute-url.any.js', 'urls'],
  ['Create-protocols-repeated-case-insensitive.any.js', 'urls'],
  ['Create-protocols-repeated.any.js', 'urls'],
  ['Create-url-with-space.any.js', 'urls'],
  ['constructor/006.html', 'urls'],
  ['constructor/007.html', 'urls'],
  ['constructor/017.html', 'urls'],
  ['interfaces/WebSocket/url/001.html', 'urls'],
  ['interfaces/WebSocket/url/resolve.html', 'urls'],
  ['Create-extensions-empty.any.js', 'negotiated'],
  ['Create-valid-url-protocol-empty.any.js', 'negotiated'],
  ['interfaces/WebSocket/protocol/protocol-initial.html', 'negotiated'],
  ['Create-valid-url-binaryType-blob.any.js', 'binaryType'],
  ['binaryType-wrong-value.any.js', 'binaryType'],
  ['interfaces/WebSocket/bufferedAmount/bufferedAmount-defineProperty-getter.html', 'accessors'],
  ['interfaces/WebSocket/bufferedAmount/bufferedAmount-defineProperty-setter.html', 'accessors'],
  ['interfaces/WebSocket/bufferedAmount/bufferedAmount-deleting.html', 'accessors'],
  ['interfaces/WebSocket/readyState/003.html', 'accessors'],
  ['interfaces/WebSocket/readyState/004.html', 'accessors'],
  ['interfaces/WebSocket/readyState/005.html', 'accessors'],
  ['interfaces/WebSocket/url/003.html', 'accessors'],
  ['interfaces/WebSocket/url/005.html', 'accessors'],
  ['interfaces/WebSocket/url/006.html', 'accessors'],
  ['Send-binary-blob.any.js', 'data'],
  ['Send-null.any.js', 'data'],
  ['constructor/013.html', 'data'],
  ['interfaces/WebSocket/send/010.html', 'data'],
  ['interfaces/WebSocket/send/012.html', 'data'],
  ['Send-before-open.any.js', 'sending'],
  ['interfaces/WebSocket/send/001.html', 'sending'],
  ['interfaces/WebSocket/send/003.html', 'sending'],
  ['interfaces/WebSocket/send/004.html', 'sending'],
  ['interfaces/WebSocket/send/007.html', 'sending'],
  ['interfaces/WebSocket/send/008.html', 'sending'],
  ['eventhandlers.any.js', 'handlers'],
  ['interfaces/WebSocket/events/001.html', 'handlers'],
  ['interfaces/WebSocket/events/006.html', 'handlers'],
  ['interfaces/WebSocket/events/010.html', 'handlers'],
  ['interfaces/WebSocket/events/011.html', 'handlers'],
  ['interfaces/WebSocket/events/012.html', 'handlers'],
  ['interfaces/WebSocket/close/close-basic.html', 'events'],
  ['interfaces/WebSocket/events/015.html', 'events'],
  ['interfaces/WebSocket/events/016.html', 'events'],
  ['interfaces/WebSocket/events/017.html', 'events'],
  ['interfaces/WebSocket/events/018.html', 'events'],
  ['interfaces/WebSocket/events/020.html', 'events'],
  ['constructor/014.html', 'throttle'],
  ['opening-handshake/003.html', 'name'],
  ...(typeof globalThis.Float16Array === 'undefined' ? [['Send-binary-arraybufferview-float16.any.js', 'platform']] : []),
];

/** Why the tests of a file are known to fail, or null. */
function reasonFor(file) {
  const rule = KNOWN.find(([known]) => known === file);
  return rule ? REASONS[rule[1]] : null;
}

module.exports = { reasonFor };
