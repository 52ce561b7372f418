"""What each level of exploration costs, from a log; and why no log tells what it buys.

The off-policy value of a level is what its lists would have earned *at once*, from the beliefs as
they stood. Exploring less always looks no worse by that measure, for what exploring teaches is
earned later, and by every policy that learns from the same log. A rule that sets the level by such
values (a bandit over levels on importance-weighted rewards, say) therefore always drives it to 0.
So this module gives one side of the account, the cost, with an interval, and refuses the other:

- ``level_costs`` estimates each level's value, and its cost against greedy in pairs;
- ``LevelCosts.affordable`` learns the one thing that can be learnt from it: the highest level whose
  cost stays within a share that the merchant allows, with the stated confidence;
- ``LevelCosts.best`` needs ``bought``: gains measured by an experiment whose arms *learn apart*
  (shoppers and items split together, so that each arm's model sees its own arm only: Su et al.,
  "Long-Term Value of Exploration", WSDM 2024). Arms that share their data share its gains.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from equipoise.errors import InvalidInput
from equipoise.evaluation.off_policy.diagnostics import Diagnosis, Unanswerable, diagnose
from equipoise.evaluation.off_policy.estimate import Estimate, difference
from equipoise.evaluation.off_policy.estimators import dm, dr
from equipoise.evaluation.off_policy.logged import SUM_TOLERANCE, Codes, Logged, column
from equipoise.types import Floats

Probability: TypeAlias = Callable[[Floats, Floats, float], Floats]
"""(mean (k,), variance (k,), level) → probabilities (k,) of the candidates that were open."""
LEVELS = (0.0, 0.25, 0.5, 0.75, 1.0)
NOTE = (
    "cost: what a level earns less than greedy at once. What it buys later is not in this log:"
    " all levels learn from the same data. Only an experiment whose arms learn apart can tell."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """n drawn slots with the candidates that were open at each, laid end to end.

    A slot of a longer list is judged as it stood, given the slots before it: the figures are then
    those of deciding *this* slot at another level. Leave pinned slots out: nothing was drawn there.

    Raises:
        InvalidInput: columns that do not fit one another, or a choice outside its candidates.
    """

    mean: Floats
    """(m,) expected reward of each candidate by the belief of that time, in the reward's unit: what
    of ``mean`` is a look's worth has to be multiplied by the slot's chance of a look."""
    variance: Floats
    """(m,) of that belief."""
    start: Codes
    """(n + 1,): candidates of row i are start[i]:start[i + 1]."""
    chosen: Codes
    """(n,) place of the one shown among its row's candidates."""
    propensity: Floats
    """(n,) as logged then."""
    reward: Floats
    """(n,) mature."""
    cluster: Codes | None = None
    """(n,) whose row."""

    def __post_init__(self) -> None:
        n, m = len(self.reward), len(self.mean)
        column(self.mean, m, "mean")
        column(self.variance, m, "variance")
        sizes = np.diff(self.start)
        if len(self.start) != n + 1 or self.start[0] or self.start[-1] != m or (sizes < 1).any():
            raise InvalidInput(
                f"start has to rise from 0 to {m} over {n} rows, one candidate a row at least",
                pointer="/start",
            )
        if self.chosen.shape != (n,) or (self.chosen < 0).any() or (self.chosen >= sizes).any():
            raise InvalidInput(
                "chosen has to name one of each row's own candidates, from 0", pointer="/chosen"
            )

    def __len__(self) -> int:
        return len(self.reward)


@dataclass(frozen=True, slots=True)
class LevelCost:
    """A line of the table. All figures are a row's; NaN where the log cannot answer."""

    level: float
    value: float
    low: float
    high: float
    cost: float
    """Value of greedy less this one's, in pairs: below 0 where the beliefs misjudge."""
    cost_low: float
    cost_high: float
    believed: float
    """The same cost by the beliefs alone: Σ_a (greedy − level)(a) mean(a)."""
    bought: float | None
    """What learning at this level gained over greedy, if an experiment told; None: unknown."""
    diagnosis: Diagnosis


@dataclass(frozen=True, slots=True)
class LevelCosts:
    """The table. Prints itself."""

    rows: tuple[LevelCost, ...]
    """One a level, rising; the first is greedy."""
    estimates: tuple[Estimate | None, ...]
    """Their estimates, all on the same rows; None where refused."""
    note: str = NOTE

    def affordable(self, share: float, *, confidence: float = 0.95) -> float:
        """The highest level that, as all below it, costs at most ``share`` of greedy's value.

        Levels are tested upwards, each at ``confidence``, until one fails: so the chance that the
        answer costs more than ``share`` is at most 1 − confidence, however many levels there are
        (fixed-sequence testing: Maurer, Hothorn, Lehmacher 1995). Greedy itself costs nothing.

        Raises:
            InvalidInput: a share below 0.
            Unanswerable: the log cannot tell what greedy earns.
        """
        if not share >= 0:
            raise InvalidInput(f"share is {share}; it is at least 0", pointer="/share")
        greedy = self._greedy()
        answer = self.rows[0].level
        for row, estimate in zip(self.rows[1:], self.estimates[1:], strict=True):
            if estimate is None or not _within(greedy, estimate, share, confidence):
                break
            answer = row.level
        return answer

    def best(self) -> float:
        """The level with the most of gain less cost.

        Raises:
            InvalidInput: no gains were given for any level that the log can judge beside greedy,
                whose gain is 0: the log alone cannot say.
            Unanswerable: the log cannot tell what greedy earns.
        """
        self._greedy()
        told = [row for row in self.rows if row.bought is not None and not np.isnan(row.cost)]
        if len(told) < 2:
            raise InvalidInput(
                "this log tells what exploring costs and not what it buys, so that the best level"
                " would always be 0; give bought, the gains of an experiment with split learners",
                pointer="/bought",
            )
        return max(told, key=lambda row: (row.bought or 0.0) - row.cost).level

    def _greedy(self) -> Estimate:
        if self.estimates[0] is None:
            raise Unanswerable(self.rows[0].diagnosis)
        return self.estimates[0]

    def __str__(self) -> str:
        head = f"{'level':>6}{'value':>12}{'interval':>26}{'cost':>12}{'interval':>26}"
        lines = [f"{head}{'believed':>12}{'bought':>12}", *(map(_line, self.rows))]
        refused = [
            f"level {row.level:g}: {reason}"
            for row in self.rows
            for reason in row.diagnosis.reasons
        ]
        return "\n".join([*lines, *refused, self.note])


