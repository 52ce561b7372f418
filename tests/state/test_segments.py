"""Segments: the newest word on each user, and what the query says."""

from __future__ import annotations

from equipoise.state.segments import Segments
from equipoise.types import Kind, Query, User


def of(known: Segments, shopper: str = "u:a", **context: object) -> tuple[str, ...]:
    return known.of(Query(placement="home", context=context), shopper)


def test_the_newest_word_on_a_user_counts() -> None:
    """Put twice, then without any; others have none."""
    segments = Segments()
    segments.apply(1, 0, Kind.USER, User(user_id="a", segments=("vip", "press")))
    assert of(segments) == ("vip", "press")
    assert of(segments, "u:b") == ()
    segments.apply(2, 0, Kind.USER, User(user_id="a", segments=("new",)))
    assert of(segments) == ("new",)
    segments.apply(3, 0, Kind.USER, User(user_id="a"))
    assert of(segments) == ()


def test_a_removed_user_is_forgotten() -> None:
    """With all that was said of them; other records say nothing here."""
    segments = Segments()
    segments.apply(1, 0, Kind.USER, User(user_id="a", segments=("vip",)))
    segments.apply(2, 0, Kind.TICK, None)
    segments.apply(3, 0, Kind.USER_REMOVED, "a")

    assert of(segments) == ()
    assert b"vip" not in segments.dump()["json"].tobytes()


def test_the_query_may_name_more() -> None:
    """One name or several, each once; what is no name is passed over."""
    segments = Segments()
    segments.apply(1, 0, Kind.USER, User(user_id="a", segments=("vip",)))

    assert of(segments, segments="app") == ("vip", "app")
    assert of(segments, segments=["app", "vip", 7]) == ("vip", "app")
    assert of(segments, segments={"app": 1}) == ("vip",)


def test_dump_and_load() -> None:
    """The same bytes, the same answers."""
    segments, again = Segments(), Segments()
    segments.apply(1, 0, Kind.USER, User(user_id="a", segments=("vip",)))
    again.load(segments.dump())

    assert again.dump()["json"].tobytes() == segments.dump()["json"].tobytes()
    assert of(again) == ("vip",)
