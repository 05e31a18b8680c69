'use strict';

module.exports = require('../lib/pubsub/conformance');
