'use strict';

// The figures as metrics of prom-client, which asks for each of them when it is scraped.

const { optionError } = require('../internal/base/errors');
const { shown } = require('../internal/options/kinds');

/** Calls `take()` once in a tick at most: a scrape asks all metrics in one. */
function oncePerTick(take) {
  let snapshot = null;
  return () => {
    if (snapshot === null) {
      snapshot = take();
      process.nextTick(() => { snapshot = null; });
    }
    return snapshot;
  };
}

/** Registers all families. */
function register(promClient, registers, families, take) {
  if (typeof promClient?.Counter !== 'function' || typeof promClient.Gauge !== 'function') {
    throw optionError(`register() takes the module prom-client, not ${shown(promClient)}.`);
  }
  const snapshot = oncePerTick(take);
  for (const { name, type, help, labels, samples } of families) {
    const isCounter = type === 'counter';
    const Metric = isCounter ? promClient.Counter : promClient.Gauge;
    const metric = new Metric({
      name: isCounter ? `${name}_total` : name,
      help,
      labelNames: labels,
      ...(registers && { registers }),
      collect() {
        metric.reset();
        for (const [values, value] of samples(snapshot())) {
          if (isCounter) metric.inc(values, value);
          else metric.set(values, value);
        }
      },
    });
  }
}

module.exports = { register };
