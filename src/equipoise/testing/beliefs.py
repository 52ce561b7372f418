"""The laws of a belief, importable: whoever writes one may check it here.

::

    from equipoise.testing.beliefs import check_belief

    check_belief(lambda: GaussianBelief(4), d=4)

Each law is a function of ``make``, which must return a belief that has seen nothing, and of the
number of features ``d``; a broken law raises AssertionError and says how. ``LAWS`` names them for
parametrised tests. Laws about ``merge``, ``subtract`` and ``decay`` bind beliefs that have them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from equipoise.interfaces import Belief
from equipoise.randomness import derive
from equipoise.types import Floats

Make: TypeAlias = Callable[[], Belief]

ROWS = 40
TOLERANCE = 1e-8


def check_belief(make: Make, d: int) -> None:
    """Hold a belief to every law.

    "More data never widens it" holds for beliefs whose noise is known; give one of those.
    """
    for law in LAWS:
        law(make, d)


def data(d: int, rows: int = ROWS) -> tuple[Floats, Floats, Floats]:
    """(x, reward, β): features of the order of 1, rewards ``xᵀβ`` with noise of sd 1."""
    rng = derive(0, "testing.beliefs")
    truth = rng.normal(size=d)
    x = rng.normal(size=(rows, d))
    return x, x @ truth + rng.normal(size=rows), truth


def _places(d: int) -> Floats:
    return derive(1, "testing.beliefs").normal(size=(25, d))


def _demand(holds: bool, law: str) -> None:
    if not holds:
        raise AssertionError(law)


def _same(one: Belief, other: Belief, d: int) -> bool:
    pairs = zip(one.predict(_places(d)), other.predict(_places(d)), strict=True)
    return all(np.allclose(a, b, rtol=TOLERANCE, atol=TOLERANCE) for a, b in pairs)


# ---------------------------------------------------------------- the laws


def predictions_are_finite(make: Make, d: int) -> None:
    """A finite mean and a variance above 0 for every row, before and after data."""
    x, reward, _ = data(d)
    for belief in (make(), make().update(x, reward)):
        mean, variance = belief.predict(_places(d))
        _demand(mean.shape == variance.shape == (25,), "one mean and one variance a row")
        _demand(bool(np.isfinite(mean).all()), "a mean is not finite")
        _demand(bool((np.isfinite(variance) & (variance > 0)).all()), "a variance is not above 0")


def updates_make_new_values(make: Make, d: int) -> None:
    """The old belief is what it was."""
    x, reward, _ = data(d)
    belief = make()
    before = belief.predict(_places(d))
    belief.update(x, reward)
    unchanged = all(map(np.array_equal, before, belief.predict(_places(d))))
    _demand(unchanged, "an update changed the belief it was called on")


def order_is_meaningless(make: Make, d: int) -> None:
    """Data in another order, at once or one by one: the same belief."""
    x, reward, _ = data(d)
    at_once = make().update(x, reward)
    singly = make()
    for row in derive(2, "testing.beliefs").permutation(len(x)):
        singly = singly.update(x[row : row + 1], reward[row : row + 1])
    _demand(_same(at_once, singly, d), "the order of updates matters")


def weights_count(make: Make, d: int) -> None:
    """A weight of 2 is to be seen twice; a weight of 0 never."""
    x, reward, _ = data(d)
    twice = make().update(x, reward).update(x, reward)
    _demand(
        _same(make().update(x, reward, np.full(len(x), 2.0)), twice, d), "a weight of 2 is not two"
    )
    _demand(_same(make().update(x, reward, np.zeros(len(x))), make(), d), "a weight of 0 teaches")


def variance_never_grows(make: Make, d: int) -> None:
    """Without forgetting, more data never widens the belief anywhere."""
    x, reward, _ = data(d)
    belief = make()
    _, before = belief.predict(_places(d))
    for row in range(len(x)):
        belief = belief.update(x[row : row + 1], reward[row : row + 1])
        _, after = belief.predict(_places(d))
        _demand(bool((after <= before * (1 + TOLERANCE)).all()), f"row {row} widens the belief")
        before = after


def truth_is_found(make: Make, d: int) -> None:
    """With much data the mean is the truth, within what the variance says."""
    x, reward, truth = data(d, rows=4_000)
    mean, variance = make().update(x, reward).predict(_places(d))
    gap = np.abs(mean - _places(d) @ truth) / np.sqrt(variance)
    _demand(bool((gap < 6).all()), f"the truth is {gap.max():.1f} spreads away after 4,000 rows")


def merging_is_learning_from_both(make: Make, d: int) -> None:
    """Two halves learnt apart and merged are the whole."""
    x, reward, _ = data(d)
    one: Any = make().update(x[:15], reward[:15])
    if hasattr(one, "merge"):
        merged = one.merge(make().update(x[15:], reward[15:]))
        _demand(_same(merged, make().update(x, reward), d), "merging is not learning from both")


def subtracting_undoes(make: Make, d: int) -> None:
    """What is subtracted was never learnt."""
    x, reward, _ = data(d)
    both: Any = make().update(x, reward)
    if hasattr(both, "subtract"):
        rest = both.subtract(x[15:], reward[15:])
        _demand(_same(rest, make().update(x[:15], reward[:15]), d), "subtracting does not undo")


def decay_forgets_towards_the_prior(make: Make, d: int) -> None:
    """Forgetting nothing changes nothing, forgetting all gives the prior, in between widens."""
    x, reward, _ = data(d)
    belief: Any = make().update(x, reward)
    if hasattr(belief, "decay"):
        _demand(_same(belief.decay(1.0), belief, d), "decay(1) is not the same belief")
        _demand(_same(belief.decay(0.0), make(), d), "decay(0) is not the prior")
        _, half = belief.decay(0.5).predict(_places(d))
        _, full = belief.predict(_places(d))
        _demand(bool((half > full).all()), "forgetting half does not widen the belief")


LAWS = (
    predictions_are_finite,
    updates_make_new_values,
    order_is_meaningless,
    weights_count,
    variance_never_grows,
    truth_is_found,
    merging_is_learning_from_both,
    subtracting_undoes,
    decay_forgets_towards_the_prior,
)
