'use strict';

// The header fields Sec-WebSocket-Protocol and Sec-WebSocket-Extensions, refused where they are not correct: ws answers such a
// request with 400.

const binding = require('../internal/addon/binding');
const { wsError } = require('./errors');

function syntaxError(problem) {
  return wsError('ERR_WEBSOCKET_HEADER', problem, SyntaxError);
}

/** The elements of a list, without the blanks around them; `separator` within quotes does not count. */
function split(text, separator) {
  const elements = [''];
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (character === '"') quoted = !quoted;
    if (character === separator && !quoted) {
      elements.push('');
      continue;
    }
    elements[elements.length - 1] += character;
    if (quoted && character === '\\' && i + 1 < text.length) elements[elements.length - 1] += text[++i];
  }
  if (quoted) throw syntaxError('Unexpected end of input');
  return elements.map((element) => element.replace(/^[ \t]+|[ \t]+$/g, ''));
}

function checkToken(text) {
  if (binding.isToken(text)) return text;
  throw syntaxError(text === '' ? 'Unexpected end of input' : `Unexpected character in ${JSON.stringify(text)}`);
}

const subprotocol = {
  /** The names in a list, none of which may be there twice. */
  parse(header) {
    const names = new Set();
    for (const name of split(header, ',')) {
      if (names.has(checkToken(name))) throw syntaxError(`The "${name}" subprotocol is duplicated`);
      names.add(name);
    }
    return names;
  },
};

function add(target, name, value) {
  if (Object.hasOwn(target, name)) target[name].push(value);
  else target[name] = [value];
}

/** The value of a parameter: a token, or a quoted one. */
function parameterValue(text) {
  if (!text.startsWith('"')) return checkToken(text);
  if (text.length < 3 || !/^"(?:[^"\\]|\\.)*"$/.test(text)) throw syntaxError('Unexpected end of input');
  return checkToken(text.slice(1, -1).replace(/\\(.)/g, '$1'));
}

const extension = {
  /** For each name the list of its offers, and for each of these the list of values of each parameter. */
  parse(header) {
    const offers = Object.create(null);
    for (const element of split(header, ',')) {
      const [name, ...parameters] = split(element, ';');
      const params = Object.create(null);
      for (const parameter of parameters) {
        const [key, ...value] = parameter.split('=');
        add(params, checkToken(key), value.length === 0 ? true : parameterValue(value.join('=')));
      }
      add(offers, checkToken(name), params);
    }
    return offers;
  },

  /** The header field for such an object. */
  format(extensions) {
    return Object.entries(extensions).flatMap(([name, offers]) => [offers].flat().map((params) =>
      [name, ...Object.entries(params).flatMap(([key, values]) => [values].flat()
        .map((value) => (value === true ? key : `${key}=${value}`)))].join('; '))).join(', ');
  },
};

module.exports = { subprotocol, extension };
