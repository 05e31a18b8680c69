'use strict';

// One worker for both files: each has the package loaded anew, in the same process.
module.exports = { testMatch: ['**/*.jest.js'], maxWorkers: 1 };
