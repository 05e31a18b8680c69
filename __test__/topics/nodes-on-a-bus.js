'use strict';

const { Engine } = require('../../lib/internal/pubsub/engine');

/** Lets everything run that is due now, timers excepted. */
async function turns(count = 5) {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** An engine on a bus that notes what it delivers and emits. `seen(topic)` is called for each message. */
function node(bus, options = {}, seen = () => {}) {
  const delivered = [];
  const events = [];
  const engine = new Engine(bus.adapter(), {
    deliver: (topic, payload, isBinary, publisher) => {
      seen(topic);
      delivered.push({ topic, text: payload.toString(), isBinary, publisher });
    },
    countLocal: () => 1,
    emit: (name, argument, details) => events.push({ name, argument, details }),
    ...options
  });
  engine.start();
  return {
    engine,
    delivered,
    events,
    texts: (topic) => delivered.filter((message) => message.topic === topic).map(({ text }) => text),
    named: (name) => events.filter((event) => event.name === name)
  };
}

const say = (from, topic, text, publisher = '') => from.engine.publish(topic, Buffer.from(text), false, publisher);

module.exports = { node, say, turns };
