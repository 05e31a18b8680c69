'use strict';

/** Prints each deprecation warning once. `deprecationWarningMap` maps names to texts. */
const Deprecation = {
  disableWarnings: false,

  deprecationWarningMap: {},

  warn(deprecationName) {
    if (this.disableWarnings || !this.deprecationWarningMap[deprecationName]) return;
    console.warn(`DEPRECATION WARNING: ${this.deprecationWarningMap[deprecationName]}`);
    this.deprecationWarningMap[deprecationName] = false;
  },
};

module.exports = Deprecation;
