'use strict';

// 14.6.* What a server answers to offers of permessage-deflate, 14.7.* what a client makes of answers (RFC 7692
// section 7.1, RFC 6455 section 9.1).

const { opens, shouldRefuse, refuses, opensOrRefuses, add } = require('./opening');
const { family } = require('./expect');

const NAME = 'permessage-deflate';
const WRONG_BITS = ['0', '1', '7', '16', '99', '08', '010', '-9', '+9', '9.0', 'x', '1e1'];

/** [offer, what the server has to do: 'agree', 'decline', 'either', 'malformed'] */
const OFFERS = [
  [NAME, 'agree'],
  [`${NAME}; client_max_window_bits`, 'agree'],
  [`${NAME}; client_max_window_bits=10`, 'agree'],
  [`${NAME}; client_max_window_bits="10"`, 'agree'],
  [`${NAME};client_max_window_bits;server_no_context_takeover`, 'agree'],
  [`${NAME} ; \t client_max_window_bits = 10`, 'either'],
  [`${NAME}; server_max_window_bits=10`, 'agree'],
  [`${NAME}; server_max_window_bits="10"`, 'agree'],
  [`${NAME}; server_max_window_bits=8`, 'either'],
  [`${NAME}; client_max_window_bits=8`, 'either'],
  [`${NAME}; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=15; client_max_window_bits=15`, 'agree'],
  [`x-unknown, ${NAME}`, 'agree'],
  [`x-unknown; a="1, 2; 3", ${NAME}`, 'agree'],
  [`${NAME}, x-unknown`, 'agree'],
  [`, ${NAME}`, 'either'],
  [`${NAME}; unknown, ${NAME}`, 'agree'],
  [`${NAME}; server_max_window_bits=7, ${NAME}; server_max_window_bits=11`, 'agree'],
  [NAME.toUpperCase(), 'either'],
  ['x-webkit-deflate-frame', 'decline'],
  [`${NAME}x`, 'decline'],
  [`${NAME}; unknown`, 'decline'],
  [`${NAME}; unknown=1`, 'decline'],
  [`${NAME}; __proto__`, 'decline'],
  [`${NAME}; constructor=1`, 'decline'],
  [`${NAME}; server_max_window_bits`, 'decline'],
  [`${NAME}; server_no_context_takeover=1`, 'decline'],
  [`${NAME}; server_no_context_takeover=true`, 'decline'],
  [`${NAME}; client_no_context_takeover=0`, 'decline'],
  ...WRONG_BITS.flatMap((bits) => [[`${NAME}; server_max_window_bits=${bits}`, 'decline'], [`${NAME}; client_max_window_bits=${bits}`, 'decline']]),
  [`${NAME}; server_no_context_takeover; server_no_context_takeover`, 'decline'],
  [`${NAME}; client_max_window_bits; client_max_window_bits`, 'decline'],
  [`${NAME}; server_max_window_bits=10; server_max_window_bits=11`, 'decline'],
  [`${NAME};`, 'malformed'],
  [`${NAME}; =1`, 'malformed'],
  [`${NAME}; server_max_window_bits=`, 'malformed'],
  [`${NAME}; server_max_window_bits="10`, 'malformed'],
  [`${NAME}; server_max_window_bits=""`, 'malformed'],
  [`${NAME}; a b`, 'malformed'],
  [`${NAME}=1`, 'malformed'],
  ['; client_max_window_bits', 'malformed'],
];

const EXPECTED = {
  agree: { ...opens, extension: 'agreed' },
  decline: { ...opens, refused: 'NON-STRICT', extension: 'declined' },
  either: opens,
  // Section 9.1 wants the connection failed; who knows no extension does not look.
  malformed: { ...shouldRefuse(400), opened: 'OK', extension: 'declined' },
};

const offers = family('14.6', 'RFC 7692 7.1', OFFERS.map(([offer, expected]) => ({
  title: `the offer ${offer}: ${{ agree: 'to be agreed to', decline: 'to be declined', either: 'agreed to or declined', malformed: 'malformed' }[expected]}`,
  change: add('Sec-WebSocket-Extensions', offer),
  expect: EXPECTED[expected],
})).concat([
  {
    title: 'offers in two fields',
    section: 'RFC 6455 11.3.2',
    change: (fields) => [...fields, ['Sec-WebSocket-Extensions', 'x-unknown'], ['Sec-WebSocket-Extensions', NAME]],
    expect: EXPECTED.agree,
  },
]));

/** [answer, expectation, only when the client has (true) or has not (false) offered client_max_window_bits] */
const ANSWERS = [
  [NAME, opens],
  [`${NAME}; server_no_context_takeover`, opens],
  [`${NAME}; client_no_context_takeover`, opens],
  [`${NAME}; server_max_window_bits=10`, opens],
  [`${NAME}; server_max_window_bits="10"`, opensOrRefuses],
  [`${NAME}; client_max_window_bits=10`, opens, true],
  [`${NAME}; client_max_window_bits=10`, refuses(), false],
  [`${NAME}; client_max_window_bits`, refuses()],
  [`${NAME}; unknown`, refuses()],
  [`${NAME}; unknown=1`, refuses()],
  [`${NAME}; __proto__=1`, refuses()],
  [`${NAME}; server_max_window_bits`, refuses()],
  ...WRONG_BITS.flatMap((bits) => [[`${NAME}; server_max_window_bits=${bits}`, refuses()], [`${NAME}; client_max_window_bits=${bits}`, refuses()]]),
  [`${NAME}; server_no_context_takeover=1`, refuses()],
  [`${NAME}; client_no_context_takeover=true`, refuses()],
  [`${NAME}; server_no_context_takeover; server_no_context_takeover`, refuses()],
  [`${NAME}; server_max_window_bits=10; server_max_window_bits=10`, refuses()],
  [`${NAME}, ${NAME}`, refuses()],
  [`${NAME}, x-unknown`, refuses()],
  [`${NAME}; server_max_window_bits="10`, refuses()],
  [`${NAME}; =1`, refuses()],
  [`${NAME};`, refuses()],
];

const answerRows = family('14.7', 'RFC 7692 7.1', ANSWERS.map(([answer, expect, windowBits]) => ({
  title: `the answer ${answer} to an offer ${windowBits === undefined ? '' : `${windowBits ? 'with' : 'without'} client_max_window_bits `}${expect === opens ? 'opens the connection' : expect === opensOrRefuses ? 'may open the connection' : 'fails the handshake'}`,
  needs: { offer: true, windowBits },
  change: add('Sec-WebSocket-Extensions', answer),
  expect,
})));

module.exports = { offers, answers: answerRows };
