'use strict';

// What a plain HTTP request costs that comes through the option `fallback`, beside one straight to the http.Server: CPU time of
// the server process per request, with connections that are kept alive, and with a new one for each request.
//
//   node bench/fallback.js [rounds, default 5] [requests with keep-alive, default 40,000]
//
// Goal: at most 1.05 with keep-alive.

const { fork } = require('child_process');
const http = require('http');
const net = require('net');
const { once } = require('events');
const { server: WebSocketServer } = require('..');

const CONNECTIONS = 16;
const HOST = '127.0.0.1';
const GOAL = 1.05;
/** Whether the connection is closed after each request, and how many of the requests are made. */
const WORKLOADS = { 'keep-alive': { closes: false, share: 1 }, 'a connection each': { closes: true, share: 0.2 } };
const KINDS = ['straight', 'fallback'];

/** The server process: tells its port, and its CPU time when asked. */
async function serve(kind) {
  const httpServer = http.createServer((request, response) => {
    response.setHeader('Content-Type', 'text/plain');
    response.end(`${request.method} ${request.url}\n`);
  });
  if (kind === 'straight') {
    httpServer.listen(0, HOST);
    await once(httpServer, 'listening');
  } else {
    const server = new WebSocketServer({ port: 0, host: HOST, fallback: httpServer });
    await once(server, 'listening');
  }
  process.on('message', () => process.send(process.cpuUsage()));
  process.on('disconnect', () => process.exit());
  process.send(httpServer.address().port);
}

/** Makes so many requests, on some connections at a time. */
function request(port, closes, requests) {
  const head = `GET /path?query HTTP/1.1\r\nHost: ${HOST}\r\nUser-Agent: bench\r\nAccept: */*\r\nAccept-Encoding: gzip, deflate\r\n`;
  const text = `${head}Connection: ${closes ? 'close' : 'keep-alive'}\r\n\r\n`;
  let left = requests;
  const client = () => new Promise((resolve, reject) => {
    const open = () => {
      const socket = net.connect(port, HOST, () => socket.write(text));
      socket.setNoDelay(true);
      socket.on('error', reject);
      // The answer is shorter than a segment.
      socket.on('data', () => {
        left--;
        if (closes) return;
        if (left > 0) socket.write(text);
        else socket.destroy();
      });
      socket.on('close', () => {
        if (left > 0) open();
        else resolve();
      });
    };
    open();
  });
  return Promise.all(Array.from({ length: CONNECTIONS }, client));
}

/** Microseconds of CPU time per request. */
async function measure(kind, closes, requests) {
  const child = fork(__filename, ['serve', kind]);
  const ask = async () => {
    child.send('cpu');
    const [{ user, system }] = await once(child, 'message');
    return user + system;
  };
  const [port] = await once(child, 'message');
  // Until everything is compiled.
  await request(port, closes, requests / 2);
  const before = await ask();
  await request(port, closes, requests);
  const figure = (await ask() - before) / requests;
  child.disconnect();
  await once(child, 'exit');
  return figure;
}

const median = (values) => values.slice().sort((a, b) => a - b)[values.length >> 1];

async function main(rounds, requests) {
  for (const [name, { closes, share }] of Object.entries(WORKLOADS)) {
    const figures = { straight: [], fallback: [] };
    for (let round = 0; round < rounds; round++) {
      // Another one begins in each round.
      for (const kind of round % 2 ? KINDS : KINDS.slice().reverse()) figures[kind].push(await measure(kind, closes, requests * share));
    }
    const ratio = median(figures.fallback.map((figure, i) => figure / figures.straight[i]));
    const goal = closes ? '' : ` (goal: at most ${GOAL})`;
    console.log(`${name}: straight ${median(figures.straight).toFixed(1)} µs, fallback ${median(figures.fallback).toFixed(1)} µs, ` +
      `ratio ${ratio.toFixed(3)}${goal}`);
  }
}

if (process.argv[2] === 'serve') serve(process.argv[3]);
else main(Number(process.argv[2] || 5), Number(process.argv[3] || 40000));
