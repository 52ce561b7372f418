/* The storefront: lists are fetched for this browser's own anonymous id, so no cookie is needed. */
(function (w, d) {
  'use strict';
  function load(shelf, visitor) {
    var about = new URLSearchParams({ placement: shelf.dataset.shelf, n: shelf.dataset.n, anonymous_id: visitor });
    if (shelf.dataset.item) about.set('item', shelf.dataset.item);
    if (shelf.dataset.department) about.set('department', shelf.dataset.department);
    w.htmx.ajax('GET', '/shop/list?' + about, { target: shelf, swap: 'innerHTML' }).then(function () {
      shelf.setAttribute('aria-busy', 'false');
      w.equipoise('observe');
    });
  }
  function loadAll() {
    w.equipoise('anonymous', function (visitor) {
      d.querySelectorAll('[data-shelf]').forEach(function (shelf) { load(shelf, visitor); });
    });
  }
  ['htmx:responseError', 'htmx:sendError'].forEach(function (failure) {
    d.addEventListener(failure, function (event) {
      var said = event.detail.target.querySelector('p');
      if (said) said.textContent = 'This list did not load. Reload the page to try again.';
    });
  });
  function line(product) {
    var one = { item_id: product.dataset.item, quantity: 1 };
    if (product.dataset.price) one.price = Number(product.dataset.price);
    return one;
  }
  function act(product, what) {
    var one = line(product), body = { items: [one], currency: product.dataset.currency };
    if (one.price !== undefined) body.value = one.price;
    if (what === 'purchase') body.transaction_id = 'web-' + Date.now() + '-' + Math.floor(Math.random() * 1e9);
    w.equipoise('track', what, body);
    d.getElementById('note').textContent = what === 'purchase' ? 'Thank you. Nothing is charged: this storefront is for show.' : 'Added to your cart.';
  }
  var reveal = d.getElementById('reveal');
  function setReveal(on) {
    d.body.classList.toggle('reveal', on);
    reveal.setAttribute('aria-pressed', String(on));
  }
  reveal.addEventListener('click', function () {
    var on = !d.body.classList.contains('reveal');
    setReveal(on);
    try { w.localStorage.setItem('shop.reveal', on ? '1' : ''); } catch (e) { /* private mode: not kept */ }
  });
  try { setReveal(w.localStorage.getItem('shop.reveal') === '1'); } catch (e) { setReveal(false); }

  /* How long the page was looked at: only while it is in front. */
  function dwell(product) {
    var looked = 0, since = d.hidden ? 0 : Date.now();
    function rest() { if (since) looked += Date.now() - since; since = 0; }
    d.addEventListener('visibilitychange', function () { if (d.hidden) rest(); else since = Date.now(); });
    w.addEventListener('pagehide', function () {
      rest();
      w.equipoise('track', 'view_portion', { items: [{ item_id: product.dataset.item }], attributes: { seconds: looked / 1000 } });
      w.equipoise('flush');
      looked = 0;
    });
  }
  var product = d.getElementById('product');
  if (product) {
    w.equipoise('track', 'view_item', { items: [line(product)], currency: product.dataset.currency });
    dwell(product);
    product.addEventListener('click', function (event) {
      var what = event.target.dataset.do;
      if (what) act(product, what);
    });
  }
  /* Back from another page: the list that stands here does not know what was done there. */
  w.addEventListener('pageshow', function (event) { if (event.persisted) loadAll(); });
  loadAll();
})(window, document);
