'use strict';

// The URL that a client is given, and what of it stands in the request. `client.url` has the shape of `url.parse()`.

const { Url, format, domainToASCII } = require('url');
const { toUSVString } = require('util');
const { parseUrl } = require('./legacy-url');
const { errorsWithCode } = require('../base/errors');

const urlError = errorsWithCode('ERR_WEBSOCKET_URL');

/** The schemes that name a WebSocket, and what they mean. */
const SCHEMES = new Map([['ws:', 'ws:'], ['wss:', 'wss:'], ['http:', 'ws:'], ['https:', 'wss:']]);

const DEFAULT_PORTS = { 'ws:': '80', 'wss:': '443' };

/** What cannot stand in a request as it is: all but the visible characters of ASCII. */
const NOT_IN_A_TARGET = /[^\x21-\x7e]+/gu;

function parse(text) {
  try {
    return parseUrl(text);
  } catch (error) {
    // Node's own error, which has a code unless it is about the user name or the password.
    if (error.code === undefined) error.code = 'ERR_WEBSOCKET_URL';
    throw error;
  }
}

/**
 * The URL to connect to, with `ws:` or `wss:`, with a port and without a fragment. An object in the shape of `url.parse()`
 * is not copied if nothing but the port has to be changed, and it allows that.
 * @param {string|URL|import('url').Url} requestUrl
 * @returns {import('url').Url}
 * @throws {Error} for what is no absolute URL of a WebSocket
 */
function targetUrl(requestUrl) {
  let url = typeof requestUrl === 'string' ? parse(requestUrl) : requestUrl;
  // A URL, that of another realm or of a library, or a Location: they have no `path`.
  if (url && typeof url.href === 'string' && url.path === undefined) url = parse(url.href);
  if (!url || !url.protocol) throw urlError('You must specify a full WebSocket URL, including protocol.');
  const protocol = SCHEMES.get(String(url.protocol).toLowerCase());
  if (protocol === undefined) {
    throw urlError(`The scheme of a WebSocket URL is ws: or wss: (http: and https: mean the same), not ${url.protocol} ` +
      '(a host name alone needs ws:// or wss:// in front of it).');
  }
  if (!url.host) {
    throw urlError('You must specify a full WebSocket URL, including hostname. Relative URLs are not supported.');
  }
  if (url.protocol !== protocol || url.hash || !url.hostname) url = adapt(url, protocol);
  if (url.port) return url;
  if (!Object.isExtensible(url)) url = { ...url };
  url.port = DEFAULT_PORTS[protocol];
  return url;
}

/** A copy of `url` with this scheme and without a fragment. */
function adapt(url, protocol) {
  const copy = Object.assign(new Url(), url, { protocol, hash: null, slashes: true });
  if (!copy.hostname) {
    const { hostname, port } = parse(`${protocol}//${copy.host}`);
    Object.assign(copy, { hostname, port: copy.port || port });
  }
  copy.href = format(copy);
  return copy;
}

/** The host to connect to: an IPv6 address has no brackets here. */
function hostOf({ hostname }) {
  if (hostname.startsWith('[') && hostname.endsWith(']')) return hostname.slice(1, -1);
  // url.parse() has done so already, whoever has made an object by hand has not.
  return /^[\x21-\x7e]*$/.test(hostname) ? hostname : domainToASCII(hostname) || hostname;
}

/** The value of `Host`: the port is left out where it is the scheme's own, an IPv6 address is in brackets. */
function hostHeader(url) {
  const name = hostOf(url);
  const host = name.includes(':') ? `[${name}]` : name;
  return String(url.port) === DEFAULT_PORTS[url.protocol] ? host : `${host}:${url.port}`;
}

/** Path and query, percent-encoded as in WHATWG URLs where they are not ASCII. */
function requestPath(url) {
  const path = typeof url.path === 'string' ? url.path : `${url.pathname || ''}${url.search || ''}`;
  const [target] = path.split('#', 1);
  return (url.pathname || target.startsWith('/') ? target : `/${target}`)
    .replace(NOT_IN_A_TARGET, (characters) => encodeURIComponent(toUSVString(characters)));
}

/** The URL as text, without user name and password. */
function publicUrl(url) {
  return `${url.protocol}//${hostHeader(url)}${requestPath(url)}`;
}

/** The value of `Authorization` for what stands before the `@` of a URL; null when there is nothing. */
function basicAuthorization({ auth }) {
  if (!auth) return null;
  return `Basic ${Buffer.from(auth.includes(':') ? auth : `${auth}:`).toString('base64')}`;
}

module.exports = { SCHEMES, targetUrl, hostOf, hostHeader, requestPath, publicUrl, basicAuthorization };
