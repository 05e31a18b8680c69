'use strict';

// The header fields of a client's handshake: those of the program and our own. And what they offer to the server.

const binding = require('../addon/binding');
const { extend } = require('../../utils');
const { offerDeflate } = require('../compression/per-message-deflate');

/**
 * Fields about another message or connection than this one. Gateways pass them on with the rest of the request that they
 * have got; a body that does not follow, or `Expect`, would end the handshake.
 */
const NOT_OURS = new Set([
  'content-length', 'expect', 'http2-settings', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding',
  'sec-websocket-accept',
]);

const DEFLATE = 'permessage-deflate';

/**
 * Names and values of the headers that a program gives.
 * @param {object|Iterable<[string, unknown]>} [headers] an object, or pairs as in a Map or a `Headers` object
 * @returns {[string, unknown][]} without those that have no value
 */
function headerEntries(headers) {
  let entries = [];
  if (typeof headers === 'object' && headers !== null) {
    if (typeof headers[Symbol.iterator] === 'function') {
      entries = Array.from(headers);
    } else {
      const all = {};
      // Inherited ones too.
      extend(all, headers);
      entries = Object.entries(all);
    }
  }
  return entries.filter(([, value]) => value !== undefined && value !== null);
}

/** Header fields by their names, which have no case. As in Node, a field keeps its place and gets the last spelling. */
class Fields {
  /** @param {...[string, unknown][]} lists later ones take precedence */
  constructor(...lists) {
    this._fields = new Map();
    for (const list of lists) for (const [name, value] of list) this.set(name, value);
  }

  set(name, value) {
    this._fields.set(String(name).toLowerCase(), [name, value]);
  }

  /** The value of a field whose name is in lower case; several lines are one list (RFC 9110 section 5.3). */
  get(name) {
    const field = this._fields.get(name);
    if (field === undefined) return undefined;
    return Array.isArray(field[1]) ? field[1].join(', ') : field[1];
  }

  delete(name) {
    this._fields.delete(name);
  }

  names() {
    return [...this._fields.keys()];
  }

  /** As `http.request()` takes them. */
  toObject() {
    return Object.fromEntries(this._fields.values());
  }
}

/** The fields of the program, of which the last list takes precedence, without those that are not for this request. */
function programFields(...lists) {
  const fields = new Fields(...lists);
  for (const name of fields.names()) {
    // The names of HTTP/2 that begin with a colon stand for its request line.
    if (NOT_OURS.has(name) || name.startsWith(':')) fields.delete(name);
  }
  return fields;
}

/** What a client offers that offers nothing. */
const NO_OFFER = { protocols: [], deflate: null, extensions: [] };

/**
 * What the headers of a program and the settings of permessage-deflate offer to the server.
 * @param {Fields} fields
 * @param {object|null} settings
 * @returns {object} the `protocols` of the headers, the offer of `deflate` (null for none), and the other `extensions`
 */
function offerOf(fields, settings) {
  const extensions = binding.parseExtensions(String(fields.get('sec-websocket-extensions') || ''));
  let deflate = settings && offerDeflate(settings);
  if (deflate === null) {
    // Of several offers in the headers the first one that means anything.
    deflate = extensions.filter(({ name }) => isDeflate(name)).map(extensionText)
      .find((text) => binding.deflateAgreement(text) !== null) || null;
  }
  return {
    protocols: binding.parseList(String(fields.get('sec-websocket-protocol') || '')),
    deflate,
    extensions: extensions.filter(({ name }) => !isDeflate(name)),
  };
}

function isDeflate(name) {
  return name.toLowerCase() === DEFLATE;
}

/** An extension as it stands in the header. */
function extensionText({ name, params }) {
  return [name, ...params.map(paramText)].join('; ');
}

function paramText({ name, value }) {
  return value === undefined || value === null ? name : `${name}=${value}`;
}

/** Puts what is offered into the header fields, and the subprotocols that connect() was given in place of those there. */
function writeOffer(fields, { protocols, deflate, extensions }, given) {
  setList(fields, 'Sec-WebSocket-Protocol', [...new Set(given.length > 0 ? given.map(String) : protocols)]);
  setList(fields, 'Sec-WebSocket-Extensions', [...extensions.map(extensionText), ...(deflate === null ? [] : [deflate])]);
}

function setList(fields, name, elements) {
  if (elements.length > 0) fields.set(name, elements.join(', '));
  else fields.delete(name.toLowerCase());
}

/**
 * Takes the extensions apart that the server has answered with.
 * @param {string|undefined} header
 * @param {object} offer as of offerOf()
 * @returns {{ agreed: object[], rest: string|null }} those that only the program knows, and the header without them
 */
function answeredExtensions(header, { extensions }) {
  if (!header || extensions.length === 0) return { agreed: [], rest: header || null };
  const offered = new Set(extensions.map(({ name }) => name.toLowerCase()));
  const answered = binding.parseExtensions(header);
  const isAgreed = ({ name }) => offered.has(name.toLowerCase());
  const rest = answered.filter((extension) => !isAgreed(extension)).map(extensionText).join(', ');
  return { agreed: answered.filter(isAgreed).map(description), rest: rest || null };
}

/** An extension as `connection.extensions` describes it. */
function description({ name, params }) {
  return { name, value: params.map(paramText).join('; '), params: params.map((param) => ({ name: param.name, value: param.value })) };
}

module.exports = { Fields, headerEntries, programFields, NO_OFFER, offerOf, writeOffer, answeredExtensions };
