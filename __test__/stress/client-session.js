'use strict';

// One life of a client of this package.

const { setTimeout: sleep } = require('timers/promises');
const { client: WebSocketClient } = require('../..');
const { randomPayload, CLOSE_CODES } = require('./random');
const { MAX_OUTSTANDING } = require('./raw-session');

/** Half of the clients compress: of those, half without what they know of earlier messages. */
function connect(world, number, random) {
  const perMessageDeflate = random.chance(50) && { clientNoContextTakeover: random.chance(50), serverNoContextTakeover: random.chance(50) };
  const client = new WebSocketClient({ io: world.io, maxReceivedMessageSize: 1 << 24, perMessageDeflate });
  return new Promise((resolve, reject) => {
    client.on('connect', resolve);
    client.on('connectFailed', reject);
    client.connect(`ws://127.0.0.1:${world.port}/${number}`);
  });
}

function send(connection, { text, data }) {
  if (text) connection.sendUTF(data.toString());
  else connection.sendBytes(data);
}

async function clientSession(world, number, random, expectations) {
  const connection = await connect(world, number, random);
  let closes = 0;
  let closeCode = null;
  connection.on('message', (message) => {
    const text = message.type === 'utf8';
    expectations.message(text, text ? Buffer.from(message.utf8Data) : message.binaryData);
  });
  connection.on('pong', (payload) => expectations.pong(payload));
  connection.on('close', (code) => { closes++; closeCode = code; expectations.wake(); });

  for (let steps = 5 + random.int(world.pace > 1 ? 60 : 200); steps > 0 && !expectations.finished && !world.wantsLess(); steps--) {
    if (world.pace > 1) await sleep(random.int(25 * world.pace));
    const kind = random.int(100);
    if (kind < 60) {
      const message = randomPayload(random, 'e');
      expectations.expectEcho(message);
      send(connection, message);
    } else if (kind < 70) {
      connection.ping(expectations.ping(random));
    } else if (kind < 75) {
      connection.pause();
      setTimeout(() => connection.resume(), 1 + random.int(60));
    } else {
      await sleep(random.int(25));
    }
    if (closes > 0) expectations.fault(`the connection was closed with ${closeCode} ${connection.closeDescription}`);
    await expectations.until(() => expectations.outstandingBytes < MAX_OUTSTANDING || closes > 0, 'echoes');
  }
  if (expectations.finished) return;

  const ending = random.pick(['close', 'close', 'server close', 'destroy']);
  const code = random.pick(CLOSE_CODES);
  world.ending(`client ${ending}`);
  if (ending === 'destroy') {
    world.expectServerClose(number, 1006, `client ${ending}`);
    connection.socket.destroy();
  } else {
    await expectations.until(() => expectations.complete || closes > 0, 'all echoes and pongs');
    world.expectServerClose(number, code, `client ${ending}`);
    if (ending === 'close') connection.close(code, 'bye');
    else connection.sendUTF(`c${JSON.stringify({ drop: false, code, reason: '' })}`);
  }
  await expectations.until(() => closes > 0, `close after "${ending}"`);
  if (expectations.finished) return;
  if (ending !== 'destroy' && closeCode !== code) expectations.fault(`closed with ${closeCode} instead of ${code} on "${ending}"`);
  await sleep(20);
  if (closes !== 1) expectations.fault(`close was emitted ${closes} times`);
}

module.exports = { clientSession };
