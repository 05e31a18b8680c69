'use strict';

const { suite } = require('./harness');

suite('router beside the original', 'router');
