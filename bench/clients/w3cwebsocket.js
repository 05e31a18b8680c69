'use strict';

require('./support/drive').driveStandard(require('../..').w3cwebsocket);
