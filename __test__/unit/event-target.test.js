'use strict';

// The event interface of W3CWebSocket (DOM, section 2.7).

const { describe, test } = require('node:test');
const assert = require('node:assert');
const { Event, mixInEventTarget } = require('../../lib/internal/base/event-target');

class Target {}
mixInEventTarget(Target.prototype);

/** A target, and a maker of listeners that write down their name. */
function setUp() {
  const calls = [];
  return { target: new Target(), calls, named: (name) => () => { calls.push(name); } };
}

test('listeners are called in order, after the on… handler, with the target as this and as event.target', () => {
  const { target, calls, named } = setUp();
  target.addEventListener('open', named('first'));
  target.addEventListener('open', function second(event) {
    assert.strictEqual(this, target);
    assert.strictEqual(event.target, target);
    calls.push('second');
  });
  target.onopen = named('handler');
  const event = new Event('open');
  assert.strictEqual(target.dispatchEvent(event), true);
  assert.deepStrictEqual(calls, ['handler', 'first', 'second']);
  assert.deepStrictEqual([event.type, event.isTrusted], ['open', false]);
});

test('listeners of other types and of other targets are not called', () => {
  const { target, calls, named } = setUp();
  new Target().addEventListener('open', named('other target'));
  target.addEventListener('close', named('other type'));
  target.dispatchEvent(new Event('open'));
  assert.deepStrictEqual(calls, []);
});

test('a listener that is added twice is called once', () => {
  const { target, calls, named } = setUp();
  const listener = named('a');
  target.addEventListener('open', listener);
  target.addEventListener('open', listener);
  target.dispatchEvent(new Event('open'));
  assert.deepStrictEqual(calls, ['a']);
});

describe('once', () => {
  for (const [options, times] of [[{ once: true }, 1], [{ once: false }, 2], [{}, 2], [true, 2], [false, 2], [null, 2], [undefined, 2]]) {
    test(`${JSON.stringify(options)}: called ${times} time(s) for two events`, () => {
      const { target, calls, named } = setUp();
      target.addEventListener('open', named('a'), options);
      target.dispatchEvent(new Event('open'));
      target.dispatchEvent(new Event('open'));
      assert.strictEqual(calls.length, times);
    });
  }

  test('the listener is gone when it is called: an event that it dispatches does not come back to it', () => {
    const { target, calls } = setUp();
    target.addEventListener('open', () => {
      calls.push('a');
      target.dispatchEvent(new Event('open'));
    }, { once: true });
    target.dispatchEvent(new Event('open'));
    assert.deepStrictEqual(calls, ['a']);
  });

  test('the listener is gone when it has thrown', () => {
    const { target, calls } = setUp();
    target.addEventListener('open', () => {
      calls.push('a');
      throw new Error('from the listener');
    }, { once: true });
    assert.throws(() => target.dispatchEvent(new Event('open')), /from the listener/);
    target.dispatchEvent(new Event('open'));
    assert.deepStrictEqual(calls, ['a']);
  });

  test('works for objects with handleEvent', () => {
    const { target, calls, named } = setUp();
    target.addEventListener('open', { handleEvent: named('a') }, { once: true });
    target.dispatchEvent(new Event('open'));
    target.dispatchEvent(new Event('open'));
    assert.deepStrictEqual(calls, ['a']);
  });
});

test('handleEvent() is called on its object, in the version it has at that time', () => {
  const { target, calls } = setUp();
  const listener = { handleEvent() { throw new Error('the old one'); } };
  target.addEventListener('open', listener);
  listener.handleEvent = function handleEvent(event) { calls.push([this === listener, event.type]); };
  target.dispatchEvent(new Event('open'));
  target.removeEventListener('open', listener);
  target.dispatchEvent(new Event('open'));
  assert.deepStrictEqual(calls, [[true, 'open']]);
});

test('an object without handleEvent is ignored, others are called', () => {
  const { target, calls, named } = setUp();
  target.addEventListener('open', {});
  target.addEventListener('open', named('a'));
  target.dispatchEvent(new Event('open'));
  assert.deepStrictEqual(calls, ['a']);
});

