'use strict';

// The router where it forgot routes. COMPATIBILITY: section 4, Router.

const { test } = require('node:test');
const assert = require('node:assert');
const { websocket } = require('../helpers/under-test');
const { startServer, openClient } = require('../helpers/under-test/endpoints');

/** A router on a server that rejects what no route matches. */
async function startRouter(t) {
  // The listener makes the server leave the decision to the router.
  const started = await startServer(t, { onRequest: () => {} });
  started.server.removeAllListeners('request');
  return { ...started, router: new websocket.router({ server: started.server }) };
}

for (const flags of ['g', 'y', 'gy', 'gi']) {
  test(`router: a RegExp with the flags ${flags} matches every request, not every other`, async (t) => {
    const { router, url } = await startRouter(t);
    let calls = 0;
    router.mount(new RegExp('/chat', flags), null, (request) => {
      calls++;
      request.accept(request.origin);
    });
    for (let i = 0; i < 4; i++) await openClient(t, `${url}chat`);
    assert.strictEqual(calls, 4);
  });
}

for (const [what, path] of [['a string', '/chat'], ['a RegExp', /^\/chat$/], ['the wildcard', '*']]) {
  for (const protocol of [undefined, null, '']) {
    test(`router: unmount() of ${what} with protocol ${protocol === '' ? "''" : protocol} removes the route without protocol`, async (t) => {
      const { router, url } = await startRouter(t);
      router.mount(path, protocol, (request) => request.accept(request.origin));
      await openClient(t, `${url}chat`);
      router.unmount(path, protocol);
      await assert.rejects(openClient(t, `${url}chat`), /404/);
    });
  }
}

test('router: unmount() without protocol leaves routes with one alone, and throws when there is none', async (t) => {
  const { router, url } = await startRouter(t);
  router.mount('/chat', 'talk', (request) => request.accept(request.origin));
  router.mount('/chat', null, (request) => request.accept(request.origin));
  router.unmount('/chat');
  await openClient(t, `${url}chat`, { protocols: 'talk' });
  await assert.rejects(openClient(t, `${url}chat`), /404/);
  assert.throws(() => router.unmount('/chat'), /route/);
});
