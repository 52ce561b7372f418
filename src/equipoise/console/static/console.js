/* The control room: four charts over one JSON series; figures and tables come as HTML by htmx. */
(function (w, d) {
  'use strict';
  var scope = d.getElementById('scope'), charts = d.getElementById('charts');
  if (!charts) return;
  scope.addEventListener('change', function () { scope.submit(); });
  var times = w.equipoiseTimes, EVERY = 2000, LEARNER_EVERY = 3;
  var dark = w.matchMedia('(prefers-color-scheme: dark)');
  function colour(name) { return getComputedStyle(d.documentElement).getPropertyValue('--' + name).trim(); }
  function digits(least, most) {
    var f = new Intl.NumberFormat('en-GB', { minimumFractionDigits: least, maximumFractionDigits: most });
    return function (v) { return f.format(v).replace('-', '−'); };
  }
  var one = digits(1, 1), whole = digits(0, 0), few = digits(0, 1), amount = new Intl.NumberFormat('en-GB', { maximumSignificantDigits: 3 });
  function count(v) { return v < 10 ? few(v) : whole(v); }
  function percent(v) { return one(100 * v) + ' %'; }
  function money(v) { return amount.format(v).replace('-', '−'); }
  function inPercent(u, splits, axis, space, step) {
    var f = digits(0, step >= 0.01 ? 0 : step >= 0.001 ? 1 : 2);
    return splits.map(function (v) { return f(100 * v) + ' %'; });
  }
  function plain(u, splits) { return splits.map(function (v) { return v >= 10000 ? few(v / 1000) + 'k' : money(v); }); }
  var SPECS = {
    events: { lines: [['events', 'exploited']], say: count, axis: plain, bars: true },
    ctr: { lines: [['ctr_exploited', 'exploited'], ['ctr_explored', 'explored']], say: percent, axis: inPercent },
    spend: { lines: [['spent', 'explored'], ['budget', 'target', [6, 4]]], say: percent, axis: inPercent },
    worth: { lines: [['worth', 'exploited']], say: money, axis: plain }
  };
  var drawn = {}, step = 60, MINUTES = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440].map(function (m) { return 60 * m; });

  function ticks(u, splits) {
    var first = new Date(1000 * splits[0]), last = new Date(1000 * splits[splits.length - 1]);
    var many = first.toDateString() !== last.toDateString(), before = '';
    return splits.map(function (s) {
      var t = new Date(1000 * s), day = times.date(t), turn = many && day !== before;
      before = day;
      return times.minute(t) + (turn ? '\n' + day : '');
    });
  }
  function options(name, spec, host) {
    var ink = colour('soft'), line = colour('line');
    var axis = { stroke: ink, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 }, font: '12px system-ui, sans-serif' };
    return {
      width: host.clientWidth, height: host.clientHeight, legend: { show: false }, padding: [10, 24, 0, 0],
      cursor: { y: false, drag: { x: false, y: false }, sync: { key: 'control-room' } },
      scales: {
        x: { time: true, range: function (u, low, high) { return [low, Math.max(high + (spec.bars ? step : 0), low + 4 * step)]; } },
        y: { range: function (u, low, high) { return [Math.min(0, low * 1.12), high > 0 ? high * 1.12 : 1]; } }
      },
      axes: [Object.assign({ values: ticks, incrs: MINUTES, space: 64, size: 40 }, axis), Object.assign({ size: 58, values: spec.axis }, axis)],
      series: [{}].concat(spec.lines.map(function (l) {
        var ink = colour(l[1]);
        return {
          label: l[0], stroke: ink, width: spec.bars ? 0 : 2, dash: l[2], fill: spec.bars ? ink : undefined,
          points: { show: spec.bars || l[2] ? false : sparse, size: 7, fill: ink },
          paths: spec.bars ? w.uPlot.paths.bars({ size: [0.8, 100], align: 1 }) : undefined
        };
      })),
      hooks: { setCursor: [function (u) { tell(name, u.cursor.idx); }] }
    };
  }
  /* A lone point would be a line without length. */
  function sparse(u, series, first, last) { return last - first < 15; }
  function span(seconds) {
    var from = times.minute(new Date(1000 * seconds));
    return step > 60 ? from + '–' + times.minute(new Date(1000 * (seconds + step))) : from;
  }
  /* What the legend says: the point under the cursor, else the newest that holds anything. */
  function tell(name, at) {
    var spec = SPECS[name], data = drawn[name].data, legend = d.getElementById('legend-' + name), said = [];
    var over = at !== null && at !== undefined;
    if (!over) for (at = data[0].length - 1; at > 0 && data[1][at] === null; at--);
    spec.lines.forEach(function (l, i) {
      var v = data[i + 1][at], words = v === null || v === undefined ? '–' : spec.say(v), el = legend.querySelector('[data-line=' + l[0] + ']');
      el.querySelector('b').textContent = words;
      said.push(el.textContent.trim());
    });
    legend.querySelector('.when').textContent = (over ? 'at ' : 'newest, ') + span(data[0][at]);
    if (!over) d.getElementById('chart-' + name).setAttribute('aria-label', d.getElementById('title-' + name).textContent + ', newest: ' + said.join(', '));
  }
  function draw(series) {
    step = series.step;
    Object.keys(SPECS).forEach(function (name) {
      var host = d.getElementById('chart-' + name), spec = SPECS[name];
      var data = [series.time].concat(spec.lines.map(function (l) { return series[l[0]]; }));
      var none = !data[1].some(function (v) { return v !== null; });
      host.hidden = none;
      host.nextElementSibling.hidden = !none;
      d.getElementById('legend-' + name).hidden = none;
      if (none) { if (drawn[name]) { drawn[name].destroy(); delete drawn[name]; } return; }
      if (drawn[name]) drawn[name].setData(data); else drawn[name] = new w.uPlot(options(name, spec, host), data, host);
      tell(name, drawn[name].cursor.idx);
    });
  }
  function again() {
    Object.keys(drawn).forEach(function (name) { drawn[name].destroy(); delete drawn[name]; });
    refresh();
  }

  var bar = d.querySelector('.status'), state = d.getElementById('state'), pause = d.getElementById('pause'), paused = false, answered = new Date();
  function status(s) {
    if (state.textContent !== s.state) state.textContent = s.state;
    bar.dataset.state = s.state;
    d.getElementById('news').textContent = s.words;
    var newest = d.getElementById('newest');
    if (s.ts) { newest.dateTime = s.ts; newest.textContent = times.clock(new Date(s.ts)); } else newest.textContent = '';
  }
  function refresh() {
    return fetch(charts.dataset.series, { credentials: 'same-origin' })
      .then(function (r) { if (!r.ok) throw new Error(r.status); return r.json(); })
      .then(function (series) { answered = new Date(); if (!paused) { status(series.status); draw(series); } })
      .catch(function () { status({ state: 'stale', words: 'no answer from the service since', ts: answered.toISOString() }); });
  }
  var rounds = 0;
  w.setInterval(function () {
    if (d.hidden || paused) return;
    refresh().then(function () {
      if (bar.dataset.state === 'stale') return;
      w.htmx.trigger('#tiles', 'refresh');
      if (++rounds % LEARNER_EVERY === 0) w.htmx.trigger('#learner', 'refresh');
    });
  }, EVERY);
  pause.addEventListener('click', function () {
    paused = !paused;
    pause.setAttribute('aria-pressed', String(paused));
    if (paused) status({ state: 'paused', words: 'showing', ts: answered.toISOString() }); else refresh();
  });
  var resized = 0;
  w.addEventListener('resize', function () { w.clearTimeout(resized); resized = w.setTimeout(again, 150); });
  dark.addEventListener('change', again);
  refresh();
})(window, document);
