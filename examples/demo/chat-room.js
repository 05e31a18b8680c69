'use strict';

// The "chat" subprotocol: JSON in text messages.
//
//   client to server   { type: 'join', name }                         once, first
//                      { type: 'say', text }
//   server to client   { type: 'welcome', name, people, history }     the name may differ from the one asked for
//                      { type: 'said', name, text, time }
//                      { type: 'joined', name, people }
//                      { type: 'left', name, people }
//                      { type: 'error', text }
//
// Nothing a peer sends is trusted, and nothing grows without bound: not the history, not the number of people, not what
// waits for somebody who does not read, not the rate at which one of them can make the server talk to all others.

const { connection: WebSocketConnection } = require('../../'); // in your own project: require('websocket')

const LIMITS = {
  people: 200,
  history: 50,
  name: 24, // characters
  text: 500,
  message: 8192, // length of the JSON text
  burst: 20, // messages at once, and then
  perSecond: 5,
  unread: 200, // messages waiting for a peer that does not read
};

/** Words in one line: without control, invisible and direction-changing characters, at most `limit` characters. */
function cleanText(value, limit) {
  if (typeof value !== 'string') return '';
  const line = value.replace(/[\p{C}\p{Zl}\p{Zp}\s]+/gu, ' ').trim();
  return [...line].slice(0, limit).join('');
}

/** How names are compared: nobody shall pass for somebody else by the case or by the width of letters. */
function nameKey(name) {
  return name.normalize('NFKC').toLowerCase();
}

class ChatRoom {
  /**
   * @param {Partial<typeof LIMITS>} [limits]
   * @param {() => number} [now] the clock, in milliseconds
   */
  constructor(limits = {}, now = Date.now) {
    this.limits = { ...LIMITS, ...limits };
    this.now = now;
    this.members = new Set(); // also those that have not joined yet; these have no name
    this.history = [];
  }

  /** Takes in a connection that was just accepted. */
  add(connection) {
    if (this.members.size >= this.limits.people) {
      connection.close(1013, 'The room is full, try again later.');
      return;
    }
    const member = { connection, name: null, unread: 0, budget: this.limits.burst, refilled: this.now() };
    this.members.add(member);
    connection.on('message', (message) => this.receive(member, message));
    connection.on('close', () => this.remove(member));
  }

  /** Closes the connection of somebody who does not behave, and does not wait for the end of it. */
  expel(member, code, reason) {
    member.connection.close(code, reason);
    this.remove(member);
  }

  remove(member) {
    if (this.members.delete(member) && member.name !== null) {
      this.sendToAll({ type: 'left', name: member.name, people: this.people() });
    }
  }

  receive(member, message) {
    if (!this.members.has(member)) return; // expelled, and this was under way
    if (!this.mayTalk(member)) {
      this.expel(member, WebSocketConnection.CLOSE_REASON_POLICY_VIOLATION, 'Too many messages.');
      return;
    }
    if (message.type !== 'utf8') {
      this.expel(member, WebSocketConnection.CLOSE_REASON_UNPROCESSABLE_INPUT, 'Chat messages are JSON text.');
      return;
    }
    if (message.utf8Data.length > this.limits.message) {
      this.expel(member, WebSocketConnection.CLOSE_REASON_MESSAGE_TOO_BIG, 'Chat messages are short.');
      return;
    }
    let request;
    try {
      request = JSON.parse(message.utf8Data);
    } catch {
      request = null;
    }
    const type = request !== null && typeof request === 'object' ? request.type : undefined;
    if (type === 'join') this.join(member, request.name);
    else if (type === 'say') this.say(member, request.text);
    else this.send(member, { type: 'error', text: 'A chat message is {"type":"join","name":…} or {"type":"say","text":…}.' });
  }

  join(member, wish) {
    const name = cleanText(wish, this.limits.name);
    if (member.name !== null) {
      this.send(member, { type: 'error', text: `You are here already, as ${member.name}.` });
    } else if (name === '') {
      this.send(member, { type: 'error', text: 'Please tell a name.' });
    } else {
      member.name = this.freeName(name);
      const people = this.people();
      this.send(member, { type: 'welcome', name: member.name, people, history: this.history });
      this.sendToAll({ type: 'joined', name: member.name, people }, member);
    }
  }

  say(member, words) {
    const text = cleanText(words, this.limits.text);
    if (member.name === null) {
      this.send(member, { type: 'error', text: 'Please join first.' });
    } else if (text !== '') {
      const entry = { name: member.name, text, time: this.now() };
      this.history.push(entry);
      if (this.history.length > this.limits.history) this.history.shift();
      this.sendToAll({ type: 'said', ...entry });
    }
  }

  /** The name, or the name with a number when somebody present has it. */
  freeName(name) {
    const taken = new Set(this.people().map(nameKey));
    let candidate = name;
    for (let number = 2; taken.has(nameKey(candidate)); number++) candidate = `${name} (${number})`;
    return candidate;
  }

  people() {
    return [...this.members].map((member) => member.name).filter((name) => name !== null);
  }

  /** A token bucket: `burst` messages at once, `perSecond` in the long run. */
  mayTalk(member) {
    const now = this.now();
    const refill = (now - member.refilled) / 1000 * this.limits.perSecond;
    member.budget = Math.min(this.limits.burst, member.budget + refill);
    member.refilled = now;
    if (member.budget < 1) return false;
    member.budget -= 1;
    return true;
  }

  sendToAll(event, except) {
    const text = JSON.stringify(event);
    for (const member of [...this.members]) {
      if (member !== except && member.name !== null) this.sendText(member, text);
    }
  }

  send(member, event) {
    this.sendText(member, JSON.stringify(event));
  }

  sendText(member, text) {
    const { connection } = member;
    if (!connection.connected) return; // it is closing, its 'close' event removes it
    member.unread = connection.outputBufferFull ? member.unread + 1 : 0;
    if (member.unread > this.limits.unread) {
      connection.drop(WebSocketConnection.CLOSE_REASON_POLICY_VIOLATION, 'Reading too slowly.');
      return;
    }
    connection.sendUTF(text);
  }
}

module.exports = { ChatRoom, LIMITS };
