"""The tracker in a page of somebody else's shop: what it sends, when, and what it never sends."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page

pytestmark = pytest.mark.browser

Open = Callable[..., Page]

STUB = (
    "<script>window.equipoise=window.equipoise||"
    "function(){(equipoise.q=equipoise.q||[]).push(arguments)}</script>"
)
LOOK_S = 1.15
"""Long enough for an impression."""
STYLE = "<style>body{margin:0}li{height:200px}</style>"


def items(*ids: str, gap: int = 0) -> str:
    """A list of linked items; ``gap`` pixels of nothing before the last one."""
    rows = [
        f'<li data-eq-item="{one}" data-eq-token="t-{one}"><a href="/product?{one}">{one}</a></li>'
        for one in ids
    ]
    rows[-1] = f'<div style="height:{gap}px"></div>' + rows[-1]
    return f'<ul data-eq-list="home" data-eq-recommendation="r-1">{"".join(rows)}</ul>'


@pytest.fixture
def open_page(collector: Any, visits: Any) -> Open:
    """Opens a page with the tracker in it."""

    def open_(body: str = "", *, head: str = "", tag: str = "defer", **options: Any) -> Page:
        collector.page = (
            f'<!doctype html><html lang="en-GB"><head><title>Shop</title>'
            f'<link rel="icon" href="data:,">{head}{STYLE}'
            f'<script src="/tracker.js" data-eq-endpoint="/v1/collect" {tag}></script></head>'
            f"<body>{body}</body></html>"
        )
        page: Page = visits(collector.address)("/", **options)
        return page

    return open_


def say(page: Page, *command: Any) -> None:
    page.evaluate("command => window.equipoise(...command)", list(command))


def hide(page: Page) -> None:
    """The tab goes into the background."""
    page.evaluate(
        """() => {
          Object.defineProperty(document, 'visibilityState', {value: 'hidden', configurable: true});
          document.dispatchEvent(new Event('visibilitychange', {bubbles: true}));
        }"""
    )


def show(page: Page) -> None:
    page.evaluate(
        """() => {
          delete document.visibilityState;
          document.dispatchEvent(new Event('visibilitychange', {bubbles: true}));
        }"""
    )


def look(page: Page) -> None:
    """At what is in view, for long enough; then away and back, so that it is told at once."""
    time.sleep(LOOK_S)
    hide(page)
    show(page)


# ---------------------------------------------------------------- who


def test_one_anonymous_id_for_all_visits(open_page: Open, collector: Any) -> None:
    """It outlives the page and the session, and it is no cookie."""
    page = open_page()
    say(page, "track", "search", {"search_term": "oak"})
    collector.wait("search")
    page.reload()
    say(page, "track", "search", {"search_term": "elm"})
    first, second = collector.wait("search", 2)

    assert first["anonymous_id"] == second["anonymous_id"]
    assert first["session_id"] == second["session_id"]
    assert first["event_id"] != second["event_id"]
    assert first["context"] == {"channel": "web", "locale": "en-GB"}
    assert page.context.cookies() == []
    assert all("Cookie" not in headers for headers in collector.headers)


def test_another_browser_is_another_visitor(open_page: Open, collector: Any) -> None:
    for _ in range(2):
        say(open_page(), "track", "search", {"search_term": "oak"})
    first, second = collector.wait("search", 2)

    assert first["anonymous_id"] != second["anonymous_id"]


def test_identify_links_and_reset_parts(open_page: Open, collector: Any) -> None:
    """After identify both ids are sent, so that they can be linked; after reset neither is left."""
    page = open_page()
    say(page, "identify", 17)
    (known,) = collector.wait("identify")
    say(page, "reset")
    say(page, "track", "search", {"search_term": "oak"})
    (after,) = collector.wait("search")

    assert known["user_id"] == "17"
    assert known["anonymous_id"]
    assert "user_id" not in after
    assert after["anonymous_id"] != known["anonymous_id"]
    assert after["session_id"] != known["session_id"]


def test_the_stub_keeps_what_was_said_before(open_page: Open, collector: Any) -> None:
    """Calls made before the file has loaded are carried out in their order."""
    early = STUB + (
        "<script>equipoise('identify','u-1');"
        "equipoise('track','search',{search_term:'early'})</script>"
    )
    open_page(head=early, tag="async")
    collector.wait("search")

    assert [one["event"] for one in collector.events()] == ["identify", "search"]
    assert {one["user_id"] for one in collector.events()} == {"u-1"}


# ---------------------------------------------------------------- sending


def test_a_batch_is_one_post_without_a_preflight(open_page: Open, collector: Any) -> None:
    """What is said together travels together, as text of a kind that needs no OPTIONS."""
    page = open_page()
    page.evaluate(
        "() => { for (let i = 0; i < 9; i++) equipoise('track', 'search', {search_term: 's' + i}) }"
    )
    collector.wait("search", 9)

    assert len(collector.bodies) == 1
    assert collector.headers[0]["Content-Type"] == "text/plain"
    assert [one["search_term"] for one in collector.events()] == [f"s{i}" for i in range(9)]


@pytest.mark.parametrize("status", [503, 429])
def test_a_refused_batch_is_sent_again_as_it_was(
    open_page: Open, collector: Any, status: int
) -> None:
    """The same events with the same ids, so that none counts twice; then no more."""
    collector.statuses = [status]
    say(open_page(quiet=False), "track", "search", {"search_term": "oak"})
    again = collector.wait("search", 2)
    time.sleep(0.2)

    assert len({one["event_id"] for one in again}) == 1
    assert len(collector.events()) == 2


def test_a_client_error_is_not_repeated(open_page: Open, collector: Any) -> None:
    """What the service will never take is not sent for ever."""
    collector.statuses = [400]
    page = open_page(quiet=False)
    say(page, "track", "search", {"search_term": "bad"})
    collector.wait("search")
    say(page, "track", "search", {"search_term": "good"})
    collector.wait("search", 2)
    time.sleep(1.2)

    assert [one["search_term"] for one in collector.events()] == ["bad", "good"]


def test_hiding_the_page_flushes(open_page: Open, collector: Any) -> None:
    """What waits goes out by beacon: at once, though an impression may wait two seconds."""
    look(open_page(items("a")))
    collector.wait("view_item_list", seconds=0.8)

    assert collector.headers[0]["Content-Type"].startswith("text/plain")


def test_beacons_stay_under_60_kb(open_page: Open, collector: Any) -> None:
    """However much waits, and counted in bytes, not in characters."""
    page = open_page()
    page.evaluate(
        """() => {
          const term = '鞋'.repeat(1300);
          for (let i = 0; i < 40; i++) equipoise('track', 'search', {search_term: term});
          equipoise('flush');
        }"""
    )
    collector.wait("search", 40)

    assert len(collector.bodies) >= 3
    assert max(map(len, collector.bodies)) <= 60_000
    assert len({one["event_id"] for one in collector.events()}) == 40


def test_an_event_too_large_for_the_service_is_dropped(open_page: Open, collector: Any) -> None:
    """It is said on the browser's console, and what follows is not held up."""
    page = open_page(quiet=False)
    heard: list[str] = []
    page.on("console", lambda message: heard.append(message.text))
    say(page, "track", "search", {"search_term": "x" * 40_000})
    say(page, "track", "search", {"search_term": "small"})
    collector.wait("search")

    assert [one["search_term"] for one in collector.events()] == ["small"]
    assert "is too large and was dropped" in heard[0]


