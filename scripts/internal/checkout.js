'use strict';

const fs = require('fs');
const path = require('path');

/** What a copy of a checkout has no use for. */
const LEFT_OUT = new Set(['.git', 'node_modules']);

/** Copies a checkout, which is never changed itself. */
function copyCheckout(from, to) {
  fs.cpSync(from, to, { recursive: true, filter: (file) => !LEFT_OUT.has(path.basename(file)) });
}

module.exports = { copyCheckout };
