"""The laws of a belief about arms, importable: whoever writes one may check it here.

::

    from equipoise.testing.arms import check_arm_belief

    check_arm_belief(lambda: BetaBelief(refit=0))

Each law is a function of ``make``, which must return a belief that has seen nothing; a broken law
raises AssertionError and says how. ``LAWS`` bind every belief about arms; ``SUMS`` those whose
state is a sum, so that the order in which it was told does not matter: not a bank of memories.
Laws about ``merge`` and ``pending`` bind beliefs that have them. ``coverage`` is no law but their
judge: how often the truth lay within what a belief called likely.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc

from equipoise.randomness import derive
from equipoise.types import Arrays, Floats, Positions

ARMS = 7
GROUPS = (0, 0, 1, 1, 1, 2, -1)
"""Of each arm; -1 is none."""
ADDS = 60
TOLERANCE = 1e-8


class ArmBelief(Protocol):
    """What the laws are about."""

    def add(self, arm: int, looks: float, reward: float, group: int | None = None) -> None: ...
    def reassign(self, arm: int, group: int) -> None: ...
    def predict(
        self, arms: Positions, groups: NDArray[np.integer[Any]] | None = None
    ) -> tuple[Floats, Floats]: ...
    def decay(self, gamma: float) -> None: ...
    def arrays(self) -> Arrays: ...
    def load(self, arrays: Arrays) -> None: ...


Make: TypeAlias = Callable[[], ArmBelief]
Add: TypeAlias = tuple[int, float, float]


def check_arm_belief(make: Make, *, sums: bool = True) -> None:
    """Hold a belief to every law; without ``sums`` to those that hold for any."""
    for law in (*LAWS, *SUMS) if sums else LAWS:
        law(make)


def rates() -> Floats:
    """(ARMS,) true clicks a look."""
    return derive(0, "testing.arms").beta(2.0, 20.0, size=ARMS)


def adds(n: int = ADDS) -> list[Add]:
    """(arm, looks, clicks): whole looks and parts, at all arms but the last two."""
    rng, truth = derive(1, "testing.arms"), rates()
    told: list[Add] = []
    for _ in range(n):
        arm = int(rng.integers(ARMS - 2))
        looks = float(rng.choice([0.4, 1.0, 1.0, 5.0]))
        told.append((arm, looks, float(rng.binomial(int(np.ceil(looks)), truth[arm]))))
    return told


def taught(make: Make, told: list[Add]) -> ArmBelief:
    """A belief that knows the arms' groups and was told all this."""
    belief = make()
    for arm, group in enumerate(GROUPS):
        belief.reassign(arm, group)
    for arm, looks, clicks in told:
        belief.add(arm, looks, clicks)
    return belief


def coverage(truth: Floats, mean: Floats, variance: Floats, level: float) -> float:
    """Share of true rates inside the central credible interval of Beta beliefs with such moments.

    ``truth``, ``mean`` and ``variance`` (n,); a calibrated belief gives ``level``.
    """
    n = mean * (1.0 - mean) / variance - 1.0
    rank = betainc(n * mean, n * (1.0 - mean), truth)
    return float(np.mean(np.abs(rank - 0.5) <= 0.5 * level))


def _demand(holds: bool, law: str) -> None:
    if not holds:
        raise AssertionError(law)


def _first(n: int) -> Positions:
    return np.arange(n, dtype=np.int32)


def _everywhere(belief: ArmBelief) -> tuple[Floats, Floats]:
    """Of all arms and of two strangers, one of them in group 1."""
    return belief.predict(_first(ARMS + 2), np.array([*GROUPS, 1, -1]))


def _same(one: ArmBelief, other: ArmBelief) -> bool:
    pairs = zip(_everywhere(one), _everywhere(other), strict=True)
    return all(np.allclose(a, b, rtol=TOLERANCE, atol=1e-12) for a, b in pairs)


def _bytes(belief: ArmBelief) -> dict[str, bytes]:
    return {name: array.tobytes() for name, array in belief.arrays().items()}


# ---------------------------------------------------------------- laws of every belief about arms


def predictions_are_finite(make: Make) -> None:
    """A finite mean and a variance above 0 for every arm, seen or not, known or not."""
    for belief in (make(), taught(make, adds())):
        mean, variance = _everywhere(belief)
        _demand(mean.shape == variance.shape == (ARMS + 2,), "one mean and one variance an arm")
        _demand(bool(np.isfinite(mean).all()), "a mean is not finite")
        _demand(bool((np.isfinite(variance) & (variance > 0)).all()), "a variance is not above 0")


def predicting_changes_nothing(make: Make) -> None:
    """To be asked is not to learn."""
    belief = taught(make, adds())
    before = _bytes(belief)
    _everywhere(belief)
    _demand(_bytes(belief) == before, "a prediction changed the belief")


