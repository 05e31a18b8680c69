'use strict';

// Publishing: to the subscribers in this process, and through the engine to those in others.

const { callBack } = require('../base/arguments');
const { topicProblem, membersBuffer } = require('./topics');

/**
 * @param {Topics} topics
 * @param {string} topic
 * @param {object} message of messageOf()
 * @param {object} options of publishOptions()
 * @param {WebSocketConnection|null} sender who does not get it
 * @returns {number|null} recipients in this process; null when the topic is no good, which `cb` is told
 */
function publish(topics, topic, { opcode, data }, { compress, local, except, cb }, sender) {
  const problem = topicProblem(topic, topics.config);
  if (problem !== null) {
    callBack(cb, problem);
    return null;
  }
  const { engine } = topics;
  const recipients = { compress, sender: sender === null ? null : sender._member, except: except.length === 0 ? null : membersBuffer(except, topics) };
  if (engine !== null && !local) {
    return engine.publish(topic, opcode, data, recipients, cb);
  }
  const reached = topics.deliver(topic, opcode, data, recipients);
  callBack(cb);
  return reached;
}

module.exports = { publish };
