'use strict';

// Builds the fuzz targets of fuzz/ and runs them with libFuzzer. docs/fuzzing.md says what each of them checks.
//
//   npm run fuzz -- [TARGET...] [SECONDS] [--jobs N] [--sanitizer address]
//
//   TARGET       names of targets (default: all)
//   SECONDS      how long each one runs (default: 20)
//   --jobs       how many run at the same time (default: 1)
//   --sanitizer  `address`: look for memory errors as well, at a fraction of the speed
//
// Inputs that reach something new are kept in fuzz/corpus (not committed) and are where the next run begins. An input that
// breaks a target is written to fuzz/artifacts; `npm run fuzz -- TARGET --input FILE` runs a target on that alone.

const { spawn } = require('child_process');
const fs = require('fs');
const path = require('path');
const { parseArgs } = require('util');
const { ROOT, COVERAGE, sanitizer, cargo } = require('./internal/rust');

const FUZZ = path.join(ROOT, 'fuzz');
/** No input may keep a target busy for longer, in seconds. */
const TIMEOUT = 10;
/** No target may need more memory, in MiB; with a sanitizer there is that of its own. */
const MEMORY = 512;
const MEMORY_SANITIZED = 2048;
/** The longest inputs, in bytes. Heads are limited to 16 KiB by the code, which is to be met. */
const LENGTH = 4096;
const LENGTHS = { handshake_request: 20000, handshake_head: 20000, handshake_response: 20000 };

const targets = fs.readdirSync(path.join(FUZZ, 'targets')).map((file) => path.basename(file, '.rs')).sort();

function parse() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      jobs: { type: 'string', default: '1' },
      sanitizer: { type: 'string' },
      input: { type: 'string' }
    }
  });
  const numbers = positionals.filter((word) => /^\d+$/.test(word));
  const names = positionals.filter((word) => !/^\d+$/.test(word) && word !== 'all');
  for (const name of names) {
    if (!targets.includes(name)) throw new Error(`there is no target ${name}; there are ${targets.join(', ')}`);
  }
  if (values.sanitizer !== undefined && values.sanitizer !== 'address') {
    throw new Error(`--sanitizer ${values.sanitizer}: it can be address`);
  }
  if (numbers.length > 1 || !(Number(values.jobs) >= 1)) throw new Error('SECONDS and --jobs are one positive number each');
  return {
    names: names.length > 0 ? names : targets,
    seconds: Number(numbers[0] || 20),
    jobs: Number(values.jobs),
    sanitizer: values.sanitizer,
    input: values.input
  };
}

/** Builds all targets and returns the directory they are in. */
function build(chosen) {
  const extra = chosen ? sanitizer(chosen) : { flags: [], env: {} };
  const args = ['build', '--release', '--locked', '--bins', '--manifest-path', path.join(FUZZ, 'Cargo.toml')];
  const options = { flags: [...COVERAGE, ...extra.flags], env: extra.env, target: chosen ? `fuzz-${chosen}` : 'fuzz' };
  return path.join(cargo(args, options), 'release');
}

/** The arguments of libFuzzer for a target. */
function argumentsOf(name, { seconds, input, sanitizer: chosen }) {
  const common = [
    `-timeout=${TIMEOUT}`, `-rss_limit_mb=${chosen ? MEMORY_SANITIZED : MEMORY}`, `-artifact_prefix=${directory('artifacts', name)}/`
  ];
  if (input) return [...common, path.resolve(input)];
  return [
    ...common, `-max_total_time=${seconds}`, `-max_len=${LENGTHS[name] || LENGTH}`, '-print_final_stats=1',
    directory('corpus', name), path.join(FUZZ, 'seeds', name)
  ];
}

/** A directory of a target under fuzz/, made if it is not there. */
function directory(kind, name) {
  const wanted = path.join(FUZZ, kind, name);
  fs.mkdirSync(wanted, { recursive: true });
  return wanted;
}

/** Runs a target; resolves with what it has done. */
async function run(binaries, name, options) {
  const child = spawn(path.join(binaries, name), argumentsOf(name, options), { stdio: ['ignore', 'ignore', 'pipe'] });
  // Only the end of the output is wanted, of which there may be much.
  let log = '';
  let edges = '?';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    log = (log + text).slice(-100000);
    const table = /PC tables \((\d+) PCs\)/.exec(log);
    if (table) edges = table[1];
  });
  const status = await new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve(code === null ? signal : code));
  });
  const last = (pattern) => [...log.matchAll(pattern)].map((match) => match[1]).pop();
  return {
    name,
    status,
    log,
    executions: Number(last(/stat::number_of_executed_units: *(\d+)/g) || 0),
    covered: last(/ cov: (\d+) /g) || '0',
    edges,
    corpus: last(/ corp: (\d+)\//g) || '0',
    memory: last(/stat::peak_rss_mb: *(\d+)/g) || '?'
  };
}

/** Prints one line for a target, and its output when it failed. */
function report(result, seconds) {
  const { name, status, log, executions, covered, edges, corpus, memory } = result;
  if (status !== 0) console.log(`${log}\n`);
  console.log([
    name.padEnd(20), `${executions} executions`.padStart(22), `${Math.round(executions / seconds)}/s`.padStart(10),
    `${covered} of ${edges} edges`.padStart(20), `${corpus} inputs`.padStart(12), `${memory} MiB`.padStart(9),
    status === 0 ? 'ok' : `FAILED (${status})`
  ].join('  '));
}

async function main() {
  const options = parse();
  const binaries = build(options.sanitizer);
  const waiting = [...options.names];
  let failed = false;
  const worker = async () => {
    while (waiting.length > 0) {
      const result = await run(binaries, waiting.shift(), options);
      failed = failed || result.status !== 0;
      report(result, options.seconds);
    }
  };
  await Promise.all(Array.from({ length: options.jobs }, worker));
  if (failed) process.exitCode = 1;
}

main().catch((error) => {
  console.error(`fuzz: ${error.message}`);
  process.exitCode = 1;
});