def test_the_key_travels_in_the_address(open_page: Open, collector: Any) -> None:
    """A beacon can set no header."""
    say(open_page(tag='defer data-eq-key="pk_a+b"'), "track", "search", {"search_term": "oak"})
    collector.wait("search")

    assert collector.paths == ["/v1/collect?key=pk_a%2Bb"]


# ---------------------------------------------------------------- impressions and clicks


def test_only_what_was_in_view_for_a_second_was_shown(open_page: Open, collector: Any) -> None:
    """An item below the fold is no impression until it is scrolled to; each is one, once."""
    page = open_page(items("a", "b", "below", gap=2_000))
    look(page)
    (first,) = collector.wait("view_item_list")
    page.mouse.wheel(0, 4_000)
    look(page)
    _, second = collector.wait("view_item_list", 2)
    page.mouse.wheel(0, -4_000)
    look(page)

    assert [line["item_id"] for line in first["items"]] == ["a", "b"]
    assert first["items"][1] == {"item_id": "b", "index": 1, "token": "t-b"}
    assert first["recommendation_id"] == "r-1"
    assert first["attributes"] == {"item_list_id": "home"}
    assert [line["item_id"] for line in second["items"]] == ["below"]
    assert second["items"][0]["index"] == 2
    assert len(collector.events("view_item_list")) == 2


def test_less_than_half_is_not_in_view(open_page: Open, collector: Any) -> None:
    """Of an item of 200 pixels 80 show at the foot of the window."""
    look(open_page(items("a", "cut", gap=800 - 200 - 80)))
    (shown,) = collector.wait("view_item_list")

    assert [line["item_id"] for line in shown["items"]] == ["a"]


