"""Derived randomness."""

from __future__ import annotations

from equipoise.randomness import derive, fresh_id, fresh_seed, generator


def test_same_arguments_same_luck() -> None:
    """A generator depends on nothing but root seed, purpose and key."""
    first = derive(7, "slate", "r-1").random(5)
    derive(7, "world", "x").random(1000)

    assert (derive(7, "slate", "r-1").random(5) == first).all()


def test_purposes_and_keys_never_share_luck() -> None:
    """Changing any of the three changes the stream, also where the parts join to the same text."""
    streams = {
        tuple(derive(root, purpose, key).random(3))
        for root, purpose, key in [
            (7, "slate", "r-1"), (8, "slate", "r-1"), (7, "world", "r-1"), (7, "slate", "r-2"),
            (7, "slater", "-1"), (7, "slat", "er-1"),
        ]
    }  # fmt: skip

    assert len(streams) == 6


def test_random_state_may_be_a_seed_a_generator_or_nothing() -> None:
    """A generator goes on where it was; None is seed 0."""
    ours = derive(1, "a")

    assert generator(ours, "whatever") is ours
    assert generator(None, "fit").random() == generator(0, "fit").random()
    assert generator(1, "fit").random() != generator(0, "fit").random()


def test_ids_sort_by_time_and_do_not_repeat() -> None:
    """A thousand ids of one millisecond are all different; a later one sorts after."""
    ids = {fresh_id("r-", 1_700_000_000_000) for _ in range(1_000)}

    assert len(ids) == 1_000
    assert max(ids) < fresh_id("r-", 1_700_000_000_001)
    assert 0 <= fresh_seed() < 2**63
