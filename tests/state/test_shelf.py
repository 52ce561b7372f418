"""A bounded shelf of structs: folding up is invisible."""

from __future__ import annotations

from equipoise.state.profile import Profile
from equipoise.state.shelf import Shelf


def used(keys: str, *, open_: int, most: int = 100) -> Shelf[Profile]:
    shelf = Shelf(Profile, open=open_, most=most)
    for ts, key in enumerate(keys):
        shelf.use(key).happened("view_item", ts, f"e{ts}")
    return shelf


def test_how_many_are_open_cannot_be_told() -> None:
    """The dump is the same however many structs are kept as objects."""
    keys = "abcabdeafgabcdaaz"
    dumps = [used(keys, open_=open_).dump() for open_ in (1, 2, 5, 100)]

    for dump in dumps[1:]:
        assert {k: v.tobytes() for k, v in dump.items()} == {
            k: v.tobytes() for k, v in dumps[0].items()
        }


def test_reading_finds_open_and_folded_and_changes_nothing() -> None:
    """What was written is read, in the order of last use; reading is no use."""
    shelf = used("abca", open_=2)
    counts = {key: shelf.read(key).events for key in "bca"}  # type: ignore[union-attr]

    assert counts == {"a": 2, "b": 1, "c": 1}
    assert list(shelf) == ["b", "c", "a"]
    assert shelf.read("q") is None


def test_the_longest_unused_goes_first() -> None:
    """Beyond ``most`` the one that was not used for longest is dropped."""
    shelf = used("abcadbe", open_=1, most=3)

    assert list(shelf) == ["d", "b", "e"]
    assert len(shelf) == 3


def test_dropping_removes_open_and_folded() -> None:
    """Nothing of a dropped key is left in the dump."""
    shelf = used("secret-abc", open_=2)
    for key in "sert-b":
        shelf.drop(key)

    assert list(shelf) == ["a", "c"]
    assert len(shelf.dump()["sizes"]) == 2
