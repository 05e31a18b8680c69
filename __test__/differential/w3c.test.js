'use strict';

const { suite } = require('./harness');

suite('w3cwebsocket beside the original',
  'w3c',
  'w3c-close');
