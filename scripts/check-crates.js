'use strict';

// Checks the crates of Cargo.lock against deny.toml: licences and sources. The part of `cargo deny check` that
// needs neither cargo-deny nor a download, for machines where it is not installed.
//
//   node scripts/check-crates.js

const { spawnSync } = require('child_process');
const fs = require('fs');
const path = require('path');

const ROOT = path.join(__dirname, '..');

/** The strings of a TOML array `key = [ ... ]` in a section, which is all of TOML that deny.toml's lists need. */
function stringArray(toml, section, key) {
  const body = new RegExp(`^\\[${section}\\]$([\\s\\S]*?)(?=^\\[\\w|(?![\\s\\S]))`, 'm').exec(toml);
  const array = body && new RegExp(`^${key} = \\[([\\s\\S]*?)\\]`, 'm').exec(body[1]);
  if (!array) throw new Error(`deny.toml has no ${key} in [${section}]`);
  return [...array[1].replace(/#.*$/gm, '').matchAll(/"([^"]*)"/g)].map((match) => match[1]);
}

/**
 * Whether an SPDX expression can be satisfied with the allowed licences. AND binds tighter than OR; the old form
 * `MIT/Apache-2.0` means OR.
 */
function isAllowed(expression, allowed) {
  const tokens = expression.replace(/\s*\/\s*/g, ' OR ').match(/\(|\)|[^\s()]+/g) || [];
  let at = 0;
  const atom = () => {
    if (tokens[at] === '(') {
      at++;
      const value = either();
      at++;
      return value;
    }
    let name = tokens[at++];
    if (tokens[at] === 'WITH') {
      name += ` WITH ${tokens[at + 1]}`;
      at += 2;
    }
    return allowed.has(name);
  };
  const both = () => {
    let value = atom();
    while (tokens[at] === 'AND') {
      at++;
      value = atom() && value;
    }
    return value;
  };
  function either() {
    let value = both();
    while (tokens[at] === 'OR') {
      at++;
      value = both() || value;
    }
    return value;
  }
  return tokens.length > 0 && either() && at === tokens.length;
}

function main() {
  const toml = fs.readFileSync(path.join(ROOT, 'deny.toml'), 'utf8');
  const allowed = new Set(stringArray(toml, 'licenses', 'allow'));
  const registries = new Set(stringArray(toml, 'sources', 'allow-registry').map((url) => `registry+${url}`));
  const result = spawnSync('cargo', ['metadata', '--locked', '--all-features', '--format-version', '1'], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024
  });
  if (result.status !== 0) throw new Error(`cargo metadata failed${result.error ? `: ${result.error.message}` : ''}`);
  const { packages, workspace_members: members } = JSON.parse(result.stdout);

  const faults = [];
  for (const { id, name, version, license, license_file: file, source } of packages) {
    if (members.includes(id)) continue;
    if (!isAllowed(license || '', allowed)) faults.push(`${name} ${version}: licence ${license || file || 'unknown'}`);
    if (!registries.has(source)) faults.push(`${name} ${version}: comes from ${source || 'a path'}`);
  }
  for (const fault of faults) console.error(fault);
  console.log(`crates: ${packages.length - members.length} checked, ${faults.length} faults`);
  return faults.length === 0;
}

if (require.main === module) {
  try {
    if (!main()) process.exitCode = 1;
  } catch (error) {
    console.error(`check-crates: ${error.message}`);
    process.exitCode = 1;
  }
}

module.exports = { isAllowed, stringArray };
