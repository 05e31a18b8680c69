'use strict';

// A reporter for `node --test`: a line of JSON for each test.

/** @param {AsyncIterable<{ type: string, data: object }>} events */
module.exports = async function* report(events) {
  const names = [];
  for await (const { type, data } of events) {
    if (type === 'test:start') names.splice(data.nesting, Infinity, data.name);
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    const { details, file, name, nesting, skip, todo } = data;
    // A suite is not a test, and neither is the file, which Node reports when its process fails.
    if (details.type === 'suite' || !file || (name === file && type === 'test:pass')) continue;
    const fails = type === 'test:fail' && todo === undefined;
    const { error } = details;
    const detail = fails ? String((error.cause && error.cause.stack) || error.stack || error) : '';
    const status = skip !== undefined || todo !== undefined ? 'skip' : fails ? 'fail' : 'pass';
    yield `${JSON.stringify({ file, name: [...names.slice(0, nesting), name].join(' > '), status, detail })}\n`;
  }
};
