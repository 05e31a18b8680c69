'use strict';

// Publishes to a registry of its own on this machine (Verdaccio), and installs from it as users do: with npm, pnpm and
// yarn, on two versions of Node.
//
//   npm run test:publish -- [--packages DIRECTORY] [--node MAJOR]... [--client NAME]... [--keep]
//
//   --packages  directories made by scripts/npm-packages.js (default: made now, with the addon of this machine alone)
//   --node      versions of Node to install and run with (default: 18 and 24)
//   --client    clients to install with, such as 'yarn 4' (default: all)
//   --keep      leave the temporary directory, and print its name
//
// What cannot be installed, Verdaccio above all, is skipped with a message. The exit code is 1 when something that ran
// has failed.

const { spawn, spawnSync } = require('child_process');
const { once } = require('events');
const fs = require('fs');
const net = require('net');
const os = require('os');
const path = require('path');
const { parseArgs } = require('util');
const { triple } = require('../lib/internal/addon/platform');
const { npm, cleanEnv } = require('./internal/npm');
const { makePackages } = require('./npm-packages');

const ROOT = path.join(__dirname, '..');
const PROGRAM = path.join(ROOT, '__test__', 'publish', 'program.js');
const { version } = require('../package.json');

/**
 * The clients: the package each comes in, its script, the oldest Node it runs on, and the command that README.md names
 * to see which version of a package is installed.
 */
const CLIENTS = {
  'npm 10': { package: 'npm@10', script: 'npm/bin/npm-cli.js', show: ['ls', 'websocket'] },
  'npm 12': { package: 'npm@12', script: 'npm/bin/npm-cli.js', since: 22, show: ['ls', 'websocket'] },
  'pnpm 10': { package: 'pnpm@10', script: 'pnpm/bin/pnpm.cjs', show: ['why', 'websocket'] },
  'pnpm 12': { package: 'pnpm@12', script: 'pnpm/bin/pnpm.mjs', since: 22, show: ['why', 'websocket'] },
  'yarn 1': { package: 'yarn@1', script: 'yarn/bin/yarn.js', show: ['why', 'websocket'] },
  'yarn 4': { package: '@yarnpkg/cli-dist@4', script: '@yarnpkg/cli-dist/bin/yarn.js', show: ['why', 'websocket'] },
  'yarn 4 with PnP': { package: '@yarnpkg/cli-dist@4', script: '@yarnpkg/cli-dist/bin/yarn.js', pnp: true, show: ['why', 'websocket'] }
};

/**
 * What a project writes to get this package in place of the websocket that its dependencies ask for, as README.md says.
 * @returns {object} what is added to package.json
 */
function override(client, directory, spec) {
  if (client.startsWith('npm')) return { overrides: { websocket: '$websocket' } };
  if (client.startsWith('yarn')) return { resolutions: { websocket: spec } };
  fs.writeFileSync(path.join(directory, 'pnpm-workspace.yaml'), `overrides:\n  websocket: ${JSON.stringify(spec)}\n`);
  return {};
}

class Unavailable extends Error {}

/** Installs packages from the registry everybody uses; throws Unavailable with the reason when that fails. */
function fetchTool(directory, packages, manifest = {}) {
  fs.mkdirSync(directory, { recursive: true });
  fs.writeFileSync(path.join(directory, 'package.json'), JSON.stringify({ private: true, ...manifest }));
  try {
    npm(['install', '--ignore-scripts', '--prefer-offline', ...packages], { cwd: directory });
  } catch (error) {
    const reason = /npm error (?!code|errno|syscall|A complete log)(.*)/.exec(error.message);
    throw new Unavailable(`${packages.join(' ')} could not be installed: ${reason ? reason[1] : error.message.split('\n', 1)[0]}`);
  }
  return path.join(directory, 'node_modules');
}

