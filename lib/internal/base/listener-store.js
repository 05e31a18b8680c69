'use strict';

/**
 * Where an EventEmitter keeps its listeners, by event. As the dictionary that Node makes, the few that a connection has take
 * half a kilobyte; as an object with a shape that all connections have in common, a tenth of that.
 */
function Listeners() {}
Listeners.prototype = Object.create(null);

module.exports = { Listeners };
