'use strict';

// How a published message reaches a connection: the addon sends it without JavaScript where it moves the bytes of the
// connection itself, and the frames are the same as those of others.

const binding = require('../addon/binding');
const { frameLimit } = require('../transport/encode');

/** Messages longer than this many bytes are sent in fragments, unless the option says something else. */
const DEFAULT_FRAGMENTATION_THRESHOLD = 0x4000;

/** No socket: JavaScript sends. */
const NONE = -1;

/** The most groups of compression that a table tells apart. */
const MAX_GROUPS = 127;

/** Messages longer than this many bytes are sent in fragments. */
function fragmentationThreshold({ fragmentOutgoingMessages, fragmentationThreshold: threshold }) {
  if (!fragmentOutgoingMessages) return Infinity;
  return threshold >= 1 ? Math.floor(threshold) : DEFAULT_FRAGMENTATION_THRESHOLD;
}

/** What decides about frames and slow peers: the addon has it once for all members of a table. */
function limitsOf(config) {
  return {
    threshold: frameLimit(fragmentationThreshold(config)),
    mark: Number(config.highWaterMark ?? NaN),
    max: Number(config.maxBufferedAmount ?? Infinity),
  };
}

function sameLimits(one, other) {
  return one.threshold === other.threshold && one.max === other.max && Object.is(one.mark, other.mark);
}

/**
 * The arguments of the addon for a member: its taken-over socket, the kind of its frames, its compressor, its high-water mark.
 * @param {WebSocketConnection} connection
 * @param {Topics} topics
 */
function routeOf(connection, topics) {
  const { _compressor: compressor, socket, config } = connection;
  let group = 0;
  // What has a line in the log for each message is sent by JavaScript, too.
  let isDirect = connection._transport.isDirect === true && !connection._debug.enabled &&
    (config === topics.config || sameLimits(limitsOf(config), limitsOf(topics.config)));
  if (compressor !== null) {
    // What depends on earlier messages cannot be shared.
    group = compressor.group === null ? 0 : groupNumber(topics, compressor.group);
    isDirect &&= group > 0;
  }
  return [isDirect ? connection._nativeId : NONE, group * 2 + (connection.maskOutgoingPackets ? 1 : 0),
    compressor === null ? 0 : compressor.id, socket.writableHighWaterMark ?? Infinity];
}

/** A number for the connections whose compressors have the same output; 0 when there are too many kinds. */
function groupNumber({ groups }, group) {
  if (!groups.has(group)) {
    if (groups.size === MAX_GROUPS) return 0;
    groups.set(group, groups.size + 1);
  }
  return groups.get(group);
}

/** The connection has another transport from now on. */
function routeChanged(connection) {
  if (connection._member === null) return;
  const { _topics: topics } = connection;
  binding.topicsRoute(topics.table, connection._member, ...routeOf(connection, topics));
}

module.exports = { fragmentationThreshold, limitsOf, routeOf, routeChanged };
