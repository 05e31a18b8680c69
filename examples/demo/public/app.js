'use strict';

// The page side: nothing but the browser's own WebSocket. What peers send is only ever shown through textContent.

(() => {
  const CLOSE_NAMES = {
    1000: 'normal', 1001: 'going away', 1002: 'protocol error', 1003: 'unsupported data', 1005: 'no code given',
    1006: 'connection lost', 1007: 'invalid data', 1008: 'policy violation', 1009: 'message too big',
    1011: 'server error', 1012: 'service restart', 1013: 'try again later', 1014: 'bad gateway',
  };
  // After these, the same page may be welcome in a moment: the server stops, restarts, is full, or the network is gone.
  // All other codes say that coming back is of no use, or not wanted.
  const PASSING = new Set([1001, 1006, 1011, 1012, 1013, 1014]);
  const EXPELLED = 1008;
  const FIRST_DELAY = 1000; // milliseconds to the first attempt to come back; doubled for each further one
  const LONGEST_DELAY = 30000;
  const LASTING = 5000; // a connection that has lasted for so long was a success: the next delay is the first one again
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

  function element(tag, className, ...parts) {
    const made = document.createElement(tag);
    if (className) made.className = className;
    made.append(...parts);
    return made;
  }

  /** A log: forgets the oldest lines, and follows the end unless the reader has scrolled away from it. */
  function createLog(list) {
    let following = true;
    let height = list.clientHeight;
    const follow = () => { if (following) list.scrollTop = list.scrollHeight; };
    const look = () => {
      // With another height it is not the reader who has scrolled; the observer follows.
      if (list.clientHeight !== height) return;
      following = list.scrollHeight - list.scrollTop - list.clientHeight < 24;
    };
    list.addEventListener('scroll', look);
    new ResizeObserver(() => {
      height = list.clientHeight;
      follow();
    }).observe(list);
    return {
      /**
       * @param {string} className
       * @param {Array<string|Node>} parts what the line says
       * @param {string} [meta] a time or the like, at the end
       */
      add(className, parts, meta) {
        const line = element('li', className, element('span', 'body', ...parts));
        if (meta) line.append(' ', element('span', 'meta', meta));
        list.append(line);
        foldIfLong(line, look);
        while (list.childElementCount > LOG_LINES) list.firstElementChild.remove();
        follow();
      },
      clear() { list.replaceChildren(); },
    };
  }

  /** Shows only the beginning of a line that takes a lot of room, with a button for the rest. */
  function foldIfLong(line, onToggle) {
    const body = line.firstElementChild;
    line.classList.add('folded');
    if (body.scrollHeight <= body.clientHeight + 1) {
      line.classList.remove('folded');
      return;
    }
    const button = element('button', 'fold');
    button.type = 'button';
    const show = (folded) => {
      line.classList.toggle('folded', folded);
      button.textContent = folded ? 'Show all' : 'Show less';
      button.setAttribute('aria-expanded', String(!folded));
    };
    button.addEventListener('click', () => {
      show(!line.classList.contains('folded'));
      onToggle();
    });
    show(true);
    line.append(' ', button);
  }

  /** How a connection has ended, for its status line. */
  function describeEnd(code, reason) {
    if (code === EXPELLED) return `Expelled by the server: ${reason || 'it did not say why'} (code\u00a0${code})`;
    const name = CLOSE_NAMES[code] ? ` (${CLOSE_NAMES[code]})` : '';
    return `Closed with code ${code}${name}${reason ? `: ${reason}` : ''}`;
  }

  /**
   * A connection that comes back by itself when it was lost: keeps the status line and the button of its panel up to date.
   * @param {object} ui elements `status`, `countdown` and `toggle`
   * @param {string} protocol the subprotocol to ask for
   * @param {{ opened(): void, received(data: string|ArrayBuffer): void, closed(end: { code: number, reason: string }): void }} handlers
   */
  function createLink(ui, protocol, handlers) {
    let socket = null;
    let failures = 0; // in a row
    let countdown = null; // the timer, while we wait to come back
    let leaving = false; // the user has asked for it

    // The button is never disabled: it would lose the focus of whoever has just pressed it.
    function show(state, text, action) {
      ui.status.dataset.state = state;
      ui.status.textContent = text;
      ui.toggle.textContent = action;
      ui.toggle.disabled = false;
    }

    function open() {
      stopCountdown();
      leaving = false;
      let openedAt = Infinity;
      socket = new WebSocket(url, protocol);
      socket.binaryType = 'arraybuffer';
      show('connecting', 'Connecting…', 'Cancel');
      socket.onopen = () => {
        openedAt = performance.now();
        show('open', `Open, subprotocol ${socket.protocol || 'none'}`, 'Disconnect');
        handlers.opened();
      };
      socket.onmessage = (event) => handlers.received(event.data);
      socket.onclose = ({ code, reason }) => {
        const comesBack = PASSING.has(code) && !leaving;
        if (performance.now() - openedAt > LASTING) failures = 0;
        const state = comesBack ? 'waiting' : code === EXPELLED ? 'expelled' : leaving || code === 1000 ? 'closed' : 'failed';
        const text = leaving && openedAt === Infinity ? 'Not connected' : describeEnd(code, reason);
        show(state, text, comesBack ? 'Reconnect now' : 'Reconnect');
        if (comesBack) startCountdown();
        handlers.closed({ code, reason });
      };
    }

    /** Comes back later, and says when. Not exactly on time, or all pages would be back at the same moment. */
    function startCountdown() {
      const delay = Math.min(FIRST_DELAY * 2 ** failures++, LONGEST_DELAY) * (0.75 + Math.random() / 2);
      const due = performance.now() + delay;
      const tick = () => {
        const left = due - performance.now();
        if (left <= 0) open();
        else ui.countdown.textContent = `Trying again in ${Math.ceil(left / 1000)} s`;
      };
      countdown = setInterval(tick, 100);
      tick();
    }

    function stopCountdown() {
      clearInterval(countdown);
      countdown = null;
      ui.countdown.textContent = '';
    }

    ui.toggle.addEventListener('click', () => {
      if (socket.readyState === WebSocket.CLOSED) {
        open();
      } else {
        leaving = true;
        show('closing', 'Closing…', 'Disconnect');
        socket.close(1000, 'The user disconnected.');
      }
    });
    window.addEventListener('online', () => { if (countdown !== null) open(); });

    open();
    return {
      get isOpen() { return socket.readyState === WebSocket.OPEN; },
      send(data) { socket.send(data); },
    };
  }

  // ---- Echo ------------------------------------------------------------------------------------

  function startEcho() {
    const ui = rolesOf('echo');
    const log = createLog(ui.log);
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
      ui.measure.disabled = !on;
    }

    function send(text, quiet) {
      const data = ui.binary.checked ? new TextEncoder().encode(text) : text;
      waiting.push({ quiet, time: performance.now() });
      link.send(data);
      ui.sent.textContent = ++sent;
      if (!quiet) log.add('aside', [`→ ${text}`]);
    }

    function receive(data) {
      const { quiet, time } = waiting.shift();
      const roundTrip = performance.now() - time;
      samples.push(roundTrip);
      if (samples.length > SAMPLES) samples.shift();
      ui.received.textContent = ++received;
      if (!quiet) {
        const text = typeof data === 'string' ? data : `${new TextDecoder().decode(data)} (binary, ${data.byteLength} bytes)`;
        log.add('', [`← ${text}`], milliseconds(roundTrip));
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
      log.add('aside', [`Measured ${SAMPLES} round trips, median ${milliseconds(median())}`]);
    }

    function showLatency() {
      ui.figure.hidden = false;
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
      measureNext();
    });
  }

  function milliseconds(value) {
    return `${value.toFixed(value < 10 ? 2 : 1)} ms`;
  }

  // ---- Chat ------------------------------------------------------------------------------------

  function startChat() {
    const ui = rolesOf('chat');
    const log = createLog(ui.log);
    let me = null; // the name the server gave us, while we are in the room
    let wish = null; // the name we asked for; after a reconnect we ask for it again, without the user
    let takesFocus = false; // the field for messages, once we are in the room
    ui.name.value = `Guest ${100 + Math.floor(Math.random() * 900)}`;

    const link = createLink(ui, 'chat', {
      opened() {
        if (wish !== null) join();
        update();
      },
      received: (data) => receive(JSON.parse(data)),
      closed({ code, reason }) {
        if (code === EXPELLED) {
          log.add('bad', [`You were expelled: ${reason}`]);
          wish = null; // whoever was sent away does not come back unasked
        } else if (me !== null) {
          log.add('aside', ['You are offline.']);
        }
        if (me !== null) takesFocus = document.activeElement === ui.text; // which loses it now
        me = null;
        update();
      },
    });

    function update() {
      const here = me !== null;
      ui['join-submit'].disabled = !link.isOpen || here;
      ui.name.disabled = here;
      ui.text.disabled = !here;
      ui.submit.disabled = !here;
      ui.text.placeholder = here ? 'Write to everybody' : 'Join, then write to everybody';
      // Who is not there does not know who is.
      ui.room.hidden = !here;
    }

    function join() {
      link.send(JSON.stringify({ type: 'join', name: wish }));
    }

    function receive(event) {
      switch (event.type) {
        case 'welcome':
          me = event.name;
          ui.name.value = event.name;
          log.clear();
          for (const entry of event.history) said(entry);
          log.add('aside', [`You are here as ${event.name}.`]);
          showPeople(event.people);
          update();
          // A page that comes back by itself leaves the focus where it has gone meanwhile.
          if (takesFocus && [null, document.body].includes(document.activeElement)) ui.text.focus();
          takesFocus = false;
          break;
        case 'said':
          said(event);
          break;
        case 'joined':
        case 'left':
          log.add('aside', [element('bdi', '', event.name), event.type === 'joined' ? ' has joined.' : ' has left.']);
          showPeople(event.people);
          break;
        case 'error':
          if (me === null) wish = null; // it was not good enough
          log.add('aside', [event.text]);
          break;
      }
    }

    function said({ name, text, time }) {
      const clock = new Date(time).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
      log.add(name === me ? 'mine' : '', [element('bdi', 'from', name), ': ', element('bdi', '', text)], clock);
    }

    function showPeople(people) {
      ui.people.replaceChildren(...people.map((name) => element('li', name === me ? 'me' : '', name)));
    }

    ui.join.addEventListener('submit', (event) => {
      event.preventDefault();
      if (!link.isOpen || me !== null) return;
      wish = ui.name.value;
      document.activeElement.blur();
      takesFocus = true;
      join();
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
