'use strict';

// What is sent as text need not be a string. Some of it was hardly meant to be sent like that.

let warned = false;

/** What `data.toString()` returns. A process is warned once when that says nothing about the data. */
function textOf(data) {
  const text = String(data.toString());
  if (!warned && typeof data === 'object' && text.startsWith('[object ')) {
    warned = true;
    process.emitWarning(`A message was sent as the text '${text.slice(0, 80)}', which is the toString() of what was given. ${adviceFor(data)}`,
      { code: 'WEBSOCKET_SENT_OBJECT' });
  }
  return text;
}

function adviceFor(data) {
  if (typeof data.then === 'function') return 'A Promise has to be awaited first.';
  if (typeof data.arrayBuffer === 'function') return 'await blob.arrayBuffer() gives the bytes of a Blob.';
  return 'JSON.stringify() may be what was meant.';
}

module.exports = { textOf };
