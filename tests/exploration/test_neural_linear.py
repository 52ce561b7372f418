"""Neural-linear: a belief on a layer that somebody else learnt."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from equipoise.exploration import (
    EnsembleBelief,
    GaussianBelief,
    LogisticBelief,
    NeuralLinear,
)
from equipoise.randomness import derive
from equipoise.testing.beliefs import LAWS, LOGISTIC, data
from equipoise.types import Floats

LAYER = np.array([[1.0, 0.2, 0.0, 0.5], [0.0, 1.0, 0.3, 0.0], [0.1, 0.0, 1.0, 0.0]])


def layer(x: Floats) -> Floats:
    return x @ LAYER


def waves(x: Floats) -> Floats:
    """A layer with a bend, as a network would find."""
    return np.column_stack([np.ones(len(x)), np.sin(3.0 * x[:, 0]), np.cos(3.0 * x[:, 0]), x])


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_laws(law: Callable[..., None]) -> None:
    """Every law of the belief inside holds through the layer."""
    if law.__name__ == "arrays_are_all_of_it":
        assert not hasattr(NeuralLinear(layer, GaussianBelief(4)), "arrays")
        return
    law(lambda: NeuralLinear(layer, GaussianBelief(4)), 3)


@pytest.mark.parametrize("belief", [GaussianBelief(4), LogisticBelief(4)], ids=["line", "chance"])
def test_is_the_belief_over_the_layer(belief: Any) -> None:
    """Whatever is asked is answered as by the belief inside at embed(x), to the bit."""
    x, reward, _ = data(3, world=LOGISTIC)
    deep = NeuralLinear(layer, belief).update(x, reward)
    flat = belief.update(layer(x), reward)
    for ours, theirs in (
        (deep, flat),
        (deep.decay(0.5), flat.decay(0.5)),
        (deep.pending(x[:4]), flat.pending(layer(x[:4]))),
        (deep.merge(deep), flat.merge(flat)),
    ):
        np.testing.assert_array_equal(ours.predict(x), theirs.predict(layer(x)))
        np.testing.assert_array_equal(ours.covariance_root(x), theirs.covariance_root(layer(x)))

    assert deep.belief.n == flat.n == len(x)


def test_refit_learns_from_the_log_anew() -> None:
    """After the layer changed nothing of the old one is left: refit = never having known it."""
    x, reward, _ = data(3)
    old = NeuralLinear(waves, GaussianBelief(6)).update(x, reward)
    wider = old.refit(layer, x, reward, belief=GaussianBelief(4, prior_precision=3.0))
    again = wider.update(x[:3], reward[:3]).refit(layer, x, reward)
    fresh = NeuralLinear(layer, GaussianBelief(4, prior_precision=3.0)).update(x, reward)

    np.testing.assert_array_equal(wider.predict(x), fresh.predict(x))
    np.testing.assert_array_equal(again.predict(x), fresh.predict(x))


def test_finds_what_a_line_cannot() -> None:
    """A reward that bends with the context: a tenth of the error, and as sure as it may be."""
    rng = derive(0, "test neural linear")
    x = rng.uniform(-2.0, 2.0, size=(600, 1))
    truth = np.sin(3.0 * x[:, 0])
    reward = truth + 0.3 * rng.normal(size=600)
    deep = NeuralLinear(waves, GaussianBelief(4, noise=0.09)).update(x[:400], reward[:400])
    flat = GaussianBelief(1, noise=0.09).update(x[:400], reward[:400])
    mean, variance = deep.predict(x[400:])
    error, plain = ((m - truth[400:]) ** 2 for m in (mean, flat.predict(x[400:])[0]))

    assert error.mean() < 0.1 * plain.mean()
    assert np.sqrt((error / variance).mean()) < 2.0


def test_learnt_factors_times_context() -> None:
    """Rows (user's factors, item's factors): their products are the layer."""
    rng = derive(1, "test neural linear")
    users, items = rng.normal(size=(30, 5)), rng.normal(size=(40, 5))
    x = np.hstack([users[rng.integers(30, size=800)], items[rng.integers(40, size=800)]])
    taste = np.array([1.0, 0.5, 0.0, -0.5, 2.0])
    reward = (x[:, :5] * x[:, 5:]) @ taste + rng.normal(size=800)
    belief = NeuralLinear(lambda x: x[:, :5] * x[:, 5:], GaussianBelief(5)).update(x, reward)
    mean, variance = belief.predict(np.hstack([np.eye(5), np.eye(5)]))

    assert (np.abs(mean - taste) < 4.0 * np.sqrt(variance)).all()
    assert np.sqrt(variance).max() < 0.1


def test_keys_go_through() -> None:
    """An ensemble inside gets its keys: two orders, one belief."""
    x, reward, _ = data(3)
    keys = [str(i) for i in range(len(x))]
    start = NeuralLinear(layer, EnsembleBelief(4))
    one = start.update(x, reward, keys=keys)
    other = start.update(x[::-1], reward[::-1], keys=keys[::-1])

    np.testing.assert_allclose(one.predict(x), other.predict(x), rtol=1e-9)
    np.testing.assert_array_equal(
        start.refit(layer, x, reward, keys=keys).predict(x), one.predict(x)
    )


def test_refusals() -> None:
    """A layer of the wrong shape, and two layers in one belief."""
    belief = NeuralLinear(layer, GaussianBelief(4))
    with pytest.raises(ValueError, match=r"embed made \(2,\) of x \(2, 3\); it must be \(2, k\)"):
        NeuralLinear(lambda x: x[:, 0], GaussianBelief(1)).predict(np.ones((2, 3)))
    with pytest.raises(ValueError, match=r"x has shape \(2, 2\); it must be \(n, 4\)"):
        NeuralLinear(lambda x: x[:, :2], GaussianBelief(4)).predict(np.ones((2, 3)))
    with pytest.raises(ValueError, match="over different layers do not merge: refit one"):
        belief.merge(NeuralLinear(waves, GaussianBelief(4)))
