'use strict';

// Starts the endpoints of targets.js and runs cases against them.

const { spawn } = require('child_process');
const { once } = require('events');
const path = require('path');
const { testServer } = require('./server-role');
const { testClient } = require('./client-role');

const ENDPOINTS = path.join(__dirname, '..', 'endpoints');

/** Ends a process and waits for its end. */
async function stop(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 3000);
  await gone;
  clearTimeout(timer);
}

async function runServerTarget({ endpoint, env }, cases, options) {
  const child = spawn(process.execPath, [path.join(ENDPOINTS, 'server.js'), endpoint], {
    stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, ...env },
  });
  try {
    const first = await Promise.race([once(child.stdout, 'data'), once(child, 'exit').then(() => null)]);
    if (first === null) throw new Error(`the server ${endpoint} has not started`);
    const results = await testServer(`ws://127.0.0.1:${Number(String(first[0]))}/`, cases, options);
    // Whatever the cases have shown: a server that ended is a failure.
    const ended = child.exitCode !== null || child.signalCode !== null;
    return { results, problem: ended ? `the server has ended (${child.signalCode || child.exitCode})` : null };
  } finally {
    await stop(child);
  }
}

async function runClientTarget({ endpoint, env }, cases, options) {
  let child = null;
  const start = (url) => {
    child = spawn(process.execPath, [path.join(ENDPOINTS, 'client.js'), endpoint, url], {
      stdio: ['ignore', 'inherit', 'inherit'], env: { ...process.env, ...env },
    });
    return child;
  };
  try {
    const results = await testClient(start, cases, options);
    const failed = child.exitCode !== null && child.exitCode !== 0;
    return { results, problem: failed ? `the client has ended with ${child.exitCode}` : null };
  } finally {
    await stop(child);
  }
}

/**
 * Runs cases against a target.
 * @param {import('../targets').Target} target
 * @returns {Promise<{ results: object[], problem: string|null }>} `problem`: the endpoint itself has failed
 */
function runTarget(target, cases, options) {
  return target.role === 'server' ? runServerTarget(target, cases, options) : runClientTarget(target, cases, options);
}

module.exports = { runTarget };
