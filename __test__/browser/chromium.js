'use strict';

// A real Chromium for tests of pages, where one is installed.

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome', 'microsoft-edge'];
const FURTHER = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
  'C:\\Program Files (x86)\\Google\\Chrome\\Application\\chrome.exe',
];

/** The path of a browser: CHROMIUM_PATH, or the first one found on this machine, or null. */
function findChromium() {
  const { CHROMIUM_PATH } = process.env;
  // Whoever names a browser wants it to be used: a wrong name must not skip the tests.
  if (CHROMIUM_PATH) return CHROMIUM_PATH;
  const folders = ['/usr/bin', ...(process.env.PATH || '').split(path.delimiter)].filter(path.isAbsolute);
  const candidates = NAMES.flatMap((name) => folders.map((folder) => path.join(folder, name)));
  return [...candidates, ...FURTHER].find(isExecutable) || null;
}

function isExecutable(file) {
  try {
    fs.accessSync(file, fs.constants.X_OK);
    return fs.statSync(file).isFile();
  } catch {
    return false;
  }
}

const executablePath = findChromium();

const neededNode = Number(/\d+/.exec(require('playwright-core/package.json').engines.node)[0]);

/** For the `skip` option of a test: false, or why it is skipped. */
const skip =
  Number(process.versions.node.split('.')[0]) < neededNode ? `playwright-core needs Node ${neededNode} or newer` :
    executablePath === null ? 'no Chromium found: install one (Debian: apt-get install chromium) or set CHROMIUM_PATH' : false;

/**
 * Starts the browser with a new, empty user data folder, both gone after the test.
 * @param {import('node:test').TestContext} t
 * @param {object} [options] for playwright's launchPersistentContext
 */
async function startBrowser(t, options = {}) {
  const { chromium } = require('playwright-core');
  const userData = fs.mkdtempSync(path.join(os.tmpdir(), 'websocket-chromium-'));
  let browser = null;
  t.after(async () => {
    await browser?.close();
    fs.rmSync(userData, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  });
  browser = await chromium.launchPersistentContext(userData, {
    executablePath,
    headless: true,
    args: [
      '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
      '--disable-background-networking', '--disable-component-update', '--disable-sync',
    ],
    ...options,
  });
  browser.setDefaultTimeout(15000);
  return browser;
}

module.exports = { skip, startBrowser };
