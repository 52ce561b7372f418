/* Equipoise tracker. Load it with `defer`, or with `async` after the stub of docs/tracker.md, and call
     equipoise('track', 'add_to_cart', {items: [{item_id: 'sku-1', quantity: 1, price: 9.9}]})
   Lists are watched by their markup:
     <ul data-eq-list="home" data-eq-recommendation="r-…"> <li data-eq-item="sku-1" data-eq-token="…">
   An impression is half of an item in view for a second. No cookies; one first-party anonymous id. */
(function (w, d) {
  'use strict';
  var script = d.currentScript || d.querySelector('script[data-eq-endpoint]');
  var endpoint = (script && script.dataset.eqEndpoint) || '/v1/collect';
  var key = (script && script.dataset.eqKey) || '';
  var LIMIT = 60000, LARGEST = 32000, MOST = 400, KEPT = 1000;
  var SOON = 50, LATER = 2000, SEEN_MS = 1000, SESSION_MS = 1800000;
  var queue = [], timer = 0, due = 0, failed = 0, page = {};

  // Where storage is refused, a value lives as long as the page.
  function get(k) { try { return w.localStorage.getItem('eq.' + k); } catch (e) { return page[k] || null; } }
  function set(k, v) {
    try { if (v === null) w.localStorage.removeItem('eq.' + k); else w.localStorage.setItem('eq.' + k, v); }
    catch (e) { page[k] = v; }
  }
  function id() {
    var b = w.crypto.getRandomValues(new Uint8Array(16)), s = '';
    for (var i = 0; i < 16; i++) s += (b[i] + 256).toString(16).slice(1);
    return s;
  }
  function consent() {
    var c;
    try { c = JSON.parse(get('consent')); } catch (e) { /* not ours */ }
    c = Object.assign({}, c);
    // Global Privacy Control refuses personalisation, whatever was clicked elsewhere.
    if (w.navigator.globalPrivacyControl) c.personalization = false;
    return c;
  }
  function anonymous() {
    if (consent().analytics === false) return (page.one = page.one || 'c-' + id());
    var a = get('anonymous');
    if (!a) set('anonymous', a = 'c-' + id());
    return a;
  }
  function session() {
    var now = Date.now(), s = (get('session') || '').split('|');
    if (!s[0] || !(now - s[1] < SESSION_MS)) s[0] = 's-' + id();
    set('session', s[0] + '|' + now);
    return s[0];
  }

  // ---- sending
  function track(name, body, wait) {
    var c = consent(), user = get('user');
    if (c.analytics === false) return;
    var e = Object.assign({ event_id: id(), event: name, ts: new Date().toISOString(), anonymous_id: anonymous(), session_id: session(),
      context: { channel: 'web', locale: d.documentElement.lang || w.navigator.language } }, body);
    if (user) e.user_id = user;
    if (Object.keys(c).length) e.consent = c;
    var text = JSON.stringify(e), size = new Blob([text]).size;
    if (size > LARGEST) { w.console.warn('equipoise: ' + name + ' of ' + size + ' bytes is too large and was dropped'); return; }
    queue.push({ text: text, size: size });
    if (!failed) later(wait || SOON);
  }
  function later(ms) {
    var at = Date.now() + ms;
    if (timer && due <= at) return;
    w.clearTimeout(timer);
    due = at;
    timer = w.setTimeout(send, ms);
  }
  function batch() {
    for (var n = 0, size = 20; n < queue.length && n < MOST; n++) {
      size += queue[n].size + 1;
      if (size > LIMIT) break;
    }
    return queue.splice(0, n);
  }
  function body(events) { return '{"events":[' + events.map(function (e) { return e.text; }).join() + ']}'; }
  function back(events) { queue = events.concat(queue).slice(0, KEPT); }
  function url() { return endpoint + (key ? '?key=' + encodeURIComponent(key) : ''); }
  function send() {
    timer = 0;
    var events = batch();
    if (!events.length) return;
    // Text, not JSON: no preflight. An event sent twice is known by its event_id.
    w.fetch(url(), { method: 'POST', body: body(events), keepalive: true, credentials: 'omit', headers: { 'Content-Type': 'text/plain' } })
      .then(function (r) {
        if (r.status === 429 || r.status >= 500) throw r;
        failed = 0;
        if (queue.length) later(SOON);
      })
      .catch(function () {
        back(events);
        failed = Math.min(failed + 1, 6);
        later(500 * Math.pow(2, failed));
      });
  }
  function flush() {
    while (queue.length) {
      var events = batch();
      if (!w.navigator.sendBeacon(url(), body(events))) { back(events); later(SOON); return; }
    }
  }

  // ---- what came into view
  var waiting = new Map(), seen = new WeakSet(), shown = new Map();
  var observer = 'IntersectionObserver' in w && new IntersectionObserver(function (entries) {
    entries.forEach(function (entry) {
      var el = entry.target, inView = entry.isIntersecting && entry.intersectionRatio >= 0.5;
      if (!inView) drop(el);
      else if (!seen.has(el) && !waiting.has(el)) waiting.set(el, w.setTimeout(function () { drop(el); saw(el); }, SEEN_MS));
    });
  }, { threshold: 0.5 });
  function drop(el) { w.clearTimeout(waiting.get(el)); waiting.delete(el); }
  function observe() {
    if (observer) d.querySelectorAll('[data-eq-list] [data-eq-item]').forEach(function (el) { if (!seen.has(el)) observer.observe(el); });
  }
  function saw(el) {
    var list = el.closest('[data-eq-list]');
    seen.add(el);
    observer.unobserve(el);
    if (!list) return;
    if (!shown.has(list)) { shown.set(list, []); w.setTimeout(tell, 300, list); }
    shown.get(list).push(line(list, el));
  }
  function tell(list) {
    var items = shown.get(list);
    shown.delete(list);
    if (items) track('view_item_list', about(list, items), LATER);
  }
  function line(list, el) {
    return { item_id: el.dataset.eqItem, index: [].indexOf.call(list.querySelectorAll('[data-eq-item]'), el), token: el.dataset.eqToken };
  }
  function about(list, items) {
    return { items: items, recommendation_id: list.dataset.eqRecommendation, attributes: { item_list_id: list.dataset.eqList } };
  }
  function clicked(event) {
    var link = event.target.closest && event.target.closest('a'), el = link && link.closest('[data-eq-item]');
    var list = el && el.closest('[data-eq-list]');
    if (!list || event.button > 1) return;
    tell(list);
    track('select_item', about(list, [line(list, el)]));
    flush();
  }
  d.addEventListener('click', clicked, true);
  d.addEventListener('auxclick', clicked, true);
  d.addEventListener('visibilitychange', function () {
    if (d.visibilityState === 'hidden') {
      // What waits was not looked at for its second; it waits anew when the page is back.
      waiting.forEach(function (_, el) { drop(el); observer.unobserve(el); });
      shown.forEach(function (_, list) { tell(list); });
      flush();
    } else observe();
  });

  var commands = {
    track: function (name, body) { track(name, body); },
    identify: function (user) { set('user', String(user)); track('identify'); },
    reset: function () { ['user', 'anonymous', 'session'].forEach(function (k) { set(k, null); }); delete page.one; },
    consent: function (c) {
      set('consent', JSON.stringify(c = c || {}));
      if (c.analytics !== false) return;
      queue = [];
      shown.clear();
      commands.reset();
    },
    observe: observe,
    flush: flush,
    anonymous: function (then) { then(anonymous()); }
  };
  function run(call) { if (commands[call[0]]) commands[call[0]].apply(null, [].slice.call(call, 1)); }
  var earlier = (w.equipoise && w.equipoise.q) || [];
  w.equipoise = function () { run(arguments); };
  [].forEach.call(earlier, run);
  if (d.readyState === 'loading') d.addEventListener('DOMContentLoaded', observe); else observe();
})(window, document);