def test_a_glance_is_no_impression(open_page: Open, collector: Any) -> None:
    """Scrolled past, or hidden, before the second is over; counted from anew when it is back."""
    page = open_page(items("a", "below", gap=2_000))
    page.mouse.wheel(0, 4_000)
    time.sleep(0.3)
    page.mouse.wheel(0, -4_000)
    time.sleep(0.3)
    hide(page)
    time.sleep(LOOK_S)
    before = collector.events("view_item_list")
    show(page)
    look(page)
    (after,) = collector.wait("view_item_list")

    assert before == []
    assert [line["item_id"] for line in after["items"]] == ["a"]


def test_lists_that_come_later_are_observed(open_page: Open, collector: Any) -> None:
    page = open_page('<div id="here"></div>')
    page.evaluate("html => { document.getElementById('here').innerHTML = html; }", items("late"))
    say(page, "observe")
    look(page)
    (shown,) = collector.wait("view_item_list")

    assert shown["items"][0]["item_id"] == "late"


def test_a_click_carries_its_token(open_page: Open, collector: Any) -> None:
    """On the way to the next page: the impression first, then the click."""
    page = open_page(items("a", "b"))
    time.sleep(LOOK_S)
    page.click("text=b")
    page.wait_for_url("**/product?b")
    (click,) = collector.wait("select_item")

    assert click["items"] == [{"item_id": "b", "index": 1, "token": "t-b"}]
    assert click["recommendation_id"] == "r-1"
    assert [one["event"] for one in collector.events()][:2] == ["view_item_list", "select_item"]


def test_a_click_into_a_new_tab_counts(open_page: Open, collector: Any) -> None:
    page = open_page(items("a", "b"))
    page.click("text=a", button="middle")

    assert collector.wait("select_item")[0]["items"][0]["item_id"] == "a"


def test_a_click_beside_the_link_is_none(open_page: Open, collector: Any) -> None:
    page = open_page(items("a"))
    page.mouse.click(600, 150)
    look(page)
    collector.wait("view_item_list")

    assert collector.events("select_item") == []


# ---------------------------------------------------------------- consent


def test_global_privacy_control_refuses_personalisation(open_page: Open, collector: Any) -> None:
    """Whatever the banner was told."""
    page = open_page()
    page.evaluate("() => Object.defineProperty(navigator, 'globalPrivacyControl', {value: true})")
    say(page, "consent", {"personalization": True, "analytics": True})
    say(page, "track", "search", {"search_term": "oak"})
    (event,) = collector.wait("search")

    assert event["consent"] == {"personalization": False, "analytics": True}


def test_consent_is_remembered_and_sent(open_page: Open, collector: Any) -> None:
    page = open_page()
    say(page, "consent", {"personalization": False, "analytics": True})
    page.reload()
    say(page, "track", "search", {"search_term": "oak"})
    (event,) = collector.wait("search")

    assert event["consent"] == {"personalization": False, "analytics": True}


def test_without_asking_no_consent_is_claimed(open_page: Open, collector: Any) -> None:
    say(open_page(), "track", "search", {"search_term": "oak"})

    assert "consent" not in collector.wait("search")[0]


def test_refused_analytics_sends_and_keeps_nothing(open_page: Open, collector: Any) -> None:
    """Neither what waited nor what comes; the ids are forgotten, a list can still be asked for."""
    page = open_page(items("a"))
    say(page, "track", "search", {"search_term": "waiting"})
    say(page, "consent", {"analytics": False})
    say(page, "track", "search", {"search_term": "after"})
    say(page, "identify", "u-1")
    page.click("text=a", modifiers=["Control"])
    look(page)
    kept = page.evaluate("() => Object.keys(localStorage)")
    one = page.evaluate("() => new Promise(then => equipoise('anonymous', then))")
    other = page.evaluate("() => new Promise(then => equipoise('anonymous', then))")

    assert collector.events() == []
    assert [name for name in kept if name in ("eq.anonymous", "eq.session")] == []
    assert one == other
    assert one.startswith("c-")


def test_storage_that_is_refused_breaks_nothing(open_page: Open, collector: Any) -> None:
    """Then the id lives as long as the page."""
    head = (
        "<script>Object.defineProperty(window, 'localStorage', "
        "{get() { throw new DOMException('no') }})</script>"
    )
    page = open_page(head=head)
    for term in ("oak", "elm"):
        say(page, "track", "search", {"search_term": term})
    first, second = collector.wait("search", 2)

    assert first["anonymous_id"] == second["anonymous_id"]
