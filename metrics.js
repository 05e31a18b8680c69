'use strict';

module.exports = require('./lib/metrics/index.js');
