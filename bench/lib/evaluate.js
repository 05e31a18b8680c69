'use strict';

// From samples to medians, ratios and goals.

/** The median; null for nothing. */
function median(values) {
  const sorted = values.filter((value) => value !== null && value !== undefined).sort((a, b) => a - b);
  if (sorted.length === 0) return null;
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** What is worth a median. */
const METRICS = ['cpu', 'user', 'system', 'main', 'rate', 'p50', 'p99', 'rss', 'heap', 'loadShare'];

/** Medians of every metric over the rounds of one peer, and the spread of the main one. */
function summarize(samples) {
  const summary = { rounds: samples.length };
  for (const metric of METRICS) {
    const value = median(samples.map((sample) => sample[metric]));
    if (value !== null) summary[metric] = value;
  }
  const figures = samples.map((sample) => (sample.cpu === undefined ? sample.rss : sample.cpu));
  summary.lowest = Math.min(...figures);
  summary.highest = Math.max(...figures);
  return summary;
}

/**
 * The median of the ratios inside each round: what the machine did in one round it did to both.
 * @param {object[]} mine samples, each with its `round`
 * @param {object[][]} others of each the samples; the best one of a round is compared with
 */
function ratio(mine, others, metric) {
  const ratios = [];
  for (const sample of mine) {
    const figures = others.map((samples) => samples.find(({ round }) => round === sample.round));
    if (figures.some((figure) => !figure || figure[metric] === null)) continue;
    if (sample[metric] === null || sample[metric] === undefined) continue;
    ratios.push(sample[metric] / Math.min(...figures.map((figure) => figure[metric])));
  }
  return median(ratios);
}

/** One goal against the samples: what was reached, or why that cannot be said. */
function judge(goal, samples) {
  const missing = [goal.of, ...(goal.than ? [goal.than].flat() : [])].filter((peer) => !samples[peer]);
  if (missing.length > 0) return { ...goal, reached: null, met: null, why: `${missing.join(', ')} not measured` };
  if (goal.atMost !== undefined) {
    const reached = median(samples[goal.of].map((sample) => sample[goal.metric]));
    return verdict(goal, reached, goal.atMost);
  }
  const others = [goal.than].flat().map((peer) => samples[peer]);
  return verdict(goal, ratio(samples[goal.of], others, goal.metric), goal.ratio);
}

function verdict(goal, reached, bound) {
  if (reached === null) return { ...goal, reached, met: null, why: 'no figures' };
  return { ...goal, reached, met: reached <= bound };
}

/**
 * Everything there is to say about one workload.
 * @param {object} workload
 * @param {object[]} samples of this workload, each with `peer` and `round`
 * @param {number} autoNoise how far 'auto' may be from the better of 'loop' and 'threads'
 */
function evaluate(workload, samples, autoNoise) {
  const byPeer = {};
  for (const sample of samples) (byPeer[sample.peer] ??= []).push(sample);
  const goals = [...workload.goals];
  const metric = workload.mode === 'idle' ? 'rss' : 'cpu';
  if (byPeer.ours && byPeer['ours-loop'] && byPeer['ours-threads']) {
    goals.push({ of: 'ours', metric, than: ['ours-loop', 'ours-threads'], ratio: autoNoise });
  }
  const ratios = {};
  for (const mine of Object.keys(byPeer).filter((peer) => peer.startsWith('ours'))) {
    const others = Object.keys(byPeer).filter((peer) => peer !== mine);
    ratios[mine] = Object.fromEntries(others.map((peer) => [peer, ratio(byPeer[mine], [byPeer[peer]], metric)]));
  }
  return {
    id: workload.id,
    title: workload.title,
    mode: workload.mode,
    unit: workload.unit,
    load: workload.load,
    peers: Object.fromEntries(Object.entries(byPeer).map(([peer, list]) => [peer, summarize(list)])),
    ratios,
    goals: goals.map((goal) => judge(goal, byPeer)),
    samples
  };
}

module.exports = { evaluate, median };
