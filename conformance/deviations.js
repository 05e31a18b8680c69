'use strict';

// Deviations that are known, by the name of the target: in which cases, with which verdict, and why. A run fails when it
// finds others, and also when it does not find these: then either the target has changed or the tester is blind.
// Ids are patterns: `6.7.*`, `8.2.1-24`, `15.3.11`.

/** Node's HTTP parser, on which all of these servers and most clients rest. */
const parser = (id) => [
  { cases: [id], verdict: 'FAILED', why: 'Node\'s HTTP parser does not see the option of a Connection field that ends in a tab' },
];

/** Node's `http.Server`, on which all of these servers rest but the one of this package that listens itself. */
const HTTP_SERVER = [
  ...parser('15.5.29'),
  {
    cases: ['15.7.8-9', '15.7.14', '15.7.16-18'],
    verdict: ['OK', 'NON-STRICT'],
    why: 'Node\'s HTTP server answers 431 and closes while the request is still coming: now and then the reset overtakes the answer',
  },
];

/** This package. Every entry needs a reason that is not ours. */
const OURS_SERVER = [
  ...HTTP_SERVER,
  {
    cases: ['15.6.10'],
    verdict: 'FAILED',
    why: 'an upgrade by HTTP/1.0 is accepted as by websocket 1.0.35: proxies whose default is HTTP/1.0 send it, and programs behind them work',
  },
];
const OURS_CLIENT = parser('16.6.17');

const LATE_TEXT = { cases: ['6.7.*', '6.8.*', '6.9.1-2'], verdict: 'NON-STRICT', why: 'text is checked when the message is complete' };
const ANY_LENGTH = { cases: ['8.2.1-24'], verdict: 'FAILED', why: 'lengths in more bytes than needed are accepted' };

const WS = [
  LATE_TEXT,
  ANY_LENGTH,
  { cases: ['2.1.13', '5.2.12'], verdict: 'FAILED', why: 'the connection is ended when too many pongs wait to be sent' },
];
const WS_SERVER = [
  ...WS,
  ...HTTP_SERVER,
  { cases: ['14.6.6', '14.6.13', '14.6.15'], verdict: 'FAILED', why: 'spaces, quoted strings and empty elements that the grammar allows are refused' },
  { cases: ['14.6.16-17'], verdict: 'FAILED', why: 'one bad offer refuses the request, although another is good' },
  { cases: ['14.6.39-42', '14.6.45-48', '14.6.51-52'], verdict: 'FAILED', why: 'window bits are whatever Number() takes' },
  { cases: ['14.6.21-38', '14.6.43-44', '14.6.49-50', '14.6.53-55'], verdict: 'NON-STRICT', why: 'bad offers are refused with 400 and not declined' },
  { cases: ['15.2.14-15', '15.3.14-16'], verdict: 'FAILED', why: 'Upgrade is not read as a list' },
  { cases: ['15.2.55'], verdict: 'FAILED', why: 'the version is whatever Number() takes' },
  { cases: ['15.2.56-58'], verdict: 'NON-STRICT', why: 'the version is whatever Number() takes' },
  { cases: ['15.3.1', '15.3.11-13'], verdict: 'FAILED', why: 'Host is not looked at' },
  { cases: ['15.3.2'], verdict: 'NON-STRICT', why: 'Host is not looked at' },
  { cases: ['15.6.10-11', '15.6.14'], verdict: 'FAILED', why: 'the version of HTTP is not looked at' },
];
const WS_CLIENT = [
  ...WS,
  ...parser('16.6.17'),
  { cases: ['14.7.23-26', '14.7.29-32', '14.7.35-36'], verdict: 'FAILED', why: 'window bits are whatever Number() takes' },
  { cases: ['14.7.41'], verdict: 'FAILED', why: 'an extension that is agreed to twice is accepted' },
];

