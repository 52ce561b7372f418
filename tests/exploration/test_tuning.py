"""What the log chooses by itself: memories of the lift, and sources by what is clicked."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from equipoise.exploration import GaussianBelief
from equipoise.exploration.tuning import MEMORIES, LiftBank, SourceShares
from equipoise.randomness import derive
from equipoise.types import Floats

D = 5
MEAN, PRECISION = np.array([1.0, 1.5, 1.0, -0.5, 0.3]), np.array([1e6, 1.0, 1.0, 4.0, 9.0])
EVERY, ROWS = 32, 24_000
LONGEST = 1_000_000.0
"""Looks in which the longest memory halves, as in the settings."""


def matches(seed: int, changes: int, rows: int = ROWS) -> list[tuple[Floats, Floats, Floats]]:
    """(x, clicks, their true chance), ``EVERY`` rows each; the true weights are drawn anew at so
    many evenly spaced moments."""
    rng, batches = derive(seed, "test tuning"), rows // EVERY
    turns = {(k * batches) // (changes + 1) for k in range(changes + 1)}
    found = []
    for batch in range(batches):
        if batch in turns:
            weights = MEAN + rng.normal(size=D) / np.sqrt(PRECISION)
        g = np.abs(rng.normal(size=(EVERY, D))) * (rng.random((EVERY, D)) < 0.5)
        g[:, 0] = 1.0
        rate = 0.03 * np.exp(0.5 * rng.normal(size=EVERY))
        chance = np.clip(rate * np.maximum(g @ weights, 0.05), 0.0, 0.9)
        found.append((g * rate[:, None], (rng.random(EVERY) < chance).astype(float), chance))
    return found


def loss(belief: LiftBank, batches: list[tuple[Floats, Floats, Floats]], half_life: float) -> float:
    """Nats worse than the truth itself, each batch foretold before it is learnt."""
    lost = 0.0
    for x, click, chance in batches:
        lost += _score(click, chance) - _score(click, belief.predict(x)[0])
        belief = belief.update(x, click, 1.0 / np.maximum(chance, 0.01)).decay(
            0.5 ** (EVERY / half_life)
        )
    return lost


def _score(click: Floats, chance: Floats) -> float:
    p = np.clip(chance, 1e-4, 0.99)
    return float(click @ np.log(p) + (1.0 - click) @ np.log1p(-p))


def test_one_memory_is_the_plain_regression() -> None:
    """The closed form of ``GaussianBelief``, after updates and forgetting, to rounding."""
    bank = LiftBank(MEAN, PRECISION, (1.0,))
    plain = GaussianBelief(D, prior_mean=MEAN, prior_precision=PRECISION)
    for x, click, chance in matches(0, 0, 320):
        weight = 1.0 / np.maximum(chance, 0.01)
        bank, plain = (one.update(x, click, weight).decay(0.9) for one in (bank, plain))
    x = np.eye(D)

    assert bank.mean == pytest.approx(plain.mean, rel=1e-9)
    assert bank.precision == pytest.approx(plain.precision, rel=1e-6, abs=1e-6)
    for ours, theirs in zip(bank.predict(x), plain.predict(x), strict=True):
        assert ours == pytest.approx(theirs, rel=1e-8)


def test_the_mixture_is_that_of_its_memories() -> None:
    """Mean and variance by the law of total variance; memories that differ make it less sure."""
    bank = LiftBank(MEAN, PRECISION, (0.01, 1.0))
    for x, click, chance in matches(1, 0, 3_200):
        bank = bank.update(x, click, 1.0 / chance).decay(0.99)
    alone = [LiftBank.from_arrays({**bank.arrays(), "log_weight": np.array(one)})
             for one in ([0.0, -np.inf], [-np.inf, 0.0])]  # fmt: skip
    x = derive(2, "test tuning").random((4, D))
    means, variances = (np.array(part) for part in zip(*(a.predict(x) for a in alone)))  # noqa: B905
    weights = bank.weights
    mean = weights @ means
    variance = weights @ (variances + (means - mean) ** 2)

    assert weights.sum() == pytest.approx(1.0)
    assert bank.predict(x)[0] == pytest.approx(mean)
    assert bank.predict(x)[1] == pytest.approx(variance)
    assert np.diag(np.linalg.inv(bank.precision)) == pytest.approx(bank.predict(np.eye(D))[1])


def test_trust_is_the_product_of_what_was_foretold() -> None:
    """Bayes: the odds of two memories are those of the probabilities they gave to each click."""
    bank = LiftBank(MEAN, PRECISION, (0.1, 1.0), share=0.0)
    expected = np.zeros(2)
    for x, click, chance in matches(3, 0, 64):
        for row in range(len(x)):
            for r in range(2):
                weights = np.where(np.arange(2) == r, 0.0, -np.inf)
                only = LiftBank.from_arrays({**bank.arrays(), "log_weight": weights})
                expected[r] += _score(click[row : row + 1], only.predict(x[row : row + 1])[0])
            bank = bank.update(x[row : row + 1], click[row : row + 1], 1.0 / chance[row : row + 1])
        bank = bank.decay(0.5)

    assert np.log(bank.weights[0] / bank.weights[1]) == pytest.approx(expected[0] - expected[1])


@pytest.mark.parametrize("seed", [0, 1])
def test_where_nothing_changes_the_bank_loses_next_to_nothing(seed: int) -> None:
    """Against the longest memory alone, less than the price of naming one of six, and a nat."""
    batches = matches(seed, 0)
    bank = loss(LiftBank(MEAN, PRECISION), batches, LONGEST)
    longest = loss(LiftBank(MEAN, PRECISION, (1.0,)), batches, LONGEST)

    assert bank - longest < np.log(len(MEMORIES)) + 1.0


@pytest.mark.parametrize("seed", [0, 1])
def test_after_changes_it_is_as_good_as_the_best_memory(seed: int) -> None:
    """Tastes change three times: the loss is at most .7 of the longest memory's, and within 2 % and
    the price of naming one of six of the best fixed memory's in hindsight."""
    batches = matches(seed, 3)
    bank = loss(LiftBank(MEAN, PRECISION), batches, LONGEST)
    alone = [loss(LiftBank(MEAN, PRECISION, (1.0,)), batches, LONGEST * part) for part in MEMORIES]

    assert bank < 0.7 * alone[-1]
    assert bank < 1.02 * min(alone) + np.log(len(MEMORIES))


