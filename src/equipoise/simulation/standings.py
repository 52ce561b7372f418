"""What a contest says: a line a policy, and how regret grew, with its spread over the shops."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.special import stdtrit

from equipoise.simulation.contest import Result
from equipoise.types import Floats

CONFIDENCE = 0.95


@dataclass(frozen=True, kw_only=True)
class Standing:
    """One policy over all shops; means, but for what is said otherwise."""

    policy: str
    shops: int
    reward: float
    reward_error: float
    """Standard error over shops; not a number for one."""
    regret: float
    """The oracle's reward less ours."""
    share: float
    """Of the oracle's reward."""
    last_quarter: float
    """The same over the last quarter of the lists."""
    spent: float
    """What exploring cost, as a share of what greedy was expected to earn: the engine's account."""
    explored: float
    """Share of slots."""
    gain: float
    """Reward over the first policy's, as a share of that: mean of the shops' own ratios, less 1."""
    gain_low: float
    """Of Student's interval at CONFIDENCE over shops; not a number for one."""
    gain_high: float
    launched: int
    """Best-sellers launched, in all shops."""
    found: int
    """Those that greedy would show by the end."""
    wait: float
    """Median lists from launch until greedy would show it; infinite where fewer than half were."""

    def to_dict(self) -> dict[str, Any]:
        """For JSON: what is no finite number is null."""
        return {
            name: None if isinstance(value, float) and not math.isfinite(value) else value
            for name, value in asdict(self).items()
        }


@dataclass(frozen=True)
class Band:
    """A curve over the lists of a run: mean over shops, and one standard deviation around it."""

    lists: Floats
    mean: Floats
    low: Floats
    high: Floats


def standings(results: Sequence[Result]) -> list[Standing]:
    """One for each policy, in the order in which policies first appear."""
    by_policy = _by_policy(results)
    first = next(iter(by_policy.values()), [])
    return [_standing(name, runs, first) for name, runs in by_policy.items()]


def regret_bands(results: Sequence[Result]) -> dict[str, Band]:
    """By policy: cumulative regret as a share of all that the shop's oracle earns in the end.

    A share, since shops differ far more than policies do.
    """
    return {name: _band(runs) for name, runs in _by_policy(results).items()}


def ordered(results: Sequence[Result], policies: Sequence[str]) -> list[Result]:
    """By policy as given, then by seed: however they ended."""
    return sorted(results, key=lambda run: (policies.index(run.policy), run.seed))


def _by_policy(results: Sequence[Result]) -> dict[str, list[Result]]:
    by_policy: dict[str, list[Result]] = {}
    for run in results:
        by_policy.setdefault(run.policy, []).append(run)
    return {name: sorted(runs, key=lambda run: run.seed) for name, runs in by_policy.items()}


def _standing(name: str, runs: Sequence[Result], first: Sequence[Result]) -> Standing:
    rewards = [run.reward for run in runs]
    gains = [ours.reward / theirs.reward - 1.0 for ours, theirs in zip(runs, first, strict=True)]
    half = _half_width(gains, CONFIDENCE)
    waits = [math.inf if wait is None else wait for run in runs for wait in run.waits]
    return Standing(
        policy=name,
        shops=len(runs),
        reward=statistics.fmean(rewards),
        reward_error=_error(rewards),
        regret=statistics.fmean(run.regret for run in runs),
        share=statistics.fmean(run.share for run in runs),
        last_quarter=statistics.fmean(run.last_quarter for run in runs),
        spent=statistics.fmean(run.spent for run in runs),
        explored=statistics.fmean(run.explored for run in runs),
        gain=statistics.fmean(gains),
        gain_low=statistics.fmean(gains) - half,
        gain_high=statistics.fmean(gains) + half,
        launched=len(waits),
        found=sum(map(math.isfinite, waits)),
        wait=statistics.median(waits) if waits else math.nan,
    )


def _error(values: Sequence[float]) -> float:
    return statistics.stdev(values) / len(values) ** 0.5 if len(values) > 1 else math.nan


def _half_width(values: Sequence[float], confidence: float) -> float:
    if len(values) < 2:
        return math.nan
    return float(stdtrit(len(values) - 1, (1.0 + confidence) / 2.0) * _error(values))


def _band(runs: Sequence[Result]) -> Band:
    shares = np.array([(run.possible - run.earned) / run.oracle for run in runs])
    spread = shares.std(axis=0, ddof=1) if len(runs) > 1 else np.zeros(shares.shape[1])
    mean = shares.mean(axis=0)
    return Band(runs[0].lists, mean, mean - spread, mean + spread)
