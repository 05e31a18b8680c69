'use strict';

// The program's own store: what was said, in one file for each room. All processes append to the same file, and a line of this
// length is written at once, so lines do not mix. Your program has a database in this place.
//
// The engine between the processes keeps nothing. Who was away reads here what was missed.

const fs = require('fs/promises');
const path = require('path');

const LIMIT = 50; // messages that somebody gets who comes

class Store {
  constructor(directory) {
    this.directory = directory;
  }

  file(room) {
    return path.join(this.directory, `${Buffer.from(room).toString('hex')}.jsonl`);
  }

  async append(room, message) {
    await fs.appendFile(this.file(room), `${JSON.stringify(message)}\n`);
  }

  /** The last messages; only those behind the one with the id `after`, if it is among them. */
  async read(room, after) {
    let text = '';
    try {
      text = await fs.readFile(this.file(room), 'utf8');
    } catch (error) {
      if (error.code !== 'ENOENT') throw error; // nothing was said yet
    }
    const messages = text.split('\n').slice(0, -1).slice(-LIMIT).map((line) => JSON.parse(line));
    return messages.slice(messages.findIndex(({ id }) => id === after) + 1);
  }
}

module.exports = { Store };
