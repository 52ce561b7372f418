"""Groups of like direction."""

from __future__ import annotations

import numpy as np
import pytest

from equipoise.errors import InvalidInput
from equipoise.randomness import derive
from equipoise.recommenders.direction_groups import Groups


def bundles(items=4_000, d=24, around=40, scatter=0.5):
    """(factors, norms): directions in bundles, norms apart."""
    rng = derive(3, "test")
    centres = rng.normal(size=(around, d))
    factors = centres[rng.integers(0, around, items)] + scatter * rng.normal(size=(items, d))
    factors = (factors * np.exp(rng.normal(0, 0.5, (items, 1)))).astype(np.float32)
    return factors, np.linalg.norm(factors.astype(float), axis=1)


def test_groups_are_of_like_direction():
    """None is empty, all have a group, and a group's members lie closer than strangers do."""
    factors, norms = bundles()

    groups = Groups.of(factors, norms)

    directions = factors / norms[:, None].astype(np.float32)
    assert set(groups.member) == set(range(len(groups.means)))
    assert len(groups.means) <= round(4_000**0.5)
    own = np.einsum("if,if->i", directions, groups.means[groups.member])
    assert own.mean() > 0.75
    assert abs((directions @ groups.means.T).mean()) < 0.1


def test_means_and_scatter_are_those_of_the_members():
    """The mean direction, the relative spread and the common covariance, against numpy's."""
    factors, norms = bundles(items=900)

    groups = Groups.of(factors, norms)

    directions = factors / norms[:, None]
    rest = directions - groups.means[groups.member]
    inside = groups.member == 0
    assert np.allclose(groups.means[0], directions[inside].mean(axis=0), atol=1e-6)
    assert np.allclose(groups.scatter, rest.T @ rest / 900, atol=1e-6)
    ratio = (rest[inside] ** 2).sum(axis=1).mean() / (rest**2).sum(axis=1).mean()
    assert groups.spread[0] ** 2 == pytest.approx(ratio, rel=1e-4)


def test_a_higher_recall_asks_for_a_wider_look():
    """z grows with the recall, and so does what a group may promise."""
    factors, norms = bundles()
    groups = Groups.of(factors, norms)
    low, high = (groups.tried(factors, norms.astype(np.float32), r) for r in (0.5, 0.99))

    assert low.z < high.z
    assert (low.promise(factors[0]) <= high.promise(factors[0])).all()


def test_rows_without_a_direction_stand_aside():
    """Zero and NaN move no group, and if there is nothing else there is one group."""
    factors, norms = bundles(items=500)
    odd = np.concatenate([factors, np.zeros((2, 24)), np.full((2, 24), np.nan)]).astype(np.float32)
    groups = Groups.of(odd, np.concatenate([norms, [0, 0, np.nan, np.nan]]))
    nothing = Groups.of(odd[-4:], np.array([0, 0, np.nan, np.nan]))

    assert np.isfinite(groups.means).all()
    assert len(nothing.means) == 1
    assert nothing.tried(odd[-4:], np.zeros(4, np.float32), 0.9).z == 0


@pytest.mark.parametrize("recall", [0.0, 1.0, -0.5, 2.0, np.nan])
def test_a_recall_lies_between_0_and_1(recall):
    """The message says what None does."""
    factors, norms = bundles(items=50)

    with pytest.raises(InvalidInput, match="it lies between 0 and 1, and None searches exactly"):
        Groups.of(factors, norms).tried(factors, norms.astype(np.float32), recall)
