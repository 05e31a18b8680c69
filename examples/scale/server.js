'use strict';

// The chat. Any number of these can run; process.js runs some in threads that listen at one port.
//
//   ENGINE   redis://… or nats://…
//   HISTORY  a directory, the same for all of them
//
// JSON in text messages:
//
//   client to server   { type: 'enter', room, name, after }    `after`: the id of the last message that it has, or null
//                      { type: 'say', text }
//   server to client   { type: 'said', id, name, text, by }    `by`: the process and thread that took it
//                      { type: 'entered', room, people }       after the history
//                      { type: 'people', people }
//                      { type: 'away' }, { type: 'back' }      the engine

const { randomUUID } = require('crypto');
const fs = require('fs');
const http = require('http');
const path = require('path');
const { isMainThread, parentPort, threadId, workerData } = require('worker_threads');
const { server: WebSocketServer } = require('../../'); // in your own project: require('websocket')
const { whenListening } = require('../listen');
const { connectEngine } = require('./engine');
const { Store } = require('./store');

const LIMITS = { name: 24, room: 24, text: 500 };

const NAME = `${process.pid}.${threadId}`;

const page = fs.readFileSync(path.join(__dirname, 'index.html'));
const store = new Store(process.env.HISTORY || '.');

/** One line of at most `limit` characters. */
function line(value, limit) {
  return typeof value === 'string' ? [...value.replace(/[\p{C}\p{Zl}\p{Zp}\s]+/gu, ' ').trim()].slice(0, limit).join('') : '';
}

class Guest {
  constructor(wsServer, connection) {
    this.wsServer = wsServer;
    this.connection = connection;
    this.room = null;
    this.name = '';
    // One after the other, so that nobody speaks in a room before having entered it.
    this.work = Promise.resolve();
    connection.on('message', (message) => {
      this.work = this.work.then(() => this.receive(message)).catch((error) => {
        console.error(error.message);
        connection.close(1011, 'Something went wrong.');
      });
    });
    connection.on('close', () => this.tellPeople());
  }

  send(event) {
    this.connection.sendUTF(JSON.stringify(event));
  }

  async receive(message) {
    let request;
    try {
      request = JSON.parse(message.utf8Data);
    } catch {
      request = null;
    }
    if (request?.type === 'enter') await this.enter(request);
    else if (request?.type === 'say' && this.room !== null) await this.say(request);
    else this.connection.close(1007, 'What is that?');
  }

  async enter({ room, name, after }) {
    const former = this.room;
    this.room = line(room, LIMITS.room) || 'hall';
    this.name = line(name, LIMITS.name) || 'somebody';
    if (former !== null && former !== this.room) this.connection.unsubscribe(former);
    // First subscribe, then read the history. What is said in between comes twice, and the page knows it by its id.
    // While the engine is away, the Promise waits; nobody should wait with it for the history.
    const subscribed = this.connection.subscribe(this.room, { slow: 'close' });
    await Promise.race([subscribed, new Promise((resolve) => setTimeout(resolve, 1000))]).catch(() => {});
    for (const said of await store.read(this.room, after)) this.send(said);
    this.send({ type: 'entered', room: this.room, people: (await this.wsServer.count(this.room, { timeout: 500 })).connections });
    this.tellPeople();
  }

  async say({ text }) {
    const said = { type: 'said', id: randomUUID(), name: this.name, text: line(text, LIMITS.text), by: NAME };
    if (said.text === '') return;
    // First into the store, then to the others: what was lost on the way can be read.
    await store.append(this.room, said);
    this.wsServer.publish(this.room, JSON.stringify(said));
  }

  /** How many there are, in all processes. */
  async tellPeople() {
    if (this.room === null) return;
    const { connections } = await this.wsServer.count(this.room, { timeout: 500 });
    this.wsServer.publish(this.room, JSON.stringify({ type: 'people', people: connections }));
  }
}

function isOwnOrigin({ origin, httpRequest }) {
  if (!origin) return true; // not a browser
  try {
    return new URL(origin).host === httpRequest.headers.host;
  } catch {
    return false;
  }
}

async function main() {
  const engine = await connectEngine(process.env.ENGINE || 'redis://127.0.0.1:6379');
  const httpServer = http.createServer((request, response) => {
    // The balancer asks here. While the process stops, it gets no new clients.
    if (request.url === '/health') response.writeHead(isStopping ? 503 : 200).end();
    else response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' }).end(page);
  });
  // The threads share the port; what is no WebSocket goes to the HTTP server.
  const { port, host, reusePort } = workerData;
  const wsServer = new WebSocketServer({
    port, host, reusePort, fallback: httpServer, pubsub: engine.pubsub, maxReceivedMessageSize: 8192,
  });
  let isStopping = false;

  wsServer.on('request', (request) => {
    if (isOwnOrigin(request)) new Guest(wsServer, request.accept(request.origin));
    else request.reject(403, 'Only the page of this server may connect from a browser.');
  });

  // Everybody here goes on talking to each other. When the engine is back, pages ask for what they missed.
  const tellAll = (event) => wsServer.broadcastUTF(JSON.stringify(event));
  wsServer.on('pubsubLost', (error) => {
    console.log(`${NAME}: ${error.message}`);
    tellAll({ type: 'away' });
  });
  wsServer.on('pubsubRestored', ({ downtime }) => {
    console.log(`${NAME}: the engine is back after ${downtime} ms`);
    tellAll({ type: 'back' });
  });

  whenListening(wsServer, { port, host }, (authority) => parentPort.postMessage({ authority, port: wsServer.address().port }));

  // Its process stops.
  parentPort.once('message', () => {
    isStopping = true;
    for (const connection of [...wsServer.connections]) connection.close(1001, 'The server is stopping.');
    wsServer.shutDown();
    httpServer.close(() => engine.close());
    httpServer.closeIdleConnections();
  });
}

if (isMainThread) console.error('This runs in a thread of process.js.');
else main();
