'use strict';

// The Errors of this package. Each has a `code` that stays the same from release to release; docs/errors.md lists them all.

/**
 * Makes an Error with a code.
 * @param {string} code `ERR_WEBSOCKET_…`
 * @param {string} message what happened, to whom, and which option or argument to change
 * @param {object} [properties] more properties of the Error, `cause` among them
 * @param {ErrorConstructor} [Class=Error]
 * @returns {Error & { code: string }}
 */
function websocketError(code, message, properties = {}, Class = Error) {
  const { cause, ...rest } = properties;
  const error = 'cause' in properties ? new Class(message, { cause }) : new Class(message);
  return withoutCaller(Object.assign(error, { code }, rest), websocketError);
}

/** A function that makes Errors with one code. */
function errorsWithCode(code) {
  return function make(message) {
    return withoutCaller(websocketError(code, message), make);
  };
}

/** The stack begins where the mistake was found. */
function withoutCaller(error, caller) {
  if (typeof Error.captureStackTrace === 'function') Error.captureStackTrace(error, caller);
  return error;
}

/** About the value of an option, or about options that do not go together. */
const optionError = errorsWithCode('ERR_WEBSOCKET_OPTION');

module.exports = { websocketError, errorsWithCode, optionError };