def level_costs(
    choices: Choices,
    probability: Probability,
    *,
    levels: Sequence[float] = LEVELS,
    estimator: Callable[..., Estimate] = dr,
    confidence: float = 0.95,
    bought: Mapping[float, float] | None = None,
    refuse: bool = True,
) -> LevelCosts:
    """The value and the cost of each level, greedy (0) always among them.

    ``probability`` is the policy: its chances over a row's candidates at a level. ``estimator``:
    any of the estimators without a parameter; ``dr`` takes the belief's mean of that time as q̂,
    which had not seen the reward. ``bought``: level → gain a row over greedy by having learnt at
    that level, from an experiment whose arms learn apart. Levels that the log cannot answer are NaN
    with the reasons, unless ``refuse`` is False. Cost: a call of ``probability`` a row and level.

    Intervals are those of ``Estimate.interval``; a log written while its policy learnt needs the
    table's ``estimates`` under a confidence sequence instead.

    Raises:
        InvalidInput: a level below 0, or probabilities that do not sum to 1.
    """
    asked = sorted({0.0, *map(float, levels)})
    if asked[0] < 0:
        raise InvalidInput(f"a level is {asked[0]:g}; levels are at least 0", pointer="/levels")
    logs = [_at(choices, probability, level) for level in asked]
    estimates = [_asked(estimator(logged, refuse=False), refuse) for logged in logs]
    gains = {0.0: 0.0, **(bought or {})}
    rows = [
        _row(level, logged, logs[0], estimate, estimates[0], gains.get(level), confidence)
        for level, logged, estimate in zip(asked, logs, estimates, strict=True)
    ]
    return LevelCosts(tuple(rows), tuple(estimates))


def _at(choices: Choices, probability: Probability, level: float) -> Logged:
    """The log with the policy at ``level`` laid over it."""
    n = len(choices)
    target, model = np.empty(n), np.empty(n)
    for row in range(n):
        open_ = slice(choices.start[row], choices.start[row + 1])
        mean = choices.mean[open_]
        chance = probability(mean, choices.variance[open_], level)
        if abs(chance.sum() - 1) > SUM_TOLERANCE:
            raise InvalidInput(
                f"at level {level:g} the probabilities of row {row} sum to {chance.sum():.6g} and"
                " not to 1",
                pointer="/probability",
            )
        target[row] = chance[choices.chosen[row]]
        model[row] = chance @ mean
    return Logged.from_probabilities(
        reward=choices.reward,
        propensity=choices.propensity,
        target=target.clip(max=1.0),
        model=model,
        predicted=choices.mean[choices.start[:-1] + choices.chosen],
        cluster=choices.cluster,
    )


def _asked(estimate: Estimate, refuse: bool) -> Estimate | None:
    sound = estimate.diagnosis is not None and estimate.diagnosis.answerable
    return estimate if sound or not refuse else None


def _row(
    level: float,
    logged: Logged,
    greedy: Logged,
    estimate: Estimate | None,
    best: Estimate | None,
    bought: float | None,
    confidence: float,
) -> LevelCost:
    cost = None if estimate is None or best is None else difference(best, estimate)
    return LevelCost(
        level,
        *_ends(estimate, confidence),
        *_ends(cost, confidence),
        dm(greedy, refuse=False).value - dm(logged, refuse=False).value,
        bought,
        diagnose(logged),
    )


def _ends(estimate: Estimate | None, confidence: float) -> tuple[float, float, float]:
    if estimate is None:
        return math.nan, math.nan, math.nan
    return estimate.value, *estimate.interval(confidence)


def _within(greedy: Estimate, level: Estimate, share: float, confidence: float) -> bool:
    """Whether value(greedy) − value(level) ≤ share · value(greedy), at one-sided ``confidence``."""
    over = Estimate("over", (1 - share) * greedy.terms - level.terms, False, greedy.cluster)
    return over.interval(2 * confidence - 1).high <= 0


def _line(row: LevelCost) -> str:
    bought = "unknown" if row.bought is None else f"{row.bought:.6g}"
    value = f"{row.low:.6g} … {row.high:.6g}"
    cost = f"{row.cost_low:.6g} … {row.cost_high:.6g}"
    return (
        f"{row.level:>6g}{row.value:>12.6g}{value:>26}{row.cost:>12.6g}{cost:>26}"
        f"{row.believed:>12.6g}{bought:>12}"
    )
