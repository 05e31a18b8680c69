'use strict';

// What is sent as text need not be a string. Some of it was hardly meant to be sent like that.

let warned = false;

/** What `data.toString()` returns. A process is warned once when that says nothing about the data. */
function textOf(data) {
  const text = String(data.toString());
  if (!warned && typeof data === 'object' && text.startsWith('[object ')) {
    warned = true;
    const advice = typeof data.then === 'function' ? 'A Promise has to be awaited first.' : 'JSON.stringify() may be what was meant.';
    process.emitWarning(`A message was sent as the text '${text.slice(0, 80)}', which is the toString() of what was given. ${advice}`,
      { code: 'WEBSOCKET_SENT_OBJECT' });
  }
  return text;
}

module.exports = { textOf };
