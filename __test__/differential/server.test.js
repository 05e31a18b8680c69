'use strict';

const { suite } = require('./harness');

suite('server beside the original',
  'server-mount',
  'server-requests',
  'server-connections');
