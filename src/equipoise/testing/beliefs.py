"""The laws of a belief, importable: whoever writes one may check it here.

::

    from equipoise.testing.beliefs import LOGISTIC, check_belief, check_coverage

    check_belief(lambda: GaussianBelief(4), d=4)
    check_belief(lambda: LogisticBelief(4), d=4, world=LOGISTIC, tolerance=0.1)
    check_coverage(lambda: LogisticBelief(4), d=4, world=LOGISTIC)

Each law is a function of ``make``, which must return a belief that has seen nothing, of the number
of features ``d``, of the ``world`` its rewards come from and of a ``tolerance``, in spreads, for
forms that are approximations; a broken law raises AssertionError and says how. ``LAWS`` names them
for parametrised tests. Laws about ``merge``, ``subtract``, ``decay``, ``pending``,
``covariance_root`` and ``arrays`` bind beliefs that have them. A belief about a score behind a link
shows it as ``latent(x)``, mean and variance: spreads are compared there, since that of a chance
also depends on where it lies.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from scipy.special import expit, ndtr

from equipoise.interfaces import Belief
from equipoise.randomness import derive
from equipoise.types import Floats

Make: TypeAlias = Callable[[], Belief]

ROWS = 40
TOLERANCE = 1e-8

LEVELS = np.array([0.50, 0.80, 0.95])
HALF_WIDTHS = np.array([0.6745, 1.2816, 1.9600])
"""Standard deviations to either side that hold ``LEVELS`` of a Gaussian."""


@dataclass(frozen=True, slots=True)
class World:
    """How rewards come about once the scores ``xᵀβ`` are known."""

    expected: Callable[[Floats], Floats]
    binary: bool
    """Rewards are 0 or 1; else Gaussian with variance 1 about what is expected."""

    def rewards(self, score: Floats, rng: np.random.Generator) -> Floats:
        if not self.binary:
            return self.expected(score) + rng.normal(size=len(score))
        return (rng.random(len(score)) < self.expected(score)).astype(float)


GAUSSIAN = World(lambda score: score, binary=False)
LOGISTIC = World(expit, binary=True)
PROBIT = World(ndtr, binary=True)


def check_belief(
    make: Make, d: int, *, world: World = GAUSSIAN, tolerance: float = TOLERANCE
) -> None:
    """Hold a belief to every law.

    "More data never widens it" holds for beliefs whose noise is known; give one of those.
    """
    for law in LAWS:
        law(make, d, world, tolerance)


def check_coverage(
    make: Make,
    d: int,
    *,
    world: World = GAUSSIAN,
    worlds: int = 500,
    rows: int = ROWS,
    slack: float | tuple[float, float, float] = 0.04,
    features: Callable[[int, np.random.Generator], Floats] | None = None,
) -> None:
    """Where the prior is true, intervals of 50, 80 and 95 % hold the truth so often.

    ``make`` must believe coefficients N(0, I), and noise 1 where the world is Gaussian.

    Args:
        worlds: how many are drawn; each is judged at five places.
        slack: by how much shares may miss, for all levels or for each: an approximation's own
            error and that of the count, some 2 % with 500 worlds.
        features: ``(rows, rng) -> x (rows, d)``; independent standard normal if None.
    """
    rng = derive(3, "testing.beliefs")
    draw = features or (lambda n, rng: rng.normal(size=(n, d)))
    inside = np.zeros(len(LEVELS))
    for _ in range(worlds):
        truth, x = rng.normal(size=d), draw(rows + 5, rng)
        reward = world.rewards(x[:rows] @ truth, rng)
        mean, variance = _view(make().update(x[:rows], reward), x[rows:])
        gap = np.abs(mean - x[rows:] @ truth) / np.sqrt(variance)
        inside += (gap[:, None] < HALF_WIDTHS).mean(axis=0)
    share = inside / worlds
    _demand(
        bool((np.abs(share - LEVELS) <= slack).all()),
        f"intervals of 50, 80, 95 % hold the truth in {np.round(100 * share, 1).tolist()} %",
    )


def data(d: int, rows: int = ROWS, world: World = GAUSSIAN) -> tuple[Floats, Floats, Floats]:
    """(x, reward, β): features and coefficients of the order of 1, rewards of the world."""
    rng = derive(0, "testing.beliefs")
    truth = rng.normal(size=d)
    x = rng.normal(size=(rows, d))
    return x, world.rewards(x @ truth, rng), truth


def _places(d: int) -> Floats:
    return derive(1, "testing.beliefs").normal(size=(25, d))


def _demand(holds: bool, law: str) -> None:
    if not holds:
        raise AssertionError(law)


def _view(belief: Belief, x: Floats) -> tuple[Floats, Floats]:
    """Mean and variance of what is linear in the features: the score, or else the reward."""
    view: tuple[Floats, Floats] = getattr(belief, "latent", belief.predict)(x)
    return view


def _same(one: Belief, other: Belief, d: int, tolerance: float = TOLERANCE) -> bool:
    """Means within ``tolerance`` spreads of each other, spreads within that share."""
    mean, variance = _view(one, _places(d))
    others, spread = _view(other, _places(d))
    near = np.abs(mean - others) <= tolerance * np.sqrt(spread)
    return bool(near.all()) and np.allclose(np.sqrt(variance / spread), 1.0, rtol=0, atol=tolerance)


# ---------------------------------------------------------------- the laws


def predictions_are_finite(
    make: Make, d: int, world: World = GAUSSIAN, tolerance: float = TOLERANCE
) -> None:
    """A finite mean and a variance above 0 for every row, before and after data."""
    x, reward, _ = data(d, world=world)
    for belief in (make(), make().update(x, reward)):
        mean, variance = belief.predict(_places(d))
        _demand(mean.shape == variance.shape == (25,), "one mean and one variance a row")
        _demand(bool(np.isfinite(mean).all()), "a mean is not finite")
        _demand(bool((np.isfinite(variance) & (variance > 0)).all()), "a variance is not above 0")


def updates_make_new_values(
    make: Make, d: int, world: World = GAUSSIAN, tolerance: float = TOLERANCE
) -> None:
    """The old belief is what it was."""
    x, reward, _ = data(d, world=world)
    belief = make()
    before = belief.predict(_places(d))
    belief.update(x, reward)
    unchanged = all(map(np.array_equal, before, belief.predict(_places(d))))
    _demand(unchanged, "an update changed the belief it was called on")


def questions_are_free(
    make: Make, d: int, world: World = GAUSSIAN, tolerance: float = TOLERANCE
) -> None:
    """Whether anybody asked in between does not show, not even in the last bit."""
    x, reward, _ = data(d, world=world)
    asked, silent = make(), make()
    for row in range(len(x)):
        asked.predict(_places(d))
        asked = asked.update(x[row : row + 1], reward[row : row + 1])
        silent = silent.update(x[row : row + 1], reward[row : row + 1])
    pairs = zip(asked.predict(_places(d)), silent.predict(_places(d)), strict=True)
    _demand(all(np.array_equal(a, b) for a, b in pairs), "to be asked changes what is learnt")


def order_is_meaningless(
    make: Make, d: int, world: World = GAUSSIAN, tolerance: float = TOLERANCE
) -> None:
    """Data in another order, at once or one by one: the same belief."""
    x, reward, _ = data(d, world=world)
    at_once = make().update(x, reward)
    singly = make()
    for row in derive(2, "testing.beliefs").permutation(len(x)):
        singly = singly.update(x[row : row + 1], reward[row : row + 1])
    _demand(_same(at_once, singly, d, tolerance), "the order of updates matters")


def weights_count(
    make: Make, d: int, world: World = GAUSSIAN, tolerance: float = TOLERANCE
) -> None:
    """A weight of 2 is to be seen twice; a weight of 0 never."""
    x, reward, _ = data(d, world=world)
    double = make().update(x, reward, np.full(len(x), 2.0))
    twice = make().update(x, reward).update(x, reward)
    _demand(_same(double, twice, d, tolerance), "a weight of 2 is not two")
    _demand(_same(make().update(x, reward, np.zeros(len(x))), make(), d), "a weight of 0 teaches")


def variance_never_grows(
    make: Make, d: int, world: World = GAUSSIAN, tolerance: float = TOLERANCE
) -> None:
    """Without forgetting, more data never widens the belief anywhere."""
    x, reward, _ = data(d, world=world)
    belief = make()
    _, before = _view(belief, _places(d))
    for row in range(len(x)):
        belief = belief.update(x[row : row + 1], reward[row : row + 1])
        _, after = _view(belief, _places(d))
        _demand(bool((after <= before * (1 + TOLERANCE)).all()), f"row {row} widens the belief")
        before = after


def truth_is_found(
    make: Make, d: int, world: World = GAUSSIAN, tolerance: float = TOLERANCE
) -> None:
    """With much data the mean is the truth, within what the variance says."""
    x, reward, truth = data(d, rows=4_000, world=world)
    mean, variance = make().update(x, reward).predict(_places(d))
    gap = np.abs(mean - world.expected(_places(d) @ truth)) / np.sqrt(variance)
    _demand(bool((gap < 6).all()), f"the truth is {gap.max():.1f} spreads away after 4,000 rows")


def merging_is_learning_from_both(
    make: Make, d: int, world: World = GAUSSIAN, tolerance: float = TOLERANCE
) -> None:
    """Two halves learnt apart and merged are the whole."""
    x, reward, _ = data(d, world=world)
    one: Any = make().update(x[:15], reward[:15])
    if hasattr(one, "merge"):
        merged = one.merge(make().update(x[15:], reward[15:]))
        whole = make().update(x, reward)
        _demand(_same(merged, whole, d, tolerance), "merging is not learning from both")


def subtracting_undoes(
    make: Make, d: int, world: World = GAUSSIAN, tolerance: float = TOLERANCE
) -> None:
    """What is subtracted was never learnt."""
    x, reward, _ = data(d, world=world)
    both: Any = make().update(x, reward)
    if hasattr(both, "subtract"):
        rest = both.subtract(x[15:], reward[15:])
        _demand(_same(rest, make().update(x[:15], reward[:15]), d), "subtracting does not undo")


def decay_forgets_towards_the_prior(
    make: Make, d: int, world: World = GAUSSIAN, tolerance: float = TOLERANCE
) -> None:
    """Forgetting nothing changes nothing, forgetting all gives the prior, in between widens."""
    x, reward, _ = data(d, world=world)
    belief: Any = make().update(x, reward)
    if hasattr(belief, "decay"):
        _demand(_same(belief.decay(1.0), belief, d), "decay(1) is not the same belief")
        _demand(_same(belief.decay(0.0), make(), d), "decay(0) is not the prior")
        _, half = _view(belief.decay(0.5), _places(d))
        _, full = _view(belief, _places(d))
        _demand(bool((half > full).all()), "forgetting half does not widen the belief")


def awaiting_only_narrows(
    make: Make, d: int, world: World = GAUSSIAN, tolerance: float = TOLERANCE
) -> None:
    """Rewards on their way make the belief surer where they are awaited, and move no mean."""
    x, reward, _ = data(d, world=world)
    belief: Any = make().update(x, reward)
    if hasattr(belief, "pending"):
        awaiting = belief.pending(_places(d)[:3])
        mean, variance = _view(belief, _places(d))
        same, narrower = _view(awaiting, _places(d))
        near = np.abs(mean - same) <= TOLERANCE * np.sqrt(variance)
        _demand(bool(near.all()), "what is awaited moves a mean")
        _demand(bool((narrower[:3] < variance[:3]).all()), "what is awaited does not narrow")
        _demand(bool((narrower <= variance * (1 + TOLERANCE)).all()), "what is awaited widens")


def root_is_of_the_covariance(
    make: Make, d: int, world: World = GAUSSIAN, tolerance: float = TOLERANCE
) -> None:
    """The squares of a row of ``covariance_root`` add up to its variance; equal rows agree."""
    x, reward, _ = data(d, world=world)
    belief: Any = make().update(x, reward)
    if hasattr(belief, "covariance_root"):
        places = np.vstack([_places(d), _places(d)[:1]])
        root = belief.covariance_root(places)
        _, variance = belief.predict(places)
        _demand(root.shape[:1] == (26,), "the root has not one row a place")
        _demand(np.allclose((root**2).sum(axis=1), variance), "the root is not of the variance")
        _demand(bool(np.isclose(root[0] @ root[-1], variance[0])), "equal rows do not go together")


def arrays_are_all_of_it(
    make: Make, d: int, world: World = GAUSSIAN, tolerance: float = TOLERANCE
) -> None:
    """Saved and loaded: the same to the bit, and it learns on alike."""
    x, reward, _ = data(d, world=world)
    belief: Any = make().update(x[:20], reward[:20])
    if hasattr(belief, "arrays"):
        again = type(belief).from_arrays(belief.arrays())
        for one, other in (
            (belief, again),
            (belief.update(x[20:], reward[20:]), again.update(x[20:], reward[20:])),
        ):
            pairs = zip(one.predict(_places(d)), other.predict(_places(d)), strict=True)
            _demand(all(np.array_equal(a, b) for a, b in pairs), "arrays are not all of it")


LAWS = (
    predictions_are_finite,
    updates_make_new_values,
    questions_are_free,
    order_is_meaningless,
    weights_count,
    variance_never_grows,
    truth_is_found,
    merging_is_learning_from_both,
    subtracting_undoes,
    decay_forgets_towards_the_prior,
    awaiting_only_narrows,
    root_is_of_the_covariance,
    arrays_are_all_of_it,
)