describe('stopImmediatePropagation()', () => {
  test('in a listener keeps the event from later ones, for this event only', () => {
    const { target, calls, named } = setUp();
    let stop = true;
    target.addEventListener('open', (event) => {
      calls.push('first');
      if (stop) event.stopImmediatePropagation();
    });
    target.addEventListener('open', named('second'));
    target.dispatchEvent(new Event('open'));
    stop = false;
    target.dispatchEvent(new Event('open'));
    assert.deepStrictEqual(calls, ['first', 'first', 'second']);
  });

  test('in the on… handler keeps the event from all listeners', () => {
    const { target, calls, named } = setUp();
    target.onopen = (event) => event.stopImmediatePropagation();
    target.addEventListener('open', named('a'));
    target.dispatchEvent(new Event('open'));
    assert.deepStrictEqual(calls, []);
  });

  test('does not use up a once listener that was not reached', () => {
    const { target, calls, named } = setUp();
    let stop = true;
    target.onopen = (event) => { if (stop) event.stopImmediatePropagation(); };
    target.addEventListener('open', named('a'), { once: true });
    target.dispatchEvent(new Event('open'));
    stop = false;
    target.dispatchEvent(new Event('open'));
    assert.deepStrictEqual(calls, ['a']);
  });
});

describe('dispatchEvent() is false', () => {
  test('when a listener has set defaultPrevented', () => {
    const { target } = setUp();
    target.addEventListener('open', (event) => { event.defaultPrevented = true; });
    assert.strictEqual(target.dispatchEvent(new Event('open')), false);
  });

  test('when the handler has set it, and true when it was set to false', () => {
    const { target } = setUp();
    target.onopen = (event) => { event.defaultPrevented = true; };
    assert.strictEqual(target.dispatchEvent(new Event('open')), false);
    target.onopen = (event) => { event.defaultPrevented = false; };
    assert.strictEqual(target.dispatchEvent(new Event('open')), true);
  });
});

describe('removal', () => {
  test('of one listener leaves the others', () => {
    const { target, calls, named } = setUp();
    const gone = named('gone');
    target.addEventListener('open', named('a'));
    target.addEventListener('open', gone);
    target.addEventListener('open', named('b'));
    target.removeEventListener('open', gone);
    target.removeEventListener('open', gone);
    target.removeEventListener('never', gone);
    target.dispatchEvent(new Event('open'));
    assert.deepStrictEqual(calls, ['a', 'b']);
  });

  test('of itself by a listener does not skip the next one', () => {
    const { target, calls, named } = setUp();
    const self = () => {
      calls.push('self');
      target.removeEventListener('open', self);
    };
    target.addEventListener('open', self);
    target.addEventListener('open', named('next'));
    target.dispatchEvent(new Event('open'));
    target.dispatchEvent(new Event('open'));
    assert.deepStrictEqual(calls, ['self', 'next', 'next']);
  });

  test('of a later listener by an earlier one keeps this event from it', () => {
    const { target, calls, named } = setUp();
    const later = named('later');
    target.addEventListener('open', () => target.removeEventListener('open', later));
    target.addEventListener('open', later);
    target.dispatchEvent(new Event('open'));
    assert.deepStrictEqual(calls, []);
  });

  test('of a later listener by the on… handler keeps this event from it', () => {
    const { target, calls, named } = setUp();
    const later = named('later');
    target.onopen = () => target.removeEventListener('open', later);
    target.addEventListener('open', later);
    target.dispatchEvent(new Event('open'));
    assert.deepStrictEqual(calls, []);
  });
});

