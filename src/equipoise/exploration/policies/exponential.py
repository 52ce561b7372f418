"""Exponential weights: which expert to follow when nothing about rewards may be assumed.

Beliefs learn from rewards that come from somewhere steady. Against sudden shifts, or a world that
answers back, there is an older guarantee: whatever the rewards, over T rounds the loss is within
``O(√(n T log n))`` of the best single expert's, and within a little more of the best sequence of
them. Experts are arms (EXP3), or policies, recommenders and budgets (EXP4, ``Mixture``).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from msgspec import Struct

from equipoise.exploration.policies.checks import check_share
from equipoise.interfaces import Conditional, Policy
from equipoise.types import Bools, Floats, Scored

UNIT = 1e-9
"""How far weights may be from summing to 1."""


class ExponentialState(Struct, frozen=True, kw_only=True):
    """All that exponential weights remember. Plain numbers: as JSON it loses nothing."""

    log_weights: tuple[float, ...]
    """Normalised: their exponentials sum to 1. Logarithms, as weights would be clipped at 0."""
    rounds: int = 0


@dataclass(frozen=True, slots=True)
class ExponentialWeights:
    """EXP3, EXP4 and their kin, on losses. Pure: state in, state out.

    A reward becomes a loss ``ℓ = (high − reward) / (high − low)``, and what an expert would have
    lost is estimated from what was shown, by its propensity p::

        ℓ̂_e = (chance that e gave to what was shown) · ℓ / (p + implicit)
        log w_e ← log w_e − rate · ℓ̂_e
        w_e ← (1 − share) w_e + share / n

    ``mix > 0`` is EXP3 and EXP4 (Auer, Cesa-Bianchi, Freund and Schapire 2002); ``share > 0``
    tracks an expert that changes (Herbster and Warmuth 1998; EXP3.S); ``implicit > 0`` is EXP3-IX
    (Neu 2015): slightly optimistic estimates, whose bound holds with high probability and not on
    average only. The propensity must be the one that was drawn by, from whatever policy.

    Args:
        n: experts.
        rate: learning rate; ``tuned`` computes one from the horizon.
        mix: uniform share of ``weights``, on top of what was learnt.
        share: of the weights that is spread anew after every update: about one over the updates
            between two shifts.
        implicit: added to each propensity; None: half the rate, as in Neu's theorem.
        low, high: range of the rewards.

    Raises:
        ValueError: an argument out of its range.
    """

    n: int
    rate: float = 0.05
    mix: float = 0.0
    share: float = 0.0
    implicit: float | None = None
    low: float = 0.0
    high: float = 1.0

    def __post_init__(self) -> None:
        if self.n < 1:
            raise ValueError(f"n is {self.n}; there must be one expert at least")
        if not 0.0 < self.rate < math.inf:
            raise ValueError(f"rate is {self.rate}; it must be above 0 and finite")
        check_share("mix", self.mix)
        check_share("share", self.share)
        if self.implicit is not None and not 0.0 <= self.implicit < math.inf:
            raise ValueError(f"implicit is {self.implicit}; it must be finite, 0 or more")
        if not -math.inf < self.low < self.high < math.inf:
            raise ValueError(f"rewards from {self.low} to {self.high}; low must be below high")

    @classmethod
    def tuned(
        cls, n: int, horizon: int, *, switches: int = 0, low: float = 0.0, high: float = 1.0
    ) -> Self:
        """For ``horizon`` updates, against the best sequence with ``switches`` changes of expert.

        ``rate = √(2 C / (n T))``, C what it costs to name that sequence: the choice that minimises
        the bound on regret, ``√(2 n T C)`` (fixed share: Cesa-Bianchi, Gaillard, Lugosi and Stoltz
        2012, with importance-weighted losses).

        Raises:
            ValueError: a horizon that does not exceed the switches.
        """
        if not 0 <= switches < horizon:
            raise ValueError(f"{switches} switches in {horizon} updates; there must be fewer")
        cost = complexity(n, horizon, switches)
        share = switches / (horizon - 1) if switches else 0.0
        # With one expert there is nothing to learn; any rate will do.
        rate = math.sqrt(2.0 * cost / (n * horizon)) or 1.0
        return cls(n, rate=rate, share=share, low=low, high=high)

    def init(self) -> ExponentialState:
        """All alike."""
        return ExponentialState(log_weights=(-math.log(self.n),) * self.n)

    def weights(self, state: ExponentialState) -> Floats:
        """(n,) how much to follow each expert now; the sum is 1."""
        weight: Floats = np.exp(np.array(state.log_weights))
        weight /= weight.sum()
        return (1.0 - self.mix) * weight + self.mix / self.n

    def update(
        self, state: ExponentialState, arm: int, reward: float, propensity: float
    ) -> ExponentialState:
        """Take in the reward of one arm that was drawn with ``propensity``: EXP3.

        Raises:
            ValueError: as in ``credit``, or an arm that does not exist.
        """
        if not 0 <= arm < self.n:
            raise ValueError(f"arm {arm}; the arms count from 0 to {self.n - 1}")
        advice = np.zeros(self.n)
        advice[arm] = 1.0
        return self.credit(state, advice, reward, propensity)

    def credit(
        self,
        state: ExponentialState,
        advice: Sequence[float] | Floats,
        reward: float,
        propensity: float,
    ) -> ExponentialState:
        """Take in a reward for all experts: EXP4.

        Args:
            advice: (n,) the probability that each expert alone gave to what was shown: for a slot
                of a slate, ``slates.probability_of(expert, …)`` at that slot.
            reward: within ``low`` to ``high``.
            propensity: with which it was drawn.

        Raises:
            ValueError: a reward out of its range, or what is no probability.
        """
        chance = np.asarray(advice, dtype=float)
        if chance.shape != (self.n,) or not ((chance >= 0) & (chance <= 1)).all():
            raise ValueError(f"advice is {advice}; it is one probability for each of {self.n}")
        if not 0.0 < propensity <= 1.0:
            raise ValueError(f"propensity is {propensity}; it must be above 0, up to 1")
        if not self.low <= reward <= self.high:
            raise ValueError(
                f"reward is {reward}; it must be from {self.low} to {self.high}: clip it, or say "
                "low and high"
            )
        implicit = 0.5 * self.rate if self.implicit is None else self.implicit
        loss = (self.high - reward) / (self.high - self.low) / (propensity + implicit)
        return ExponentialState(
            log_weights=self._shared(np.array(state.log_weights) - self.rate * loss * chance),
            rounds=state.rounds + 1,
        )

    def _shared(self, log_weight: Floats) -> tuple[float, ...]:
        log_weight = log_weight - np.logaddexp.reduce(log_weight)
        if self.share > 0:
            kept = math.log1p(-self.share) if self.share < 1 else -math.inf
            log_weight = np.logaddexp(log_weight + kept, math.log(self.share / self.n))
        return tuple(log_weight.tolist())


def complexity(n: int, horizon: int, switches: int) -> float:
    """Nats that name a sequence of experts: ``(S + 1) ln n + (T − 1) H(S / (T − 1))``."""
    named = (switches + 1) * math.log(n)
    if not 0 < switches < horizon - 1:
        return named
    q = switches / (horizon - 1)
    return named - (horizon - 1) * (q * math.log(q) + (1 - q) * math.log1p(-q))


@dataclass(frozen=True)
class Expert:
    """A policy that goes by means of its own: a recommender's scores, say, for our beliefs.

    Any spread stays as it was believed; with ``Greedy`` this is the recommender's own ranking.
    """

    policy: Policy
    mean: Floats
    """(n,) one a candidate of the decision."""

    @property
    def name(self) -> str:
        return self.policy.name

    @property
    def parameters(self) -> dict[str, float]:
        return self.policy.parameters

    def bind(self, scored: Scored, level: float) -> Conditional:
        own = Scored(scored.items, self.mean, scored.variance, scored.noise, scored.root)
        return self.policy.bind(own, level)


@dataclass(frozen=True)
class Mixture:
    """``p = Σ_e w_e p_e`` at each position: EXP4's policy, one expert followed a slot.

    The log of it supports judging every expert with a weight. ``name`` and ``parameters`` say what
    it was; it is made anew for each decision, from the weights of the time, and is therefore not
    among ``POLICIES``. Level 0 is greedy for experts that are.

    Raises:
        ValueError: no expert, or weights that are not one probability for each.
    """

    experts: tuple[Policy, ...]
    weights: tuple[float, ...]

    name: ClassVar[str] = "mixture"
    version: ClassVar[str] = "1"

    def __post_init__(self) -> None:
        sound = all(0.0 <= weight <= 1.0 for weight in self.weights)
        if not sound or abs(sum(self.weights) - 1.0) > UNIT:
            raise ValueError(f"weights are {self.weights}; they must be shares that sum to 1")
        if len(self.experts) != len(self.weights):
            raise ValueError(f"{len(self.experts)} experts have {len(self.weights)} weights")

    @property
    def parameters(self) -> dict[str, float]:
        pairs = zip(self.experts, self.weights, strict=True)
        return {f"{i}.{expert.name}": weight for i, (expert, weight) in enumerate(pairs)}

    def bind(self, scored: Scored, level: float) -> Conditional:
        bound = [expert.bind(scored, level) for expert in self.experts]

        def conditional(open_: Bools) -> Floats:
            chance = np.zeros(len(scored))
            for weight, expert in zip(self.weights, bound, strict=True):
                chance += weight * expert(open_)
            chance /= chance.sum()
            return chance

        return conditional
