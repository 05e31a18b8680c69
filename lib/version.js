'use strict';

// Not read from package.json: a browser bundle would get the whole of that file. A test compares the two.
module.exports = '1.1.0';
