'use strict';

require('./support/drive').driveStandard(require('undici').WebSocket);