/** docs/compatibility.md has what this package does instead, by the codes at the end of the reasons. */
const REFERENCE = [
  { ...LATE_TEXT, why: 'text is checked when the message is complete (P20)' },
  { ...ANY_LENGTH, why: 'lengths in more bytes than needed are accepted (P3)' },
  { cases: ['3.3.*', '4.2.*', '5.4.*'], verdict: 'NON-STRICT', why: 'bad headers are noticed when the payload has come (P19)' },
  { cases: ['6.10.1-2', '6.10.4-5', '6.10.26'], verdict: 'NON-STRICT', why: 'a close reason of one byte is not looked at (P23)' },
  { cases: ['7.4.13-14'], verdict: 'NON-STRICT', why: 'close code 1015 is accepted (P5)' },
  { cases: ['8.1.1-14', '8.1.19-20'], verdict: 'FAILED', why: 'the mask bit is not checked (P1, P2)' },
  { cases: ['8.1.15-18'], verdict: 'NON-STRICT', why: 'the mask bit is not checked (P1, P2)' },
  { cases: ['8.3.5-7'], verdict: 'NON-STRICT', why: 'lengths from 2^32 are an error of the protocol, not of the size (P18)' },
];
const REFERENCE_SERVER = [
  ...REFERENCE,
  ...HTTP_SERVER,
  { cases: ['15.2.18-19', '15.2.21-23'], verdict: 'FAILED', why: 'any upgrade is taken for one to websocket' },
  { cases: ['15.2.30-42'], verdict: 'NON-STRICT', why: 'any key is accepted (P7)' },
  { cases: ['15.3.20-22'], verdict: 'FAILED', why: 'any key is accepted (P7)' },
  { cases: ['15.2.43', '15.2.56-62', '15.3.23', '15.3.25'], verdict: 'NON-STRICT', why: 'the version is what parseInt() takes (P24)' },
  { cases: ['15.3.11-13'], verdict: 'FAILED', why: 'two Host fields are accepted (P24)' },
  { cases: ['15.6.1-7'], verdict: 'FAILED', why: 'any method is accepted (P7)' },
  { cases: ['15.6.10-11', '15.6.14'], verdict: 'FAILED', why: 'the version of HTTP is not looked at' },
  { cases: ['15.8.1-4'], verdict: ['INFORMATIONAL', 'FAILED'], why: 'what comes with the request is lost, wholly or in part (P8)' },
  { cases: ['15.9.205'], verdict: ['OK', 'INFORMATIONAL', 'FAILED'], why: 'what comes right after the request is lost when it is read together with its end (P8)' },
];
const REFERENCE_CLIENT = [
  ...REFERENCE,
  ...parser('16.6.17'),
  { cases: ['16.3.7-10', '16.4.8'], verdict: 'FAILED', why: 'Connection is not read as a list (P9)' },
  { cases: ['16.3.16-18', '16.4.1-4', '16.4.12'], verdict: 'FAILED', why: 'an answer 101 without an upgrade neither opens nor fails' },
  { cases: ['16.3.35-36'], verdict: 'FAILED', why: 'extensions that were not asked for are accepted (P10)' },
];

const UNDICI = [
  {
    cases: [
      '2.1.5-6', '2.1.8-9', '2.3.5', '3.*', '4.*', '5.3.*', '5.4.*', '6.4.*', '6.5.*', '6.6.*', '6.9.1-3', '7.5.1', '7.5.4-6', '8.1.*', '8.2.25-28',
      '8.3.1-3', '8.4.1', '14.2.8-13', '14.2.15', '14.3.11', '14.4.1', '14.4.3-4', '14.4.6-7', '14.4.9-10', '14.4.12',
    ],
    verdict: 'NON-STRICT',
    why: 'a connection that fails is ended without a Close frame',
  },
  { cases: ['6.7.*', '6.8.*'], verdict: 'NON-STRICT', why: 'text is checked when the message is complete, and no Close frame is sent' },
  { cases: ['6.1.9', '6.2.26-27', '6.3.33-36', '8.4.5'], verdict: 'FAILED', why: 'a byte order mark is taken off' },
  ANY_LENGTH,
  { cases: ['14.1.6'], verdict: 'FAILED', why: 'nothing is inflated after a block with BFINAL' },
  { cases: ['14.2.2-3', '14.2.5-7', '14.2.14'], verdict: 'FAILED', why: 'RSV1 is accepted in every frame' },
  { cases: ['14.2.4'], verdict: 'NON-STRICT', why: 'RSV1 is accepted in every frame' },
  { cases: ['14.5.1'], verdict: 'FAILED', why: 'the window is kept although no context takeover was agreed to' },
  { cases: ['14.7.8-40', '14.7.43-45'], verdict: 'FAILED', why: 'parameters in the answer are hardly looked at' },
  { cases: ['16.3.7-10', '16.4.8'], verdict: 'FAILED', why: 'Connection is not read as a list' },
  { cases: ['16.3.17'], verdict: 'FAILED', why: 'an answer 101 with Connection: close neither opens nor fails' },
  { cases: ['16.6.4-5', '16.6.16-17', '16.6.28-29'], verdict: 'FAILED', why: 'white space after a value is taken for a part of it' },
  { cases: ['16.6.40-41'], verdict: 'FAILED', why: 'field names are not checked' },
  { cases: ['16.7.11'], verdict: 'FAILED', why: 'an endless status line is read for ever' },
];

module.exports = {
  'server, stream': OURS_SERVER,
  'server, loop': OURS_SERVER,
  'server, threads': OURS_SERVER,
  'client, stream': OURS_CLIENT,
  'client, loop': OURS_CLIENT,
  'client, threads': OURS_CLIENT,
  w3cwebsocket: OURS_CLIENT,
  'ws server': WS_SERVER,
  'ws client': WS_CLIENT,
  'websocket@1.0.35 server': REFERENCE_SERVER,
  'websocket@1.0.35 client': REFERENCE_CLIENT,
  'undici client': UNDICI,
};
