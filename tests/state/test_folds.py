"""Every fold keeps the laws of a fold; and the laws notice a fold that does not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from equipoise.feedback.attribution import Attribution
from equipoise.state import Catalogue, Counts, Identities, Shoppers, Tallies
from equipoise.testing.folds import Chain, check_fold, little_shop
from equipoise.types import Arrays, Kind, Query

WORTH = {"click": 0.05, "add_to_cart": 0.5, "purchase": 2.0}


def everything() -> Chain:
    catalogue = Catalogue()
    # Small bounds, so that a few hundred records reach all of them.
    shoppers = Shoppers(catalogue, history_length=4, open_profiles=3, most=8)
    counts = Counts(catalogue, shoppers, half_life_days=0.001, companions=3)
    tallies = Tallies(minutes_kept=20, hours_kept=3)
    attribution = Attribution(shoppers.identities, worth=WORTH, click_window_ms=300_000)
    return Chain(catalogue, shoppers, counts, tallies, attribution)


def ask_everything(chain: Any) -> None:
    catalogue, shoppers, counts, tallies, attribution = chain.folds
    for name in ("u0", "u1", "u2", "u3"):
        shoppers.view(Query(placement="home", user_id=name), catalogue)
        shoppers.profile(f"u:{name}")
    catalogue.available(1_700_000_000_000)
    counts.trending(1_700_000_000_000)
    counts.categories(1_700_000_000_000)
    for position in range(len(catalogue)):
        counts.together(position)
        attribution.in_flight(position)
    tallies.minutes(1_700_000_000_000, 1_700_003_600_000)


@pytest.mark.parametrize("seed", range(4))
def test_all_folds_together_keep_the_laws(seed: int) -> None:
    """Replay = live, loading goes on, reading changes nothing: all folds, all bounds reached."""
    check_fold(everything, little_shop(seed), ask=ask_everything)


def test_each_fold_alone_keeps_the_laws() -> None:
    """The folds that need no other keep the laws by themselves."""
    for make in (Catalogue, Identities, Tallies):
        check_fold(make, little_shop(9))


def test_the_little_shop_is_the_same_every_time() -> None:
    """Its log depends on the seed alone."""
    assert little_shop(3) == little_shop(3)
    assert little_shop(3) != little_shop(4)


class Last:
    """The last seq, kept rightly."""

    def __init__(self) -> None:
        self.seq = np.zeros(1, dtype=np.int64)

    def apply(self, seq: int, arrived: int, kind: Kind, noun: Any) -> None:
        self.seq = np.array([seq], dtype=np.int64)

    def dump(self) -> Arrays:
        return {"seq": self.seq.copy()}

    def load(self, arrays: Arrays) -> None:
        self.seq = arrays["seq"].copy()


def test_a_sound_fold_passes() -> None:
    """The smallest fold that keeps every law raises nothing."""
    check_fold(Last, little_shop(0, 20))

    assert Last().dump()["seq"].tolist() == [0]


class Lucky(Last):
    made = 0

    def __init__(self) -> None:
        super().__init__()
        Lucky.made += 1
        self.luck = Lucky.made

    def apply(self, seq: int, arrived: int, kind: Kind, noun: Any) -> None:
        self.seq = np.array([seq + self.luck], dtype=np.int64)


class Asked(Last):
    def answer(self) -> None:
        self.seq += 1


class Forgetful(Last):
    def load(self, arrays: Arrays) -> None:
        pass


class Shared(Last):
    def apply(self, seq: int, arrived: int, kind: Kind, noun: Any) -> None:
        self.seq[0] = seq

    def dump(self) -> Arrays:
        return {"seq": self.seq}

    def load(self, arrays: Arrays) -> None:
        self.seq = arrays["seq"]


class Narrow(Last):
    """Sums, of which it dumps less than it knows."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden = 0

    def apply(self, seq: int, arrived: int, kind: Kind, noun: Any) -> None:
        self.hidden += seq
        self.seq = np.array([self.hidden // 1_000], dtype=np.int64)


class Bare(Last):
    def dump(self) -> Arrays:
        return {"seq": self.seq.copy()} if self.seq[0] else {}

    def load(self, arrays: Arrays) -> None:
        self.seq = arrays.get("seq", np.ones(1, dtype=np.int64)).copy()


@pytest.mark.parametrize(
    ("fold", "law"),
    [
        (Lucky, r"replay gives the same bytes: the array 'seq' differs \(int64\[1\]"),
        (Asked, "asking changes nothing: the array 'seq' differs"),
        (Forgetful, "load is the inverse of dump: the array 'seq' differs"),
        (Shared, "a dump is a copy: the array 'seq' differs"),
        (Narrow, "stopped and started is never stopped: the array 'seq' differs"),
        (Bare, r"an empty fold survives dump and load: the arrays are \['seq'\], not \[\]"),
    ],
)
def test_a_broken_law_is_named(fold: Any, law: str) -> None:
    """A fold that breaks a law is refused with the law and the array."""
    with pytest.raises(AssertionError, match=law):
        check_fold(
            fold,
            little_shop(0, 50),
            ask=lambda made: made.answer() if isinstance(made, Asked) else None,
        )
