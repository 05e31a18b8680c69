'use strict';

const { format } = require('./format');
const { Raw } = require('./watch');

/**
 * What happened in one run, as lines of text. Things whose order among each other is not fixed (the two ends
 * of a TCP connection) go into different lanes; order is compared within a lane.
 */
class Trace {
  constructor(nameOf) {
    this._nameOf = nameOf;
    this._lanes = new Map();
    this._hidden = new Map();
    this._names = new Map();
    this._ended = false;
  }

  /** Adds a line to the lane: a label and formatted values. */
  add(lane, label, values) {
    if (this._ended) return;
    if (!this._lanes.has(lane)) this._lanes.set(lane, []);
    this._lanes.get(lane).push([label, ...values.map((value) => this.format(value))].join(' '));
  }

  format(value) {
    if (value instanceof Raw) return value.text;
    return format(value, (object) => this._names.get(object) || this._nameOf(object));
  }

  /** From now on the object appears in the trace as `<name>`. */
  name(object, name) {
    this._names.set(object, `<${name}>`);
    return object;
  }

  /** A value that differs from run to run (a port, a random key) appears as `<label>`. */
  hide(value, label) {
    this._hidden.set(String(value), `<${label}>`);
  }

  /** Nothing that happens later (cleaning up) belongs to the trace. */
  end() {
    this._ended = true;
  }

  /** @returns {Object<string, string[]>} the lines of every lane */
  lanes() {
    const hidden = [...this._hidden].sort((a, b) => b[0].length - a[0].length);
    const clean = (line) => hidden.reduce((text, [value, label]) => text.split(value).join(label), line);
    return Object.fromEntries([...this._lanes].map(([lane, lines]) => [lane, lines.map(clean)]));
  }
}

module.exports = { Trace };
