'use strict';

// Runs npm from a script or a test, whatever node runs us and wherever npm lives.

const { spawnSync } = require('child_process');

const QUIET = ['--no-audit', '--no-fund', '--loglevel=error'];

/** Settings of an outer `npm run` that would change what an inner npm does. */
const INHERITED = /^npm_(config_(local_prefix|omit|include|only|production|save.*|ignore_scripts|workspaces?|dry_run|json|global)|package_.*|lifecycle_.*|command)$/i;

/** The environment for an npm of its own: the caller's without what an outer npm put there. */
function cleanEnv(extra) {
  const env = {};
  for (const [name, value] of Object.entries(process.env)) if (!INHERITED.test(name)) env[name] = value;
  return { ...env, ...extra };
}

let found;

/**
 * How npm is started: the very npm that runs us, with the very node it runs on (this script's own node may be too
 * old or too new for it), else the one on the PATH.
 */
function command() {
  if (found) return found;
  const { npm_execpath: script, npm_node_execpath: node } = process.env;
  if (script && /npm-cli\.js$/.test(script)) found = { file: node || process.execPath, args: [script], shell: false };
  // npm.cmd can only be started by a shell
  else found = { file: 'npm', args: [], shell: process.platform === 'win32' };
  return found;
}

/**
 * Runs npm and returns its standard output; throws an Error with all its output when it fails.
 * @param {string[]} args
 * @param {object} options
 * @param {string} options.cwd
 * @param {object} [options.env] added to the environment
 * @param {number} [options.timeout] milliseconds
 */
function npm(args, { cwd, env, timeout = 300000 }) {
  const { file, args: first, shell } = command();
  const all = [...first, ...args, ...QUIET];
  const result = spawnSync(file, shell ? all.map((arg) => `"${arg}"`) : all, {
    cwd,
    shell,
    timeout,
    env: cleanEnv(env),
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024
  });
  if (result.error) throw new Error(`npm could not be run: ${result.error.message}`);
  if (result.status !== 0) {
    const how = result.signal ? `was ended by ${result.signal}` : `exited with ${result.status}`;
    throw new Error(`npm ${args.join(' ')} ${how} in ${cwd}\n${result.stdout}${result.stderr}`);
  }
  return result.stdout;
}

module.exports = { npm, cleanEnv };
