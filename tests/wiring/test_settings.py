"""The typed tree."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from equipoise.clock import ManualClock
from equipoise.codec import decode
from equipoise.errors import SettingsError
from equipoise.feedback.flight import Windows
from equipoise.knowledge import Knowledge
from equipoise.settings import (
    AttributionSettings,
    Settings,
    attribution_of,
    build,
    clickable_ms,
    listing,
    patience_ms,
    read_settings,
    windows_of,
)
from equipoise.types import Item, Line

FEED = {"click_window_s": 60.0, "purchase_window_s": 600.0, "rule": "linear"}


def test_nothing_given_is_the_defaults() -> None:
    """No file, no environment: ``Settings()``."""

    assert read_settings(None, {}) == Settings()


def test_environment_wins_over_file_over_default(tmp_path: Path) -> None:
    """Text of the environment is read as the setting's type."""
    file = tmp_path / "settings.toml"
    file.write_text('[server]\nport = 1\nhost = "h"\n[placements.home]\nbudget = 0.02\n')
    settings = read_settings(file, {"EQUIPOISE_SERVER__PORT": "2", "EQUIPOISE_DATA_SETS": "x"})

    assert (settings.server.port, settings.server.host) == (2, "h")
    assert settings.placements["home"].budget == 0.02
    assert settings.placements["home"].sources == Settings().placements["home"].sources
    assert settings.placements["product"] == Settings().placements["product"]


def test_a_new_placement_says_its_sources() -> None:
    """A placement of another name is added to the defaults."""
    settings = build({"placements": {"landing": {"sources": ["trending", "new"]}}})

    assert settings.placements["landing"].sources == ("trending", "new")
    assert "home" in settings.placements


@pytest.mark.parametrize(
    ("tree", "words"),
    [
        ({"server": {"prt": 1}}, "unknown field `prt`.*host, port"),
        ({"serve": {}}, "unknown field `serve`.*shop, server"),
        ({"placements": {"home": {"budgte": 1}}}, "unknown field `budgte`.*sources, policy"),
        ({"server": {"port": "many"}}, r"Expected `int`.*server\.port"),
        ({"placements": {"home": {"sources": ["alss"]}}}, "'alss' is no source.*als, ease"),
        ({"placements": {"home": {"budget": 1.5}}}, "budget is 1.5; it is a share"),
        ({"placements": {"home": {"n": 0}}}, "n is 0; a list has 1 to 100"),
        ({"placements": {"home": {"examination": "dbn"}}}, "is 'dbn'; it is one of auto, position"),
        ({"placements": {"home": 3}}, "Expected `object`"),
        ({"placements": 3}, "Expected `object`"),
        (
            {"placements": {"home": {"attribution": {"rules": "linear"}}}},
            "unknown field `rules`.*names here are click_window_s, purchase_window_s, rule",
        ),
        (
            {"placements": {"home": {"attribution": {"rule": "even"}}}},
            r"placements\.home\.attribution\.rule is 'even'; it is one of last_touch, first_touch",
        ),
        (
            {"placements": {"home": {"attribution": {"click_window_s": 0}}}},
            r"placements\.home\.attribution\.click_window_s is 0\.0; it is seconds, 0\.001 or more",
        ),
        (
            {"attribution": {"purchase_window_s": float("inf")}},
            r"^attribution\.purchase_.* is inf;",
        ),
        ({"attribution": {"rule": ""}}, r"^attribution\.rule is ''; it is one of last_touch"),
        ({"log": {"durability": "maybe"}}, "durability is 'maybe'; it is"),
        ({"credit": {"share": 0}}, r"credit\.share is 0\.0; it is a share above 0"),
        ({"credit": {"share": 1.5}}, r"credit\.share is 1\.5; .* at most 1 \(no cap\)"),
        ({"credit": {"period_days": 0}}, r"credit\.period_days is 0\.0; it is above 0"),
        ({"credit": {"looks_per_person": -1}}, r"credit\.looks_per_person is -1; it is 0 or more"),
    ],
)
def test_what_cannot_be_is_refused_with_the_place(tree: dict[str, object], words: str) -> None:
    """The message names the value, the place and what would be right."""

    with pytest.raises(SettingsError, match=words):
        build(tree)


