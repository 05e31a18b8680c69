'use strict';

// The option perMessageDeflate (RFC 7692): what it may be, what is offered and answered for it, and what a connection
// becomes when both sides have agreed. Negotiation itself is the Rust core's.

const binding = require('../addon/binding');
const { Compressor } = require('./compressor');
const { INFLATION } = require('../addon/rows');
const { optionError } = require('../base/errors');
const { shown, toNumber } = require('../options/kinds');
const { warnOfUnknown } = require('../options/warn');

const DEFAULTS = {
  serverNoContextTakeover: false,
  clientNoContextTakeover: false,
  serverMaxWindowBits: 15,
  clientMaxWindowBits: 15,
  level: 1,
  threshold: 1024,
  sharedCompressor: false,
};

/** Ranges of the numbers. */
const RANGES = {
  serverMaxWindowBits: [8, 15],
  clientMaxWindowBits: [8, 15],
  level: [0, 9],
  threshold: [0, Number.MAX_SAFE_INTEGER],
};

function checkNumber(name, value) {
  const [least, most] = RANGES[name];
  const result = toNumber(value);
  if (Number.isInteger(result) && result >= least && result <= most) return result;
  const range = name === 'threshold' ? 'number of bytes, at least 0' : `whole number from ${least} to ${most}`;
  throw optionError(`The option perMessageDeflate.${name} must be a ${range}, not ${shown(value)}.`);
}

/**
 * The settings that the value of the option means, null for no compression.
 * @throws {Error} that names the option, for a value that it cannot have
 */
function deflateSettings(option) {
  if (option === false || option === undefined || option === null) return null;
  if (option === true) return DEFAULTS;
  if (typeof option !== 'object') {
    throw optionError(`The option perMessageDeflate must be true, false or an object, not ${shown(option)}.`);
  }
  const settings = { ...DEFAULTS };
  for (const [name, value] of Object.entries(option)) {
    if (!Object.hasOwn(DEFAULTS, name)) {
      warnOfUnknown('perMessageDeflate', name, Object.keys(DEFAULTS));
      continue;
    }
    if (value === undefined) continue;
    if (name in RANGES) {
      settings[name] = checkNumber(name, value);
      continue;
    }
    if (typeof value !== 'boolean') {
      throw optionError(`The option perMessageDeflate.${name} must be true or false, not ${shown(value)}.`);
    }
    settings[name] = value;
  }
  return settings;
}

/** What the core is told; a shared compressor knows nothing of earlier messages. */
function preferences(settings, isServer) {
  const { sharedCompressor } = settings;
  return {
    serverNoContextTakeover: settings.serverNoContextTakeover || (isServer && sharedCompressor),
    clientNoContextTakeover: settings.clientNoContextTakeover || (!isServer && sharedCompressor),
    serverMaxWindowBits: settings.serverMaxWindowBits,
    clientMaxWindowBits: settings.clientMaxWindowBits,
  };
}

/** The value of `Sec-WebSocket-Extensions` in the request of a client. */
function offerDeflate(settings) {
  return binding.offerDeflate(preferences(settings, false));
}

/** The value of `Sec-WebSocket-Extensions` in the answer of a server to the one of a request; null for none. */
function acceptDeflate(settings, header) {
  return header ? binding.acceptDeflate(String(header), preferences(settings, true)) : null;
}

/**
 * Has a new connection do what was agreed on, before it receives anything.
 * @param {WebSocketConnection} connection
 * @param {object} settings of deflateSettings
 * @param {string} answer `Sec-WebSocket-Extensions` as the server has sent it
 */
function useDeflate(connection, settings, answer) {
  const agreed = binding.deflateAgreement(answer);
  if (agreed === null) return;
  const params = agreed.params.map(({ name, value }) => ({ name, value }));
  const value = params.map((param) => (param.value === undefined ? param.name : `${param.name}=${param.value}`)).join('; ');
  connection.extensions = [{ name: 'permessage-deflate', value, params }];
  const server = { alone: agreed.serverNoContextTakeover, windowBits: agreed.serverMaxWindowBits };
  const client = { alone: agreed.clientNoContextTakeover, windowBits: agreed.clientMaxWindowBits };
  const isClient = connection.maskOutgoingPackets;
  const [ours, theirs] = isClient ? [client, server] : [server, client];
  const own = isClient ? 'client' : 'server';
  // Nobody is obliged to use all that was agreed.
  const alone = ours.alone || settings.sharedCompressor || settings[`${own}NoContextTakeover`];
  const windowBits = Math.min(ours.windowBits, settings[`${own}MaxWindowBits`]);
  connection._compressor = new Compressor(settings, windowBits, !alone);
  connection._inflation = theirs.alone ? INFLATION.EACH_ALONE : INFLATION.CONTEXT_TAKEOVER;
}

module.exports = { deflateSettings, offerDeflate, acceptDeflate, useDeflate };
