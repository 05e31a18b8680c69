'use strict';

// The echo client the Autobahn suite tests: asks the fuzzing server how many cases there are, runs each over a
// connection of its own and has the report written at the end.
//
//   node client.js URL AGENT [MODULE]   MODULE: what to require instead of this package

const path = require('path');

const [url, agent, moduleName = path.join(__dirname, '..', '..')] = process.argv.slice(2);
const { client: WebSocketClient } = require(moduleName);

/**
 * Opens a connection, echoes what arrives when asked to, and resolves with the last message when it is closed.
 * @param {string} resource path and query
 * @param {boolean} echo
 */
function run(resource, echo) {
  return new Promise((resolve, reject) => {
    const client = new WebSocketClient({
      maxReceivedFrameSize: 64 * 1024 * 1024,
      maxReceivedMessageSize: 64 * 1024 * 1024,
      fragmentOutgoingMessages: false,
      // Sections 12 and 13; the others do without.
      perMessageDeflate: { threshold: 0 }
    });
    client.on('connectFailed', reject);
    client.on('connect', (connection) => {
      let last = null;
      connection.on('error', () => {});
      connection.on('message', (message) => {
        last = message;
        if (!echo) return;
        if (message.type === 'utf8') connection.sendUTF(message.utf8Data);
        else connection.sendBytes(message.binaryData);
      });
      connection.on('close', () => resolve(last));
    });
    client.connect(url + resource, null, null, null, url.startsWith('wss:') ? { ca: require('../helpers/certificates').ca } : undefined);
  });
}

async function main() {
  const name = encodeURIComponent(agent);
  const answer = await run('/getCaseCount', false);
  const cases = Number(answer && answer.utf8Data);
  if (!Number.isInteger(cases)) throw new Error('the fuzzing server did not say how many cases there are');
  for (let number = 1; number <= cases; number++) {
    try {
      await run(`/runCase?case=${number}&agent=${name}`, true);
    } catch (error) {
      // The report will lack the case; the others still run.
      console.error(`case number ${number}: ${error.message}`);
    }
  }
  await run(`/updateReports?agent=${name}`, false);
}

main().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
