"""The bootstrap ensemble: order-free by its keys, as wide as the prior where nothing was seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Self

import numpy as np
import pytest

from equipoise.exploration import EnsembleBelief, GaussianBelief
from equipoise.randomness import derive
from equipoise.testing.beliefs import (
    LAWS,
    data,
    decay_forgets_towards_the_prior,
    variance_never_grows,
)
from equipoise.types import Floats

LOOSE = (variance_never_grows, decay_forgets_towards_the_prior)
"""Laws that hold for this belief on average only: tested so below."""


def keys(x: Floats) -> list[str]:
    """An event is named by its features, which no other has."""
    return [row.tobytes().hex() for row in x]


class Keyed(EnsembleBelief):
    """Names events itself, so that the laws need not."""

    def update(
        self,
        x: Floats,
        reward: Floats,
        weight: Floats | None = None,
        keys_: Sequence[str] | None = None,
    ) -> Self:
        return super().update(x, reward, weight, keys(x))

    def subtract(self, x: Floats, reward: Floats, weight: Floats | None = None) -> Self:  # type: ignore[override]
        return super().subtract(x, reward, weight, keys=keys(x))


@pytest.mark.parametrize(
    "law", [law for law in LAWS if law not in LOOSE], ids=lambda law: law.__name__
)
def test_laws(law: Callable[..., None]) -> None:
    """Every law, exactly: order, merging and undoing too, thanks to the keys."""
    law(lambda: Keyed(3), 3)


def test_without_keys_events_are_numbered() -> None:
    """The same log gives the same belief, at once or one by one, and from a snapshot on."""
    x, reward, _ = data(3)
    at_once, singly = EnsembleBelief(3).update(x, reward), EnsembleBelief(3)
    for row in range(len(x)):
        singly = EnsembleBelief.from_arrays(singly.arrays())
        singly = singly.update(x[row : row + 1], reward[row : row + 1])
    other = EnsembleBelief(3).update(x[::-1], reward[::-1])

    np.testing.assert_allclose(at_once.predict(x), singly.predict(x), rtol=1e-10)
    assert not np.allclose(at_once.predict(x), other.predict(x), rtol=1e-3)


def test_a_head_is_a_ridge_on_its_own_sample() -> None:
    """Each head: (Λ + Σ c x xᵀ)⁻¹ (Λ m_b + Σ c r x), counts drawn from (seed, key)."""
    x, reward, _ = data(3)
    belief = EnsembleBelief(3, heads=4, prior_precision=2.0, random_state=7)
    start = belief.coefficients
    fitted = belief.update(x, reward, keys=keys(x)).coefficients
    counts = np.array([derive(7, "ensemble.bootstrap", key).poisson(1.0, 4) for key in keys(x)])
    for b in range(4):
        a = 2.0 * np.eye(3) + (x * counts[:, b, None]).T @ x
        moment = 2.0 * start[b] + x.T @ (counts[:, b] * reward)

        np.testing.assert_allclose(fitted[b], np.linalg.solve(a, moment), rtol=1e-10)


def test_the_prior_is_as_wide_as_it_says() -> None:
    """Without data: mean m₀ exactly, variance noise / Λ within what B heads allow."""
    prior = {"prior_mean": np.array([1.0, -2.0]), "prior_precision": np.array([0.5, 4.0])}
    mean, variance = EnsembleBelief(2, heads=400, noise=2.0, **prior).predict(np.eye(2))

    np.testing.assert_allclose(mean, prior["prior_mean"], atol=1e-12)
    np.testing.assert_allclose(variance, 2.0 / prior["prior_precision"], rtol=0.25)


def test_a_direction_never_seen_stays_open() -> None:
    """However much is known of feature 1, feature 2 keeps the prior's spread."""
    rng = derive(0, "test ensemble")
    belief = EnsembleBelief(2)
    before = belief.predict(np.eye(2))[1]
    x = np.column_stack([rng.normal(size=2_000), np.zeros(2_000)])
    after = belief.update(x, x[:, 0] + rng.normal(size=2_000)).predict(np.eye(2))[1]

    assert after[0] < 0.005
    assert after[1] == pytest.approx(before[1], rel=1e-9)


def test_spread_is_that_of_the_regression() -> None:
    """With many rewards the mean variance is that of the exact belief, within a fifth."""
    rng = derive(1, "test ensemble")
    x = rng.normal(size=(400, 4))
    reward = x @ rng.normal(size=4) + rng.normal(size=400)
    places = rng.normal(size=(200, 4))
    ours = EnsembleBelief(4, heads=64).update(x, reward).predict(places)
    exact = GaussianBelief(4).update(x, reward).predict(places)

    assert ours[1].mean() == pytest.approx(exact[1].mean(), rel=0.2)
    assert np.abs(ours[0] - exact[0]).max() < np.sqrt(exact[1]).max()


def test_noise_need_not_be_even() -> None:
    """Where rewards scatter more, it is less sure: the exact belief would not notice."""
    rng = derive(2, "test ensemble")
    x = np.eye(2)[np.arange(2_000) % 2]
    reward = rng.normal(size=2_000) * np.where(x[:, 0] > 0, 3.0, 0.3)
    _, variance = EnsembleBelief(2, heads=64).update(x, reward).predict(np.eye(2))

    assert variance[0] / variance[1] == pytest.approx(100.0, rel=0.6)
    assert variance[0] == pytest.approx(9.0 / 1_000, rel=0.4)


def test_spread_falls_and_comes_back() -> None:
    """On average over places more data narrows, forgetting half widens, forgetting all resets."""
    x, reward, _ = data(3, rows=200)
    places = derive(3, "test ensemble").normal(size=(100, 3))
    some = EnsembleBelief(3).update(x[:50], reward[:50])
    more = some.update(x[50:], reward[50:])
    widths = [b.predict(places)[1].mean() for b in (more, some, EnsembleBelief(3))]

    assert widths == sorted(widths)
    assert more.decay(0.5).predict(places)[1].mean() > 1.4 * widths[0]
    assert more.decay(0.5).n == 100.0


@pytest.mark.parametrize(
    ("attempt", "message"),
    [
        (lambda b: EnsembleBelief(2, heads=1), "heads is 1, at least 2"),
        (lambda b: EnsembleBelief(2, noise=0.0), "noise is 0.0, above 0 and finite"),
        (lambda b: EnsembleBelief(2, prior_precision=0.0), "prior_precision 0.0 must be above 0"),
        (lambda b: b.update(np.eye(2), np.ones(2), keys=["a"]), "2 events need as many different"),
        (lambda b: b.update(np.eye(2), np.ones(2), keys=["a", "a"]), "2 events need as many"),
        (lambda b: b.subtract(np.eye(2), np.ones(2), keys=["a", "a"]), "2 events need as many"),
        (lambda b: b.merge(EnsembleBelief(2, random_state=1)), "the same heads, seed and prior"),
        (lambda b: b.merge(EnsembleBelief(2, prior_precision=2.0)), "the same heads, seed"),
        (lambda b: b.merge(b), "both ensembles saw events without keys"),
        (lambda b: b.decay(2.0), "gamma is 2.0"),
    ],
)
def test_refusals(attempt: Callable[[EnsembleBelief], object], message: str) -> None:
    """What cannot be is refused, with the value, the place and what would be right."""
    with pytest.raises(ValueError) as refusal:
        attempt(EnsembleBelief(2).update(np.eye(2), np.ones(2)))

    assert message in str(refusal.value)
