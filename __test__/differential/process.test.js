'use strict';

const { suite } = require('./harness');

suite('resets, processes and deliberate changes beside the original', 'crash', 'deliberate');
