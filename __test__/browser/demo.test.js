'use strict';

const test = require('node:test');
const assert = require('node:assert');
const net = require('node:net');
const path = require('node:path');
const { once } = require('node:events');
const { pathToFileURL } = require('node:url');
const { skip, startBrowser } = require('./chromium');
const { examples, startExample } = require('../examples/run-example');

/** Opens a page of the browser; `problems` collects what it complains about. */
async function openPage(browser, url) {
  const page = await browser.newPage();
  const problems = [];
  page.on('pageerror', (error) => problems.push(String(error)));
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) problems.push(message.text());
  });
  await page.goto(url);
  return { page, problems };
}

/** Waits until the text of an element matches, and returns it. */
async function textOf(page, selector, pattern) {
  const locator = page.locator(selector).filter({ hasText: pattern });
  await locator.first().waitFor();
  return locator.first().innerText();
}

/** Opens the demo in a page of its own and waits for its two connections. */
async function openDemo(browser, port) {
  const opened = await openPage(browser, `http://127.0.0.1:${port}/`);
  await textOf(opened.page, '#echo [data-role=status]', /^Open, subprotocol echo$/);
  await textOf(opened.page, '#chat [data-role=status]', /^Open, subprotocol chat$/);
  return opened;
}

/** Enters the chat by a name. */
async function join(page, name) {
  await page.getByLabel('Your name').fill(name);
  await page.getByRole('button', { name: 'Join' }).click();
  await textOf(page, '#chat .log li', /^You are here as/);
}

/** The log follows its end, although what is above it has come, gone or grown. */
async function assertLastLineShows(page, panel) {
  const bottoms = await page.evaluate((selector) => new Promise((resolve) => {
    const { document, requestAnimationFrame } = globalThis;
    // After what is still to be laid out.
    requestAnimationFrame(() => requestAnimationFrame(() => resolve([`${selector} .log li:last-child`, `${selector} .log`].map((box) =>
      document.querySelector(box).getBoundingClientRect().bottom))));
  }), panel);
  assert.ok(bottoms[0] <= bottoms[1], `the last line ends at ${bottoms[0]}, the log at ${bottoms[1]}`);
}

test('in a browser the demo page connects, sends, receives, and shows the latency', { skip }, async (t) => {
  const example = startExample(t, 'demo/server.js');
  const browser = await startBrowser(t);
  const { page, problems } = await openDemo(browser, await example.port());

  assert.strictEqual(await page.locator('#echo [data-role=last]').innerText(), '–');
  assert.ok(await page.locator('#echo .chart').isHidden(), 'no chart before there is something to show');
  await page.getByLabel('Message to echo').fill('<i>Grüße</i> 😀');
  await page.locator('#echo').getByRole('button', { name: 'Send' }).click();
  await textOf(page, '#echo .log li', /^← <i>Grüße<\/i> 😀\s*\d+\.\d+ ms$/);
  assert.match(await page.locator('#echo [data-role=last]').innerText(), /^\d+\.\d+ ms$/);
  assert.match(await page.locator('#echo [data-role=median]').innerText(), /^\d+\.\d+ ms$/);

  assert.ok(await page.locator('#echo .chart').isVisible());

  await page.getByLabel('as binary').check();
  await page.locator('#echo').getByRole('button', { name: 'Send' }).click();
  await textOf(page, '#echo .log li', /\(binary, 19 bytes\)/);

  await page.getByRole('button', { name: 'Measure 100 round trips' }).click();
  await textOf(page, '#echo .log li', /^Measured 100 round trips, median \d+\.\d+ ms$/);
  for (const role of ['sent', 'received']) {
    assert.strictEqual(await page.locator(`#echo [data-role=${role}]`).innerText(), '102');
  }
  assert.strictEqual((await page.locator('#echo polyline').getAttribute('points')).split(' ').length, 100);
  assert.deepStrictEqual(problems, []);
});