def saving_continues_to_the_bit(make: Make) -> None:
    """Saved and loaded in the midst, all goes on as if it had not been."""
    straight, first = taught(make, adds()), taught(make, adds()[:25])
    second = make()
    second.load(first.arrays())
    for add in adds()[25:]:
        second.add(*add)
    _demand(_bytes(straight) == _bytes(second), "a loaded belief goes on otherwise")


def a_new_arm_is_its_group(make: Make) -> None:
    """A stranger has its group's mean, and is less certain than the arms of it that were seen."""
    mean, variance = _everywhere(taught(make, adds()))
    _demand(float(variance[ARMS]) > float(variance[2:5].max()), "a new arm is surer than seen ones")
    inside = float(mean[2:5].min()) <= float(mean[ARMS]) <= float(mean[2:5].max())
    _demand(inside, "a new arm's mean is outside its group's")


def truth_is_found(make: Make) -> None:
    """After many looks the mean is the truth, within what the variance says."""
    truth = rates()
    told = [(arm, 400.0, 400.0 * float(truth[arm])) for arm in range(ARMS)] * 10
    mean, variance = taught(make, told).predict(_first(ARMS))
    gap = np.abs(mean - truth) / np.sqrt(variance)
    _demand(bool((gap < 4).all()), f"the truth is {gap.max():.1f} spreads away after 4,000 looks")


def pending_narrows_and_no_more(make: Make) -> None:
    """Looks under way leave the mean, narrow the spread, and are gone when they are taken back."""
    belief: Any = taught(make, adds())
    if hasattr(belief, "pending"):
        mean, variance = belief.predict(_first(ARMS))
        belief.pending(3, 5.0)
        same, narrower = belief.predict(_first(ARMS))
        _demand(np.allclose(same, mean, rtol=TOLERANCE), "looks under way move a mean")
        others = np.delete(narrower, 3), np.delete(variance, 3)
        _demand(narrower[3] < variance[3] and np.array_equal(*others), "they narrow another belief")
        belief.pending(3, -5.0)
        _demand(_same(belief, taught(make, adds())), "they leave something behind")


def decay_forgets_towards_the_prior(make: Make) -> None:
    """Forgetting nothing changes nothing, forgetting all gives the prior, in between widens."""
    full, kept, half, none = (taught(make, adds()) for _ in range(4))
    for belief, gamma in ((kept, 1.0), (half, 0.5), (none, 0.0)):
        belief.decay(gamma)
    _demand(_same(kept, full), "decay(1) is not the same belief")
    _demand(_same(none, taught(make, [])), "decay(0) is not the prior")
    wider = half.predict(_first(5))[1] > full.predict(_first(5))[1]
    _demand(bool(wider.all()), "forgetting half does not widen the belief")


# ---------------------------------------------------------------- laws of sums


def order_is_meaningless(make: Make) -> None:
    """The same adds in another order: the same belief."""
    _demand(_same(taught(make, adds()), taught(make, adds()[::-1])), "the order of adds matters")


def parts_add_up(make: Make) -> None:
    """Looks told together or one after the other: the same."""
    one = taught(make, [(2, 6.0, 2.0)])
    _demand(_same(one, taught(make, [(2, 1.0, 2.0), (2, 5.0, 0.0)])), "parts do not add up")


def a_negative_add_undoes(make: Make) -> None:
    """What is taken away was never told."""
    belief = taught(make, adds())
    for arm, looks, clicks in adds()[25:]:
        belief.add(arm, -looks, -clicks)
    _demand(_same(belief, taught(make, adds()[:25])), "a negative add does not undo")


def an_arm_takes_its_record_along(make: Make) -> None:
    """Moved to another group after learning is the same as being there from the start."""
    moved, there = taught(make, adds()), taught(make, [])
    moved.reassign(2, 0)
    there.reassign(2, 0)
    for add in adds():
        there.add(*add)
    _demand(_same(moved, there), "a record stays behind when its arm moves")


def merging_is_learning_from_both(make: Make) -> None:
    """Two halves learnt apart and merged are the whole."""
    one: Any = taught(make, adds()[:25])
    if hasattr(one, "merge"):
        one.merge(taught(make, adds()[25:]))
        _demand(_same(one, taught(make, adds())), "merging is not learning from both")


LAWS = (
    predictions_are_finite,
    predicting_changes_nothing,
    saving_continues_to_the_bit,
    a_new_arm_is_its_group,
    truth_is_found,
    pending_narrows_and_no_more,
    decay_forgets_towards_the_prior,
)
SUMS = (
    order_is_meaningless,
    parts_add_up,
    a_negative_add_undoes,
    an_arm_takes_its_record_along,
    merging_is_learning_from_both,
)