describe('signal', () => {
  test('aborting removes the listener, and no other', () => {
    const { target, calls, named } = setUp();
    const controller = new AbortController();
    target.addEventListener('open', named('gone'), { signal: controller.signal });
    target.addEventListener('open', named('stays'), { signal: undefined });
    target.addEventListener('open', named('stays too'), { signal: null });
    controller.abort();
    target.dispatchEvent(new Event('open'));
    assert.deepStrictEqual(calls, ['stays', 'stays too']);
  });

  test('aborting while an event is under way keeps it from later listeners', () => {
    const { target, calls, named } = setUp();
    const controller = new AbortController();
    target.onopen = () => controller.abort();
    target.addEventListener('open', named('a'), { signal: controller.signal });
    target.dispatchEvent(new Event('open'));
    assert.deepStrictEqual(calls, []);
  });

  test('with one that is aborted nothing is added', () => {
    const { target, calls, named } = setUp();
    target.addEventListener('open', named('a'), { signal: AbortSignal.abort() });
    target.dispatchEvent(new Event('open'));
    assert.deepStrictEqual(calls, []);
  });

  test('a listener that was removed and added again is not concerned by the signal of before', () => {
    const { target, calls, named } = setUp();
    const controller = new AbortController();
    const listener = named('a');
    target.addEventListener('open', listener, { signal: controller.signal });
    target.removeEventListener('open', listener);
    target.addEventListener('open', listener);
    controller.abort();
    target.dispatchEvent(new Event('open'));
    assert.deepStrictEqual(calls, ['a']);
  });

  test('together with once: whichever comes first, and nothing is left on the signal', (t) => {
    const { target, calls, named } = setUp();
    const controller = new AbortController();
    const removed = t.mock.method(controller.signal, 'removeEventListener');
    target.addEventListener('open', named('a'), { once: true, signal: controller.signal });
    target.dispatchEvent(new Event('open'));
    assert.strictEqual(removed.mock.callCount(), 1);
    target.addEventListener('open', named('b'), { once: true, signal: controller.signal });
    controller.abort();
    target.dispatchEvent(new Event('open'));
    assert.deepStrictEqual(calls, ['a']);
  });

  test('one signal for the listeners of many targets prints no warning', async (t) => {
    const warnings = [];
    const onWarning = (warning) => warnings.push(warning.message);
    process.on('warning', onWarning);
    t.after(() => process.removeListener('warning', onWarning));
    const { signal } = new AbortController();
    for (let i = 0; i < 30; i++) setUp().target.addEventListener('open', () => {}, { signal });
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepStrictEqual(warnings, []);
  });

  for (const signal of ['abort', {}, 7]) {
    test(`${JSON.stringify(signal)} is none: a TypeError, and nothing is added`, () => {
      const { target, calls, named } = setUp();
      assert.throws(() => target.addEventListener('open', named('a'), { signal }), {
        name: 'TypeError', code: 'ERR_WEBSOCKET_ARGUMENT',
        message: `The option signal of addEventListener() must be an AbortSignal, not ${signal}.`,
      });
      target.dispatchEvent(new Event('open'));
      assert.deepStrictEqual(calls, []);
    });
  }
});

test('a listener that is added by a listener gets the next event only', () => {
  const { target, calls, named } = setUp();
  const late = named('late');
  target.addEventListener('open', () => target.addEventListener('open', late));
  target.dispatchEvent(new Event('open'));
  assert.deepStrictEqual(calls, []);
  target.dispatchEvent(new Event('open'));
  assert.deepStrictEqual(calls, ['late']);
});

test('names of properties of every object are event types like others', () => {
  for (const type of ['__proto__', 'constructor', 'toString']) {
    const { target, calls, named } = setUp();
    target.addEventListener(type, named(type));
    target.dispatchEvent(new Event(type));
    target.dispatchEvent(new Event('valueOf'));
    assert.deepStrictEqual(calls, [type]);
  }
});

test('nothing is added without a type or a listener', () => {
  const { target } = setUp();
  target.addEventListener('open', null);
  target.addEventListener('open', undefined);
  target.addEventListener('', () => assert.fail('called'));
  assert.strictEqual(target.dispatchEvent(new Event('open')), true);
  assert.strictEqual(target.dispatchEvent(new Event('')), true);
});

for (const event of [undefined, null, {}, { type: 7 }, 'open']) {
  test(`${JSON.stringify(event)} is no event`, () => {
    assert.throws(() => new Target().dispatchEvent(event), { message: '`event` must have a valid `type` property' });
  });
}

for (const [name, make] of [['a plain object', () => ({ type: 'open' })], ['a frozen object', () => Object.freeze({ type: 'open' })],
  ['an event of the platform', () => new globalThis.Event('open', { cancelable: true })]]) {
  test(`${name} can be dispatched`, () => {
    const { target, calls } = setUp();
    const event = make();
    target.addEventListener('open', (received) => { calls.push(received === event); });
    assert.strictEqual(target.dispatchEvent(event), true);
    assert.deepStrictEqual(calls, [true]);
  });
}

test('preventDefault() of an event of the platform makes dispatchEvent() false', () => {
  const { target } = setUp();
  target.addEventListener('open', (event) => event.preventDefault());
  assert.strictEqual(target.dispatchEvent(new globalThis.Event('open', { cancelable: true })), false);
});

test('the list of listeners is no property that a loop over the target shows', () => {
  const { target, named } = setUp();
  target.addEventListener('open', named('a'));
  assert.deepStrictEqual(Object.keys(target), []);
});
