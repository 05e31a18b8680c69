'use strict';

// The chart of a soak test: what the process holds, over the time it ran.

const fs = require('fs');

const LINES = [
  { field: 'rss', title: 'Resident memory of the server process, MiB' },
  { field: 'peersRss', title: 'Resident memory of the process of the peers, MiB' },
  { field: 'fds', title: 'Descriptors of the server process' },
  { field: 'threads', title: 'Threads of the server process' },
  { field: 'connections', title: 'Connections' },
  { field: 'messages', title: 'Verified messages per second' }
];

function line({ field, title }, values) {
  return {
    title: { text: title, anchor: 'start', fontSize: 11 },
    data: { values },
    width: 360,
    height: 110,
    mark: { type: 'line', color: '#d9480f', strokeWidth: 1 },
    encoding: {
      x: { field: 'minutes', type: 'quantitative', axis: { title: 'minutes', grid: false } },
      // From zero, so that what looks flat is flat.
      y: { field, type: 'quantitative', scale: { zero: true }, axis: { title: null, tickCount: 4 } }
    }
  };
}

/**
 * Writes an SVG; without Vega (Node 18, peers of the benchmark not installed) only a word about it.
 * @param {object[]} samples
 * @param {{ minutes: number, connections: number, io: string }} about
 * @param {string} file
 */
async function writeSoakChart(samples, { minutes, connections, io }, file) {
  let vega;
  let vegaLite;
  try {
    [vega, vegaLite] = await Promise.all([import('vega'), import('vega-lite')]);
  } catch (error) {
    process.stderr.write(`No chart: ${error.message.split('\n')[0]}\n`);
    return;
  }
  const step = Math.ceil(samples.length / 400);
  const values = samples.filter((_, index) => index % step === 0).map((one) => ({ ...one, minutes: one.seconds / 60 }));
  const spec = {
    title: { text: `Soak: ${minutes} minutes, ${connections} connections, io: '${io}'`, anchor: 'start', fontSize: 15, offset: 14 },
    background: 'white',
    columns: 2,
    concat: LINES.filter(({ field }) => typeof values[0]?.[field] === 'number').map((one) => line(one, values))
  };
  const view = new vega.View(vega.parse(vegaLite.compile(spec).spec), { renderer: 'none' });
  fs.writeFileSync(file, await view.toSVG());
  view.finalize();
}

module.exports = { writeSoakChart };
