'use strict';

// Used by all servers of this folder: listens on the port in the environment variable PORT, or says in one line why not.

const path = require('path');

/** How this program was started, for the advice to start it otherwise. */
function command() {
  if (process.env.npm_lifecycle_event === 'start') return 'npm start';
  return `node ${path.relative('', process.argv[1])}`;
}

/** What to say about an error of `listen()`. */
function explain(error, port, host) {
  const another = `Set the environment variable PORT to another one (PORT=0 picks a free one): PORT=8081 ${command()}`;
  switch (error.code) {
    case 'EADDRINUSE':
      return `Port ${port} on ${host} is already in use. ${another}`;
    case 'EACCES':
      return `This user may not listen on port ${port}. ${another}`;
    case 'EADDRNOTAVAIL':
      return `${host} is not an address of this machine. Set the environment variable HOST, for example to 127.0.0.1.`;
    case 'ENOTFOUND':
      return `There is no host ${host}. Set the environment variable HOST, for example to 127.0.0.1.`;
    default:
      return `Cannot listen on ${host}:${port}: ${error.message}`;
  }
}

function fail(line) {
  console.error(line);
  process.exit(1);
}

/** The port in the environment variable PORT, or else `byDefault`. */
function choosePort(byDefault = 8080) {
  const port = Number(process.env.PORT || byDefault);
  if (!Number.isInteger(port) || port < 0 || port > 65535) {
    fail(`PORT must be a number from 0 to 65535, not ${JSON.stringify(process.env.PORT)}.`);
  }
  return port;
}

/**
 * Waits until a server listens.
 * @param {import('events').EventEmitter} server anything with address() and the events `listening` and `error`
 * @param {{ port: number, host: string }} where it has been told to listen
 * @param {(authority: string) => void} onListening gets what stands in the URL for the server, such as `127.0.0.1:8080`
 */
function whenListening(server, { port, host }, onListening) {
  // A port in use and the like. Without a listener, Node ends the process with a stack trace.
  server.once('error', (error) => fail(explain(error, port, host)));
  server.once('listening', () => {
    const { address, port: actualPort, family } = server.address();
    onListening(`${family === 'IPv6' ? `[${address}]` : address}:${actualPort}`);
  });
}

/**
 * @param {import('net').Server} server an HTTP or HTTPS server
 * @param {{ port?: number, host?: string }} options what to use without the environment variable PORT
 * @param {(authority: string) => void} onListening as for whenListening()
 */
function listen(server, { port: byDefault, host = '127.0.0.1' }, onListening) {
  const port = choosePort(byDefault);
  whenListening(server, { port, host }, onListening);
  server.listen(port, host);
}

module.exports = { listen, choosePort, whenListening };
