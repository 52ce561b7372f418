/* The storefront: lists are fetched for this browser's own anonymous id, so no cookie is needed. */
(function () {
  'use strict';
  function load(shelf, visitor) {
    var about = new URLSearchParams({ placement: shelf.dataset.shelf, n: shelf.dataset.n, anonymous_id: visitor });
    if (shelf.dataset.item) about.set('item', shelf.dataset.item);
    if (shelf.dataset.department) about.set('department', shelf.dataset.department);
    window.htmx.ajax('GET', '/shop/list?' + about, { target: shelf, swap: 'innerHTML' })
      .then(function () { window.equipoise('observe'); });
  }
  function loadAll() {
    window.equipoise('anonymous', function (visitor) {
      document.querySelectorAll('[data-shelf]').forEach(function (shelf) { load(shelf, visitor); });
    });
  }
  function line(product) {
    var one = { item_id: product.dataset.item, quantity: 1 };
    if (product.dataset.price) one.price = Number(product.dataset.price);
    return one;
  }
  function act(product, what) {
    var one = line(product), body = { items: [one], currency: product.dataset.currency };
    if (one.price !== undefined) body.value = one.price;
    if (what === 'purchase') body.transaction_id = 'web-' + Date.now() + '-' + Math.floor(Math.random() * 1e9);
    window.equipoise('track', what, body);
    document.getElementById('note').textContent = what === 'purchase' ? 'Thank you. Nothing is charged in a demo.' : 'Added to your cart.';
  }
  var reveal = document.getElementById('reveal');
  function setReveal(on) {
    document.body.classList.toggle('reveal', on);
    reveal.setAttribute('aria-pressed', String(on));
    reveal.textContent = on ? 'Hide what is being tried' : 'Show what is being tried';
  }
  reveal.addEventListener('click', function () {
    var on = !document.body.classList.contains('reveal');
    setReveal(on);
    try { localStorage.setItem('shop.reveal', on ? '1' : ''); } catch (e) { /* private mode: not kept */ }
  });
  try { setReveal(localStorage.getItem('shop.reveal') === '1'); } catch (e) { setReveal(false); }

  var product = document.getElementById('product');
  if (product) {
    var opened = Date.now();
    window.equipoise('track', 'view_item', { items: [line(product)], currency: product.dataset.currency });
    window.addEventListener('pagehide', function () {
      window.equipoise('track', 'view_portion', { items: [{ item_id: product.dataset.item }], attributes: { seconds: (Date.now() - opened) / 1000 } });
      window.equipoise('flush');
    });
    product.addEventListener('click', function (event) {
      var what = event.target.dataset && event.target.dataset.do;
      if (what) act(product, what);
    });
  }
  loadAll();
})();
