'use strict';

const { suite } = require('./harness');

suite('frame beside the original',
  'frame-encode',
  'frame-parse');