test('in a browser the demo page disconnects cleanly and reconnects when the user says so', { skip }, async (t) => {
  const example = startExample(t, 'demo/server.js');
  const browser = await startBrowser(t);
  const { page, problems } = await openDemo(browser, await example.port());
  const echo = page.locator('#echo');

  await echo.getByRole('button', { name: 'Disconnect' }).click();
  await textOf(page, '#echo [data-role=status][data-state=closed]', /^Closed with code 1000 \(normal\)$/);
  assert.ok(await echo.getByRole('button', { name: 'Send' }).isDisabled());
  await echo.getByRole('button', { name: 'Reconnect' }).click();
  await textOf(page, '#echo [data-role=status][data-state=open]', /^Open/);
  await echo.getByRole('button', { name: 'Send' }).click();
  await textOf(page, '#echo .log li', /^← Hello, server/);
  assert.deepStrictEqual(problems, []);

  assert.strictEqual(await page.locator('#echo [data-role=countdown]').innerText(), '', 'who has left comes back by hand');
});

test('in a browser the demo page comes back by itself when the server does, and joins the chat again', {
  skip: skip || (process.platform === 'win32' && 'Windows has no signals that a program can answer'),
}, async (t) => {
  const first = startExample(t, 'demo/server.js');
  const browser = await startBrowser(t);
  const port = await first.port();
  const { page, problems } = await openDemo(browser, port);
  await join(page, 'Ann');
  await page.getByLabel('Message to everybody').fill('a draft');

  await first.stop();
  for (const panel of ['#echo', '#chat']) {
    await textOf(page, `${panel} [data-role=status][data-state=waiting]`, /^Closed with code 100[16]/);
    await textOf(page, `${panel} [data-role=countdown]`, /^Trying again in \d+ s$/);
    assert.ok(await page.locator(panel).getByRole('button', { name: 'Reconnect now' }).isEnabled());
  }
  assert.ok(await page.locator('#chat [data-role=room]').isHidden(), 'nobody is shown as present to somebody offline');
  // Attempts that fail are followed by others, later and later.
  await textOf(page, '#chat [data-role=status][data-state=waiting]', /^Closed with code 1006 \(connection lost\)$/);
  await textOf(page, '#chat [data-role=countdown]', /^Trying again in [2-9] s$/);

  const second = startExample(t, 'demo/server.js', { env: { PORT: String(port) } });
  await second.port();
  for (const panel of ['#echo', '#chat']) {
    await textOf(page, `${panel} [data-role=status][data-state=open]`, /^Open/);
    assert.strictEqual(await page.locator(`${panel} [data-role=countdown]`).innerText(), '');
  }
  await textOf(page, '#chat [data-role=people]', /^Ann$/);
  assert.strictEqual(await page.getByLabel('Message to everybody').inputValue(), 'a draft');
  assert.strictEqual(await page.evaluate(() => globalThis.document.activeElement.id), 'chat-text', 'who was writing goes on');
  // The browser itself reports each attempt that failed.
  assert.deepStrictEqual(problems.filter((text) => !text.includes('ERR_CONNECTION_REFUSED')), []);
});

test('in a browser the user may be faster than the countdown, and may give up', { skip }, async (t) => {
  const first = startExample(t, 'demo/server.js');
  const browser = await startBrowser(t);
  const port = await first.port();
  const { page } = await openDemo(browser, port);
  const toggle = page.locator('#echo').getByRole('button', { name: /connect|Cancel/i });
  first.child.kill('SIGKILL');
  // Wait until the delays are long.
  await textOf(page, '#echo [data-role=countdown]', /^Trying again in [4-9] s$/);
  const silent = net.createServer().listen(port, '127.0.0.1'); // accepts, and says nothing
  t.after(() => silent.close());
  await once(silent, 'listening');
  const sockets = [];
  silent.on('connection', (socket) => sockets.push(socket));
  t.after(() => sockets.forEach((socket) => socket.destroy()));
  await toggle.click();
  await textOf(page, '#echo [data-role=status][data-state=connecting]', /^Connecting…$/);
  assert.strictEqual(await page.locator('#echo [data-role=countdown]').innerText(), '');
  assert.strictEqual(await toggle.innerText(), 'Cancel');
  await toggle.press('Enter'); // it still has the focus
  await textOf(page, '#echo [data-role=status][data-state=closed]', /^Not connected$/);
  assert.strictEqual(await toggle.innerText(), 'Reconnect');
  assert.ok(await toggle.evaluate((button) => button === globalThis.document.activeElement));
});

