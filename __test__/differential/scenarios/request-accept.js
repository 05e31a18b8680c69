'use strict';

// accept(): protocols, origin, and the cookies it sets with every complaint about them.

/** Calls accept() with these arguments and notes events, result, exception and the answer on the wire. */
const accepting = (name, args, { headers = {}, ...more } = {}) => ({
  name,
  async run({ server, dial, trace, call, watchRequest, settle }) {
    const { ws, port } = await server({}, { watch: ['connect'] });
    const handled = new Promise((resolve) => {
      ws.on('request', (request) => {
        watchRequest(request);
        const connection = call('accept()', () => request.accept(...args()));
        if (connection) trace('connection.protocol', connection.protocol);
        trace('after', request._resolved, ws.pendingRequests.length, ws.connections.length);
        resolve();
      });
    });
    const peer = await dial(port, { headers });
    await handled;
    await peer.until(() => peer.head !== null, 'an answer');
    await settle();
    trace('answer', peer.head);
  },
  ...more,
});

const cookie = (name, list, more) => accepting(name, () => [null, null, typeof list === 'function' ? list() : list], more);

const good = [
  ['a plain cookie', [{ name: 'a', value: '1' }]],
  ['several cookies', [{ name: 'a', value: '1' }, { name: 'b', value: '2' }]],
  ['a quoted cookie value', [{ name: 'a', value: '"quoted"' }]],
  ['a cookie with path, domain, secure and httponly', [{ name: 'a', value: '1', path: '/p', domain: 'EXAMPLE.test', secure: true, httponly: true }]],
  ['a cookie with expires', [{ name: 'a', value: '1', expires: new Date(Date.UTC(2030, 0, 2, 3, 4, 5)) }]],
  ['a cookie with maxage as number', [{ name: 'a', value: '1', maxage: 60 }]],
  ['a cookie with maxage as string', [{ name: 'a', value: '1', maxage: '61' }]],
  ['a cookie with a fractional maxage', [{ name: 'a', value: '1', maxage: 1.6 }]],
  ['control characters, spaces and semicolons are removed from cookie name and value', [{ name: 'a\r\n;b', value: 'c d;\r\ne' }]],
  ['an empty cookie list', []],
  ['a cookie with maxage 0, secure false and empty path', [{ name: 'a', value: '1', maxage: 0, secure: false, path: '' }]],
];

const bad = [
  ['a cookies argument that is not an array', { name: 'a', value: '1' }],
  ['a cookie without name', [{ value: '1' }]],
  ['a cookie without value', [{ name: 'a', value: '' }]],
  ['the same cookie twice', [{ name: 'a', value: '1' }, { name: 'a', value: '2' }]],
  ['an illegal character in the cookie name', [{ name: 'a=b', value: '1' }]],
  ['an illegal character in the cookie value', [{ name: 'a', value: 'b\\c' }]],
  ['an illegal character inside a quoted cookie value', [{ name: 'a', value: '"b\\c"' }]],
  ['an illegal character in the cookie path', [{ name: 'a', value: '1', path: '/a;b' }]],
  ['a cookie domain that is not a string', [{ name: 'a', value: '1', domain: 7 }]],
  ['an illegal character in the cookie domain', [{ name: 'a', value: '1', domain: 'a;b' }]],
  ['a cookie expires that is not a Date', [{ name: 'a', value: '1', expires: 'tomorrow' }]],
  ['a cookie maxage that is not a number', [{ name: 'a', value: '1', maxage: 'soon' }]],
  ['a negative cookie maxage', [{ name: 'a', value: '1', maxage: -5 }]],
  ['a cookie secure that is not boolean', [{ name: 'a', value: '1', secure: 'yes' }]],
  ['a cookie httponly that is not boolean', [{ name: 'a', value: '1', httponly: 1 }]],
];

const asked = { headers: { 'Sec-WebSocket-Protocol': 'Chat, super' } };

module.exports = [
  ...good.map(([name, list]) => cookie(`accept() sets ${name}`, list)),
  ...bad.map(([name, list]) => cookie(`accept() refuses ${name} with 500 and throws`, list)),
  {
    name: 'accept() cleans the cookie objects of the caller',
    async run({ server, open, trace, wireToEnd }) {
      const { ws, port } = await server({}, { watch: [] });
      ws.on('request', (request) => {
        const list = [{ name: 'a;b', value: 'c;d' }];
        request.accept(null, null, list).drop(1000);
        trace('cookies', list);
      });
      await wireToEnd(await open(port));
    },
  },
  accepting('accept() of a protocol asked for', () => ['chat'], asked),
  accepting('accept() of a protocol in another case than the request has it', () => ['CHAT'], asked),
  accepting('accept() of a protocol that was not asked for', () => ['other'], asked),
  accepting('accept() of a protocol when none was asked for', () => ['chat']),
  accepting('accept() of a protocol with illegal characters', () => ['a b'], { headers: { 'Sec-WebSocket-Protocol': 'a b' } }),
  accepting('accept() of a protocol with a line break', () => ['a\r\nb']),
  accepting('accept() without protocol though the client asked for some', () => [], asked),
  accepting('accept(null)', () => [null], asked),
  accepting('accept("")', () => [''], asked),
  accepting('accept() with an origin', () => [null, 'http://origin.test']),
  accepting('line breaks in the origin are removed', () => [null, 'http://a.test\r\nX-Evil: 1']),
  accepting('accept() with protocol, origin and cookies', () => ['super', 'http://o.test', [{ name: 'k', value: 'v' }]], asked),
  {
    name: 'the connection of a failed accept() is never announced',
    async run({ server, refused, trace, call, watchRequest }) {
      const { ws, port } = await server({}, { watch: ['connect', 'close'] });
      ws.on('request', (request) => {
        watchRequest(request);
        call('accept()', () => request.accept('nope'));
        call('accept() again', () => request.accept());
        trace('lists', ws.pendingRequests.length, ws.connections.length);
      });
      await refused(port);
    },
  },
];
