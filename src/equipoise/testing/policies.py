"""The laws of a policy, importable: whoever writes one may check it here.

::

    from equipoise.testing.policies import check_policy

    check_policy(SoftGreedy(sharpness=2.0))

Each law is a function of the policy; a broken law raises AssertionError and says how. ``LAWS``
names them for parametrised tests.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from itertools import permutations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

from equipoise.interfaces import Conditional, Policy
from equipoise.randomness import derive
from equipoise.slates.draw import draw, probability_of
from equipoise.slates.rules import Rules
from equipoise.types import Bools, Floats, Scored

LEVELS = (0.0, 0.3, 1.0, 2.5)
RISING = (0.0, 0.05, 0.2, 0.5, 1.0, 1.7, 3.0, 10.0)
FALSE_ALARM = 1e-6
"""How rarely a true policy fails the chi-square law; the seed is fixed, so it does not flicker."""
DRAWS = 4_000


def check_policy(policy: Policy) -> None:
    """Hold a policy to every law."""
    for law in LAWS:
        law(policy)


def chi_square(counts: NDArray[np.int64], probability: Floats) -> float:
    """The chance of counts at least as odd as these, if they were drawn with ``probability``.

    Pearson's statistic; cells expected fewer than 5 times are taken together. A count where the
    probability is 0 gives 0.
    """
    expected = probability * counts.sum()
    if (counts[expected == 0] > 0).any():
        return 0.0
    rare = expected < 5
    seen = np.append(counts[~rare], counts[rare].sum())
    due = np.append(expected[~rare], expected[rare].sum())
    cells = due > 0
    odd = float((((seen - due) ** 2)[cells] / due[cells]).sum())
    return float(chi2.sf(odd, max(int(cells.sum()) - 1, 1)))


class Bound:
    """A policy bound once to one decision, for as many draws of it as one likes."""

    def __init__(self, policy: Policy, scored: Scored, level: float) -> None:
        self.name, self.parameters = policy.name, policy.parameters
        self._conditional = policy.bind(scored, level)

    def bind(self, scored: Scored, level: float) -> Conditional:
        return self._conditional


# ---------------------------------------------------------------- pictures to try a policy on


def scenes() -> dict[str, Scored]:
    """Beliefs of every kind a policy meets: settled and cold, tied, known, of any unit."""
    rng = derive(0, "testing.policies")
    mean, variance = rng.normal(0.05, 0.02, 12), rng.uniform(0.0001, 0.001, 12)
    known = np.where(np.arange(12) % 3 == 0, 0.0, variance)
    return {
        "settled": _scored(mean, variance / 100),
        "uncertain": _scored(mean, variance),
        "cold": _scored(np.full(12, 0.05), np.full(12, 0.0004)),
        "ties": _scored(np.round(mean, 2), variance),
        "some known": _scored(mean, known),
        "all known": _scored(np.round(mean, 2), np.zeros(12)),
        "one new": _scored(mean, np.where(np.arange(12) == 5, 0.01, 1e-8)),
        "cents": _scored(mean * 1e-6, variance * 1e-12),
        "fortunes": _scored(mean * 1e6, variance * 1e12),
        "losses": _scored(mean - 1.0, variance),
        "alone": _scored(mean[:1], variance[:1]),
        "of a kind": of_a_kind(),
    }


def of_a_kind() -> Scored:
    """Two kinds of six, each with a doubt in common: the only scene with ``root`` and ``noise``."""
    rng = derive(3, "testing.policies")
    kind = np.repeat(np.eye(2), 6, axis=0) * rng.uniform(0.02, 0.04, 2)
    root = np.column_stack([kind, np.diag(rng.uniform(0.005, 0.02, 12))])
    mean = rng.normal(0.05, 0.02, 12)
    noise = np.full(12, 0.04)
    return Scored(np.arange(12, dtype=np.int32), mean, (root**2).sum(axis=1), noise, root)


def masks(n: int) -> list[Bools]:
    """All open, some closed, one open."""
    index = np.arange(n)
    return [index >= 0, index % 2 == 0, index % 3 != 1, index == n - 1]


def taken(scored: Scored, index: NDArray[np.int64]) -> Scored:
    """The candidates of ``index``, in its order, as a decision of their own."""
    noise = None if scored.noise is None else scored.noise[index]
    root = None if scored.root is None else scored.root[index]
    items = np.arange(len(index), dtype=np.int32)
    return Scored(items, scored.mean[index], scored.variance[index], noise, root)


def _scored(mean: Floats, variance: Floats) -> Scored:
    return Scored(np.arange(len(mean), dtype=np.int32), mean, variance)


def _demand(holds: bool, law: str) -> None:
    if not holds:
        raise AssertionError(law)


# ---------------------------------------------------------------- the laws


def probabilities_sum_to_one(policy: Policy) -> None:
    """Finite, not below 0, sum 1 over what is open, 0 where closed."""
    for name, scored in scenes().items():
        for level in LEVELS:
            conditional = policy.bind(scored, level)
            for open_ in masks(len(scored)):
                chance = conditional(open_)
                where = f"{policy.name}, {name}, level {level}"
                _demand(chance.shape == (len(scored),), f"{where}: shape {chance.shape}")
                _demand(bool((chance >= 0).all()), f"{where}: a probability below 0 or NaN")
                _demand(abs(chance.sum() - 1) < 1e-12, f"{where}: the sum is {chance.sum()!r}")
                _demand(not chance[~open_].any(), f"{where}: a closed item has a probability")


def level_0_is_greedy(policy: Policy) -> None:
    """At level 0: shared evenly by the highest means that are open, 0 for all else."""
    for name, scored in scenes().items():
        conditional = policy.bind(scored, 0.0)
        for open_ in masks(len(scored)):
            top = open_ & (scored.mean == scored.mean[open_].max())
            same = np.allclose(conditional(open_), top / top.sum(), rtol=0, atol=1e-12)
            _demand(same, f"{policy.name}, {name}: level 0 is not greedy")


def order_of_candidates_is_meaningless(policy: Policy) -> None:
    """Candidates in another order: the same probabilities in that order."""
    rng = derive(1, "testing.policies")
    for name, scored in scenes().items():
        order = rng.permutation(len(scored))
        shuffled = taken(scored, order)
        for open_ in masks(len(scored)):
            here = policy.bind(scored, 1.0)(open_)
            there = policy.bind(shuffled, 1.0)(open_[order])
            same = np.allclose(here[order], there, rtol=0, atol=1e-9)
            _demand(same, f"{policy.name}, {name}: the order of candidates matters")


def same_question_same_answer(policy: Policy) -> None:
    """The same question has the same answer, to the bit, whatever was asked before."""
    for name, scored in scenes().items():
        questions = masks(len(scored))
        forth = policy.bind(scored, 1.0)
        answers = [forth(open_) for open_ in questions]
        back = policy.bind(scored, 1.0)
        again = [back(open_) for open_ in reversed(questions)][::-1]
        same = all(np.array_equal(a, b) for a, b in zip(answers, again, strict=True))
        _demand(same, f"{policy.name}, {name}: an answer depends on the questions before")


def inputs_are_left_alone(policy: Policy) -> None:
    """Beliefs and mask are read, never written."""
    for name, scored in scenes().items():
        untouched, open_ = scenes()[name], masks(len(scored))[1]
        policy.bind(scored, 1.0)(open_)
        same = np.array_equal(open_, masks(len(scored))[1])
        for field in ("items", "mean", "variance", "noise", "root"):
            now, then = getattr(scored, field), getattr(untouched, field)
            same = same and (now is then is None or np.array_equal(now, then))
        _demand(same, f"{policy.name}, {name}: it changed its input")


def floor_is_kept(policy: Policy) -> None:
    """With ``floor`` among its parameters, nothing open is less likely than floor / n_open."""
    floor = policy.parameters.get("floor", 0.0)
    for name, scored in scenes().items():
        for level in LEVELS[1:]:
            conditional = policy.bind(scored, level)
            for open_ in masks(len(scored)):
                least = conditional(open_)[open_].min()
                kept = least >= floor / open_.sum() - 1e-15
                _demand(kept, f"{policy.name}, {name}, level {level}: {least} is below the floor")


def floor_is_kept_in_slates(policy: Policy) -> None:
    """Nor does a slate log less than the floor, whatever is closed, pinned or over its limit."""
    floor = policy.parameters.get("floor", 0.0)
    scored, rng = scenes()["uncertain"], derive(4, "testing.policies", policy.name)
    groups = np.repeat(np.arange(4, dtype=np.int32), 3)
    rules = Rules.of(
        n=12, closed=np.arange(12) == 7, pins=((1, 2),), groups=groups, max_per_group=2
    )
    for _ in range(20):
        drawn = draw(policy, scored, rules, 5, 1.0, np.ones(5), rng)
        least = float(drawn.propensity.min())
        _demand(least > 0, f"{policy.name}: a slate was shown with probability {least}")
        _demand(least >= floor / 12, f"{policy.name}: a propensity of {least}, below the floor")


def more_level_costs_no_less(policy: Policy) -> None:
    """Where a policy says that it is ``monotone``: what it gives up never falls as level rises.

    A balance can only hold a budget with a dial that turns one way. Policies without the attribute
    promise nothing here.
    """
    if not getattr(policy, "monotone", False):
        return
    for name, scored in scenes().items():
        scale = float(np.ptp(scored.mean) + np.sqrt(scored.variance.max()))
        for open_ in masks(len(scored)):
            costs = np.array([_cost(policy, scored, open_, level) for level in RISING])
            falls = float(-np.diff(costs).min()) / scale if scale > 0 else 0.0
            _demand(
                falls < 1e-8,
                f"{policy.name}, {name}: more level costs less, by {falls:.1e} of the spread",
            )


def _cost(policy: Policy, scored: Scored, open_: Bools, level: float) -> float:
    chance = policy.bind(scored, level)(open_)
    return float(scored.mean[open_].max() - chance @ scored.mean)


def draws_follow_propensities(policy: Policy) -> None:
    """Slates of two are drawn as often as their propensities say (chi-square, fixed seed)."""
    rng = derive(2, "testing.policies", policy.name)
    for name in ("uncertain", "some known", "of a kind"):
        scored = taken(scenes()[name], np.arange(3, 9))
        rules, look = Rules.of(n=6), np.ones(2)
        bound = Bound(policy, scored, 1.0)
        drawn = Counter(
            tuple(draw(bound, scored, rules, 2, 1.0, look, rng).chosen.tolist())
            for _ in range(DRAWS)
        )
        slates = list(permutations(range(6), 2))
        counts = np.array([drawn[slate] for slate in slates])
        due = [probability_of(policy, scored, rules, slate, 1.0).prod() for slate in slates]
        chance = chi_square(counts, np.array(due))
        _demand(
            chance > FALSE_ALARM,
            f"{policy.name}, {name}: draws do not follow the propensities (chance {chance:.1e})",
        )


def nonsense_is_refused(policy: Policy) -> None:
    """No probability follows from NaN, from a level below 0, or where nothing is open."""
    scored = scenes()["uncertain"]
    broken = _scored(np.where(np.arange(12) == 3, np.nan, scored.mean), scored.variance)
    negative = _scored(scored.mean, np.where(np.arange(12) == 3, -1.0, scored.variance))
    attempts: dict[str, Callable[[], object]] = {
        "a mean that is NaN": lambda: policy.bind(broken, 1.0),
        "a variance below 0": lambda: policy.bind(negative, 1.0),
        "a level below 0": lambda: policy.bind(scored, -0.1),
        "nothing open": lambda: policy.bind(scored, 1.0)(np.zeros(12, dtype=bool)),
    }
    for what, attempt in attempts.items():
        try:
            attempt()
        except ValueError:
            continue
        raise AssertionError(f"{policy.name}: {what} is not refused")


LAWS = (
    probabilities_sum_to_one,
    level_0_is_greedy,
    order_of_candidates_is_meaningless,
    same_question_same_answer,
    inputs_are_left_alone,
    floor_is_kept,
    floor_is_kept_in_slates,
    more_level_costs_no_less,
    draws_follow_propensities,
    nonsense_is_refused,
)
