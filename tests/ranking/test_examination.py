"""The curves of looks: a first guess, and what the clicks make of it."""

from __future__ import annotations

import numpy as np
import pytest

from equipoise.randomness import derive
from equipoise.ranking.examination import LEAST, SLOTS, Examination, first_guess


def test_the_first_guess() -> None:
    """1 for the first, falling, never 0, and its start does not depend on its length."""
    curve = first_guess(100)

    assert curve[0] == 1
    assert (np.diff(curve) < 0).all()
    assert curve[-1] > 0.2
    assert np.array_equal(Examination().look("home", 7), curve[:7])
    assert len(Examination().look("home", 0)) == 0


def test_its_ends_are_no_bias_and_dcg() -> None:
    """Steepness 0 looks at every slot alike, 1 is the discount of DCG."""
    assert first_guess(5, steepness=0.0).tolist() == [1.0] * 5
    assert first_guess(3, steepness=1.0) == pytest.approx([1, 1 / np.log2(3), 1 / 2])


def test_it_is_shared_and_cannot_be_changed() -> None:
    """The same array serves every list."""
    with pytest.raises(ValueError, match="read-only"):
        first_guess(5)[0] = 0.5


def test_the_true_curve_is_found() -> None:
    """From clicks drawn by a curve of another shape, whatever unit the rates are in."""
    truth = (np.arange(12) + 1.0) ** -1.0
    for unit in (1.0, 2.0):
        examination, rng = Examination(), derive(0, "clicks")
        for slot in rng.integers(0, 12, 60_000).tolist():
            clicked = float(rng.random() < 0.2 * truth[slot])
            examination.learn("home", slot, clicked, 0.2 * unit)

        found = examination.look("home", 12)
        assert found[0] == 1
        assert found == pytest.approx(truth, abs=0.08)


def test_placements_do_not_share_a_curve() -> None:
    """What the home page's visitors skip, the product page's may read."""
    examination = Examination()
    for _ in range(500):
        examination.learn("home", 3, 0.0, 1.0)

    assert examination.look("home", 4)[3] < 0.1
    assert np.array_equal(examination.look("product", 4), first_guess(4))


def test_order_does_not_matter_and_what_is_loaded_is_what_was_dumped() -> None:
    """Counts only add up."""
    told = [("home", k % 30, float(k % 7 == 0), 0.25) for k in range(400)]
    told += [("feed", k % 5, 0.0, 0.5) for k in range(50)]
    one, other, loaded = Examination(), Examination(), Examination()
    for verdict in told:
        one.learn(*verdict)
    for verdict in reversed(told):
        other.learn(*verdict)
    loaded.load(one.arrays())

    for placement in ("home", "feed"):
        assert np.array_equal(one.look(placement, 20), other.look(placement, 20))
        assert np.array_equal(one.look(placement, 20), loaded.look(placement, 20))


def test_bounds() -> None:
    """A slot that nobody clicks keeps a small chance, none is seen more than the first, and lists
    longer than any curve go on as they end."""
    examination = Examination()
    examination.learn("home", 5, 0.0, 1e6)
    examination.learn("home", 6, 1e6, 1.0)
    examination.learn("home", SLOTS + 3, 1.0, 1.0)
    curve = examination.look("home", SLOTS + 20)

    assert curve[5] == LEAST
    assert curve[6] == 1.0
    assert (curve[SLOTS:] == curve[SLOTS - 1]).all()
