/* Equipoise tracker. Put the stub in your page, load this file with `async`, and call
     equipoise('track', 'add_to_cart', {items: [{item_id: 'sku-1', quantity: 1, price: 9.9}]})
   Lists are observed by markup:
     <ul data-eq-list="home" data-eq-recommendation="r-…"> <li data-eq-item="sku-1" data-eq-token="…">
   An impression is half of a slot in view for a second. No cookies; one first-party anonymous id. */
(function (w, d) {
  'use strict';
  var script = d.currentScript || d.querySelector('script[data-eq-endpoint]');
  var endpoint = (script && script.dataset.eqEndpoint) || '/v1/collect';
  var key = (script && script.dataset.eqKey) || '';
  var LIMIT = 60000, EVERY = 2000, SEEN_MS = 1000, SESSION_MS = 1800000;
  var queue = [], timer = 0, retry = 0, who = {}, consent = null;
  var store = {
    get: function (k) { try { return w.localStorage.getItem('eq.' + k); } catch (e) { return null; } },
    set: function (k, v) {
      try { v === null ? w.localStorage.removeItem('eq.' + k) : w.localStorage.setItem('eq.' + k, v); }
      catch (e) { who[k] = v; }
    }
  };
  function id() {
    var b = new Uint8Array(16), s = '';
    w.crypto.getRandomValues(b);
    for (var i = 0; i < 16; i++) s += (b[i] + 256).toString(16).slice(1);
    return s;
  }
  function anonymous() {
    var a = store.get('anonymous') || who.anonymous;
    if (!a) { a = 'c-' + id(); who.anonymous = a; store.set('anonymous', a); }
    return a;
  }
  function session() {
    var now = Date.now(), s = (store.get('session') || '').split('|');
    if (!s[0] || now - Number(s[1]) > SESSION_MS) s[0] = 's-' + id();
    store.set('session', s[0] + '|' + now);
    return s[0];
  }
  function allowed() {
    // Global Privacy Control is a refusal of personalisation; the shop's own banner may refuse all.
    var c = consent || JSON.parse(store.get('consent') || 'null') || {};
    if (w.navigator.globalPrivacyControl) c = { analytics: c.analytics, personalization: false };
    return c;
  }
  function track(name, body) {
    var c = allowed();
    if (c.analytics === false) return;
    var e = Object.assign({ event_id: id(), event: name, ts: new Date().toISOString(), anonymous_id: anonymous(),
      session_id: session(), context: { channel: 'web', locale: d.documentElement.lang || w.navigator.language } }, body);
    var user = store.get('user');
    if (user) e.user_id = user;
    if (c.personalization !== undefined || c.analytics !== undefined) e.consent = c;
    queue.push(e);
    if (!timer) timer = w.setTimeout(send, name === 'view_item_list' ? EVERY : 50);
  }
  function batch() {
    var size = 20, n = 0;
    while (n < queue.length && n < 400) {
      size += new Blob([JSON.stringify(queue[n])]).size + 1;
      if (size > LIMIT && n > 0) break;
      n++;
    }
    return queue.splice(0, n);
  }
  function url() { return endpoint + (key ? '?key=' + encodeURIComponent(key) : ''); }
  function send() {
    timer = 0;
    if (!queue.length) return;
    var events = batch();
    w.fetch(url(), { method: 'POST', body: JSON.stringify({ events: events }), keepalive: true,
      credentials: 'omit', headers: { 'Content-Type': 'text/plain' } })
      .then(function (r) {
        if (r.status === 429 || r.status >= 500) throw new Error(r.status);
        retry = 0;
        d.dispatchEvent(new CustomEvent('equipoise:sent', { detail: events }));
        if (queue.length) send();
      })
      .catch(function () {
        queue = events.concat(queue).slice(0, 1000);
        retry = Math.min(retry + 1, 6);
        if (!timer) timer = w.setTimeout(send, 500 * Math.pow(2, retry));
      });
  }
  function flush() {
    while (queue.length) {
      var events = batch();
      if (!w.navigator.sendBeacon(url(), JSON.stringify({ events: events }))) { queue = events.concat(queue); return; }
    }
  }

  // What was in view.
  var waiting = new Map(), seen = new WeakSet(), shown = new Map();
  var observer = 'IntersectionObserver' in w && new IntersectionObserver(function (entries) {
    entries.forEach(function (entry) {
      var el = entry.target;
      if (entry.isIntersecting && !seen.has(el) && !waiting.has(el)) {
        waiting.set(el, w.setTimeout(function () { waiting.delete(el); seen.add(el); saw(el); }, SEEN_MS));
      } else if (!entry.isIntersecting && waiting.has(el)) {
        w.clearTimeout(waiting.get(el)); waiting.delete(el);
      }
    });
  }, { threshold: 0.5 });
  function line(el) {
    var list = el.closest('[data-eq-list]'), slots = list ? Array.prototype.slice.call(list.querySelectorAll('[data-eq-item]')) : [];
    return { item_id: el.dataset.eqItem, index: slots.indexOf(el), token: el.dataset.eqToken };
  }
  function about(list) {
    return { recommendation_id: list.dataset.eqRecommendation, attributes: { item_list_id: list.dataset.eqList } };
  }
  function saw(el) {
    var list = el.closest('[data-eq-list]');
    if (!list) return;
    if (!shown.has(list)) {
      shown.set(list, []);
      w.setTimeout(function () { tell(list); }, 300);
    }
    shown.get(list).push(line(el));
  }
  function tell(list) {
    var items = shown.get(list);
    shown.delete(list);
    if (items) track('view_item_list', Object.assign({ items: items }, about(list)));
  }
  function observe() {
    if (observer) d.querySelectorAll('[data-eq-item]').forEach(function (el) { if (!seen.has(el)) observer.observe(el); });
  }
  d.addEventListener('click', function (event) {
    var el = event.target.closest && event.target.closest('[data-eq-item]');
    var list = el && el.closest('[data-eq-list]');
    if (!list || !event.target.closest('a')) return;
    tell(list);
    track('select_item', Object.assign({ items: [line(el)] }, about(list)));
    flush();
  }, true);
  d.addEventListener('visibilitychange', function () {
    if (d.visibilityState === 'hidden') { shown.forEach(function (_, list) { tell(list); }); flush(); }
  });

  var commands = {
    track: track,
    identify: function (user) { store.set('user', String(user)); track('identify', {}); },
    reset: function () { ['user', 'anonymous', 'session'].forEach(function (k) { store.set(k, null); delete who[k]; }); },
    consent: function (c) { consent = c; store.set('consent', JSON.stringify(c)); if (c.analytics === false) queue = []; },
    observe: observe,
    flush: flush,
    anonymous: function (then) { then(anonymous()); }
  };
  function run(call) { var f = commands[call[0]]; if (f) f.apply(null, [].slice.call(call, 1)); }
  var earlier = (w.equipoise && w.equipoise.q) || [];
  w.equipoise = function () { run(arguments); };
  [].slice.call(earlier).forEach(run);
  if (d.readyState === 'loading') d.addEventListener('DOMContentLoaded', observe); else observe();
})(window, document);
