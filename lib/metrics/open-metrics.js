'use strict';

// The text format OpenMetrics 1.0.

const { optionError } = require('../internal/base/errors');
const { shown } = require('../internal/options/kinds');

const contentType = 'application/openmetrics-text; version=1.0.0; charset=utf-8';

/** Names of labels; those that begin with two underscores are reserved. */
const LABEL = /^(?!__)[a-zA-Z_][a-zA-Z0-9_]*$/;

const ESCAPES = { '\\': '\\\\', '\n': '\\n', '"': '\\"' };

function escape(text) {
  return text.replace(/[\\\n"]/g, (character) => ESCAPES[character]);
}

/** The labels of a program as text. */
function readLabels(families, labels) {
  if (typeof labels !== 'object' || labels === null) throw optionError(`The option labels must be an object, not ${shown(labels)}.`);
  const own = new Set(families.flatMap((family) => family.labels));
  return Object.entries(labels).map(([name, value]) => {
    if (!LABEL.test(name) || own.has(name)) {
      throw optionError(`The option labels cannot have ${shown(name)}: a label has letters, digits and _, and is none of ${[...own].join(', ')}.`);
    }
    return [name, String(value)];
  });
}

function sampleLine(name, labels, value) {
  const text = labels.map(([label, content]) => `${label}="${escape(content)}"`).join(',');
  return `${name}${text === '' ? '' : `{${text}}`} ${value}`;
}

/** The figures of a snapshot as text. */
function toText(families, snapshot, labels) {
  const more = readLabels(families, labels);
  const lines = [];
  for (const { name, type, unit, help, samples } of families) {
    lines.push(`# TYPE ${name} ${type}`);
    if (unit !== null) lines.push(`# UNIT ${name} ${unit}`);
    lines.push(`# HELP ${name} ${escape(help)}`);
    const sampleName = type === 'counter' ? `${name}_total` : name;
    for (const [own, value] of samples(snapshot)) lines.push(sampleLine(sampleName, [...more, ...Object.entries(own)], value));
  }
  return `${lines.join('\n')}\n# EOF\n`;
}

module.exports = { contentType, toText };
