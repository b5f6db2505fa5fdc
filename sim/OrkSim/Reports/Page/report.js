'use strict';
(() => {
  const data = JSON.parse(document.getElementById('data').textContent);
  const e = data.events, words = e.words, count = e.ms.length;
  const $ = id => document.getElementById(id);
  const word = number => number < 0 ? '' : words[number];
  const kindOf = i => word(e.kind[i]), nodeOf = i => word(e.node[i]) || 'world', subjectOf = i => word(e.subject[i]), detailOf = i => word(e.detail[i]);
  const aboutOf = i => (e.about[i] || []).map(word);
  const seconds = ms => (ms / 1000).toFixed(4) + ' s';
  const element = (name, attributes = {}, ...inside) => {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) key === 'class' ? made.className = value : key.startsWith('on') ? made.addEventListener(key.slice(2), value) : made.setAttribute(key, value);
    made.append(...inside);
    return made;
  };

  // ---- what is known of the run -------------------------------------------------------------------------------------------------------
  const nodeNumber = new Map(data.nodes.map((node, number) => [node.name, number]));
  let violation = count - 1;
  while (violation >= 0 && kindOf(violation) !== 'Violated') violation--;
  const senderOf = new Int32Array(count).fill(-1);
  data.arrivals.forEach((to, from) => { if (to >= 0) senderOf[to] = from; });
  const own = new Int32Array(count);
  { const counts = new Map(); for (let i = 0; i < count; i++) { const n = nodeNumber.get(nodeOf(i)) ?? 0; counts.set(n, own[i] = (counts.get(n) || 0) + 1); } }

  // Which events happened before one, by its vector clock: its node's own, and what its node could have heard of.
  function before(index) {
    const node = nodeNumber.get(nodeOf(index)) ?? 0, clock = new Int32Array(data.nodes.length || 1), result = new Uint8Array(count);
    for (let i = 0; i <= index; i++) {
      if ((nodeNumber.get(nodeOf(i)) ?? 0) !== node) continue;
      clock[node] = own[i];
      const saw = e.saw[i];
      if (saw) for (let p = 0; p < saw.length; p += 2) clock[saw[p]] = saw[p + 1];
    }
    for (let i = 0; i <= index; i++) result[i] = own[i] <= clock[nodeNumber.get(nodeOf(i)) ?? 0] ? 1 : 0;
    return result;
  }
  const beforeViolation = violation >= 0 ? before(violation) : null;
  const beforeCount = beforeViolation ? beforeViolation.reduce((sum, one) => sum + one, 0) : count;
  const routineWords = new Set(['health.ping', 'health.pong', 'state.pull', 'state.response', 'telemetry.pull', 'telemetry.response']);
  const isRoutine = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    const kind = kindOf(i);
    if (kind === 'FrameSent' || kind === 'FrameTaken') isRoutine[i] = routineWords.has(subjectOf(i)) ? 1 : 0;
    else if (kind === 'CommitApplying' || kind === 'CommitSubmitted') isRoutine[i] = 1;
    else if (kind === 'Transition') isRoutine[i] = detailOf(i).startsWith('job:') || detailOf(i).startsWith('lock:') || detailOf(i).startsWith('dispatch:') ? 1 : 0;
  }

  // ---- lanes, states, bands ----------------------------------------------------------------------------------------------------------
  const laneNames = [], laneOf = new Int32Array(count);
  {
    const used = new Set(); for (let i = 0; i < count; i++) used.add(nodeOf(i));
    const of = kind => data.nodes.filter(node => node.kind === kind && used.has(node.name)).map(node => node.name);
    laneNames.push('faults', ...of('Caller'), ...of('Kernel'), 'store', ...of('Worker'));
    const lane = new Map(laneNames.map((name, number) => [name, number]));
    for (let i = 0; i < count; i++) laneOf[i] = kindOf(i).startsWith('Commit') || kindOf(i) === 'StoreOpened' ? lane.get('store') : lane.get(nodeOf(i)) ?? 0;
  }
  const workerLane = new Map(laneNames.map((name, number) => [name, number]));
  const bands = [], downs = [], segments = new Map(), commandRows = [];
  {
    const down = new Map(), state = new Map();
    const segment = (key, from, to, value) => { let list = segments.get(key); if (!list) segments.set(key, list = []); list.push({ from, to, value }); };
    for (let i = 0; i < count; i++) {
      const kind = kindOf(i);
      if (kind === 'Fault') bands.push({ event: i, from: e.ms[i], to: e.ms[i] + e.forMs[i], name: subjectOf(i) });
      else if (kind === 'NodeDown') down.set(nodeOf(i), e.ms[i]);
      else if (kind === 'NodeUp' && down.has(nodeOf(i))) { downs.push({ node: nodeOf(i), from: down.get(nodeOf(i)), to: e.ms[i] }); down.delete(nodeOf(i)); }
      else if (kind === 'Transition') {
        const [machine, rest] = detailOf(i).split(': '), to = rest.split(' ')[2], key = machine + '/' + subjectOf(i), was = state.get(key);
        if (was) segment(key, was.ms, e.ms[i], was.value);
        state.set(key, { ms: e.ms[i], value: to });
      }
    }
    const end = count ? e.ms[count - 1] : 0;
    for (const [node, from] of down) downs.push({ node, from, to: end });
    for (const [key, was] of state) segment(key, was.ms, key.startsWith('command/') && (was.value === 'Success' || was.value === 'Failed') ? was.ms : end, was.value);
    // Commands share rows where they do not overlap.
    const rows = [];
    for (const [key, list] of segments) {
      if (!key.startsWith('command/')) continue;
      const from = list[0].from, to = list[list.length - 1].to;
      let row = rows.findIndex(until => until <= from);
      if (row < 0) { row = rows.length; rows.push(0); }
      rows[row] = to + 1;
      commandRows.push({ id: key.slice(8), row, list, from, to });
    }
    commandRows.count = rows.length;
  }

  // ---- what is shown -----------------------------------------------------------------------------------------------------------------
  const canvas = $('timeline'), context = canvas.getContext('2d', { alpha: false });
  let visible = new Int32Array(0), place = new Float64Array(count), isShown = new Uint8Array(count);
  let view = { from: 0, to: 1 }, extent = { from: 0, to: 1 }, selected = -1, hits = [], isHit = new Uint8Array(count), ranks = new Int32Array(count), colours = {}, laneTop = 0;
  const options = { slice: data.onlyBefore, routine: false, axis: 'order', only: '' };
  const gutter = 92, top = 22;

  function refresh(keep) {
    const shown = [];
    isShown.fill(0);
    for (let i = 0; i < count; i++) {
      const kind = kindOf(i), always = kind === 'Violated' || kind === 'Fault';
      if (options.slice && beforeViolation && !beforeViolation[i]) continue;
      if (!options.routine && isRoutine[i]) continue;
      if (options.only && !always && kind !== 'NodeDown' && kind !== 'NodeUp' && !aboutOf(i).includes(options.only)) continue;
      ranks[i] = shown.length;
      isShown[i] = 1;
      shown.push(i);
    }
    visible = Int32Array.from(shown);
    for (const i of visible) place[i] = options.axis === 'time' ? e.ms[i] : ranks[i];
    const last = visible.length - 1;
    extent = options.axis === 'time' ? { from: last < 0 ? 0 : e.ms[visible[0]], to: last < 0 ? 1 : e.ms[visible[last]] } : { from: 0, to: Math.max(1, last) };
    const margin = (extent.to - extent.from || 1) * 0.02;
    extent = { from: extent.from - margin, to: extent.to + margin };
    if (!keep) view = { ...extent };
    $('shown').textContent = `${visible.length.toLocaleString('en')} of ${count.toLocaleString('en')} events` + (violation >= 0 ? `; ${beforeCount.toLocaleString('en')} happened before the violation` : '');
    search(false);
    draw();
    drawRows();
  }

  // Where a moment is: among the shown events, where order is the axis.
  function placeOfMs(ms) {
    if (options.axis === 'time') return ms;
    let low = 0, high = visible.length;
    while (low < high) { const middle = (low + high) >> 1; e.ms[visible[middle]] < ms ? low = middle + 1 : high = middle; }
    return low - 0.5;
  }
  const width = () => canvas.clientWidth, height = () => canvas.clientHeight;
  const xOf = p => gutter + (p - view.from) / (view.to - view.from) * (width() - gutter - 8);
  const pOf = x => view.from + (x - gutter) / (width() - gutter - 8) * (view.to - view.from);
  const rowsHeight = () => Math.min(Math.max(14, commandRows.count * 6), height() * 0.22);
  const laneHeight = () => Math.max(11, Math.min(30, (height() - top - rowsHeight() - 12) / laneNames.length));
  const yOf = lane => top + lane * laneHeight() - laneTop;

  function readColours() {
    const style = getComputedStyle(document.documentElement);
    for (const name of ['bg', 'panel', 'line', 'ink', 'quiet', 'lane', 'bad', 'good', 'accent', 'mark', 'frame', 'commit', 'executed', 'note', 'down', 'fault', 'link', 'queued', 'dispatched', 'executing', 'timeout', 'success', 'failed']) colours[name] = style.getPropertyValue('--' + name).trim();
  }
  const stateColours = { Queued: 'queued', Dispatched: 'dispatched', Executing: 'executing', Timeout: 'timeout', Success: 'success', Failed: 'failed',
    Unknown: 'down', Healthy: 'success', Sick: 'executing', Dead: 'failed', Closed: 'success', Open: 'failed', HalfOpen: 'executing',
    Unregistered: 'down', Discovered: 'queued', IdentitySaved: 'dispatched', Ready: 'success', Terminated: 'failed' };
  const kindColours = { FrameSent: 'frame', FrameTaken: 'frame', CommitSubmitted: 'commit', CommitApplying: 'commit', CommitDurable: 'commit', CommitFailed: 'bad', Executed: 'executed', Begun: 'executed',
    Fault: 'fault', NodeDown: 'bad', NodeUp: 'good', LinkOpened: 'link', LinkEnded: 'link', Violated: 'bad', StoreOpened: 'commit', Asked: 'frame', Answered: 'frame', Healed: 'good' };

  let pending = false;
  function draw() { if (!pending) { pending = true; requestAnimationFrame(() => { pending = false; paint(); }); } }

  function paint() {
    const ratio = devicePixelRatio || 1, w = width(), h = height(), c = context;
    if (canvas.width !== Math.round(w * ratio) || canvas.height !== Math.round(h * ratio)) { canvas.width = Math.round(w * ratio); canvas.height = Math.round(h * ratio); }
    c.setTransform(ratio, 0, 0, ratio, 0, 0);
    c.fillStyle = colours.panel; c.fillRect(0, 0, w, h);
    const lane = laneHeight(), bottom = h - rowsHeight() - 6;
    c.save(); c.beginPath(); c.rect(0, top, w, bottom - top); c.clip();
    laneNames.forEach((name, number) => { if (number % 2) { c.fillStyle = colours.lane; c.fillRect(gutter, yOf(number), w - gutter, lane); } });
    c.save(); c.beginPath(); c.rect(gutter, top, w - gutter, bottom - top); c.clip();
    for (const band of bands) {
      if (options.slice && beforeViolation && !beforeViolation[band.event]) continue;
      const x = xOf(placeOfMs(band.from)), to = Math.max(x + 2, xOf(placeOfMs(band.to)));
      if (to < gutter || x > w) continue;
      c.globalAlpha = 0.10; c.fillStyle = colours.fault; c.fillRect(x, top, to - x, bottom - top);
      c.globalAlpha = 0.75; c.fillRect(x, yOf(0) + 2, to - x, lane - 4);
      c.globalAlpha = 1;
      if (to - x > 40) { c.fillStyle = colours.ink; c.font = '10px system-ui'; c.fillText(band.name, Math.max(x, gutter) + 3, yOf(0) + lane / 2 + 3, to - Math.max(x, gutter) - 5); }
    }
    for (const down of downs) {
      const number = workerLane.get(down.node); if (number === undefined) continue;
      c.fillStyle = colours.down; c.globalAlpha = 0.7;
      const x = xOf(placeOfMs(down.from)); c.fillRect(x, yOf(number) + 1, Math.max(2, xOf(placeOfMs(down.to)) - x), lane - 2); c.globalAlpha = 1;
    }
    for (const [key, list] of segments) {
      const slash = key.indexOf('/'), machine = key.slice(0, slash);
      if (machine !== 'worker' && machine !== 'health' && machine !== 'circuit') continue;
      const number = workerLane.get(key.slice(slash + 1)); if (number === undefined) continue;
      const y = yOf(number) + (machine === 'worker' ? 0 : machine === 'health' ? lane - 2 : lane - 4);
      for (const part of list) {
        if (machine === 'circuit' && part.value === 'Closed') continue;
        const x = xOf(placeOfMs(part.from)), to = xOf(placeOfMs(part.to));
        if (to < gutter || x > w) continue;
        c.fillStyle = colours[stateColours[part.value] || 'note']; c.fillRect(x, y, Math.max(1, to - x), 2);
      }
    }
    paintArrows(c, lane, w);
    paintMarks(c, lane, w);
    c.restore(); c.restore();
    paintCommands(c, w, h, bottom);
    paintFrame(c, lane, w, h, bottom);
  }

  function firstShown(p) { let low = 0, high = visible.length; while (low < high) { const middle = (low + high) >> 1; place[visible[middle]] < p ? low = middle + 1 : high = middle; } return low; }

  function paintArrows(c, lane, w) {
    const dense = visible.length / Math.max(1, (extent.to - extent.from) / (view.to - view.from)) > (w - gutter) * 1.5;
    c.strokeStyle = colours.frame; c.globalAlpha = dense ? 0.12 : 0.45; c.lineWidth = 1;
    const drawn = new Set();
    c.beginPath();
    const start = Math.max(0, firstShown(view.from) - 400), end = Math.min(visible.length, firstShown(view.to) + 1);
    for (let r = start; r < end; r++) {
      const from = visible[r], to = data.arrivals[from];
      if (to < 0 || !isShown[to]) continue;
      const x1 = xOf(place[from]), x2 = xOf(place[to]);
      if (x2 < gutter || x1 > w) continue;
      if (dense) { const key = (x1 | 0) * 512 + laneOf[to]; if (drawn.has(key)) continue; drawn.add(key); }
      c.moveTo(x1, yOf(laneOf[from]) + lane / 2); c.lineTo(x2, yOf(laneOf[to]) + lane / 2);
    }
    c.stroke(); c.globalAlpha = 1;
  }

  function paintMarks(c, lane, w) {
    const start = firstShown(view.from), end = Math.min(visible.length, firstShown(view.to) + 1), size = Math.min(4, lane / 3);
    for (let r = start; r < end; r++) {
      const i = visible[r], kind = kindOf(i), x = xOf(place[i]), y = yOf(laneOf[i]) + lane / 2;
      if (kind === 'Fault') continue;
      c.fillStyle = colours[kindColours[kind] || 'note'];
      switch (kind) {
        case 'FrameSent': c.beginPath(); c.arc(x, y, size * 0.7, 0, 7); c.fill(); break;
        case 'FrameTaken': c.beginPath(); c.moveTo(x, y - size * 0.8); c.lineTo(x + size * 0.8, y); c.lineTo(x, y + size * 0.8); c.lineTo(x - size * 0.8, y); c.fill(); break;
        case 'CommitDurable': case 'StoreOpened': c.fillRect(x - 1.2, y - size * 1.4, 2.4, size * 2.8); break;
        case 'CommitFailed': case 'NodeDown': c.fillRect(x - 1.5, y - size * 1.6, 3, size * 3.2); c.fillRect(x - size * 1.2, y - 1.5, size * 2.4, 3); break;
        case 'Executed': c.beginPath(); c.moveTo(x, y - size * 1.5); c.lineTo(x + size * 1.3, y + size); c.lineTo(x - size * 1.3, y + size); c.fill(); break;
        case 'Violated': c.fillRect(x - 1, top, 2, height()); c.beginPath(); c.arc(x, y, size * 1.6, 0, 7); c.fill(); break;
        case 'Transition': case 'Note': c.fillRect(x - 0.8, y - size * 0.8, 1.6, size * 1.6); break;
        default: c.fillRect(x - size * 0.6, y - size * 0.6, size * 1.2, size * 1.2);
      }
      if (isHit[i]) { c.strokeStyle = colours.mark; c.lineWidth = 2; c.strokeRect(x - size - 2, y - size - 2, size * 2 + 4, size * 2 + 4); }
    }
    if (violation >= 0 && isShown[violation]) { c.fillStyle = colours.bad; c.globalAlpha = 0.15; c.fillRect(xOf(place[violation]) - 5, top, 10, height()); c.globalAlpha = 1; }
    if (selected >= 0 && isShown[selected]) {
      const x = xOf(place[selected]), y = yOf(laneOf[selected]) + lane / 2, other = data.arrivals[selected] >= 0 ? data.arrivals[selected] : senderOf[selected];
      c.strokeStyle = colours.accent; c.lineWidth = 2;
      c.beginPath(); c.arc(x, y, 8, 0, 7); c.stroke();
      c.globalAlpha = 0.35; c.fillStyle = colours.accent; c.fillRect(x - 0.5, top, 1, height()); c.globalAlpha = 1;
      if (other >= 0 && isShown[other]) { c.beginPath(); c.moveTo(x, y); c.lineTo(xOf(place[other]), yOf(laneOf[other]) + lane / 2); c.stroke(); }
    }
  }

  function paintCommands(c, w, h, bottom) {
    if (!commandRows.count) return;
    const row = rowsHeight() / commandRows.count;
    c.save(); c.beginPath(); c.rect(gutter, bottom, w - gutter, h - bottom); c.clip();
    for (const command of commandRows) {
      if (options.only && command.id !== options.only && !(segments.get('command/' + options.only) === undefined)) continue;
      for (const part of command.list) {
        const x = xOf(placeOfMs(part.from)), to = xOf(placeOfMs(part.to));
        if (to < gutter || x > w) continue;
        c.fillStyle = colours[stateColours[part.value] || 'note'];
        c.fillRect(x, bottom + 3 + command.row * row, Math.max(1.5, to - x), Math.max(1, row - 1));
      }
    }
    c.restore();
  }

  function paintFrame(c, lane, w, h, bottom) {
    c.fillStyle = colours.panel; c.fillRect(0, top, gutter - 2, h);
    c.save(); c.beginPath(); c.rect(0, top, gutter, bottom - top); c.clip();
    c.font = Math.min(12, lane - 0.5) + 'px system-ui'; c.textBaseline = 'middle';
    laneNames.forEach((name, number) => { c.fillStyle = number === (selected >= 0 ? laneOf[selected] : -1) ? colours.accent : colours.ink; c.fillText(name, 8, yOf(number) + lane / 2, gutter - 14); });
    c.restore();
    if (commandRows.count) { c.fillStyle = colours.quiet; c.font = '11px system-ui'; c.fillText('commands', 8, bottom + Math.max(8, rowsHeight() / 2)); c.strokeStyle = colours.line; c.beginPath(); c.moveTo(0, bottom + 0.5); c.lineTo(w, bottom + 0.5); c.stroke(); }
    c.fillStyle = colours.panel; c.fillRect(0, 0, w, top);
    c.strokeStyle = colours.line; c.beginPath(); c.moveTo(0, top - 0.5); c.lineTo(w, top - 0.5); c.stroke();
    c.fillStyle = colours.quiet; c.font = '10.5px system-ui';
    const ticks = Math.max(2, Math.floor((w - gutter) / 110));
    let lastText = '';
    for (let t = 0; t <= ticks; t++) {
      const p = view.from + (view.to - view.from) * t / ticks;
      const ms = options.axis === 'time' ? p : visible.length ? e.ms[visible[Math.max(0, Math.min(visible.length - 1, Math.round(p)))]] : 0;
      const text = ms < 0 ? '' : (ms / 1000).toFixed(view.to - view.from < 20 && options.axis === 'time' ? 5 : 3) + ' s';
      if (text !== lastText) c.fillText(text, xOf(p), top / 2, 100);
      lastText = text;
    }
  }

  // ---- choosing and moving -----------------------------------------------------------------------------------------------------------
  function zoom(factor, at) {
    const p = at ?? (view.from + view.to) / 2, least = options.axis === 'time' ? 0.01 : 4, most = (extent.to - extent.from) * 1.2;
    const span = Math.min(most, Math.max(least, (view.to - view.from) * factor)), share = (p - view.from) / (view.to - view.from);
    view = { from: p - span * share, to: p + span * (1 - share) };
    keepInside(); draw();
  }
  function keepInside() {
    const span = view.to - view.from;
    if (span >= extent.to - extent.from) { const middle = (extent.from + extent.to) / 2; view = { from: middle - span / 2, to: middle + span / 2 }; return; }
    if (view.from < extent.from) view = { from: extent.from, to: extent.from + span };
    if (view.to > extent.to) view = { from: extent.to - span, to: extent.to };
  }
  function pan(by) { view = { from: view.from + by, to: view.to + by }; keepInside(); draw(); }
  function scrollLanes(by) {
    const most = Math.max(0, laneNames.length * laneHeight() - (height() - top - rowsHeight() - 6));
    laneTop = Math.max(0, Math.min(most, laneTop + by)); draw();
  }
  function reveal(i) {
    const p = place[i], span = view.to - view.from;
    if (p < view.from + span * 0.05 || p > view.to - span * 0.05) { view = { from: p - span / 2, to: p + span / 2 }; keepInside(); }
    const y = yOf(laneOf[i]), bottom = height() - rowsHeight() - 6;
    if (y < top) scrollLanes(y - top); else if (y + laneHeight() > bottom) scrollLanes(y + laneHeight() - bottom);
  }
  function select(i, from) {
    if (i < 0) return;
    if (!isShown[i]) { // It is hidden by a filter: what hides it is switched off.
      if (isRoutine[i]) options.routine = $('routine').checked = true;
      if (options.only && !aboutOf(i).includes(options.only)) options.only = $('only').value = '';
      if (options.slice && beforeViolation && !beforeViolation[i]) options.slice = $('slice').checked = false;
      selected = i; refresh(true);
    }
    selected = i;
    if (from !== 'canvas') reveal(i);
    showEvent(i);
    if (from !== 'list') { const y = ranks[i] * 20, list = $('list'); if (y < list.scrollTop || y > list.scrollTop + list.clientHeight - 20) list.scrollTop = y - list.clientHeight / 2; }
    for (const line of $('story').querySelectorAll('li')) line.classList.toggle('on', +line.dataset.event === i);
    $('said').textContent = lineOf(i);
    draw(); drawRows();
  }
  function step(by, sameLane) {
    if (!visible.length) return;
    let r = selected >= 0 && isShown[selected] ? ranks[selected] + by : by > 0 ? 0 : visible.length - 1;
    if (sameLane && selected >= 0) while (r >= 0 && r < visible.length && laneOf[visible[r]] !== laneOf[selected]) r += by;
    if (r >= 0 && r < visible.length) select(visible[r]);
  }
  function laneStep(by) {
    if (selected < 0) return step(1);
    for (let lane = laneOf[selected] + by; lane >= 0 && lane < laneNames.length; lane += by) {
      let best = -1;
      for (const i of visible) if (laneOf[i] === lane && (best < 0 || Math.abs(place[i] - place[selected]) < Math.abs(place[best] - place[selected]))) best = i;
      if (best >= 0) return select(best);
    }
  }
  function at(x, y) {
    const lane = Math.floor((y - top + laneTop) / laneHeight());
    let best = -1, distance = 9;
    for (let r = firstShown(pOf(x - 9)), end = Math.min(visible.length, firstShown(pOf(x + 9)) + 1); r < end; r++) {
      const i = visible[r];
      if (laneOf[i] !== lane) continue;
      const d = Math.abs(xOf(place[i]) - x);
      if (d < distance) { distance = d; best = i; }
    }
    if (best < 0 && lane === 0) for (const band of bands) if (xOf(placeOfMs(band.from)) - 3 <= x && x <= Math.max(xOf(placeOfMs(band.from)) + 3, xOf(placeOfMs(band.to)))) best = band.event;
    return best;
  }
  function commandAt(x, y) {
    const bottom = height() - rowsHeight() - 6;
    if (y < bottom || !commandRows.count) return null;
    const row = Math.floor((y - bottom - 3) / (rowsHeight() / commandRows.count));
    return commandRows.find(command => command.row === row && xOf(placeOfMs(command.from)) - 2 <= x && x <= xOf(placeOfMs(command.to)) + 4) || null;
  }

  let drag = null;
  canvas.addEventListener('pointerdown', event => { drag = { x: event.offsetX, y: event.offsetY, view: { ...view }, laneTop, moved: false }; canvas.setPointerCapture(event.pointerId); canvas.focus({ preventScroll: true }); });
  canvas.addEventListener('pointermove', event => {
    if (drag) {
      const dx = event.offsetX - drag.x, dy = event.offsetY - drag.y;
      if (Math.abs(dx) + Math.abs(dy) > 3) drag.moved = true;
      if (!drag.moved) return;
      const by = -dx / (width() - gutter - 8) * (drag.view.to - drag.view.from);
      view = { from: drag.view.from + by, to: drag.view.to + by }; keepInside(); laneTop = drag.laneTop; scrollLanes(-dy);
      return;
    }
    const i = at(event.offsetX, event.offsetY), command = i < 0 ? commandAt(event.offsetX, event.offsetY) : null, tip = $('tip');
    tip.hidden = i < 0 && !command;
    if (tip.hidden) return;
    tip.textContent = command ? `${command.id}: ${command.list.map(part => part.value).join(', ')}` : lineOf(i).slice(0, 300);
    tip.style.left = Math.min(event.clientX + 14, innerWidth - 430) + 'px'; tip.style.top = event.clientY + 16 + 'px';
  });
  canvas.addEventListener('pointerup', event => {
    if (drag && !drag.moved) { const i = at(event.offsetX, event.offsetY), command = i < 0 ? commandAt(event.offsetX, event.offsetY) : null; if (i >= 0) { select(i, 'canvas'); tab('event'); } else if (command) only(command.id); }
    drag = null;
  });
  canvas.addEventListener('pointerleave', () => { $('tip').hidden = true; });
  canvas.addEventListener('wheel', event => {
    event.preventDefault();
    if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) pan((event.deltaX || event.deltaY) / (width() - gutter) * (view.to - view.from));
    else if (event.offsetX < gutter) scrollLanes(event.deltaY);
    else zoom(Math.exp(event.deltaY * 0.0018), pOf(event.offsetX));
  }, { passive: false });

  // ---- the list ----------------------------------------------------------------------------------------------------------------------
  function lineOf(i) {
    const kind = kindOf(i), peer = word(e.peer[i]), arrow = kind === 'FrameTaken' ? '<-' : '->';
    return `${seconds(e.ms[i])}  ${nodeOf(i)} ${kind}${peer ? ` ${arrow} ${peer}` : ''}${e.subject[i] >= 0 ? ' ' + subjectOf(i) : ''}${e.detail[i] >= 0 ? '  ' + detailOf(i) : ''}`;
  }
  function drawRows() {
    const list = $('list'), rows = $('rows'), first = Math.max(0, Math.floor(list.scrollTop / 20) - 3), last = Math.min(visible.length, first + Math.ceil(list.clientHeight / 20) + 6);
    rows.style.height = visible.length * 20 + 'px';
    const made = [];
    for (let r = first; r < last; r++) {
      const i = visible[r], row = element('div', { class: `row ${kindOf(i)}${i === selected ? ' on' : ''}${isHit[i] ? ' hit' : ''}`, role: 'option', 'aria-selected': i === selected, style: `top:${r * 20}px`, 'data-event': i }, lineOf(i).slice(0, 260));
      made.push(row);
    }
    rows.replaceChildren(...made);
  }
  $('list').addEventListener('scroll', drawRows);
  $('rows').addEventListener('click', event => { const row = event.target.closest('.row'); if (row) { select(+row.dataset.event, 'list'); tab('event'); } });

  // ---- the panels --------------------------------------------------------------------------------------------------------------------
  function tab(name) {
    for (const button of document.querySelectorAll('[data-tab]')) { const on = button.dataset.tab === name; button.setAttribute('aria-selected', on); $(button.dataset.tab).hidden = !on; }
  }
  for (const button of document.querySelectorAll('[data-tab]')) button.addEventListener('click', () => tab(button.dataset.tab));

  const link = (text, i) => element('button', { type: 'button', onclick: () => select(i) }, text);
  function showEvent(i) {
    const kind = kindOf(i), rows = [['when', `${seconds(e.ms[i])}, step ${e.step[i]}`], ['where', nodeOf(i)]], more = [];
    if (e.peer[i] >= 0) rows.push([kind === 'FrameTaken' ? 'from' : 'to', `${word(e.peer[i])}, link ${e.link[i]}`]);
    if (e.frame[i] >= 0) rows.push(['frame', `${word(e.frame[i])}, correlation ${e.correlation[i]}`]);
    if (e.subject[i] >= 0) rows.push(['what', subjectOf(i)]);
    if (e.forMs[i]) rows.push(['lasts', seconds(e.forMs[i])]);
    if (beforeViolation && i !== violation) rows.push(['', beforeViolation[i] ? 'happened before the violation' : 'did not happen before the violation']);
    const list = element('dl', {}, ...rows.flatMap(([term, text]) => [element('dt', {}, term), element('dd', {}, text)]));
    const about = aboutOf(i);
    if (about.length) list.append(element('dt', {}, 'about'), element('dd', {}, ...about.map(id => element('button', { type: 'button', title: 'Only this', onclick: () => only(id) }, id))));
    if (kind === 'FrameSent') more.push(data.arrivals[i] >= 0 ? link(`taken at ${seconds(e.ms[data.arrivals[i]])}`, data.arrivals[i]) : element('p', { class: 'quiet' }, 'Never taken: lost, or still on its way at the end.'));
    if (senderOf[i] >= 0) more.push(link(`sent at ${seconds(e.ms[senderOf[i]])}`, senderOf[i]));
    let text = detailOf(i);
    if (e.frame[i] >= 0) try { text = JSON.stringify(JSON.parse(text), null, 2); } catch { /* not JSON: as it is */ }
    $('event').replaceChildren(element('h2', {}, kind), list, ...more, ...(text ? [element('pre', { id: 'envelope' }, text)] : []));
  }

  function showStory() {
    const panel = $('story');
    const kindClass = text => text.startsWith('VIOLATED') ? 'bad' : text.startsWith('FAULT') ? 'fault' : text.startsWith('DEVICE') ? 'executed' : '';
    const lines = data.story.map(line => element('li', { 'data-event': line.event, tabindex: 0, onclick: () => { select(line.event); }, onkeydown: event => { if (event.key === 'Enter') { select(line.event); tab('event'); } } },
      element('time', {}, seconds(line.ms)), element('span', { class: 'who' }, line.who), element('span', { class: kindClass(line.text) }, line.text)));
    if (data.storyLeftOut) lines.splice(10, 0, element('li', { class: 'quiet' }, element('time'), element('span'), `${data.storyLeftOut} lines are left out here`));
    panel.replaceChildren(element('p', { class: 'quiet' }, violation >= 0 ? `What led to it: of ${count} events the ${data.story.length} that are about ${data.about.length ? 'what the violation names' : 'it'} and happened before it.` : 'The run in words.'), element('ol', { class: 'story' }, ...lines));
    const names = Object.entries(data.storyNames);
    if (names.length) panel.append(element('h2', {}, 'Names'), element('dl', {}, ...names.flatMap(([name, id]) => [element('dt', {}, name), element('dd', {}, element('button', { type: 'button', title: 'Only this', onclick: () => only(id) }, id))])));
  }

  function showRun() {
    const cell = (text, number) => element('td', { class: number ? 'n' : '' }, text), size = data.size || {}, from = data.shrunkFrom;
    const rows = ['workers', 'commands', 'faults', 'events', 'choices'].map(name => element('tr', {}, cell(name), ...(from ? [cell(from[name].toLocaleString('en'), true)] : []), cell((size[name] ?? 0).toLocaleString('en'), true)));
    const head = element('tr', {}, element('th'), ...(from ? [element('th', { class: 'n' }, 'as found')] : []), element('th', { class: 'n' }, from ? 'shrunk' : 'this run'));
    $('run').replaceChildren(element('h2', {}, 'Size'), element('table', {}, head, ...rows), element('h2', {}, 'Scenario'), ...(data.description ? [element('p', {}, data.description)] : []), element('pre', {}, data.yaml),
      element('h2', {}, 'Run'), element('dl', {}, ...[['gear', data.gear], ['seed', data.seed], ['commit', data.commit || 'unknown'], ['steps', data.steps.toLocaleString('en')], ['virtual time', data.seconds.toFixed(3) + ' s'], ['hash', data.hash]].flatMap(([term, text]) => [element('dt', {}, term), element('dd', {}, text)])));
  }

  // The machines as their tables draw them, with what this run made of them.
  function showMachines() {
    const panel = $('machines'), counts = new Map(), entities = new Map();
    for (let i = 0; i < count; i++) {
      if (kindOf(i) !== 'Transition') continue;
      const [machine, row] = detailOf(i).split(': '), key = machine + ': ' + row;
      counts.set(key, (counts.get(key) || 0) + 1);
      if (!entities.has(machine)) entities.set(machine, new Map());
      const of = entities.get(machine);
      if (!of.has(subjectOf(i))) of.set(subjectOf(i), []);
      of.get(subjectOf(i)).push(i);
    }
    panel.replaceChildren();
    for (const machine of data.machines) {
      const of = entities.get(machine.name) || new Map(), choice = element('select', { 'aria-label': `Entity of machine ${machine.name}` }, element('option', { value: '' }, `all ${of.size}`), ...[...of.keys()].map(id => element('option', { value: id }, id)));
      const holder = element('div'), path = element('p', { class: 'quiet' });
      const concerned = data.about.find(id => of.has(id));
      if (concerned) choice.value = concerned;
      const show = () => {
        const events = choice.value ? of.get(choice.value) : null, met = new Map();
        if (events) for (const i of events) { const key = detailOf(i).split(': ')[1]; met.set(key, (met.get(key) || 0) + 1); }
        else for (const [key, n] of counts) if (key.startsWith(machine.name + ': ')) met.set(key.slice(machine.name.length + 2), n);
        holder.replaceChildren(diagram(machine, met, events ? detailOf(events[events.length - 1]).split(' ')[3] : ''));
        path.replaceChildren(...(events ? events.slice(-40).flatMap(i => [link(detailOf(i).split(': ')[1], i), ' ']) : []));
      };
      choice.addEventListener('change', show);
      panel.append(element('h2', {}, machine.name + ' ', choice), holder, path);
      show();
    }
  }
  function diagram(machine, met, last) {
    const names = 'http://www.w3.org/2000/svg', make = (name, attributes, text) => { const made = document.createElementNS(names, name); for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value); if (text) made.textContent = text; return made; };
    const depth = new Map([[machine.initial, 0]]), queue = [machine.initial];
    while (queue.length) { const state = queue.shift(); for (const [from, , to] of machine.transitions) if (from === state && !depth.has(to)) { depth.set(to, depth.get(state) + 1); queue.push(to); } }
    const layers = []; for (const [state, d] of depth) (layers[d] ??= []).push(state);
    const across = Math.max(...layers.map(layer => layer.length)), w = 400, h = layers.length * 64, spot = new Map();
    layers.forEach((layer, d) => layer.forEach((state, n) => spot.set(state, { x: w / 2 + (n - (layer.length - 1) / 2) * Math.min(130, (w - 40) / across), y: d * 64 + 20 })));
    const svg = make('svg', { viewBox: `0 0 ${w} ${h}`, width: '100%', role: 'img', 'aria-label': `Machine ${machine.name}` }), edges = new Map();
    for (const [from, trigger, to] of machine.transitions) { const key = from + ' ' + to; if (!edges.has(key)) edges.set(key, []); edges.get(key).push({ trigger, n: met.get(`${from} ${trigger} ${to}`) || 0 }); }
    const labels = [];
    let side = 0;
    for (const [key, list] of edges) {
      const [from, to] = key.split(' ').map(name => spot.get(name)), hit = list.some(one => one.n), names = key.split(' '), self = names[0] === names[1];
      const back = to.y <= from.y, bend = self ? 46 : (back ? -1 : 1) * (Math.abs(to.y - from.y) > 64 || back ? 34 + 11 * (side++ % 4) : (from.x === to.x ? 0 : 10));
      const mx = (from.x + to.x) / 2 + bend * (from.x === to.x || back ? 1.6 : 1), my = (from.y + to.y) / 2;
      const line = make('path', { d: `M${from.x} ${from.y} Q${mx} ${my + (self ? 30 : 0)} ${to.x} ${to.y}`, class: hit ? 'met' : '' });
      line.append(make('title', {}, list.map(one => `${key.replace(' ', ' to ')}: ${one.trigger}, ${one.n}`).join('\n')));
      svg.append(line);
      const shown = list.filter(one => one.n), dense = edges.size > 9 && !shown.length;
      const label = dense ? '' : (shown.length ? shown : list).map(one => one.trigger + (one.n ? ` ${one.n}` : '')).join(', ');
      if (label) labels.push(make('text', { x: (from.x + 2 * mx + to.x) / 4, y: (from.y + 2 * my + to.y) / 4 + 3 + (self ? 18 : 0), 'text-anchor': 'middle', class: hit ? 't met' : 't' }, label));
    }
    for (const [state, { x, y }] of spot) {
      const touched = [...met.keys()].some(key => key.split(' ')[0] === state || key.split(' ')[2] === state), half = state.length * 3.4 + 9;
      svg.append(make('rect', { x: x - half, y: y - 11, width: half * 2, height: 22, rx: 11, class: (touched ? 'met' : '') + (state === last ? ' last' : '') }), make('text', { x, y: y + 4, 'text-anchor': 'middle' }, state));
    }
    svg.append(...labels);
    return svg;
  }

  // ---- search and filters -------------------------------------------------------------------------------------------------------------
  let haystack = null, hit = -1;
  function search(move) {
    const text = $('search').value.trim().toLowerCase();
    isHit.fill(0); hits = [];
    if (text) {
      haystack ??= Array.from({ length: count }, (_, i) => (lineOf(i) + ' ' + aboutOf(i).join(' ')).toLowerCase());
      for (const i of visible) if (haystack[i].includes(text)) { isHit[i] = 1; hits.push(i); }
    }
    $('hits').textContent = text ? `${hits.length.toLocaleString('en')} found` : '';
    if (move && hits.length) { hit = 0; select(hits[0]); }
  }
  function nextHit(by) {
    if (!hits.length) return;
    if (selected >= 0) { const after = by > 0 ? hits.findIndex(i => i > selected) : hits.findLastIndex(i => i < selected); hit = after < 0 ? (by > 0 ? 0 : hits.length - 1) : after; }
    else hit = by > 0 ? 0 : hits.length - 1;
    select(hits[hit]);
    $('hits').textContent = `${hit + 1} of ${hits.length}`;
  }
  let waiting = 0;
  $('search').addEventListener('input', () => { clearTimeout(waiting); waiting = setTimeout(() => { search(true); draw(); drawRows(); }, 120); });
  $('search').addEventListener('keydown', event => { if (event.key === 'Enter') { event.preventDefault(); clearTimeout(waiting); if (!hits.length) search(true); else nextHit(event.shiftKey ? -1 : 1); } });
  $('nextHit').addEventListener('click', () => nextHit(1));
  $('previousHit').addEventListener('click', () => nextHit(-1));
  function only(id) { options.only = $('only').value = id; refresh(false); if (selected >= 0 && isShown[selected]) reveal(selected); }
  $('only').addEventListener('change', event => only(event.target.value.trim()));
  const toggle = name => { $(name).checked = options[name] = !options[name]; refresh(true); keepInside(); };
  for (const name of ['slice', 'routine']) $(name).addEventListener('change', event => { options[name] = event.target.checked; refresh(false); });
  $('axis').addEventListener('change', event => { options.axis = event.target.value; refresh(false); });
  const toViolation = () => { if (violation >= 0) { select(violation); const span = Math.min(extent.to - extent.from, options.axis === 'time' ? 2000 : 160); view = { from: place[violation] - span * 0.8, to: place[violation] + span * 0.2 }; keepInside(); draw(); } };
  $('zoomIn').addEventListener('click', () => zoom(0.6)); $('zoomOut').addEventListener('click', () => zoom(1 / 0.6));
  $('fit').addEventListener('click', () => { view = { ...extent }; draw(); }); $('toViolation').addEventListener('click', toViolation);
  $('copy').addEventListener('click', async () => {
    try { await navigator.clipboard.writeText(data.replay); } catch { const range = document.createRange(); range.selectNodeContents($('replay')); getSelection().removeAllRanges(); getSelection().addRange(range); document.execCommand('copy'); }
    $('copy').textContent = 'Copied'; setTimeout(() => { $('copy').textContent = 'Copy'; }, 1200);
  });
  function theme(name) { document.documentElement.dataset.theme = name; readColours(); draw(); }
  const otherTheme = () => theme(document.documentElement.dataset.theme === 'dark' ? 'light' : 'dark');
  $('theme').addEventListener('click', otherTheme);

  document.addEventListener('keydown', event => {
    if (event.target.matches('input[type=search], input[list], select, input:not([type=checkbox])')) { if (event.key === 'Escape') event.target.blur(); return; }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const onTab = event.target.matches('[role=tab]'), act = {
      '/': () => $('search').focus(), n: () => nextHit(1), N: () => nextHit(-1), s: () => violation >= 0 && toggle('slice'), p: () => toggle('routine'), v: toViolation, t: otherTheme,
      '+': () => zoom(0.6, selected >= 0 && isShown[selected] ? place[selected] : undefined), '=': () => zoom(0.6), '-': () => zoom(1 / 0.6), 0: () => { view = { ...extent }; draw(); },
      ArrowRight: () => step(1, event.shiftKey), ArrowLeft: () => step(-1, event.shiftKey), ArrowDown: () => laneStep(1), ArrowUp: () => laneStep(-1),
      Home: () => visible.length && select(visible[0]), End: () => visible.length && select(visible[visible.length - 1]), PageUp: () => pan((view.from - view.to) * 0.8), PageDown: () => pan((view.to - view.from) * 0.8),
      Enter: () => { if (selected >= 0) tab('event'); }, Escape: () => { selected = -1; only(''); }, '?': () => tab('help'),
    }[event.key];
    if (!act || (onTab && event.key === 'Enter') || (event.key === 'Enter' && event.target.matches('button, li'))) return;
    event.preventDefault(); act();
  });

  // ---- begin -------------------------------------------------------------------------------------------------------------------------
  $('headline').textContent = data.violation ? `${data.violation.id} violated in ${data.scenario}` : `${data.scenario}: held`;
  $('headline').className = data.violation ? 'bad' : 'good';
  $('says').textContent = data.violation ? `${data.violation.says} But: ${data.violation.message.split('\n')[0]}` : data.description;
  $('facts').textContent = `gear ${data.gear}, seed ${data.seed}, commit ${data.commit ? data.commit.slice(0, 12) : 'unknown'}` + (data.violation ? `, step ${data.violation.step}, ${data.violation.seconds.toFixed(3)} s` : '') + (data.shrunkFrom ? `; shrunk from ${data.shrunkFrom.events.toLocaleString('en')} events to ${data.size.events.toLocaleString('en')}` : '');
  $('replay').textContent = data.replay;
  $('slice').checked = options.slice; $('slice').disabled = violation < 0; $('toViolation').disabled = violation < 0;
  $('ids').append(...[...new Set(e.about.flatMap(about => about || []))].map(id => element('option', { value: words[id] })));
  $('key').append(...[['frame', 'sent, taken'], ['commit', 'durable'], ['executed', 'device acts'], ['link', 'link'], ['fault', 'fault'], ['down', 'down'], ['queued', 'queued'], ['dispatched', 'dispatched'], ['executing', 'executing, sick, half-open'], ['timeout', 'timeout'], ['success', 'success, healthy, ready'], ['failed', 'failed, dead, open']].map(([colour, text]) => element('span', {}, element('i', { style: `background:var(--${colour})` }), text)));
  $('help').append(element('dl', {}, ...[['\u2190 \u2192', 'the event before, after (with Shift: in the same lane)'], ['\u2191 \u2193', 'the lane above, below'], ['Enter', 'what the event says'], ['+ \u2212 0', 'zoom in, out, all of it'], ['Page Up, Page Down', 'along the timeline'], ['/ n N', 'search, next and previous match'], ['v', 'the violation'], ['s', 'only what happened before the violation'], ['p', 'pings and pulls too'], ['t', 'light or dark'], ['Esc', 'choose nothing, filter nothing'], ['wheel, drag', 'zoom, pan; with Shift the wheel pans; over the names it scrolls the lanes']].flatMap(([keys, text]) => [element('dt', {}, element('kbd', {}, keys)), element('dd', {}, text)])));
  document.documentElement.dataset.theme = matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', event => theme(event.matches ? 'dark' : 'light'));
  readColours(); showStory(); showRun(); showMachines(); refresh(false);
  if (violation >= 0) toViolation(); else tab('story');
  new ResizeObserver(() => { draw(); drawRows(); }).observe(canvas);
  window.orkReport = { count, violation, get selected() { return selected; }, get shown() { return visible.length; }, select, paint, isInView: i => isShown[i] === 1 && xOf(place[i]) >= gutter && xOf(place[i]) <= width() && yOf(laneOf[i]) >= top - 1 && yOf(laneOf[i]) < height(), spotOf: i => ({ x: xOf(place[i]), y: yOf(laneOf[i]) + laneHeight() / 2 }) };
})();
