'use strict';

// What a release is checked for, and what is changed in its texts.

const fs = require('fs');

/** The oldest glibc on which the binaries for linux-*-gnu run. They are built where there is no newer one. */
const GLIBC_FLOOR = '2.28';

/** The name that no host has (RFC 2606); it stands in package.json where the publisher has to write something. */
const PLACEHOLDER = 'example.invalid';

/** Whether a version such as 2.34 is newer than another. */
function isNewer(version, other) {
  return version.localeCompare(other, 'en', { numeric: true }) > 0;
}

/** The newest glibc whose symbols a library uses, from the names of their versions in its table of strings. */
function glibcNeeded(file) {
  const versions = [...fs.readFileSync(file, 'latin1').matchAll(/\0GLIBC_(\d+(?:\.\d+)+)(?=\0)/g)].map((match) => match[1]);
  return versions.reduce((newest, version) => (newest && !isNewer(version, newest) ? newest : version), null);
}

/** The fields of a package.json that still have to be filled in. */
function placeholders(manifest) {
  return ['author', 'homepage', 'repository', 'bugs'].filter((name) => {
    const text = JSON.stringify(manifest[name]);
    return text === undefined || text.includes(PLACEHOLDER);
  });
}

/**
 * A Markdown text whose links to files of the repository are links to its web pages, as of the tag of this version.
 * @param {string} text
 * @param {object} manifest package.json
 */
function withAbsoluteLinks(text, { repository, version }) {
  const base = repository.url.replace(/^git\+/, '').replace(/\.git$/, '');
  const absolute = (link, kind) => (/^(?:[a-z][a-z0-9+.-]*:|\/|#)/i.test(link) ? link : `${base}/${kind}/v${version}/${link.replace(/^\.\//, '')}`);
  return text
    .replace(/(!\[[^\]]*\]\()([^()\s]+)\)/g, (_, before, link) => `${before}${absolute(link, 'raw')})`)
    .replace(/(\]\()([^()\s]+)\)/g, (_, before, link) => `${before}${absolute(link, 'blob')})`)
    .replace(/^(\[[^\]]+\]: *)(\S+)/gm, (_, before, link) => `${before}${absolute(link, 'blob')}`);
}

/** The directories of this list that a binary names. */
function directoriesNamed(file, directories) {
  const content = fs.readFileSync(file);
  return directories.filter((directory) => content.includes(directory));
}

module.exports = { GLIBC_FLOOR, PLACEHOLDER, isNewer, glibcNeeded, placeholders, withAbsoluteLinks, directoriesNamed };
