"""Alarms: on what changed and nothing else, in words; and exploring rises, then falls again."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from equipoise.exploration import BetaBelief, RateBelief, Thompson
from equipoise.exploration.alarms import SHOP, Sentry, Watch, forget, residual
from equipoise.randomness import derive
from equipoise.types import Arrays, Floats, Scored

ITEMS, SHELVES = 24, 3
SHELF = np.arange(ITEMS) % SHELVES
NAMES = ("Shoes", "Hats", "Coats")
DAY = 86_400_000


class Shop:
    """Thompson's lists of one, over three shelves, one of which loses its best items."""

    def __init__(self, keep: float, seed: int = 1) -> None:
        self.belief = BetaBelief(prior_mean=0.1, arm_strength=20.0)
        self.sentry = Sentry(
            [self.belief], lambda part: np.flatnonzero(part == SHELF), NAMES.__getitem__, keep=keep
        )
        self.rates = 0.05 + 0.15 * derive(seed, "test alarms rates").random(ITEMS)
        self.rates[0] = 0.5
        self.rng = derive(seed, "test alarms")
        self.arms, self.open = np.arange(ITEMS, dtype=np.int32), np.ones(ITEMS, dtype=bool)
        self.t = 0

    def serve(self, lists: int) -> float:
        """The share of expected reward that exploring cost, by its own belief."""
        cost = expected = 0.0
        for _ in range(lists):
            mean, variance = self.belief.predict(self.arms)
            chance = Thompson().bind(Scored(self.arms, mean, variance), 1.0)(self.open)
            arm = int(self.rng.choice(ITEMS, p=chance))
            cost, expected = cost + mean.max() - chance @ mean, expected + mean.max()
            clicked = float(self.rng.random() < self.rates[arm])
            self.sentry.see(
                int(SHELF[arm]), clicked=clicked, looks=1.0, expected=float(mean[arm]),
                ts=self.t * 60_000,
            )  # fmt: skip
            self.belief.add(arm, 1.0, clicked, int(SHELF[arm]))
            self.t += 1
        return float(cost / expected)


def test_exploring_rises_after_a_shift_and_falls_as_the_picture_settles() -> None:
    """The best shelf collapses: more is spent on exploring after the alarm than before it, and than
    with an alarm that forgets nothing; later, when all is known again, little."""
    spent = {}
    for keep in (0.1, 1.0):
        shop = Shop(keep)
        before = shop.serve(2_500)
        shop.rates[SHELF == 0] *= 0.1
        until_alarm(shop)
        risen = shop.serve(600)
        shop.serve(4_000)
        spent[keep] = before, risen, shop.serve(400)

    before, risen, later = spent[0.1]
    assert risen > 5 * before
    assert later < risen / 3
    assert risen > 5 * spent[1.0][1]


def until_alarm(shop: Shop) -> Floats:
    """Looks at each item just before the alarm on Shoes."""
    for _ in range(1_000):
        known: Floats = shop.belief.arrays()["arms"][:, 0].copy()
        shop.serve(1)
        if any(alarm.where == "Shoes" for alarm in shop.sentry.alarms):
            return known
    raise AssertionError("no alarm in 1,000 lists")


def test_the_alarm_is_on_the_shelf_that_changed() -> None:
    """Shoes fall; what is known of hats and coats stays as it was to the last look."""
    shop = Shop(0.1)
    shop.serve(2_500)
    shop.rates[SHELF == 0] *= 0.1
    known = until_alarm(shop)
    after = shop.belief.arrays()["arms"][:, 0]

    assert {alarm.where for alarm in shop.sentry.alarms} <= {"Shoes", "the shop"}
    assert after[SHELF == 0].sum() < 0.2 * known[SHELF == 0].sum()
    assert (after[SHELF != 0] >= known[SHELF != 0]).all()


def test_nothing_that_stays_is_alarming() -> None:
    """5,000 lists of a shop that learns from nothing, and where nothing changes."""
    shop = Shop(0.1, seed=2)
    shop.serve(5_000)

    assert shop.sentry.alarms == []


