'use strict';

const { EventEmitter } = require('events');
const { decodeFrames } = require('../helpers/raw');
const { formatFrame } = require('./format');

/**
 * An EventEmitter that stands in for a socket and writes into the trace what is done to it.
 * `flushed` is what write() returns; `acknowledge` says when its callback runs: 'sync', 'tick' or 'never';
 * `closing` says when destroy() emits close: 'sync', 'tick' or 'never'.
 */
class MockSocket extends EventEmitter {
  constructor(trace, { flushed = true, acknowledge = 'tick', closing = 'tick', label = 'socket' } = {}) {
    super();
    Object.assign(this, { trace, flushed, acknowledge, closing, label });
    this.remoteAddress = '192.0.2.1';
    this.writeError = null;
    this.destroyed = false;
    this.written = [];
  }

  write(data, encoding, callback) {
    if (typeof encoding === 'function') callback = encoding;
    const { frames, rest } = decodeFrames(Buffer.from(data));
    this.written.push(Buffer.from(data));
    for (const frame of frames) this.trace(`${this.label}.write ${formatFrame(frame)}`);
    if (rest.length > 0) this.trace(`${this.label}.write of no whole frame`, Buffer.from(rest));
    if (typeof callback === 'function') {
      const done = () => (this.writeError ? callback(this.writeError) : callback());
      if (this.acknowledge === 'sync') done();
      else if (this.acknowledge === 'tick') process.nextTick(done);
    }
    return this.flushed;
  }

  end(...args) { this.trace(`${this.label}.end`, ...args.filter((arg) => typeof arg !== 'function')); return this; }

  destroy() {
    this.trace(`${this.label}.destroy`);
    if (this.destroyed) return this;
    this.destroyed = true;
    if (this.closing === 'sync') this.emit('close', false);
    else if (this.closing === 'tick') process.nextTick(() => this.emit('close', false));
    return this;
  }

  pause() { this.trace(`${this.label}.pause`); this.emit('pause'); return this; }
  resume() { this.trace(`${this.label}.resume`); this.emit('resume'); return this; }
  setNoDelay(...args) { this.trace(`${this.label}.setNoDelay`, ...args); return this; }
  setTimeout(...args) { this.trace(`${this.label}.setTimeout`, ...args); return this; }
  setKeepAlive(...args) { this.trace(`${this.label}.setKeepAlive`, ...args); return this; }

  removeAllListeners(...args) {
    this.trace(`${this.label}.removeAllListeners`, ...args);
    return super.removeAllListeners(...args);
  }
}

module.exports = { MockSocket };
