'use strict';

// Node's own WebSocket: there from Node 22 on, behind a flag before (20.10).

if (typeof WebSocket === 'undefined') throw new Error('this Node has no WebSocket of its own');
require('./support/drive').driveStandard(WebSocket);
