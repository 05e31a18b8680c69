'use strict';

// Runs a scenario on the original and on the package under test and compares what happened.
//   WEBSOCKET_UNDER_TEST=path-or-name   compares another package (websocket-1.0.35 itself: checks the harness for flakiness)
//   WEBSOCKET_TRACE=1                   prints the traces
//   WEBSOCKET_TEST_LISTENER=native      servers under test listen themselves, where a scenario has no server of its own

const fs = require('fs');
const path = require('path');
const test = require('node:test');
const assert = require('node:assert');
const { reference, subject } = require('./packages');
const { Context } = require('./context');
const { judge } = require('./compare');
const deliberate = require('./deliberate');
const { exempt } = require('./exempt');

const LIMIT = 8000;

/** Exceptions that reach nobody belong to the trace: a peer that can cause one can end the process. */
async function capturingUncaught(context, body) {
  const uncaught = [];
  process.setUncaughtExceptionCaptureCallback((error) => {
    uncaught.push(error);
    context.lane('uncaught')('uncaught', error);
  });
  try {
    await body();
  } finally {
    process.setUncaughtExceptionCaptureCallback(null);
  }
  return uncaught;
}

/**
 * One run on one package.
 * @returns {Promise<{ lanes: Object<string, string[]>, uncaught: Error[] }>}
 */
async function runOn(pkg, scenario) {
  const context = new Context(pkg);
  let failure = null;
  const uncaught = await capturingUncaught(context, async () => {
    let timer;
    const limit = new Promise((resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`not finished after ${LIMIT} ms`)), LIMIT);
    });
    try {
      await Promise.race([scenario.run(context), limit]);
    } catch (error) {
      failure = error;
    } finally {
      clearTimeout(timer);
      await context.cleanup();
    }
  });
  const lanes = context.recorder.lanes();
  if (failure) {
    failure.message += `\n  on ${pkg === reference ? 'the original' : 'the package under test'}; trace so far:\n${print(lanes)}`;
    throw failure;
  }
  return { lanes, uncaught };
}

function print(lanes) {
  return Object.entries(lanes).map(([lane, lines]) => [`    lane "${lane}"`, ...lines.map((line) => `      ${line}`)].join('\n')).join('\n');
}

/** Faults of a scenario itself, which would make it worthless. */
function checkScenario(scenario) {
  assert.ok(scenario.name && typeof scenario.run === 'function', 'a scenario has a name and a run function');
  if (!scenario.differs) return;
  const { id, why, changes } = scenario.differs;
  assert.ok(why, 'a deliberate change has a reason');
  assert.ok(Array.isArray(changes) && changes.length > 0, 'a deliberate change states what changes');
  for (const one of id.split(', ')) assert.ok(deliberate[one], `unknown deliberate change ${one}`);
}

/** Runs a scenario on both packages and fails when they differ otherwise than declared. */
async function compareScenario(scenario, { theirs = reference, ours = subject } = {}) {
  checkScenario(scenario);
  const original = await runOn(theirs, scenario);
  if (!scenario.crashes) {
    assert.deepStrictEqual(original.uncaught, [], 'the original lets no exception escape, or the scenario says `crashes: true`');
  }
  assert.ok(Object.keys(original.lanes).length > 0, 'a scenario that notes nothing cannot fail');
  if (process.env.WEBSOCKET_TRACE) console.log(`${scenario.name}\n${print(original.lanes)}`);
  const other = await runOn(ours, scenario);
  const complaint = judge(scenario, original.lanes, other.lanes, theirs.root === ours.root);
  if (complaint) assert.fail(complaint);
}

/**
 * Loads the scenarios of a file, each with the deliberate changes that `differences/` declares for it.
 * @param {string} file name of a file in `scenarios/`
 */
function load(file) {
  const scenarios = require(`./scenarios/${file}`);
  const declared = fs.existsSync(path.join(__dirname, 'differences', `${file}.js`)) ? require(`./differences/${file}`) : {};
  for (const name of Object.keys(declared)) {
    assert.ok(scenarios.some((scenario) => scenario.name === name), `differences/${file}.js names no scenario: "${name}"`);
  }
  return scenarios.map((scenario) => ({ ...scenario, differs: declared[scenario.name] }));
}

/** One test for each scenario of these files. */
function suite(theme, ...files) {
  const names = new Set();
  test.describe(theme, () => {
    for (const scenario of files.flatMap(load)) {
      assert.ok(!names.has(scenario.name), `two scenarios are called "${scenario.name}"`);
      names.add(scenario.name);
      test.it(scenario.name, { skip: exempt(scenario.name) || false }, () => compareScenario(scenario));
    }
  });
}

module.exports = { suite, load, compareScenario, runOn };
