"""Links between browsers and users, and their undoing."""

from __future__ import annotations

from itertools import permutations

from equipoise.state.identities import Identities
from equipoise.types import Event, Kind, User


def event(ts: int, user_id: str | None, anonymous_id: str | None, name: str = "login") -> Event:
    return Event(event_id="e", event=name, ts=ts, user_id=user_id, anonymous_id=anonymous_id)


def folded(*events: Event) -> Identities:
    identities = Identities()
    for seq, one in enumerate(events, 1):
        identities.apply(seq, 10_000, Kind.EVENT, one)
    return identities


def test_a_key_names_the_user_else_the_browser() -> None:
    """A user's key is theirs from wherever they come; nobody has an empty one."""
    identities = folded(event(1, "u", "a"))

    assert identities.key("u", None) == "u:u"
    assert identities.key(None, "a") == "u:u"
    assert identities.key(None, "b") == "a:b"
    assert identities.key(None, None) == ""
    assert identities.parts(None, None) == ()


def test_one_event_with_both_ids_links_them() -> None:
    """The parts of a person are the same by whichever id one asks."""
    identities = folded(event(1, "u", "b"), event(2, "u", "a"), event(3, None, "c"))

    assert identities.parts("u", None) == ("u:u", "a:a", "a:b")
    assert identities.parts(None, "a") == identities.parts("u", None)
    assert identities.parts_of("a:b") == identities.parts("u", None)
    assert identities.parts_of("u:u") == identities.parts("u", None)
    assert identities.parts(None, "c") == ("a:c",)
    assert identities.anonymous_ids("u") == ("a", "b")


def test_unlinking_restores_what_was() -> None:
    """After unlink the state answers as if the link had never been."""
    identities = folded(event(1, "u", "a"), event(2, "u", "a", "unlink"))

    assert identities.key(None, "a") == "a:a"
    assert identities.parts("u", None) == ("u:u",)


def test_the_order_of_arrival_does_not_matter() -> None:
    """Links and unlinks are settled by their own times, ties included."""
    events = [
        event(1, "u", "a"),
        event(6, "v", "a"),
        event(5, "u", "a", "unlink"),
        event(3, "u", "b"),
        event(4, "u", "b", "unlink"),
        event(4, "u", "b"),
    ]
    answers = set()
    for order in permutations(events):
        held = folded(*order)
        answers.add((held.key(None, "a"), held.key(None, "b"), held.parts("u", None)))

    assert answers == {("u:v", "a:b", ("u:u",))}


def test_a_browser_belongs_to_its_newest_user() -> None:
    """On a shared machine the later login takes the browser over."""
    identities = folded(event(1, "u", "a"), event(2, "v", "a"))

    assert identities.key(None, "a") == "u:v"
    assert identities.anonymous_ids("u") == ()


def test_the_shop_may_name_links() -> None:
    """``linked_ids`` of a user record link too."""
    identities = Identities()
    identities.apply(1, 1, Kind.USER, User(user_id="u", linked_ids=("a", "b")))

    assert identities.anonymous_ids("u") == ("a", "b")


def test_a_user_keeps_the_newest_devices() -> None:
    """Of many links of one user the longest past is dropped; of very many, the oldest made."""
    identities = Identities(devices=2, most=3)
    for ts, (user, anonymous) in enumerate(["ua", "ub", "uc", "vd", "we"]):
        identities.link(user, anonymous, ts)

    assert identities.anonymous_ids("u") == ("c",)
    assert identities.key(None, "d") == "u:v"
    assert identities.key(None, "a") == "a:a"


def test_forgetting_drops_all_links_of_a_person() -> None:
    """Whoever is removed is linked to nothing; the parts are told to the folds that follow."""
    identities = folded(event(1, "u", "a"), event(1, "u", "b"), event(1, "v", "c"))
    identities.apply(4, 4, Kind.USER_REMOVED, "u")

    assert identities.forgotten == ("u:u", "a:a", "a:b")
    assert identities.key(None, "a") == "a:a"
    assert identities.key(None, "c") == "u:v"
