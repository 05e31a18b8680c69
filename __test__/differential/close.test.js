'use strict';

const { suite } = require('./harness');

suite('closing beside the original',
  'close',
  'drop',
  'protocol-errors');
