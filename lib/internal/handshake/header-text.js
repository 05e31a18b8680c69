'use strict';

// eslint-disable-next-line no-control-regex -- control characters are what it looks for
const CONTROL = /[\x00-\x08\x0a-\x1f\x7f]/g;
const NOT_LATIN1 = /[^\x00-\xff]/gu; // eslint-disable-line no-control-regex

/**
 * `value` as text that stays on its header line: without control characters, so that it cannot add lines of its own,
 * and with `?` for what has no place in a header (its low byte would be sent otherwise).
 */
function headerText(value) {
  return String(value).replace(CONTROL, '').replace(NOT_LATIN1, '?');
}

module.exports = { headerText };
