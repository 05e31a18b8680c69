'use strict';

// A process of lanes.js.

const { PeerThread, runSeed } = require('./runner');

async function main() {
  const { seeds, stopAt = [], until = null, ...options } = JSON.parse(process.argv[2]);
  const peers = new PeerThread();
  await peers.start();
  for (const seed of seeds) {
    if (until !== null && Date.now() > until) break;
    const { faults, totals } = await runSeed({ ...options, seed }, peers);
    process.send({ faults, totals });
    if (faults.some(({ kind }) => stopAt.includes(kind))) break;
  }
  process.send('done');
  await peers.stop();
  // Nothing is left now that keeps the process alive.
  process.disconnect();
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