async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** Starts the registry, which knows nothing but what is published to it. */
async function startRegistry(base) {
  // Verdaccio asks for a tag of node-fetch that copies of the registry may lack.
  const modules = fetchTool(path.join(base, 'verdaccio'), ['verdaccio@6'], { overrides: { 'node-fetch': '2.7.0' } });
  const config = path.join(base, 'registry.yaml');
  fs.writeFileSync(config, [
    `storage: ${JSON.stringify(path.join(base, 'storage'))}`,
    'auth: { htpasswd: { file: ./htpasswd, max_users: -1 } }',
    "packages: { '**': { access: $all, publish: $all } }",
    'max_body_size: 100mb',
    'log: { type: stdout, format: pretty, level: warn }'
  ].join('\n'));
  const port = await freePort();
  const script = path.join(modules, 'verdaccio', 'bin', 'verdaccio');
  const log = fs.openSync(path.join(base, 'registry.log'), 'w');
  const child = spawn(process.execPath, [script, '--config', config, '--listen', `127.0.0.1:${port}`], { cwd: base, env: cleanEnv(), stdio: ['ignore', log, log] });
  fs.closeSync(log);
  const url = `http://127.0.0.1:${port}/`;
  for (let tries = 0; tries < 300; tries++) {
    if (child.exitCode !== null) break;
    try {
      if ((await fetch(`${url}-/ping`)).ok) return { url, child };
    } catch {
      // It does not listen yet.
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  child.kill();
  throw new Error(`the registry did not start:\n${fs.readFileSync(path.join(base, 'registry.log'), 'utf8')}`);
}

/** Publishes a directory or a tarball. */
function publish(what, { url, base }) {
  const userconfig = path.join(base, 'npmrc');
  fs.writeFileSync(userconfig, `registry=${url}\n${url.replace('http:', '')}:_authToken=rehearsal\n`);
  npm(['publish', '--registry', url, '--userconfig', userconfig, '--ignore-scripts', '--tag', 'latest', what], { cwd: base });
}

/** Publishes the packages of a release, what they depend on, and a package that depends on websocket ^1.0.34. */
function publishAll(registry, packages) {
  const { base } = registry;
  const names = fs.readdirSync(packages).filter((name) => name.startsWith('websocket-native-'));
  for (const name of [...names, 'websocket']) publish(path.join(packages, name), registry);

  const lock = JSON.parse(fs.readFileSync(path.join(ROOT, 'package-lock.json'), 'utf8')).packages;
  for (const name of ['debug', 'ms']) {
    const tarball = npm(['pack', '--ignore-scripts', '--prefer-offline', `${name}@${lock[`node_modules/${name}`].version}`], { cwd: base });
    publish(path.join(base, tarball.trim().split('\n').pop()), registry);
  }

  const consumer = path.join(base, 'consumer');
  fs.mkdirSync(consumer);
  const manifest = { name: 'rehearsal-consumer', version: '1.0.0', main: 'index.js', dependencies: { websocket: '^1.0.34' } };
  fs.writeFileSync(path.join(consumer, 'package.json'), JSON.stringify(manifest));
  fs.writeFileSync(path.join(consumer, 'index.js'), "module.exports = require('websocket');\n");
  publish(consumer, registry);
  // One that wants exactly the old version gets this one by overrides alone: the registry has no other.
  const strict = { ...manifest, name: 'rehearsal-strict-consumer', dependencies: { websocket: '1.0.35' } };
  fs.writeFileSync(path.join(consumer, 'package.json'), JSON.stringify(strict));
  publish(consumer, registry);
}

/** The arguments and the settings with which a client installs what package.json names, without any script. */
function installing(client, directory, { url, base }) {
  const cache = path.join(base, 'caches', client.replace(/\W+/g, '-'));
  const env = { npm_config_cache: path.join(cache, 'npm'), CI: '' };
  fs.writeFileSync(path.join(directory, '.npmrc'), `registry=${url}\n`);
  if (client.startsWith('npm')) return { args: ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], env };
  if (client.startsWith('pnpm')) return { args: ['install', '--ignore-scripts', '--no-frozen-lockfile', '--store-dir', path.join(cache, 'store')], env };
  if (client === 'yarn 1') {
    return { args: ['install', '--ignore-scripts', '--non-interactive', '--cache-folder', cache], env };
  }
  fs.writeFileSync(path.join(directory, '.yarnrc.yml'), [
    `npmRegistryServer: ${JSON.stringify(url)}`, 'unsafeHttpWhitelist: [127.0.0.1]', 'enableScripts: false', 'enableTelemetry: false',
    'enableImmutableInstalls: false', `globalFolder: ${JSON.stringify(cache)}`, 'enableGlobalCache: true', 'npmMinimalAgeGate: 0',
    `nodeLinker: ${CLIENTS[client].pnp ? 'pnp' : 'node-modules'}`
  ].join('\n'));
  fs.writeFileSync(path.join(directory, 'yarn.lock'), '');
  return { args: ['install'], env };
}

/** Runs a file with Node; throws with all it wrote when it fails. */
function run(node, args, cwd, env) {
  const result = spawnSync(node, args, { cwd, env: { ...cleanEnv(env), PATH: `${path.dirname(node)}${path.delimiter}${process.env.PATH}` }, encoding: 'utf8', timeout: 300000 });
  if (result.status !== 0) throw new Error(`${args.join(' ')} ended with ${result.status === null ? result.signal || result.error : result.status}\n${result.stdout}${result.stderr}`);
  return result.stdout;
}

/**
 * Installs with one client on one Node, and runs the program; throws when anything is not as it should be.
 * @param {string} spec what the project asks for: a version in the registry, or a tarball
 */
function tryClient(client, node, spec, registry, tools) {
  const directory = fs.mkdtempSync(path.join(registry.base, 'project-'));
  const dependencies = { websocket: spec, 'rehearsal-consumer': '1.0.0', 'rehearsal-strict-consumer': '1.0.0' };
  const manifest = { name: 'project', private: true, dependencies, ...override(client, directory, spec) };
  fs.writeFileSync(path.join(directory, 'package.json'), JSON.stringify(manifest));
  const { args, env } = installing(client, directory, registry);
  const script = path.join(tools[client], CLIENTS[client].script);
  run(node, [script, ...args], directory, env);
  fs.copyFileSync(PROGRAM, path.join(directory, 'program.js'));
  const loader = CLIENTS[client].pnp ? ['--require', './.pnp.cjs'] : [];
  const said = JSON.parse(run(node, [...loader, 'program.js'], directory));
  const problems = [];
  if (said.version !== version) problems.push(`version ${said.version}`);
  if (!said.same) problems.push('the dependents have a websocket of their own');
  if (said.echo !== 'hello') problems.push(`the echo is ${said.echo}`);
  if (said.addon.includes(`websocket-native-${triple()}`) === spec.startsWith('file:')) problems.push(`the addon is ${said.addon}`);
  const shown = run(node, [script, ...CLIENTS[client].show], directory, env);
  if (!shown.includes('websocket') || !(shown.includes(version) || shown.includes(spec))) problems.push(`${CLIENTS[client].show.join(' ')} shows:\n${shown}`);
  if (problems.length > 0) throw new Error(problems.join(', '));
}

/** The executables of Node to run with, by version. */
function findNodes(base, majors) {
  const platform = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
  const nodes = [];
  for (const major of majors) {
    try {
      const modules = fetchTool(path.join(base, `node-${major}`), [`${platform}@${major}`]);
      nodes.push(path.join(modules, platform, 'bin', process.platform === 'win32' ? 'node.exe' : 'node'));
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      console.log(`skipped: Node ${major}: ${error.message}`);
    }
  }
  return nodes.length > 0 ? nodes : [process.execPath];
}

/** The directories with the clients that could be installed. */
function findClients(base, wanted) {
  const tools = {};
  for (const [client, { package: name }] of Object.entries(CLIENTS).filter(([client]) => wanted.includes(client))) {
    try {
      tools[client] = fetchTool(path.join(base, `client-${name.replace(/\W+/g, '-')}`), [name]);
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      console.log(`skipped: ${client}: ${error.message}`);
    }
  }
  return tools;
}

async function rehearse(base, { packages, node: majors, client: wanted }) {
  let directory = packages && path.resolve(packages);
  if (!directory) {
    const artefacts = path.join(base, 'artefacts');
    const binary = `websocket.${triple()}.node`;
    fs.mkdirSync(artefacts);
    fs.copyFileSync(path.join(ROOT, binary), path.join(artefacts, binary));
    directory = path.join(base, 'packages');
    makePackages(artefacts, directory, { rehearsal: true });
  }
  const { url, child } = await startRegistry(base);
  let failed = 0;
  let passed = 0;
  try {
    const registry = { url, base };
    publishAll(registry, directory);
    const tarball = npm(['pack', '--ignore-scripts', '--pack-destination', base], { cwd: ROOT }).trim().split('\n').pop();
    const specs = [version, `file:../${tarball}`];
    const tools = findClients(base, wanted);
    for (const node of findNodes(base, majors)) {
      const name = spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout.trim();
      const clients = Object.keys(tools).filter((client) => Number(/\d+/.exec(name)[0]) >= (CLIENTS[client].since || 18));
      for (const [client, spec] of clients.flatMap((client) => specs.map((spec) => [client, spec]))) {
        const what = `${client}, Node ${name}, websocket@${spec}`;
        try {
          tryClient(client, node, spec, registry, tools);
          console.log(`ok: ${what}`);
          passed++;
        } catch (error) {
          console.log(`FAILED: ${what}: ${error.message}`);
          failed++;
        }
      }
    }
  } finally {
    if (child.exitCode === null) {
      child.kill();
      await once(child, 'exit');
    }
  }
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0;
}

async function main() {
  const { values } = parseArgs({
    options: {
      packages: { type: 'string' },
      node: { type: 'string', multiple: true, default: ['18', '24'] },
      client: { type: 'string', multiple: true, default: Object.keys(CLIENTS) },
      keep: { type: 'boolean', default: false }
    }
  });
  const base = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'websocket-publish-')));
  try {
    if (!(await rehearse(base, values))) process.exitCode = 1;
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    console.log(`skipped: ${error.message}`);
  } finally {
    if (values.keep) console.log(base);
    else fs.rmSync(base, { recursive: true, force: true, maxRetries: 3 });
  }
}

main().catch((error) => {
  console.error(`test:publish: ${error.message}`);
  process.exitCode = 1;
});
