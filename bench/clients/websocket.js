'use strict';

require('./support/drive').driveWebSocketNode(require('../..'));
