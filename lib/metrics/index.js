'use strict';

// `websocket/metrics`: figures about all servers and clients of a process, for Prometheus and whatever else reads OpenMetrics.

const { FAMILIES } = require('./families');
const { contentType, toText } = require('./open-metrics');
const prometheus = require('./prom-client');
const { Tally } = require('./tally');

const tally = new Tally();

/**
 * The figures up to now.
 * @param {object} [options]
 * @param {Object<string, string|number>} [options.labels] added to each figure
 * @returns {string} text in the format OpenMetrics 1.0
 * @throws {Error} for labels that cannot be
 */
function metrics({ labels = {} } = {}) {
  return toText(FAMILIES, tally.snapshot(), labels);
}

/**
 * Registers the figures with prom-client.
 * @param {object} promClient what `require('prom-client')` gives
 * @param {object[]} [registers] default: prom-client's own
 */
function register(promClient, registers = undefined) {
  prometheus.register(promClient, registers, FAMILIES, () => tally.snapshot());
}

module.exports = { metrics, contentType, register };
