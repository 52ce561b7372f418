/* Times are sent in UTC and shown in the browser's own zone, on a clock of 24 hours. */
(function (w, d) {
  'use strict';
  var clock = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' };
  var seconds = Object.assign({ second: '2-digit' }, clock);
  var date = { day: 'numeric', month: 'short' };
  function write(shape) { var f = new Intl.DateTimeFormat('en-GB', shape); return function (t) { return f.format(t); }; }
  var say = {
    minute: write(clock), second: write(seconds), date: write(date),
    year: write(Object.assign({ year: 'numeric' }, date))
  };
  say.clock = function (t) { return t.toDateString() === new Date().toDateString() ? say.second(t) : say.date(t) + ' ' + say.second(t); };
  say.moment = function (t) { return say.year(t) + ' ' + say.second(t); };
  say.all = function (root) {
    root.querySelectorAll('time[datetime]').forEach(function (el) { el.textContent = say[el.dataset.form](new Date(el.dateTime)); });
  };
  w.equipoiseTimes = say;
  say.all(d);
  var zone = d.getElementById('zone');
  if (zone) zone.textContent = 'Times in ' + new Intl.DateTimeFormat().resolvedOptions().timeZone.replace(/_/g, ' ');
  d.addEventListener('htmx:afterSwap', function (event) { say.all(event.target); });
})(window, document);
