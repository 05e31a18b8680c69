'use strict';

/** Whether an option that is a time is on; 0 and Infinity are none. */
function isTime(ms) {
  return ms > 0 && ms < Infinity;
}

module.exports = { isTime };
