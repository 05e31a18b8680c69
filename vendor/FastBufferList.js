'use strict';

// Several Buffers seen as one. Connections do not use it any more; it is here for programs that require it by path.

const util = require('util');
const { EventEmitter } = require('events');
const { allocate } = require('../lib/internal/base/own-memory');

/**
 * @param {object} [options]
 * @param {string} [options.encoding] makes `take()` return strings in this encoding in place of Buffers
 */
function BufferList(options) {
  if (!(this instanceof BufferList)) return new BufferList(options);
  EventEmitter.call(this);
  this.encoding = options ? options.encoding : undefined;
  this._buffers = [];
  // How much of the first buffer was taken already; grows beyond it when more is skipped than there is.
  this._offset = 0;
  this._length = 0;
  // Methods that are handed around without their object, as in `source.on('data', list.write)`.
  this.write = this.write.bind(this);
}

util.inherits(BufferList, EventEmitter);

/** The number of bytes; negative after more was skipped than there was. */
Object.defineProperty(BufferList.prototype, 'length', {
  configurable: true,
  get() { return this._length; },
});

/** Appends a Buffer. Always true. */
BufferList.prototype.write = function write(buffer) {
  this._buffers.push(buffer);
  this._length += buffer.length;
  this.emit('write', buffer);
  return true;
};

/** Appends the last Buffer, if one is given. */
BufferList.prototype.end = function end(buffer) {
  if (Buffer.isBuffer(buffer)) this.write(buffer);
};

/** Appends Buffers, given as arguments or in arrays. */
BufferList.prototype.push = function push(...buffers) {
  for (const buffer of buffers.flat()) this.write(buffer);
  return this;
};

/** Calls `fn` with each Buffer in turn, until it returns something true. */
BufferList.prototype.forEach = function forEach(fn) {
  if (this._buffers.length === 0) return Buffer.alloc(0);
  let skip = this._offset;
  for (const buffer of this._buffers) {
    if (skip >= buffer.length && skip > 0) {
      skip -= buffer.length;
      continue;
    }
    if (fn(skip > 0 ? buffer.subarray(skip) : buffer)) break;
    skip = 0;
  }
  return this;
};

/** A new Buffer with the bytes from `start` to before `end`. */
BufferList.prototype.join = function join(start = 0, end = this.length) {
  if (this._buffers.length === 0) return Buffer.alloc(0);
  return copyRange(this, allocate(end - start), 0, start, end);
};

/**
 * Copies the bytes from `sourceStart` to before `sourceEnd` into `target`.
 * @throws {Error} when they do not fit
 */
BufferList.prototype.joinInto = function joinInto(target, targetStart, sourceStart = 0, sourceEnd = this.length) {
  if (this._buffers.length === 0) return Buffer.alloc(0);
  if (target.length - targetStart < sourceEnd - sourceStart) {
    throw new Error('Insufficient space available in target Buffer.');
  }
  return copyRange(this, target, targetStart, sourceStart, sourceEnd);
};

function copyRange(list, target, targetStart, start, end) {
  let at = 0;
  list.forEach((buffer) => {
    const from = Math.max(0, start - at);
    const to = Math.min(buffer.length, end - at);
    if (from < to) buffer.copy(target, targetStart + at + from - start, from, to);
    at += buffer.length;
    return at >= end;
  });
  return target;
}

/** Skips `count` bytes. */
BufferList.prototype.advance = function advance(count) {
  this._offset += count;
  this._length -= count;
  while (this._buffers.length > 0 && this._offset >= this._buffers[0].length) {
    this._offset -= this._buffers.shift().length;
  }
  this.emit('advance', count);
  return this;
};

/** The first `count` bytes (default: all), which stay in the list: a Buffer, or a string when there is an encoding. */
BufferList.prototype.take = function take(count, encoding) {
  if (typeof count !== 'number') {
    if (count !== undefined && count !== null) encoding = count;
    count = this.length;
  }
  encoding = encoding || this.encoding;
  if (!encoding) return this.join(0, count);
  let text = '';
  this.forEach((buffer) => {
    if (count <= 0) return true;
    text += buffer.toString(encoding, 0, Math.min(count, buffer.length));
    count -= buffer.length;
    return false;
  });
  return text;
};

/** All bytes as a Latin-1 string. */
BufferList.prototype.toString = function toString() {
  return this.take('binary');
};

module.exports = BufferList;
module.exports.BufferList = BufferList;
