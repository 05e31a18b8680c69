'use strict';

require('./support/drive').driveWebSocketNode(require('websocket-1.0.35'));
