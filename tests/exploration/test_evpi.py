"""What knowing everything would be worth."""

from __future__ import annotations

import numpy as np
import pytest

from equipoise.errors import InvalidInput
from equipoise.exploration.evpi import evpi, evpi_slate
from equipoise.randomness import derive

RNG = derive(0, "test_evpi")
CASES = {
    "even": (np.full(20, 0.05), np.full(20, 0.02)),
    "mixed": (RNG.normal(0.05, 0.02, 30), RNG.uniform(0.001, 0.03, 30)),
    "one unseen": (RNG.normal(0.05, 0.01, 30), np.where(np.arange(30) == 7, 0.05, 0.0005)),
    "settled": (np.linspace(0.0, 1.0, 10), np.full(10, 0.01)),
    "some known": (RNG.normal(0.05, 0.02, 12), np.where(np.arange(12) % 2, 0.02, 0.0)),
    "known leader": (np.array([1.0, 0.5, 0.4]), np.array([0.0, 0.5, 0.5])),
}


@pytest.mark.parametrize("name", CASES)
def test_it_is_what_a_monte_carlo_finds(name: str) -> None:
    """``E[max f] − max m`` over a million worlds, within five of its standard errors."""
    mean, spread = CASES[name]
    best = (mean + spread * derive(1, "evpi", name).normal(size=(400_000, len(mean)))).max(axis=1)

    error = 5 * best.std() / np.sqrt(len(best)) + 1e-12
    assert evpi(mean, spread) == pytest.approx(best.mean() - mean.max(), abs=error, rel=1e-3)


def test_two_items_have_a_closed_form() -> None:
    """Of two: ``d h(−gap / d)`` with d the spread of their difference."""
    from scipy.stats import norm

    gap, wide = 0.3, np.hypot(0.2, 0.4)
    z = -gap / wide

    known = wide * (norm.pdf(z) + z * norm.cdf(z))
    assert evpi(np.array([1.0, 0.7]), np.array([0.2, 0.4])) == pytest.approx(known, rel=1e-4)


def test_without_doubt_it_is_nothing() -> None:
    """Where all is known, or there is no choice, knowing is worth nothing."""
    mean = np.array([0.1, 0.2, 0.2])

    assert evpi(mean, np.zeros(3)) == 0.0
    assert evpi(np.array([0.3]), np.array([5.0])) == 0.0
    assert evpi_slate(mean, np.zeros(3), np.array([1.0, 0.5])) == pytest.approx(0.0, abs=1e-15)


@pytest.mark.parametrize("unit", [1e-6, 1e6])
def test_it_has_the_unit_of_the_means(unit: float) -> None:
    """In cents a hundred times what it is in euros; a constant on top changes nothing."""
    mean, spread = CASES["mixed"]

    assert evpi(unit * mean, unit * spread) == pytest.approx(unit * evpi(mean, spread), rel=1e-9)
    assert evpi(mean + 3.0, spread) == pytest.approx(evpi(mean, spread), rel=1e-9)


def test_more_doubt_is_worth_more_to_resolve() -> None:
    """It rises with every spread."""
    mean, spread = CASES["mixed"]
    values = [evpi(mean, scale * spread) for scale in (0.25, 0.5, 1.0, 2.0, 4.0)]

    assert values == sorted(values)


@pytest.mark.parametrize("name", CASES)
def test_the_bound_for_a_slate_is_one(name: str) -> None:
    """It is no less than ``E[Σ_l v_l f_(l)] − Σ_l v_l m_(l)``, and not far from it when cold."""
    mean, spread = CASES[name]
    look = np.array([1.0, 0.7, 0.5])[: len(mean)]
    worlds = mean + spread * derive(2, "evpi", name).normal(size=(100_000, len(mean)))
    found = -np.sort(-worlds, axis=1)[:, : len(look)] @ look
    true = found.mean() - (-np.sort(-mean)[: len(look)]) @ look
    error = 5 * found.std() / np.sqrt(len(found))

    assert evpi_slate(mean, spread, look) >= true - error
    if name == "even":
        assert evpi_slate(mean, spread, look) < 1.3 * true


def test_nonsense_is_refused() -> None:
    """Empty beliefs, shapes that differ, spreads below 0 and looks that rise say what is wrong."""
    one = np.array([1.0])

    with pytest.raises(InvalidInput, match="each has"):
        evpi(np.zeros(0), np.zeros(0))
    with pytest.raises(InvalidInput, match="no spread below 0"):
        evpi(one, -one)
    with pytest.raises(InvalidInput, match="none higher than"):
        evpi_slate(one, one, np.array([0.5, 1.0]))
