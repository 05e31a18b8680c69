'use strict';

// The events of the DOM, made of those that a WebSocket emits.

/** On the wrapper of a listener: what the program has given. */
const kListener = Symbol('listener');
/** On the wrapper of a listener: whether it is the value of an `on…` property. */
const kIsAttribute = Symbol('isAttribute');
const kTarget = Symbol('target');

/** Makes a property that is read only, and seen by those who list the properties of an event. */
function defineFields(Class, ...names) {
  for (const name of names) {
    const field = Symbol(name);
    Object.defineProperty(Class.prototype, name, { configurable: true, enumerable: true, get() { return this[field]; } });
    Class.fields = { ...Class.fields, [name]: field };
  }
}

class Event {
  constructor(type) {
    this[Event.fields.type] = type;
    this[kTarget] = null;
  }

  get target() {
    return this[kTarget];
  }
}
Object.defineProperty(Event.prototype, 'target', { enumerable: true });
defineFields(Event, 'type');

/** A class of events with fields of their own; `defaults` are their values where none are given. */
function eventClass(name, defaults) {
  const Class = { [name]: class extends Event {
    constructor(type, options = {}) {
      super(type);
      for (const [field, value] of Object.entries(defaults)) {
        this[Class.fields[field]] = options[field] === undefined ? value : options[field];
      }
    }
  } }[name];
  defineFields(Class, ...Object.keys(defaults));
  return Class;
}

const CloseEvent = eventClass('CloseEvent', { code: 0, reason: '', wasClean: false });
const ErrorEvent = eventClass('ErrorEvent', { error: null, message: '' });
const MessageEvent = eventClass('MessageEvent', { data: null });

/** For each event that has one, what makes the DOM's event of the arguments of the emitted one. */
const MAKERS = {
  open: () => new Event('open'),
  message: (websocket, data, isBinary) => new MessageEvent('message', { data: isBinary ? data : data.toString() }),
  close: (websocket, code, reason) => new CloseEvent('close', {
    code, reason: reason.toString(), wasClean: websocket._closeFrameReceived && websocket._closeFrameSent,
  }),
  error: (websocket, error) => new ErrorEvent('error', { error, message: error.message }),
};

function isListenerOf(wrapper, listener) {
  return wrapper[kListener] === listener && !wrapper[kIsAttribute];
}

function add(target, type, listener, { once = false, isAttribute = false } = {}) {
  const make = Object.hasOwn(MAKERS, type) ? MAKERS[type] : undefined;
  if (make === undefined) return;
  function wrapper(...args) {
    const event = make(this, ...args);
    event[kTarget] = this;
    if (typeof listener === 'object' && listener.handleEvent) listener.handleEvent(event);
    else listener.call(this, event);
  }
  wrapper[kListener] = listener;
  wrapper[kIsAttribute] = isAttribute;
  if (once) target.once(type, wrapper);
  else target.on(type, wrapper);
}

const methods = {
  /** Adds a listener, a function or an object with `handleEvent()`, unless it is there already. */
  addEventListener(type, listener, { once = false } = {}) {
    if (this.listeners(type).some((wrapper) => isListenerOf(wrapper, listener))) return;
    add(this, type, listener, { once: Boolean(once) });
  },

  removeEventListener(type, listener) {
    const wrapper = this.listeners(type).find((one) => isListenerOf(one, listener));
    if (wrapper !== undefined) this.removeListener(type, wrapper);
  },
};

/** Gives a class the methods and the `on…` properties of an EventTarget. */
function mixInEventTarget(Class) {
  Object.assign(Class.prototype, methods);
  for (const type of Object.keys(MAKERS)) {
    Object.defineProperty(Class.prototype, `on${type}`, {
      configurable: true,
      enumerable: true,
      get() {
        const wrapper = this.listeners(type).find((one) => one[kIsAttribute]);
        return wrapper === undefined ? null : wrapper[kListener];
      },
      set(listener) {
        const before = this.listeners(type).find((one) => one[kIsAttribute]);
        if (before !== undefined) this.removeListener(type, before);
        if (typeof listener === 'function') add(this, type, listener, { isAttribute: true });
      },
    });
  }
}

module.exports = { Event, CloseEvent, ErrorEvent, MessageEvent, kListener, mixInEventTarget };