test('in a browser somebody who was expelled from the chat sees why, and is not brought back', { skip }, async (t) => {
  const example = startExample(t, 'demo/server.js');
  const browser = await startBrowser(t);
  const { page, problems } = await openDemo(browser, await example.port());
  await join(page, 'Spammer');
  await page.evaluate(() => {
    const { document } = globalThis;
    for (let i = 0; i < 40; i++) {
      document.querySelector('#chat-text').value = `message ${i}`;
      document.querySelector('#chat [data-role=form]').requestSubmit();
    }
  });
  await textOf(page, '#chat [data-role=status][data-state=expelled]', /^Expelled by the server: Too many messages\. \(code\s1008\)$/);
  await textOf(page, '#chat .log .bad', /^You were expelled: Too many messages\.$/);
  await assertLastLineShows(page, '#chat');
  assert.strictEqual(await page.locator('#chat [data-role=countdown]').innerText(), '');
  assert.ok(await page.locator('#chat [data-role=room]').isHidden());
  assert.ok(await page.getByLabel('Message to everybody').isDisabled());

  await page.locator('#chat').getByRole('button', { name: 'Reconnect' }).click();
  await textOf(page, '#chat [data-role=status][data-state=open]', /^Open/);
  assert.ok(await page.getByRole('button', { name: 'Join' }).isEnabled(), 'joining again is for the user to decide');
  await join(page, 'Spammer');
  await textOf(page, '#chat [data-role=people]', /^Spammer$/);
  await assertLastLineShows(page, '#chat');
  assert.deepStrictEqual(problems, []);
  example.child.kill('SIGKILL');
  await textOf(page, '#chat .log li', /^You are offline\.$/);
  await assertLastLineShows(page, '#chat');
});

test('in a browser long messages are folded, and unfolded on demand', { skip }, async (t) => {
  const example = startExample(t, 'demo/server.js');
  const browser = await startBrowser(t, { viewport: { width: 360, height: 800 } });
  const { page, problems } = await openDemo(browser, await example.port());
  const long = 'All work and no play. '.repeat(200).trim();
  await page.getByLabel('Message to echo').fill(long);
  await page.locator('#echo').getByRole('button', { name: 'Send' }).click();
  await textOf(page, '#echo .log li', /^←/);
  const line = page.locator('#echo .log li').nth(1);
  const height = async () => (await line.boundingBox()).height;
  const folded = await height();
  assert.ok(folded < 200, `${folded} pixels`);
  await line.getByRole('button', { name: 'Show all' }).click();
  assert.ok(await height() > 5 * folded, `${await height()} pixels`);
  assert.strictEqual(await line.locator('.body').innerText(), `← ${long}`);
  await line.getByRole('button', { name: 'Show less' }).click();
  assert.strictEqual(await height(), folded);

  await page.getByLabel('Message to echo').fill('short');
  await page.getByLabel('Message to echo').press('Enter');
  await textOf(page, '#echo .log li', /^← short/);
  assert.strictEqual(await page.locator('#echo .log li').nth(3).getByRole('button').count(), 0);
  assert.deepStrictEqual(problems, []);
});

