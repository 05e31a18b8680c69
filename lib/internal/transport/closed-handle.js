'use strict';

// The handle of a socket that the addon reads and writes.
//
// The addon has a descriptor of its own; that of Node's handle would be a second one, which nobody uses. So the handle is closed
// and stays with the socket as one that does nothing. What a program asks of it is asked of a new one, with a duplicate of the
// descriptor.

const net = require('net');
const binding = require('../addon/binding');
const { setImmediate } = require('../time/immediate');
const { kId } = require('./connections-by-id');

/** What only an open handle can do, as far as net.Socket or a program may ask for it. */
const NEEDS_DESCRIPTOR = ['fd', 'getsockname', 'getpeername', 'setNoDelay', 'setKeepAlive', 'setTypeOfService',
  'getTypeOfService', 'reset', 'shutdown', 'open', 'useUserBuffer', 'readStart', 'readStop', 'writeBuffer', 'writev',
  'writeLatin1String', 'writeUtf8String', 'writeAsciiString', 'writeUcs2String'];

/** How Node notes at a handle which socket it belongs to; null where it cannot be told, and handles stay open. */
let kOwner;
/** The prototype of closed handles. */
let closedPrototype;

function prepare(handle) {
  kOwner = Object.getOwnPropertySymbols(handle).find(({ description }) => description === 'owner_symbol') || null;
  closedPrototype = Object.create(Object.getPrototypeOf(handle), {
    close: { configurable: true, writable: true, value: (callback) => { if (typeof callback === 'function') setImmediate(callback); } },
    hasRef: { configurable: true, writable: true, value: () => false },
  });
  for (const name of NEEDS_DESCRIPTOR) {
    Object.defineProperty(closedPrototype, name, {
      configurable: true,
      get() {
        const handle = openHandle(this[kOwner]);
        const value = handle === null ? undefined : handle[name];
        return typeof value === 'function' ? value.bind(handle) : value;
      },
    });
  }
}

/** Whether the handle of a socket may be closed, and be replaced when somebody needs it. */
function mayCloseHandle(socket) {
  const { _handle: handle } = socket;
  // The name of a Unix socket's peer is in its handle only.
  if (handle.constructor.name !== 'TCP') return false;
  if (kOwner === undefined) prepare(handle);
  return kOwner !== null && handle[kOwner] === socket;
}

/** Closes the handle of a socket of which the addon has a descriptor. */
function closeHandle(socket) {
  const { _handle: handle } = socket;
  const { bytesRead, bytesWritten } = handle;
  handle.close();
  Object.setPrototypeOf(handle, closedPrototype);
  // Accessors of the prototype, which find nothing any more.
  for (const [name, value] of [['bytesRead', bytesRead], ['bytesWritten', bytesWritten]]) {
    Object.defineProperty(handle, name, { configurable: true, writable: true, value });
  }
}

function isClosed(handle) {
  return closedPrototype !== undefined && Object.getPrototypeOf(handle) === closedPrototype;
}

/**
 * Gives a socket an open handle again, one that does not read.
 * @returns {object|null} null when there is none to be had: the addon has let go of the socket, or for want of descriptors
 */
function openHandle(socket) {
  const { _handle: closed } = socket;
  if (!closed || !isClosed(closed)) return closed;
  const fd = socket[kId] === null ? -1 : binding.nativeDuplicate(socket[kId]);
  if (fd === -1) return null;
  const carrier = new net.Socket({ fd, manualStart: true, allowHalfOpen: true });
  const handle = carrier._handle;
  carrier._handle = null;
  handle[kOwner] = socket;
  handle.reading = false;
  socket._handle = handle;
  countBefore(socket, closed.bytesRead, closed.bytesWritten);
  return handle;
}

/** Has the handle of a socket count bytes that were read and written without it. */
function countBefore({ _handle: handle }, read, written) {
  for (const [name, before] of [['bytesRead', read], ['bytesWritten', written]]) {
    const { get } = descriptorOf(handle, name);
    Object.defineProperty(handle, name, { configurable: true, get() { return get.call(this) + before; } });
  }
}

/** The descriptor of a property of an object or of what it inherits from. */
function descriptorOf(object, name) {
  return Object.getOwnPropertyDescriptor(object, name) || descriptorOf(Object.getPrototypeOf(object), name);
}

module.exports = { mayCloseHandle, closeHandle, openHandle, countBefore };
