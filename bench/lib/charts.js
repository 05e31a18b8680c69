'use strict';

// SVG charts with Vega-Lite: bars per workload and peer.

const fs = require('fs');
const path = require('path');
const { PEERS } = require('./peers');
const { figure } = require('./tables');

/** One colour per peer in every chart; ours stands out, what is not WebSocket in Node is grey. */
const COLOURS = {
  floor: '#9aa0a6', net: '#c4c7cc',
  ours: '#d9480f', 'ours-loop': '#f08c4a', 'ours-threads': '#b3261e', 'ours-stream': '#f7b98b', 'ours-native': '#7f1d1d', 'ours-w3c': '#e8590c', 'ours-ws': '#fd7e14',
  uwebsockets: '#2b8a3e', ws: '#1971c2', 'ws-bufferutil': '#74a9dd', websocket: '#6741d9', 'faye-websocket': '#b197fc',
  undici: '#0b7285', node: '#5c940d',
  'socketio-ours': '#d9480f', 'socketio-ws': '#1971c2'
};

/** What is drawn: file name, title, workloads, metric. */
const CHARTS = [
  { file: 'cpu', title: 'CPU per message of the server process, µs (less is better)', metric: 'cpu', modes: ['echo'] },
  { file: 'broadcast-connect', title: 'CPU per delivery or connection, µs (less is better)', metric: 'cpu', modes: ['broadcast', 'connect'] },
  { file: 'js-thread', title: 'CPU per message of the JS thread, µs (less is better)', metric: 'main', modes: ['echo', 'broadcast'], skip: ['floor', 'net'] },
  { file: 'latency', title: 'Latency, 99th percentile, µs (less is better)', metric: 'p99', modes: ['echo'] },
  { file: 'clients', title: 'CPU per message of the client process, µs (less is better)', metric: 'cpu', modes: ['client'] },
  { file: 'memory', title: 'Memory of an idle connection, bytes (less is better)', metric: 'rss', modes: ['idle'] }
];

/** The Vega-Lite specification of one chart, null when there is nothing to draw. */
function specification({ title, metric, modes, skip = [] }, workloads) {
  const panels = workloads.filter(({ mode }) => modes.includes(mode)).map((workload) => ({
    title: workload.title,
    values: Object.keys(PEERS)
      .filter((peer) => !skip.includes(peer) && workload.peers[peer] && typeof workload.peers[peer][metric] === 'number')
      .map((peer) => ({ peer, value: workload.peers[peer][metric], label: figure(workload.peers[peer][metric]) }))
  })).filter(({ values }) => values.length > 0);
  if (panels.length === 0) return null;
  return {
    title: { text: title, anchor: 'start', fontSize: 15, offset: 14 },
    background: 'white',
    columns: panels.length > 1 ? 2 : 1,
    // Every workload has its own scale: they differ by a factor of a hundred thousand.
    concat: panels.map(panel),
    resolve: { scale: { x: 'independent', y: 'independent', color: 'independent' } }
  };
}

/** The bars of one workload. */
function panel({ title, values }) {
  const peers = values.map(({ peer }) => peer);
  const y = { field: 'peer', type: 'nominal', sort: peers, axis: { title: null } };
  const x = { field: 'value', type: 'quantitative', axis: { title: null, grid: false, tickCount: 4 } };
  const color = { field: 'peer', type: 'nominal', scale: { domain: peers, range: peers.map((peer) => COLOURS[peer]) }, legend: null };
  return {
    title: { text: title, anchor: 'start', fontSize: 11 },
    data: { values },
    width: 300,
    height: { step: 16 },
    layer: [
      { mark: 'bar', encoding: { y, x, color } },
      { mark: { type: 'text', align: 'left', dx: 3, fontSize: 10 }, encoding: { y, x, text: { field: 'label' } } }
    ]
  };
}

/** Writes the charts into a directory and returns their files; without Vega (Node 18, no network) none, with a word. */
async function writeCharts(workloads, directory) {
  let vega;
  let vegaLite;
  try {
    [vega, vegaLite] = await Promise.all([import('vega'), import('vega-lite')]);
  } catch (error) {
    process.stderr.write(`No charts: ${error.message.split('\n')[0]}\n`);
    return [];
  }
  const files = [];
  for (const chart of CHARTS) {
    const spec = specification(chart, workloads);
    if (!spec) continue;
    const view = new vega.View(vega.parse(vegaLite.compile(spec).spec), { renderer: 'none' });
    const file = path.join(directory, `${chart.file}.svg`);
    fs.writeFileSync(file, await view.toSVG());
    view.finalize();
    files.push(file);
  }
  return files;
}

module.exports = { writeCharts };
