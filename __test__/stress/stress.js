'use strict';

// node __test__/stress/stress.js [--io auto|loop|threads|stream] [--seconds 60] [--connections 200] [--seed N]
//
// Prints totals as one line, or the first fault with the seed and exits with 1. The seed decides what every peer sends
// and does, not when the system gets round to it.

const { parseArgs } = require('util');
const { run } = require('./run');

async function main() {
  const { values } = parseArgs({
    options: {
      io: { type: 'string', default: 'auto' },
      seconds: { type: 'string', default: '60' },
      connections: { type: 'string', default: '200' },
      seed: { type: 'string', default: String(Date.now() % 1000000007) }
    }
  });
  const options = {
    io: values.io, seconds: Number(values.seconds), connections: Number(values.connections), seed: Number(values.seed)
  };
  for (const name of ['seconds', 'connections', 'seed']) {
    if (!(options[name] >= 0)) throw new Error(`--${name} must be a number`);
  }
  console.log(`stress ${JSON.stringify(options)}`);
  const { fault, totals } = await run(options);
  if (fault === null) {
    console.log(`ok ${JSON.stringify(totals)}`);
  } else {
    console.log(`FAULT with --io ${options.io} --seed ${options.seed}: ${fault}\n${JSON.stringify(totals)}`);
    process.exitCode = 1;
  }
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
