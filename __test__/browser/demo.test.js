'use strict';

const test = require('node:test');
const assert = require('node:assert');
const path = require('node:path');
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

test('in a browser the demo page connects, sends, receives, and shows the latency', { skip }, async (t) => {
  const example = startExample(t, 'demo/server.js');
  const browser = await startBrowser(t);
  const { page, problems } = await openDemo(browser, await example.port());

  assert.strictEqual(await page.locator('#echo [data-role=last]').innerText(), '–');
  await page.getByLabel('Message to echo').fill('<i>Grüße</i> 😀');
  await page.locator('#echo').getByRole('button', { name: 'Send' }).click();
  await textOf(page, '#echo .log li', /^← <i>Grüße<\/i> 😀\s*\d+\.\d+ ms$/);
  assert.match(await page.locator('#echo [data-role=last]').innerText(), /^\d+\.\d+ ms$/);
  assert.match(await page.locator('#echo [data-role=median]').innerText(), /^\d+\.\d+ ms$/);

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

test('in a browser the demo page disconnects cleanly, reconnects, and shows why a connection has ended', { skip }, async (t) => {
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

  if (process.platform !== 'win32') {
    await example.stop();
    for (const panel of ['#echo', '#chat']) {
      await textOf(page, `${panel} [data-role=status][data-state=closed]`, /^Closed with code 1001 \(going away\): The server is stopping\.$/);
    }
    await echo.getByRole('button', { name: 'Reconnect' }).click();
    await textOf(page, '#echo [data-role=status][data-state=failed]', /^Closed with code 1006 \(connection lost\)$/);
  }
});

test('in a browser two pages of the demo chat with each other', { skip }, async (t) => {
  const example = startExample(t, 'demo/server.js');
  const browser = await startBrowser(t);
  const port = await example.port();
  const visitors = [];
  for (const name of ['Ann', '<b>Bob</b>']) {
    const visitor = await openDemo(browser, port);
    await visitor.page.getByLabel('Your name').fill(name);
    await visitor.page.getByRole('button', { name: 'Join' }).click();
    await textOf(visitor.page, '#chat .log li', /^You are here as/);
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
