'use strict';

/**
 * Runs what is queued with process.nextTick() and promises; undefined where Node has no such function.
 *
 * With `--pending-deprecation` Node wraps it in a function that warns, or throws with `--throw-deprecation`: programs are not
 * meant to call it. The wrapper has the function itself as its prototype.
 */
function tickCallback() {
  const { _tickCallback: callback } = process;
  if (typeof callback !== 'function') return undefined;
  const wrapped = Object.getPrototypeOf(callback);
  return typeof wrapped === 'function' && wrapped !== Function.prototype ? wrapped : callback;
}

module.exports = tickCallback();