def test_a_file_that_is_no_toml(tmp_path: Path) -> None:
    """The file is named."""
    file = tmp_path / "settings.toml"
    file.write_text("[server\n")

    with pytest.raises(SettingsError, match=r"settings\.toml is not TOML"):
        read_settings(file, {})


def test_listing_shows_every_value_and_its_default() -> None:
    """``doctor --settings`` prints this."""
    rows = {
        name: (value, default) for name, value, default in listing(build({"shop": {"name": "X"}}))
    }

    assert rows["shop.name"] == ("X", "My shop")
    assert rows["placements.home.policy"] == ("gittins", "gittins")


def test_a_placement_without_windows_has_the_shops() -> None:
    """Name by name: what a placement does not say, and a placement nobody knows, is the shop's."""
    settings = build({
        "attribution": {"purchase_window_s": 1_000.0, "rule": "first_touch"},
        "placements": {"feed": {"attribution": FEED}, "cart": {"attribution": {"rule": "linear"}}},
    })  # fmt: skip
    shop = AttributionSettings(purchase_window_s=1_000.0, rule="first_touch")

    assert attribution_of(settings, "feed") == AttributionSettings(**FEED)
    assert attribution_of(settings, "cart") == AttributionSettings(
        purchase_window_s=1_000.0, rule="linear"
    )
    assert attribution_of(settings, "home") == attribution_of(settings, "nowhere") == shop
    assert windows_of(settings) == {
        "feed": Windows(60_000, 600_000, "linear"),
        "cart": Windows(1_800_000, 1_000_000, "linear"),
    }
    assert windows_of(Settings()) == {}


def test_the_environment_sets_a_placements_windows() -> None:
    """One of them alone, as of any other setting."""
    settings = read_settings(None, {"EQUIPOISE_PLACEMENTS__FEED__ATTRIBUTION__CLICK_WINDOW_S": "9"})

    assert attribution_of(settings, "feed") == AttributionSettings(click_window_s=9.0)
    assert ("placements.feed.attribution.click_window_s", 9.0, None) in list(listing(settings))


def test_the_longest_window_is_waited_for() -> None:
    """What waits for all placements together waits for the one that takes longest."""
    credit = {"quarantine_s": 5.0, "hold_hours": 1.0}
    for seconds, wanted in ((60.0, 3_600_000), (9_000.0, 18_000_000)):
        feed = {"attribution": {"click_window_s": seconds}}
        settings = build({"credit": credit, "placements": {"feed": feed}})

        assert clickable_ms(settings) == wanted
        assert patience_ms(settings) == wanted + 5_000 + 3_600_000


def test_windows_and_rules_reach_what_learns(
    opened: Callable[..., Any], clock: ManualClock, item_of: Callable[..., Item]
) -> None:
    """An order without a token is split in the feed, and given to the last touch at home; a click
    in the feed waits for its order no longer than the feed's window."""
    front = opened(placements={"feed": {"attribution": FEED}})
    front.stock(item_of(0))
    for who, placement in (("c-1", "feed"), ("c-2", "home")):
        for _ in range(2):
            front.say("select_item", front.line(front.show(who, placement=placement), 0), who=who)
            clock.advance(seconds=1)
        front.say("purchase", Line(item_id="sku-0"), who=who, transaction_id=who)
    known, again = front.engine.knowledge, Knowledge(front.engine.settings)
    earned: dict[str, list[float]] = {"feed": [], "home": []}
    for stored in front.engine.log.read():
        record = stored.record
        noun = decode(record.kind, record.key, record.body)
        again.shoppers.identities.apply(stored.seq, record.arrived, record.kind, noun)
        for one in again.attribution.settle(stored.seq, record.arrived, record.kind, noun):
            earned[one.placement].append(one.reward.worth)

    assert earned == {"feed": [0.05, 0.05, 1.0, 1.0], "home": [0.05, 0.05, 2.0]}
    assert known.delay.still("feed", "purchase", 0.1, 600_000) == 0.0
    assert known.delay.still("home", "purchase", 0.1, 600_000) > 0.0