for (const width of [320, 1280]) {
  test(`in a browser ${width} pixels wide, what is to be touched is 44 pixels large, and nothing overflows`, { skip }, async (t) => {
    const example = startExample(t, 'demo/server.js');
    const browser = await startBrowser(t, { viewport: { width, height: 800 } });
    const { page } = await openDemo(browser, await example.port());
    await join(page, 'A name of 24 characters');
    await page.getByLabel('Message to everybody').fill('word '.repeat(100));
    await page.getByLabel('Message to everybody').press('Enter');
    await page.getByRole('button', { name: 'Show all' }).waitFor();
    await page.locator('#echo').getByRole('button', { name: 'Send' }).click();
    await textOf(page, '#echo .log li', /^←/);
    const targets = await page.locator('button, input[type=text], label.check, a').all();
    assert.ok(targets.length >= 9, `${targets.length} targets`);
    for (const target of targets) {
      const { width: wide, height: high } = await target.boundingBox();
      assert.ok(wide >= 44 && high >= 44, `${await target.evaluate((node) => node.outerHTML)}: ${wide} × ${high}`);
    }
    assert.strictEqual(await page.evaluate(() => globalThis.document.documentElement.scrollWidth), width);
  });
}

test('in a browser two pages of the demo chat with each other', { skip }, async (t) => {
  const example = startExample(t, 'demo/server.js');
  const browser = await startBrowser(t);
  const port = await example.port();
  const visitors = [];
  for (const name of ['Ann', '<b>Bob</b>']) {
    const visitor = await openDemo(browser, port);
    assert.ok(await visitor.page.locator('#chat [data-role=room]').isHidden());
    await join(visitor.page, name);
    visitors.push(visitor);
  }
  const [ann, bob] = visitors.map(({ page }) => page);
  await textOf(ann, '#chat .log li', /^<b>Bob<\/b> has joined\.$/);
  await textOf(ann, '#chat [data-role=people]', /^Ann\s*<b>Bob<\/b>$/);

  await bob.getByLabel('Message to everybody').fill('<img src=x onerror="document.title = 1"> hello');
  await bob.locator('#chat').getByRole('button', { name: 'Send' }).click();
  for (const page of [ann, bob]) {
    await textOf(page, '#chat .log li', /^<b>Bob<\/b>: <img src=x onerror="document\.title = 1"> hello/);
    assert.strictEqual(await page.locator('#chat .log img').count(), 0);
  }
  await ann.getByLabel('Message to everybody').fill('hello Bob');
  await ann.getByLabel('Message to everybody').press('Enter');
  await textOf(bob, '#chat .log li', /^Ann: hello Bob/);

  // Who comes back finds the history and the old name.
  await bob.locator('#chat').getByRole('button', { name: 'Disconnect' }).click();
  await textOf(ann, '#chat .log li', /^<b>Bob<\/b> has left\.$/);
  await bob.locator('#chat').getByRole('button', { name: 'Reconnect' }).click();
  await textOf(bob, '#chat [data-role=people]', /^Ann\s*<b>Bob<\/b>$/);
  await textOf(bob, '#chat .log li', /^Ann: hello Bob/);
  await bob.close();
  await textOf(ann, '#chat [data-role=people]', /^Ann$/);
  assert.deepStrictEqual(visitors.flatMap(({ problems }) => problems), []);
});

test('in a browser browser-page.html talks to echo-server.js', { skip }, async (t) => {
  const example = startExample(t, 'echo-server.js');
  const port = await example.port();
  const browser = await startBrowser(t);
  const { page, problems } = await openPage(browser, pathToFileURL(path.join(examples, 'browser-page.html')).href);
  await page.getByLabel('Server').fill(`ws://127.0.0.1:${port}/`);
  await page.getByRole('button', { name: 'Connect' }).click();
  await page.getByRole('button', { name: 'Send' }).click();
  await textOf(page, '#log', /^open\s*received: Hello from the browser\s*$/);
  await page.getByRole('button', { name: 'Close' }).click();
  await textOf(page, '#log', /closed: 1000, clean\s*$/);
  await example.output(/\(1000 /);
  assert.deepStrictEqual(problems, []);
});
