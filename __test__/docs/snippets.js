'use strict';

// The pages of the documentation, and the code in them.
//
// A comment in front of a block says what the page does not show:
//   <!-- file: NAME -->     other blocks of the page load it by this name
//   <!-- not run: WHY -->   a program, by its looks, that cannot run alone
//   <!-- not compiled: WHY -->

const fs = require('fs');
const path = require('path');
const { npm } = require('../../scripts/internal/npm');

const ROOT = path.resolve(__dirname, '../..');
const PAGES = ['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md',
  ...['docs', 'docs/recipes'].flatMap((folder) => fs.readdirSync(path.join(ROOT, folder)).filter((name) => name.endsWith('.md')).sort()
    .map((name) => `${folder}/${name}`))];

const BLOCK = /(?:^<!-- (file|not run|not compiled): (.+?) -->\n)?^```(js|ts)\n([^]*?)^```$/gm;

/**
 * The JavaScript and TypeScript blocks of a page.
 * @param {string} page path from the root of the repository
 */
function snippetsOf(page) {
  const text = fs.readFileSync(path.join(ROOT, page), 'utf8').replace(/\r\n/g, '\n');
  return [...text.matchAll(BLOCK)].map(({ index, 1: marker, 2: value, 3: language, 4: code }, number) => ({
    page,
    line: text.slice(0, index).split('\n').length,
    language,
    code,
    file: marker === 'file' ? value : `${number + 1}.${extension(language, code)}`,
    // What loads the package is a program; anything else is a part of one.
    isCompiled: marker !== 'not compiled',
    isProgram: marker !== 'not run' && language === 'js' && /(require\(|from )'websocket(?:\/ws(?:\.mjs)?)?'/.test(code),
  }));
}

function extension(language, code) {
  return language === 'js' && /^import /m.test(code) ? 'mjs' : language;
}

/** The block of a page that has a name. */
function namedSnippet(page, file) {
  const found = snippetsOf(page).find((snippet) => snippet.file === file);
  if (found === undefined) throw new Error(`${page} has no block with the name ${file}.`);
  return found;
}

/**
 * Makes a project in `directory` with these packages, and with this one as `websocket`.
 * @returns {string|null} why they could not be installed
 */
function makeProject(directory, packages) {
  let problem = null;
  fs.writeFileSync(path.join(directory, 'package.json'), '{ "private": true }');
  try {
    npm(['install', '--ignore-scripts', '--prefer-offline', '--fetch-retries=0', ...packages], { cwd: directory });
  } catch (error) {
    problem = `${packages} cannot be installed: ${error.message.split('\n')[0]}`;
  }
  linkPackage(directory);
  return problem;
}

/** Makes `websocket` this package for programs in `directory`. */
function linkPackage(directory) {
  const modules = path.join(directory, 'node_modules');
  fs.mkdirSync(modules, { recursive: true });
  const link = path.join(modules, 'websocket');
  fs.rmSync(link, { recursive: true, force: true });
  fs.symlinkSync(ROOT, link, 'junction');
}

/** The code with another port than that of the pages. */
const withPort = (code, port) => code.replaceAll('8080', String(port));

module.exports = { ROOT, PAGES, snippetsOf, namedSnippet, makeProject, linkPackage, withPort };
