'use strict';

// Counting over all nodes: a question to all, and the answers of those that are quick enough.
//
// The nodes talk in the empty topic, which no program can use. A payload is the kind in the first byte, and
// for questions and answers the question's number, then the topic asked about, or who has asked and the count.

const { NODE_LENGTH } = require('./envelope');

const HELLO = 1;
const HERE = 2;
const BYE = 3;
const QUESTION = 4;
const ANSWER = 5;

/** Milliseconds after the hello until those who are there have said so. Until then nobody knows who is missing. */
const HELLO_TIME = 250;

const MAX_NODES = 4096;
const MAX_QUESTIONS = 1024;
/** A node that has been silent for so long is forgotten, after it was named silent once more. */
const FORGOTTEN_AFTER = 60_000;

class Nodes {
  #self;
  #send;
  #countLocal;
  /** Id → when it was heard last. */
  #known = new Map();
  #questions = new Map();
  #lastQuestion = 0;
  #helloAt = -Infinity;

  /**
   * @param {string} self id of this node
   * @param {(payload: Buffer) => Promise<void>} send to all nodes
   * @param {(topic: string) => number} countLocal
   */
  constructor(self, send, countLocal) {
    this.#self = self;
    this.#send = send;
    this.#countLocal = countLocal;
  }

  hello() {
    this.#helloAt = performance.now();
    this.#say(Buffer.of(HELLO));
  }

  bye() {
    return this.#send(Buffer.of(BYE)).catch(() => {});
  }

  /** A message from another node shows that it is there. */
  heard(node) {
    if (this.#known.size >= MAX_NODES && !this.#known.has(node)) return;
    this.#known.set(node, Date.now());
  }

  receive(node, payload) {
    this.heard(node);
    switch (payload[0]) {
      case HELLO:
        this.#say(Buffer.of(HERE));
        break;
      case BYE:
        this.#known.delete(node);
        for (const question of this.#questions.values()) {
          question.missing.delete(node);
          this.#endIfComplete(question);
        }
        break;
      case QUESTION:
        if (payload.length > 5) this.#say(answerTo(node, payload.readUInt32BE(1), this.#countLocal(payload.toString('utf8', 5))));
        break;
      case ANSWER:
        this.#receiveAnswer(node, payload);
        break;
      default:
        // Of a later version.
    }
  }

  /**
   * @param {string} topic
   * @param {number} timeout milliseconds
   * @returns {Promise<{ connections: number, nodes: number, silent: string[] }>}
   */
  count(topic, timeout) {
    const own = this.#countLocal(topic);
    const missing = new Set(this.#known.keys());
    const mayKnowMore = this.#helloAt + HELLO_TIME - performance.now();
    if (this.#questions.size >= MAX_QUESTIONS) {
      return Promise.resolve({ connections: own, nodes: 1, silent: [...missing] });
    }
    const id = this.#lastQuestion = (this.#lastQuestion + 1) >>> 0;
    return new Promise((resolve) => {
      const question = { id, missing, answered: new Set(), connections: own, nodes: 1, isOpen: mayKnowMore > 0, resolve, timers: [] };
      question.timers.push(setTimeout(() => this.#end(question), timeout));
      if (question.isOpen) {
        question.timers.push(setTimeout(() => {
          question.isOpen = false;
          this.#endIfComplete(question);
        }, mayKnowMore));
      }
      this.#questions.set(id, question);
      this.#send(questionAbout(topic, id)).catch(() => this.#end(question));
      this.#endIfComplete(question);
    });
  }

  close() {
    for (const question of this.#questions.values()) this.#end(question);
  }

  /** What cannot be said now is said again later, or not missed. */
  #say(payload) {
    this.#send(payload).catch(() => {});
  }

  #receiveAnswer(node, payload) {
    if (payload.length !== 5 + NODE_LENGTH + 4 || payload.latin1Slice(5, 5 + NODE_LENGTH) !== this.#self) return;
    const question = this.#questions.get(payload.readUInt32BE(1));
    if (question === undefined || question.answered.has(node)) return;
    question.answered.add(node);
    question.missing.delete(node);
    question.connections += payload.readUInt32BE(5 + NODE_LENGTH);
    question.nodes += 1;
    this.#endIfComplete(question);
  }

  #endIfComplete(question) {
    if (question.missing.size === 0 && !question.isOpen) this.#end(question);
  }

  #end({ id, missing, connections, nodes, resolve, timers }) {
    timers.forEach(clearTimeout);
    this.#questions.delete(id);
    const now = Date.now();
    for (const node of missing) {
      if (now - this.#known.get(node) > FORGOTTEN_AFTER) this.#known.delete(node);
    }
    resolve({ connections, nodes, silent: [...missing] });
  }
}

function questionAbout(topic, id) {
  const payload = Buffer.allocUnsafe(5 + Buffer.byteLength(topic));
  payload[0] = QUESTION;
  payload.writeUInt32BE(id, 1);
  payload.write(topic, 5);
  return payload;
}

function answerTo(node, id, connections) {
  const payload = Buffer.allocUnsafe(5 + NODE_LENGTH + 4);
  payload[0] = ANSWER;
  payload.writeUInt32BE(id, 1);
  payload.latin1Write(node, 5, NODE_LENGTH);
  payload.writeUInt32BE(connections, 5 + NODE_LENGTH);
  return payload;
}

module.exports = Nodes;