def test_a_value_that_arrays_tell_to_the_bit() -> None:
    """No method changes it; read again it goes on the same."""
    start = LiftBank(MEAN, PRECISION)
    before = {name: array.copy() for name, array in start.arrays().items()}
    batches = matches(4, 0, 320)
    live = start
    for x, click, _ in batches[:5]:
        live = live.update(x, click).decay(0.999)
    again = LiftBank.from_arrays(live.arrays())
    for x, click, _ in batches[5:]:
        live, again = (one.update(x, click).decay(0.999) for one in (live, again))

    assert all((array == before[name]).all() for name, array in start.arrays().items())
    assert again.mean.tobytes() == live.mean.tobytes()
    for name, array in live.arrays().items():
        assert again.arrays()[name].tobytes() == array.tobytes(), name


# ---------------------------------------------------------------- sources


def heard(*seen: tuple[str, bool, float], **settings: float) -> SourceShares:
    shares = SourceShares(**settings)
    for source, clicked, expected in seen:
        shares.learn("home", source, clicked, expected)
    return shares


def test_a_source_whose_items_are_clicked_more_has_a_larger_share() -> None:
    """(clicks + prior) / (expected + prior): 1 where as many came as the items let expect, and for
    sources and placements that nothing is known of."""
    good = [("favourites", k % 10 < 2, 0.1) for k in range(1_000)]
    usual = [("trending", k % 10 < 1, 0.1) for k in range(1_000)]
    shares = heard(*good, *usual, half_life=np.inf)

    assert shares.shares("home", ["favourites", "trending", "new"]) == pytest.approx(
        [210.0 / 110.0, 1.0, 1.0]
    )
    assert shares.shares("cart", ["favourites"]) == [1.0]


def test_shares_stay_within_bounds() -> None:
    """However good or bad: nobody is left without a place."""
    seen = [("a", True, 0.001)] * 500 + [("b", False, 1.0)] * 500

    assert heard(*seen).shares("home", ["a", "b"]) == [4.0, 0.25]


def test_old_clicks_fade() -> None:
    """What was clicked long ago counts half after ``half_life`` slots, and the share follows."""
    first = [("a", True, 0.5)] * 300
    then = [("a", False, 0.5)] * 300
    (slow,) = heard(*first, *then, half_life=np.inf).shares("home", ["a"])
    (fast,) = heard(*first, *then, half_life=100.0).shares("home", ["a"])

    assert slow == pytest.approx(1.0, abs=0.05)
    assert fast < 0.5


def test_shares_are_told_in_arrays() -> None:
    """Read again, they go on the same."""
    shares, other = heard(("a", True, 0.1), ("b", False, 0.2)), SourceShares()
    other.load(shares.arrays())
    for one in (shares, other):
        one.learn("home", "a", False, 0.3)

    assert other.arrays()["json"].tobytes() == shares.arrays()["json"].tobytes()


@pytest.mark.parametrize(
    ("attempt", "message"),
    [
        (lambda: LiftBank(MEAN, PRECISION, (0.5,)), "memories are (0.5,); they rise from above 0"),
        (lambda: LiftBank(MEAN, PRECISION, (1.0, 0.5)), "memories are (1.0, 0.5); they rise"),
        (lambda: LiftBank(MEAN, PRECISION, (0.0, 1.0)), "the shortest memory is 0.0 and share"),
        (lambda: LiftBank(MEAN, PRECISION, share=1.0), "share 1.0; memories are above 0, a share"),
        (lambda: LiftBank(MEAN, PRECISION).decay(0.0), "gamma is 0.0; it is above 0 and at most 1"),
    ],
)
def test_refusals(attempt: Callable[[], object], message: str) -> None:
    """What cannot be is refused, with the value, the place and what would be right."""
    with pytest.raises(ValueError) as refusal:
        attempt()

    assert message in str(refusal.value)
