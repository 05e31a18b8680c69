'use strict';

// Breaks what the records of a run see, on purpose: the oracle has to notice each of these, or it is worth nothing.

/** Has the `nth` call of a method of `record` replaced by `change(original, args)`. */
function change(record, method, nth, replacement) {
  const original = record[method].bind(record);
  let count = 0;
  record[method] = (...args) => (++count === nth ? replacement(original, args) : original(...args));
}

/** As `change`, for the reports of the peer of one type. */
function changeReport(record, type, nth, replacement) {
  const original = record.hear.bind(record);
  let count = 0;
  record.hear = (...args) => (args[0] === type && ++count === nth ? replacement(original, args) : original(...args));
}

const nothing = () => {};

function twice(original, args) {
  original(...args);
  original(...args);
}

/** Keeps an event back until the next one of its kind. */
function swap(record, method) {
  const original = record[method].bind(record);
  let kept = null;
  let done = false;
  record[method] = (...args) => {
    if (!done && kept === null) {
      kept = args;
      return;
    }
    original(...args);
    if (done) return;
    done = true;
    original(...kept);
  };
}

/** By name: what is broken, the kinds of faults of which one has to be reported, and on which transport it can be seen soon. */
const SABOTAGES = {
  'lost callback': { apply: (record) => change(record, 'onCallback', 1, nothing), kinds: ['callback-lost'] },
  'callback called twice': { apply: (record) => change(record, 'onCallback', 1, twice), kinds: ['callback-twice'] },
  'callbacks out of order': { apply: (record) => swap(record, 'onCallback'), kinds: ['callback-order', 'callback-lost'] },
  'lost drain': { apply: (record) => { record.onDrain = nothing; }, kinds: ['drain-lost'], io: 'loop' },
  'lost message': { apply: (record) => change(record, 'onMessage', 1, nothing), kinds: ['message-lost'] },
  'message told twice': { apply: (record) => change(record, 'onMessage', 2, twice), kinds: ['message-twice', 'message-damaged'] },
  'messages out of order': { apply: (record) => swap(record, 'onMessage'), kinds: ['message-order', 'message-lost'] },
  'damaged message': {
    apply: (record) => change(record, 'onMessage', 1, (original) => original({ type: 'utf8', utf8Data: 'not what was sent' })),
    kinds: ['message-damaged'],
  },
  'message lost on the way to the peer': { apply: (record) => changeReport(record, 'got', 1, nothing), kinds: ['sent-lost'] },
  'message sent twice': { apply: (record) => changeReport(record, 'got', 1, twice), kinds: ['sent-twice', 'sent-damaged'] },
  'Ping without an answer': {
    apply: (record) => {
      const original = record.hear.bind(record);
      record.hear = (...args) => { if (args[0] !== 'pong') original(...args); };
    },
    kinds: ['pong-lost'],
  },
  'Pong sent twice': { apply: (record) => changeReport(record, 'pong', 1, twice), kinds: ['pong-wrong', 'sent-twice', 'sent-damaged'] },
  'lost close': { apply: (record) => { record.onClose = nothing; }, kinds: ['close-lost'] },
  'close told twice': { apply: (record) => change(record, 'onClose', 1, twice), kinds: ['close-twice'] },
  'wrong close code': { apply: (record) => change(record, 'onClose', 1, (original) => original(1013, '')), kinds: ['close-code', 'closed-by-itself'] },
  'message after close': {
    apply: (record) => change(record, 'onClose', 1, (original, args) => {
      original(...args);
      record.note('message');
    }),
    kinds: ['after-close'],
  },
  'message while paused': {
    apply: (record) => {
      const note = record.note.bind(record);
      record.note = (event, what) => {
        note(event, what);
        if (event === 'pause' && record.paused) record.received('message', 'none', 'none');
      };
    },
    kinds: ['while-paused'],
  },
  'descriptor left open': {
    apply: (record) => { if (record.number === 0) record.left = require('dgram').createSocket('udp4').bind(0, '127.0.0.1').unref(); },
    undo: (record) => { if (record.left) record.left.close(); },
    kinds: ['left-descriptors'],
  },
  'timer left running': {
    apply: (record) => { if (record.number === 0) record.left = setInterval(nothing, 60000); },
    undo: (record) => clearInterval(record.left),
    kinds: ['left-handles'],
  },
};

/** Breaks something about a record. Returns a function that removes what was put into the process. */
function sabotage(name, record) {
  const { apply, undo = nothing } = SABOTAGES[name];
  apply(record);
  return () => undo(record);
}

module.exports = { SABOTAGES, sabotage };
