'use strict';

/** What a case can come to, from best to worst. */
const VERDICTS = ['OK', 'INFORMATIONAL', 'UNIMPLEMENTED', 'NON-STRICT', 'FAILED'];

/** Verdicts that are no fault. */
const GOOD = new Set(['OK', 'INFORMATIONAL', 'UNIMPLEMENTED']);

module.exports = { VERDICTS, GOOD };
