'use strict';

const { STATUS_CODES } = require('http');

// Where the phrase that WebSocket-Node sends is another than Node's.
const PHRASES = {
  407: 'Proxy Authorization Required',
  413: 'Request Entity Too Long',
  414: 'Request-URI Too Long',
  416: 'Requested Range Not Satisfiable',
};

/** The reason phrase of an HTTP status. */
function statusPhrase(status) {
  return PHRASES[status] || STATUS_CODES[status] || 'Unknown';
}

/** Whether a number is the status of a final response (RFC 9110 section 15). */
function isFinalStatus(status) {
  return Number.isInteger(status) && status >= 200 && status <= 999;
}

module.exports = { isFinalStatus, statusPhrase };
