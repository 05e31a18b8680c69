'use strict';

const { callBack } = require('../base/arguments');

/**
 * The program has ended the socket. Writing would be an error of the socket, although the peer may still send messages.
 * @returns {false} what a call that sends returns
 */
function refuseAfterEnd(cb) {
  callBack(cb, Object.assign(new Error('write after end'), { code: 'ERR_STREAM_WRITE_AFTER_END' }));
  return false;
}

module.exports = { refuseAfterEnd };
