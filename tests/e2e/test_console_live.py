"""The control room in a real browser: it fills, it is live, it says when it is not."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, Route, expect

pytestmark = pytest.mark.browser

Open = Callable[..., Page]


@pytest.fixture
def room(shop: Any, visits: Any) -> Open:
    def open_(path: str = "/console", **options: Any) -> Page:
        page: Page = visits(shop.address)(path, at=shop.clock(), **options)
        return page

    return open_


def orders(n: int) -> re.Pattern[str]:
    return re.compile(rf"Orders\s*{n}\s")


def rounds(page: Page, n: int = 1) -> None:
    """Let the page ask again so many times: it does so every two seconds."""
    for _ in range(n):
        with page.expect_response("**/console/series*"):
            page.clock.fast_forward(2_000)


def trade(shop: Any, minutes: int) -> None:
    """Each minute one visitor is shown a list, sees all of it, clicks once and buys."""
    with httpx.Client(base_url=shop.address) as client:
        for minute in range(minutes):
            visitor = f"c-{shop.clock()}-{minute}"
            ask = {"placement": "home", "anonymous_id": visitor, "n": 12}
            lines = [
                {"item_id": one["item_id"], "token": one["token"]}
                for one in client.post("/v1/recommendations", json=ask).json()["items"]
            ]
            said = [
                {"event": "view_item_list", "items": lines},
                {"event": "select_item", "items": lines[:1]},
                {"event": "purchase", "items": lines[:1], "value": 20, "transaction_id": visitor},
            ]
            body = {"events": [one | {"anonymous_id": visitor} for one in said]}
            assert client.post("/v1/events", json=body).json()["accepted"] == 3
            shop.clock.advance(seconds=60)


def test_a_shop_that_was_just_started(bare: Any, visits: Any) -> None:
    """Empty charts are words, tiles are zeros, and the status says that nothing has come."""
    page = visits(bare.address)("/console")

    expect(page.locator(".chart:visible")).to_have_count(0)
    expect(page.locator("#charts .none:visible")).to_have_count(4)
    expect(page.locator("#state")).to_have_text("waiting")
    expect(page.locator(".tile")).to_have_count(6)
    page.goto(bare.address + "/shop")
    expect(page.locator("main")).to_contain_text("The shelves are empty.")


def test_charts_fill_and_name_their_newest_values(shop: Any, room: Open) -> None:
    """All four are drawn from the time that there are data, with a legend that has numbers."""
    trade(shop, 4)
    page = room()

    expect(page.locator("#charts .uplot")).to_have_count(4)
    expect(page.locator("#legend-events")).to_contain_text("events a minute 3")
    expect(page.locator("#legend-spend")).to_contain_text("budget 8.0 %")
    expect(page.locator("#legend-worth")).to_contain_text("EUR a list 2.05")
    expect(page.locator("#chart-spend")).to_have_attribute(
        "aria-label", re.compile("newest: spent .* %")
    )
    page.hover("#chart-spend .u-over", position={"x": 5, "y": 20})
    expect(page.locator("#legend-spend .when")).to_have_text("at 12:00")
    expect(page.locator("#legend-events .when")).to_have_text("at 12:00")


def test_times_are_the_browsers_own(shop: Any, room: Open) -> None:
    """In its zone, on a clock of 24 hours."""
    trade(shop, 1)
    page = room(timezone_id="Asia/Shanghai")
    far = room("/console/decisions", timezone_id="America/New_York")

    expect(page.locator("#zone")).to_have_text("Times in Asia/Shanghai")
    expect(page.locator("#newest")).to_have_text("20:00:00")
    expect(page.locator("#legend-events .when")).to_contain_text("20:00")
    expect(far.locator("tbody time").first).to_have_text("07:00:00")


def test_it_goes_on_by_itself(shop: Any, room: Open) -> None:
    """What arrives while the page is open appears in figures, charts and status."""
    trade(shop, 1)
    page = room()
    expect(page.locator("#tiles")).to_contain_text(orders(1))
    expect(page.locator("#state")).to_have_text("live")
    trade(shop, 2)
    rounds(page)

    expect(page.locator("#tiles")).to_contain_text(orders(3))
    expect(page.locator("#newest")).to_have_text(re.compile("12:0[23]:00"))
    # The slots that wait for a click are judged by a record of their own; then all is said.
    shop.clock.advance(seconds=60)
    page.wait_for_timeout(1_200)
    shop.clock.advance(seconds=61)
    rounds(page)
    expect(page.locator("#state")).to_have_text("quiet")


def test_stale_when_the_service_does_not_answer(shop: Any, room: Open) -> None:
    """It says since when, keeps what it has, and is live again as soon as there is an answer."""
    trade(shop, 4)
    page = room(quiet=False)
    expect(page.locator("#state")).to_have_text("live")

    def gone(route: Route) -> None:
        route.abort()

    page.route("**/console/**", gone)
    page.clock.fast_forward(2_000)
    expect(page.locator("#state")).to_have_text("stale")
    expect(page.locator("#news")).to_have_text("no answer from the service since")
    expect(page.locator("#charts .uplot")).to_have_count(4)
    page.unroute("**/console/**", gone)
    rounds(page)
    expect(page.locator("#state")).to_have_text("live")


def test_pause(shop: Any, room: Open) -> None:
    """What moves by itself can be stopped (WCAG 2.2.2)."""
    trade(shop, 1)
    page = room()
    page.click("#pause")
    expect(page.locator("#state")).to_have_text("paused")
    trade(shop, 1)
    page.clock.fast_forward(9_000)
    page.wait_for_timeout(200)

    expect(page.locator("#tiles")).to_contain_text(orders(1))
    page.click("#pause")
    rounds(page)
    expect(page.locator("#tiles")).to_contain_text(orders(2))


def test_scope_is_chosen_without_a_button(shop: Any, room: Open) -> None:
    """Placement and span are in the address, so that a view can be kept and sent on."""
    trade(shop, 1)
    page = room()
    page.select_option("select[name=minutes]", "360")
    page.wait_for_url("**/console?placement=&minutes=360")
    page.select_option("select[name=placement]", "cart")
    page.wait_for_url("**/console?placement=cart&minutes=360")

    expect(page.locator(".scope")).to_have_text("Last 6 hours, placement cart")
    expect(page.locator("#charts")).to_contain_text("over the last 25 minutes")


def test_a_decision_is_opened_from_the_list(shop: Any, room: Open) -> None:
    trade(shop, 1)
    page = room("/console/decisions")
    page.locator("tbody a").first.click()

    expect(page.locator("main")).to_contain_text("the same slate and the same propensities")
    expect(page.locator("tbody tr")).to_have_count(12)


def test_dark_and_light_are_drawn_anew(shop: Any, room: Open) -> None:
    """The charts follow the scheme of the moment."""
    trade(shop, 4)
    page = room(color_scheme="light")
    expect(page.locator("#charts .uplot")).to_have_count(4)
    ink = "getComputedStyle(document.documentElement).getPropertyValue('--explored')"
    light = page.evaluate(ink)
    page.emulate_media(color_scheme="dark")

    expect(page.locator("#charts .uplot")).to_have_count(4)
    assert page.evaluate(ink) != light
