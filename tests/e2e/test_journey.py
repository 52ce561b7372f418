"""One visit from end to end, in a real browser over a real service, and how the pages look."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from equipoise.codec import decode
from equipoise.types import Event, Kind

pytestmark = pytest.mark.browser

CARD = "[data-eq-item]"


def shown(page: Page) -> list[str]:
    page.wait_for_selector(CARD)
    return page.eval_on_selector_all(CARD, "cards => cards.map(card => card.dataset.eqItem)")


def events(shop: Any) -> list[Event]:
    """All that the shop's own log holds."""
    stored: Iterator[Any] = shop.engine.log.read(0)
    return [decode(one.record.kind, one.record.key, one.record.body)
            for one in stored if one.record.kind is Kind.EVENT]  # fmt: skip


def until(page: Page, true: Callable[[], Any], seconds: float = 8.0) -> None:
    """Let the page go on until something holds."""
    for _ in range(round(seconds * 20)):
        if true():
            return
        page.wait_for_timeout(50)
    raise AssertionError("it did not happen in time")


def test_a_visit_from_home_to_order(shop: Any, visits: Any) -> None:
    """See a list, open an item, buy it: the log has it, the belief learnt, the next list knows."""
    page = visits(shop.address)()
    first = shown(page)
    card = page.locator(CARD).nth(2)
    chosen = card.get_attribute("data-eq-item")
    department = shop.engine.item(chosen).categories[0]
    # Impressions are told a second after they came into view.
    until(page, lambda: any(one.event == "view_item_list" for one in events(shop)))
    card.locator("a").click()
    page.wait_for_url("**/shop/item?id=*")
    goes_with = shown(page)
    page.click("text=Add to cart")
    expect(page.locator("#note")).to_have_text("Added to your cart.")
    page.click("text=Buy now")
    expect(page.locator("#note")).to_contain_text("Thank you")
    until(page, lambda: any(one.event == "purchase" for one in events(shop)))
    page.click("text=Test shop")
    page.wait_for_url("**/shop")
    second = shown(page)
    told = events(shop)
    names = [one.event for one in told]
    seen = next(one for one in told if one.event == "view_item_list")
    click = next(one for one in told if one.event == "select_item")
    order = next(one for one in told if one.event == "purchase")
    summary = shop.engine.knowledge.model.summary()
    newest = shop.engine.newest_decisions(1)[0]

    assert len(set(first)) == 12
    assert len(goes_with) == 6
    assert chosen not in goes_with
    assert names.index("view_item_list") < names.index("select_item") < names.index("purchase")
    assert {"view_item", "add_to_cart", "view_portion"} <= set(names)
    assert len({one.anonymous_id for one in told}) == 1
    assert {line.item_id for line in seen.items} <= set(first)
    assert all(line.impression is not None for line in seen.items)
    assert [line.item_id for line in click.items] == [chosen]
    assert click.items[0].impression.slot == 2
    assert order.value == shop.engine.item(chosen).price
    # The click was a look that earned, and cart and order were added to it.
    assert 0 < summary["looks"] <= 1
    assert shop.engine.knowledge.tallies.totals(0, shop.clock() + 1)["worth_exploited"] + (
        shop.engine.knowledge.tallies.totals(0, shop.clock() + 1)["worth_explored"]
    ) == pytest.approx(0.05 + 0.50 + 2.00)
    # A quarter of the shop is of that department; after the visit more of the list is.
    assert second != first
    assert _of(shop, second, department) > _of(shop, first, department)
    assert newest.query.anonymous_id == order.anonymous_id

    console = visits(shop.address)("/console")
    tiles = console.locator("#tiles")
    expect(tiles).to_contain_text(re.compile(r"Orders\s*1\s"))
    expect(tiles).to_contain_text("1 click")
    expect(tiles).to_contain_text(f"revenue {order.value:.2f} EUR")


def _of(shop: Any, item_ids: list[str], category: str) -> int:
    return sum(category in shop.engine.item(one).categories for one in item_ids)


def test_what_is_being_tried_can_be_shown(shop: Any, visits: Any) -> None:
    """By keyboard too; the choice outlives the page."""
    page = visits(shop.address)()
    shown(page)
    badge = page.locator(".badge").first
    expect(badge).to_be_hidden()
    page.focus("#reveal")
    page.keyboard.press("Enter")

    expect(badge).to_be_visible()
    expect(badge).to_have_text(re.compile(r"^(known|trying) · [<>]?\d+ %$"))
    expect(page.locator("#reveal")).to_have_attribute("aria-pressed", "true")
    page.reload()
    expect(page.locator(".badge").first).to_be_visible()


def test_by_keyboard_alone(shop: Any, visits: Any) -> None:
    """The first tab stop skips to the content, and a card is opened with Enter."""
    page = visits(shop.address)()
    shown(page)
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("Skip to the content")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    chosen = page.evaluate("document.activeElement.closest('[data-eq-item]').dataset.eqItem")
    page.keyboard.press("Enter")
    page.wait_for_url("**/shop/item?id=*")

    expect(page.locator("#product")).to_have_attribute("data-item", chosen)
    until(page, lambda: any(one.event == "select_item" for one in events(shop)))


def test_a_list_that_cannot_be_had_says_so(shop: Any, visits: Any) -> None:
    """A shelf never stays at *Choosing…* for ever."""
    page = visits(shop.address)("/docs", quiet=False)
    page.route("**/shop/list*", lambda route: route.fulfill(status=500, body="no"))
    page.goto(shop.address + "/shop")

    expect(page.locator(".shelf")).to_contain_text("This list did not load.")


@pytest.mark.parametrize("width", [390, 820, 1_400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_overflows(shop: Any, visits: Any, width: int, scheme: str) -> None:
    """No page is wider than its window, and text stands out from its ground in both schemes."""
    options = {"viewport": {"width": width, "height": 900}, "color_scheme": scheme}
    page = visits(shop.address)("/shop", **options)
    item = shown(page)[0]
    decision = shop.engine.newest_decisions(1)[0].decision_id
    paths = ("/shop", f"/shop/item?id={item}", "/console", "/console/decisions",
             f"/console/decisions/{decision}")  # fmt: skip
    for path in paths:
        page.goto(shop.address + path)
        if path.startswith("/shop"):
            shown(page)
        spill = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        faint = page.evaluate(CONTRAST)
        assert spill <= 0, path
        assert faint == [], path


CONTRAST = """() => {
  const parse = c => c.match(/[\\d.]+/g).map(Number);
  const linear = v => (v /= 255) <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
  const lum = c => .2126 * linear(c[0]) + .7152 * linear(c[1]) + .0722 * linear(c[2]);
  const ground = el => {
    for (; el; el = el.parentElement) {
      const c = parse(getComputedStyle(el).backgroundColor);
      if (c.length < 4 || c[3] > 0) return c;
    }
    return [255, 255, 255];
  };
  const faint = [];
  for (const el of document.querySelectorAll('main *, header *')) {
    const words = [...el.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
    if (!words || !el.offsetParent || el.closest('svg, .visually-hidden')) continue;
    const [a, b] = [lum(parse(getComputedStyle(el).color)), lum(ground(el))].sort((x, y) => y - x);
    if ((a + .05) / (b + .05) < 4.5) faint.push(el.textContent.trim().slice(0, 40));
  }
  return faint;
}"""
"""Texts whose contrast is below 4.5 : 1 (WCAG 2.2, 1.4.3)."""
