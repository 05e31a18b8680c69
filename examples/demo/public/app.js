'use strict';

// The page side: nothing but the browser's own WebSocket. What peers send is only ever shown through textContent.

(() => {
  const CLOSE_NAMES = {
    1000: 'normal', 1001: 'going away', 1002: 'protocol error', 1003: 'unsupported data', 1005: 'no code given',
    1006: 'connection lost', 1007: 'invalid data', 1008: 'policy violation', 1009: 'message too big',
    1011: 'server error', 1012: 'service restart', 1013: 'try again later',
  };
  const SAMPLES = 100; // round trips kept for the median and the chart
  const LOG_LINES = 200;
  const url = location.origin.replace(/^http/, 'ws') + '/';
  document.getElementById('server-url').textContent = url;

  /** The elements of a panel by their data-role. */
  function rolesOf(id) {
    const roles = {};
    for (const element of document.querySelectorAll(`#${id} [data-role]`)) roles[element.dataset.role] = element;
    return roles;
  }

  function element(tag, className, text) {
    const made = document.createElement(tag);
    if (className) made.className = className;
    made.textContent = text;
    return made;
  }

  /** Adds a line to a log, forgets the oldest ones, and follows the end unless the reader has scrolled away from it. */
  function addLine(log, className, ...parts) {
    const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 24;
    const line = element('li', className, '');
    line.append(...parts);
    log.append(line);
    while (log.childElementCount > LOG_LINES) log.firstElementChild.remove();
    if (atEnd) log.scrollTop = log.scrollHeight;
  }

  /**
   * A connection that can be opened again: keeps the status line and the button of its panel up to date.
   * @param {object} ui elements `status` and `toggle`
   * @param {string} protocol the subprotocol to ask for
   * @param {{ opened(): void, received(data: string|ArrayBuffer): void, closed(): void }} handlers
   */
  function createLink(ui, protocol, handlers) {
    let socket = null;

    function show(state, text, action, enabled) {
      ui.status.dataset.state = state;
      ui.status.textContent = text;
      ui.toggle.textContent = action;
      ui.toggle.disabled = !enabled;
    }

    function open() {
      socket = new WebSocket(url, protocol);
      socket.binaryType = 'arraybuffer';
      show('connecting', 'Connecting…', 'Connect', false);
      socket.onopen = () => {
        show('open', `Open, subprotocol ${socket.protocol || 'none'}`, 'Disconnect', true);
        handlers.opened();
      };
      socket.onmessage = (event) => handlers.received(event.data);
      socket.onclose = ({ code, reason, wasClean }) => {
        const name = CLOSE_NAMES[code] ? ` (${CLOSE_NAMES[code]})` : '';
        show(wasClean ? 'closed' : 'failed', `Closed with code ${code}${name}${reason ? `: ${reason}` : ''}`, 'Reconnect', true);
        handlers.closed();
      };
    }

    ui.toggle.addEventListener('click', () => {
      if (socket.readyState === WebSocket.CLOSED) {
        open();
      } else {
        show('closing', 'Closing…', 'Disconnect', false);
        socket.close(1000, 'The user disconnected.');
      }
    });

    open();
    return {
      get isOpen() { return socket.readyState === WebSocket.OPEN; },
      send(data) { socket.send(data); },
    };
  }

  // ---- Echo ------------------------------------------------------------------------------------

  function startEcho() {
    const ui = rolesOf('echo');
    const waiting = []; // sent and not yet back; echoes come in the order of the messages
    const samples = []; // round trips in milliseconds
    let sent = 0;
    let received = 0;
    let measuring = false;
    let toMeasure = 0; // round trips still to start

    const link = createLink(ui, 'echo', {
      opened: () => enable(true),
      received: receive,
      closed() {
        waiting.length = 0;
        measuring = false;
        enable(false);
      },
    });

    function enable(on) {
      ui.submit.disabled = !on;
      ui.measure.disabled = !on || measuring;
    }

    function send(text, quiet) {
      const data = ui.binary.checked ? new TextEncoder().encode(text) : text;
      waiting.push({ quiet, time: performance.now() });
      link.send(data);
      ui.sent.textContent = ++sent;
      if (!quiet) addLine(ui.log, 'aside', `→ ${text}`);
    }

    function receive(data) {
      const { quiet, time } = waiting.shift();
      const roundTrip = performance.now() - time;
      samples.push(roundTrip);
      if (samples.length > SAMPLES) samples.shift();
      ui.received.textContent = ++received;
      if (!quiet) {
        const text = typeof data === 'string' ? data : `${new TextDecoder().decode(data)} (binary, ${data.byteLength} bytes)`;
        addLine(ui.log, '', `← ${text} `, element('span', 'meta', milliseconds(roundTrip)));
      }
      if (measuring && quiet) measureNext();
      if (!measuring) showLatency();
    }

    /** Sends one message at a time, the next one when the echo of the last one is back. */
    function measureNext() {
      if (toMeasure > 0) {
        toMeasure--;
        send(`Round trip ${SAMPLES - toMeasure}`, true);
        return;
      }
      measuring = false;
      enable(true);
      addLine(ui.log, 'aside', `Measured ${SAMPLES} round trips, median ${milliseconds(median())}`);
    }

    function showLatency() {
      const largest = Math.max(...samples);
      const x = (index) => samples.length < 2 ? index * 100 : index * 100 / (samples.length - 1);
      const top = Math.min(largest, 4 * median()); // a single late one must not flatten all others
      const y = (value) => 23 - Math.min(value / top, 1) * 22;
      const line = samples.length === 1 ? [samples[0], samples[0]] : samples;
      ui.last.textContent = milliseconds(samples[samples.length - 1]);
      ui.median.textContent = milliseconds(median());
      ui.range.textContent = `${milliseconds(Math.min(...samples))} to ${milliseconds(largest)}`;
      ui.chart.firstElementChild.setAttribute('points', line.map((value, index) => `${x(index)},${y(value)}`).join(' '));
    }

    function median() {
      const sorted = [...samples].sort((a, b) => a - b);
      const middle = sorted.length >> 1;
      return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    ui.form.addEventListener('submit', (event) => {
      event.preventDefault();
      if (link.isOpen) send(ui.text.value, false);
    });
    ui.measure.addEventListener('click', () => {
      if (!link.isOpen || measuring) return;
      measuring = true;
      toMeasure = SAMPLES;
      enable(true);
      measureNext();
    });
  }

  function milliseconds(value) {
    return `${value.toFixed(value < 10 ? 2 : 1)} ms`;
  }

  // ---- Chat ------------------------------------------------------------------------------------

  function startChat() {
    const ui = rolesOf('chat');
    let me = null; // the name the server gave us, while we are in the room
    let comeBack = false; // after a reconnect, join again without being asked
    ui.name.value = `Guest ${100 + Math.floor(Math.random() * 900)}`;

    const link = createLink(ui, 'chat', {
      opened() {
        enable();
        if (comeBack) join();
      },
      received: (data) => receive(JSON.parse(data)),
      closed() {
        comeBack = comeBack || me !== null;
        me = null;
        showPeople([]);
        enable();
      },
    });

    function enable() {
      const canJoin = link.isOpen && me === null;
      ui['join-submit'].disabled = !canJoin;
      ui.name.disabled = me !== null;
      ui.text.disabled = me === null;
      ui.submit.disabled = me === null;
      ui.text.placeholder = me === null ? 'Join, then write to everybody' : 'Write to everybody';
    }

    function join() {
      link.send(JSON.stringify({ type: 'join', name: ui.name.value }));
    }

    function receive(event) {
      switch (event.type) {
        case 'welcome':
          me = event.name;
          ui.name.value = event.name;
          ui.log.replaceChildren();
          for (const entry of event.history) said(entry);
          addLine(ui.log, 'aside', `You are here as ${event.name}.`);
          showPeople(event.people);
          enable();
          ui.text.focus();
          break;
        case 'said':
          said(event);
          break;
        case 'joined':
        case 'left':
          addLine(ui.log, 'aside', element('bdi', '', event.name), event.type === 'joined' ? ' has joined.' : ' has left.');
          showPeople(event.people);
          break;
        case 'error':
          addLine(ui.log, 'aside', event.text);
          break;
      }
    }

    function said({ name, text, time }) {
      const clock = new Date(time).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
      addLine(ui.log, name === me ? 'mine' : '', element('bdi', 'from', name), ': ', element('bdi', '', text), ' ', element('span', 'meta', clock));
    }

    function showPeople(people) {
      const shown = people.map((name) => element('li', name === me ? 'me' : '', name));
      ui.people.replaceChildren(...(shown.length > 0 ? shown : [element('li', 'nobody', 'join to see')]));
    }

    ui.join.addEventListener('submit', (event) => {
      event.preventDefault();
      if (link.isOpen && me === null) join();
    });
    ui.form.addEventListener('submit', (event) => {
      event.preventDefault();
      if (!link.isOpen || ui.text.value.trim() === '') return;
      link.send(JSON.stringify({ type: 'say', text: ui.text.value }));
      ui.text.value = '';
    });
  }

  startEcho();
  startChat();
})();
