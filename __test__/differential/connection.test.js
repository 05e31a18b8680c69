'use strict';

const { suite } = require('./harness');

suite('connection beside the original',
  'send',
  'receive',
  'flow',
  'socket',
  'keepalive');
