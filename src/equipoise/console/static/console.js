/* The control room: four charts over one JSON series, drawn again every two seconds. */
(function () {
  'use strict';
  var scope = document.getElementById('scope');
  if (scope) scope.addEventListener('change', function () { scope.submit(); });
  var charts = document.getElementById('charts');
  if (!charts || !window.uPlot) return;
  var dark = window.matchMedia('(prefers-color-scheme: dark)');
  function colour(name) { return getComputedStyle(document.documentElement).getPropertyValue('--' + name).trim(); }
  function percent(digits) { return function (_, values) { return values.map(function (v) { return v === null ? '' : (100 * v).toFixed(digits) + ' %'; }); }; }
  function plain(_, values) {
    return values.map(function (v) { return v === null ? '' : (v >= 10000 ? (v / 1000) + 'k' : String(+v.toPrecision(3))); });
  }
  var SPECS = {
    events: { lines: [['events', 'exploited', 1]], axis: plain },
    ctr: { lines: [['ctr_exploited', 'exploited'], ['ctr_explored', 'explored']], axis: percent(1) },
    spend: { lines: [['spent', 'explored', 1], ['budget', 'target', 0, [6, 4]]], axis: percent(1) },
    worth: { lines: [['worth', 'exploited']], axis: plain }
  };
  var drawn = {};
  function options(name, spec, host) {
    var ink = colour('soft'), line = colour('line');
    var axis = { stroke: ink, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 }, font: '12px system-ui, sans-serif' };
    return {
      width: host.clientWidth, height: host.clientHeight, cursor: { y: false }, legend: { show: false },
      scales: { x: { time: true }, y: { range: function (_, low, high) { return [0, high > 0 ? high * 1.12 : 1]; } } },
      axes: [Object.assign({}, axis), Object.assign({ size: 62, values: spec.axis }, axis)],
      series: [{}].concat(spec.lines.map(function (l) {
        return { label: l[0], stroke: colour(l[1]), width: 2, dash: l[3], spanGaps: true, points: { show: false }, fill: l[2] ? colour(l[1]) + '22' : undefined };
      }))
    };
  }
  function draw(series) {
    Object.keys(SPECS).forEach(function (name) {
      var host = document.getElementById('chart-' + name), spec = SPECS[name];
      var data = [series.time].concat(spec.lines.map(function (l) { return series[l[0]]; }));
      if (drawn[name]) { drawn[name].setData(data); return; }
      drawn[name] = new window.uPlot(options(name, spec, host), data, host);
    });
  }
  function again() {
    Object.keys(drawn).forEach(function (name) { drawn[name].destroy(); delete drawn[name]; });
    refresh();
  }
  function refresh() {
    return fetch(charts.dataset.series, { credentials: 'same-origin' })
      .then(function (r) { if (!r.ok) throw new Error(r.status); return r.json(); })
      .then(draw)
      .catch(function () { /* the server is restarting: the next round asks again */ });
  }
  var resized = 0;
  window.addEventListener('resize', function () { clearTimeout(resized); resized = setTimeout(again, 150); });
  dark.addEventListener('change', again);
  refresh();
  setInterval(function () { if (!document.hidden) refresh(); }, 2000);
})();