def test_an_alarm_in_words() -> None:
    """The sentence that a merchandiser reads: what, from where to where, since when."""
    sentry = Sentry(
        [BetaBelief(prior_mean=0.1)], lambda part: np.arange(1), NAMES.__getitem__, keep=1.0
    )
    rng, at = derive(3, "test alarms"), 1_763_942_400_000
    for t in range(6_000):
        clicked = float(rng.random() < (0.1 if t < 3_000 else 0.03))
        sentry.see(0, clicked=clicked, looks=1.0, expected=0.1, ts=at + t * 60_000)
    alarm = next(alarm for alarm in sentry.alarms if alarm.where == "Shoes")

    assert alarm.before == pytest.approx(0.1, abs=0.02)
    assert alarm.after == pytest.approx(0.03, abs=0.02)
    assert abs(alarm.since - (at + 3_000 * 60_000)) < DAY / 2
    assert alarm.reason.startswith(f"clicks in Shoes fell from {100 * alarm.before:.3g} % to ")
    assert " of looks since 2025-11-2" in alarm.reason
    assert alarm.reason.endswith("% of what was expected")


def test_a_rise_is_told_as_one() -> None:
    """The other direction."""
    sentry = Sentry([BetaBelief()], lambda part: np.arange(1), NAMES.__getitem__)
    rng = derive(4, "test alarms")
    for t in range(4_000):
        clicked = float(rng.random() < (0.05 if t < 2_000 else 0.2))
        sentry.see(1, clicked=clicked, looks=1.0, expected=0.05, ts=t)

    assert any("clicks in Hats rose from 5" in alarm.reason for alarm in sentry.alarms)


def test_the_sentry_goes_on_from_its_arrays() -> None:
    """Written in the midst and read again: the same alarms at the same time."""

    def make() -> Sentry:
        return Sentry([BetaBelief()], lambda part: np.arange(1), NAMES.__getitem__)

    def feed(sentry: Sentry, times: range) -> Sentry:
        for t in times:
            sentry.see(0, clicked=float(t % 10 == 0 and t < 2_000), looks=1.0, expected=0.1, ts=t)
        return sentry

    half = make()
    half.load(feed(make(), range(1_500)).arrays())
    whole = feed(make(), range(4_000))

    assert whole.alarms
    assert as_bytes(feed(half, range(1_500, 4_000)).arrays()) == as_bytes(whole.arrays())


def as_bytes(arrays: Arrays) -> dict[str, bytes]:
    return {name: array.tobytes() for name, array in arrays.items()}


def test_what_has_earned_little_is_not_watched() -> None:
    """A part is learnt about before it is watched: its residuals move by the belief alone."""
    watch = Watch(least=50.0)
    for _ in range(499):
        watch.see(0, reward=1.0, looks=1.0, expected=0.1, noise=0.09, ts=0)

    assert watch.arrays()["json"].tobytes().endswith(b'"windows":{}}')


@pytest.mark.parametrize("belief", [BetaBelief(prior_mean=0.1), RateBelief(prior_mean=0.1)])
def test_forgetting_some_arms_is_as_if_they_had_been_seen_less(
    belief: BetaBelief | RateBelief,
) -> None:
    """Sums of the named arms shrink, groups are summed anew: as a belief that heard only that."""
    fresh = type(belief)(prior_mean=0.1)
    for arm in range(6):
        belief.add(arm, 100.0, 10.0 + arm, arm % 2)
        part = 0.25 if arm % 2 else 1.0
        fresh.add(arm, 100.0 * part, (10.0 + arm) * part, arm % 2)
    before = belief.predict(np.arange(6))
    forget(belief, np.array([1, 3, 5, 99]), 0.25)
    after, wanted = belief.predict(np.arange(6)), fresh.predict(np.arange(6))

    np.testing.assert_allclose(after[0], wanted[0], rtol=1e-9)
    assert (after[1][1::2] > 1.5 * before[1][1::2]).all()
    np.testing.assert_allclose(after[1][::2], before[1][::2], rtol=0.2)


def test_a_residual_is_standardised_and_bounded() -> None:
    """Of a click where one in 26 was expected: five deviations; of nothing that varies: none."""

    assert residual(1.0, 1 / 26, 1 / 26 * 25 / 26) == pytest.approx(5.0)
    assert residual(1.0, 1e-6, 1e-6) == 10.0
    assert residual(1.0, 0.0, 0.0) == 0.0


def test_the_shop_is_a_part_of_its_own() -> None:
    """No category has its number."""

    assert SHOP < -1


@pytest.mark.parametrize(
    ("attempt", "message"),
    [(lambda: forget(BetaBelief(), [0], 1.5), "keep is 1.5; it is what remains, from 0 to 1")],
)
def test_refusals(attempt: Callable[[], object], message: str) -> None:
    """What cannot be is refused, with the value and what would be right."""
    with pytest.raises(ValueError) as refusal:
        attempt()

    assert message in str(refusal.value)
