'use strict';

const { suite } = require('./harness');

suite('client beside the original',
  'client-connect',
  'client-failures',
  'client-tls');
