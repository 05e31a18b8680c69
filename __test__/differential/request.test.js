'use strict';

const { suite } = require('./harness');

suite('request beside the original',
  'request-headers',
  'request-accept');
