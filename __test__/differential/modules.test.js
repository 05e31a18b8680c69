'use strict';

const { suite } = require('./harness');

suite('module surface and order of events beside the original',
  'modules',
  'order');
