'use strict';

const { suite } = require('./harness');

suite('connections made by hand and subclasses beside the original',
  'mock',
  'subclass');
