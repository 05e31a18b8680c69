'use strict';

// One process of the chat: threads that listen at one port. Any number of processes can run; start.js starts two.
//
//   PORT     where it listens
//   THREADS  how many threads; default 2 on Linux, which spreads connections among them, and 1 elsewhere
//   ENGINE, HISTORY: see server.js

const { once } = require('events');
const path = require('path');
const { Worker } = require('worker_threads');
const { choosePort } = require('../listen');

const HOST = '127.0.0.1';
const THREADS = Number(process.env.THREADS) || (process.platform === 'linux' ? 2 : 1);

/** Starts a thread and waits until it listens. */
async function startThread(threads, port) {
  const thread = new Worker(path.join(__dirname, 'server.js'), { workerData: { port, host: HOST, reusePort: THREADS > 1 } });
  threads.push(thread);
  thread.on('exit', (code) => {
    if (code === 0) return;
    // It has said why.
    process.exit(code);
  });
  const [listening] = await once(thread, 'message');
  return listening;
}

async function main() {
  const threads = [];
  // With port 0, the first one gets a port, which the others share.
  const { authority, port } = await startThread(threads, choosePort());
  while (threads.length < THREADS) await startThread(threads, port);
  console.log(`Chat on http://${authority}/ (process ${process.pid}, threads: ${THREADS})`);
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => threads.forEach((thread) => thread.postMessage('stop')));
}

main();
