"""What the door knew, on the log."""

from __future__ import annotations

from typing import Any

import pytest

from equipoise.feedback.provenance import (
    is_of_browser,
    is_steered,
    network_hash,
    network_of,
    stamped_event,
    stamped_query,
)
from equipoise.types import Event, Query

FORGED = {"_door": {"browser": False, "network": "mine"}, "locale": "de"}


def event(context: dict[str, Any]) -> Event:
    return Event(event_id="e", event="view_item", ts=0, anonymous_id="a", context=context)


def test_a_network_is_known_again_and_not_known() -> None:
    """The same under one secret, another under another, and nothing of it can be read."""
    one = network_hash(b"k" * 32, "c0a801/24")

    assert one == network_hash(b"k" * 32, "c0a801/24")
    assert one != network_hash(b"l" * 32, "c0a801/24")
    assert one != network_hash(b"k" * 32, "c0a802/24")
    assert len(one) == 16
    assert "c0a8" not in one
    assert network_hash(b"k" * 32, "") == ""


def test_what_a_browser_says_of_itself_is_overwritten() -> None:
    """The door's own word stands where its name is; all else of the context stays."""
    stamped = event(stamped_event(FORGED, "hash"))
    unknown = event(stamped_event(FORGED, ""))

    assert (network_of(stamped), is_of_browser(stamped)) == ("hash", True)
    assert (network_of(unknown), is_of_browser(unknown)) == ("", True)
    assert stamped.context["locale"] == "de"
    assert FORGED["_door"] == {"browser": False, "network": "mine"}


@pytest.mark.parametrize("door", [None, 7, "x", {"network": 3}, {"browser": "yes"}])
def test_junk_is_nobody(door: Any) -> None:
    """A server may put anything there."""
    odd = event({"_door": door})

    assert (network_of(odd), is_of_browser(odd)) == ("", False)


@pytest.mark.parametrize(
    ("asked", "steered"),
    [
        ({}, False),
        ({"filter": {"brand": "x"}}, True),
        ({"boosts": ({"filter": {}, "factor": 2.0},)}, True),
        ({"exclude_item_ids": tuple(map(str, range(50)))}, False),
        ({"exclude_item_ids": tuple(map(str, range(51)))}, True),
    ],
)
def test_a_list_is_steered_by_whoever_chose_what_it_holds(
    asked: dict[str, Any], steered: bool
) -> None:
    """With a browser's key; the shop's own server may ask for what it likes."""
    theirs = Query(placement="home", context=stamped_query({}), **asked)

    assert is_steered(theirs) == steered
    assert not is_steered(Query(placement="home", **asked))
