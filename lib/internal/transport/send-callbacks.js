'use strict';

/** In a list of send callbacks: the `drain` that was promised. */
const DRAIN = null;

module.exports = { DRAIN };
