"""What other caps on exploring would earn: the weeks to come, simulated from the present beliefs.

Nobody can set a cap on exploring by feel: what is found tomorrow pays for weeks, if the traffic is
there and the assortment stays. So the shop is let go on from now, many times: each *world* draws
what every item is really worth from what is believed of it, and in each world each cap is tried.
Items go and new ones come at the measured rate; what they are worth wanders as much as it is said
to. The policy is the Gittins index (``policies.gittins``), its level held under the cap by the
multiplier of ``Balance``; beliefs are Gaussian and learn from what they showed. All caps meet the
same worlds, so that their differences are known better than their sums.

What is simplified: the lists of one step (``STEPS`` of them over the time) are all the same, so
that a step teaches late; who asks does not matter, each item being what it is to a stranger; a
reward is known at once; rules and limits by group are left out. It is a forecast by the beliefs,
and as wrong as they are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numba import njit
from numpy.typing import NDArray

from equipoise.exploration.balance import LOWEST
from equipoise.exploration.evpi import evpi_slate
from equipoise.exploration.policies.gittins import indices
from equipoise.randomness import derive
from equipoise.types import Floats

CAPS = (0.0, 0.005, 0.01, 0.02, 0.04, 0.08, 0.16)
"""Shares of expected reward."""
STEPS = 500
CONTENDERS = 120
"""Candidates that are simulated: those with the highest indices."""
LIKELY = (0.1, 0.9)
"""Quantiles over worlds between which the true figure is likely to be."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is known now of a placement.

    Raises:
        ValueError: columns of different lengths, no candidate, or a number out of its range.
    """

    mean: Floats
    """(n,) reward of a look at each candidate, as believed."""
    variance: Floats
    """(n,) of that belief."""
    noise: Floats
    """(n,) variance of one look's reward."""
    look: Floats
    """(L,) chance that each slot is looked at."""
    newcomer: tuple[float, float, float]
    """Mean, variance and noise of an item that was never shown."""
    lists_per_day: float
    days: float
    """To look ahead."""
    turnover: float = 0.0
    """Launches and departures a day, as a share of the items (``state.tempo``)."""
    outdating: float = 0.0
    """How fast what is known ceases to be of use, a day (``ArmBank.outdating``)."""
    drift: float = 0.0
    """Variance that an item's worth gains a day, as a share of the square of what is believed."""
    step: float = 0.005
    """Of the multiplier, as the balance of the placement has it."""
    level_max: float = 1.0
    level_start: float = 0.3

    def __post_init__(self) -> None:
        shapes = {column.shape for column in (self.mean, self.variance, self.noise)}
        if len(shapes) != 1 or not len(self.mean) or not len(self.look):
            raise ValueError(
                f"mean, variance and noise have shapes {sorted(shapes)} and look "
                f"{self.look.shape}; all have one entry a candidate, look one a slot"
            )
        for name in ("lists_per_day", "days", "step", "level_max", "level_start"):
            if not 0.0 < getattr(self, name) < math.inf:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be above 0 and finite")
        if not (0.0 <= self.turnover < math.inf and 0.0 <= self.drift < math.inf):
            raise ValueError(
                f"turnover is {self.turnover} and drift {self.drift}; both must be 0 or more"
            )

    @property
    def horizon(self) -> float:
        """Looks for which it will matter how good an item is, as for ``gittins``."""
        ends = 1.0 / self.days + self.turnover + self.outdating
        lists = max(self.lists_per_day / ends, 1.0)
        return max(lists * float(self.look.mean()), 1.0)


@dataclass(frozen=True, slots=True)
class Ahead:
    """What each cap would earn, (caps,) each, in reward a list."""

    caps: tuple[float, ...]
    reward: Floats
    low: Floats
    high: Floats
    """Quantiles ``LIKELY`` of the worlds."""
    gain: Floats
    """Of reward over the first cap, world by world: its mean."""
    gain_error: Floats
    """The standard error of that mean."""
    spent: Floats
    """Share of expected reward that exploring cost."""
    lists: float
    """In the days that were looked ahead."""
    unknown: float
    """What knowing everything would add to the next list, at most (``evpi_slate``), as a share of
    what it is expected to earn."""

    @property
    def best(self) -> int:
        """Which cap earns most; the lowest of equals."""
        return int(np.argmax(self.reward))


def look_ahead(
    outlook: Outlook, *, caps: tuple[float, ...] = CAPS, worlds: int = 48, seed: int = 0
) -> Ahead:
    """Let the placement go on in ``worlds`` worlds under each cap.

    Compiled, without the interpreter's lock; O(caps · worlds · STEPS · candidates), some two
    seconds. The same arguments give the same figures.

    Raises:
        ValueError: no cap, one that is no share, or fewer than two worlds.
    """
    if not caps or not all(0.0 <= cap < 1.0 for cap in caps) or worlds < 2:
        raise ValueError(
            f"caps are {caps} and worlds {worlds}; a cap is a share from 0 to below 1, and there "
            "are two worlds at least"
        )
    outlook = _contending(outlook)
    lists = max(outlook.lists_per_day * outlook.days, 1.0)
    steps = int(min(STEPS, math.ceil(lists)))
    earned, spent, expected = np.zeros((3, len(caps), worlds))
    for world in range(worlds):
        drawn = _world(outlook, steps, seed, world)
        for place, cap in enumerate(caps):
            sums = _live(
                outlook.mean, outlook.variance, outlook.noise, outlook.look, *drawn,
                np.array(outlook.newcomer), lists / steps, outlook.horizon,
                outlook.drift * outlook.days / steps,
                np.array([cap, outlook.step, outlook.level_max, outlook.level_start]),
            )  # fmt: skip
            earned[place, world], spent[place, world], expected[place, world] = sums
    unknown = _unknown(outlook)
    return _ahead(caps, earned / lists, spent / expected, lists, unknown)


def _unknown(outlook: Outlook) -> float:
    best = -np.sort(-outlook.mean)[: len(outlook.look)]
    expected = float(outlook.look[: len(best)] @ best)
    # What is estimated may rise from one place to the next; a bound may not.
    look = np.maximum.accumulate(outlook.look[::-1])[::-1]
    most = evpi_slate(outlook.mean, np.sqrt(outlook.variance), look)
    return most / expected if expected > 0 else math.inf


def _ahead(
    caps: tuple[float, ...], earned: Floats, spent: Floats, lists: float, unknown: float
) -> Ahead:
    gain = earned - earned[0]
    low, high = np.quantile(earned, LIKELY, axis=1)
    return Ahead(
        caps=caps,
        reward=earned.mean(axis=1),
        low=low,
        high=high,
        gain=gain.mean(axis=1),
        gain_error=gain.std(axis=1, ddof=1) / math.sqrt(earned.shape[1]),
        spent=spent.mean(axis=1),
        lists=lists,
        unknown=unknown,
    )


def _contending(outlook: Outlook) -> Outlook:
    """Without the candidates that will hardly be shown, whatever the cap."""
    index = indices(
        outlook.mean, outlook.variance, outlook.noise, outlook.horizon, outlook.level_max, 1.0
    )
    kept = np.sort(np.argsort(-index, kind="stable")[:CONTENDERS])
    return replace(
        outlook,
        mean=np.ascontiguousarray(outlook.mean[kept], dtype=float),
        variance=np.ascontiguousarray(outlook.variance[kept], dtype=float),
        noise=np.ascontiguousarray(outlook.noise[kept], dtype=float),
        look=np.ascontiguousarray(outlook.look[: len(kept)], dtype=float),
    )


def _world(
    outlook: Outlook, steps: int, seed: int, world: int
) -> tuple[Floats, Floats, NDArray[np.int64], NDArray[np.int64], Floats, Floats]:
    """What is true, and the luck that all caps share: worth (n,); of newcomers (m,), whom they
    replace and when; of what is shown (steps, L); of the worth that wanders (steps, n)."""
    rng, n = derive(seed, "ahead", str(world)), len(outlook.mean)
    # A departure and a launch are two changes and one replacement.
    came = rng.poisson(0.5 * outlook.turnover * outlook.days * n)
    mean, variance, _ = outlook.newcomer
    return (
        _worth(rng, outlook.mean, outlook.variance),
        _worth(rng, np.full(came, mean), np.full(came, variance)),
        rng.integers(0, n, came),
        np.sort(rng.integers(0, steps, came)),
        rng.standard_normal((steps, len(outlook.look))),
        rng.standard_normal((steps, n)) if outlook.drift > 0 else np.zeros((steps, n)),
    )


def _worth(rng: np.random.Generator, mean: Floats, variance: Floats) -> Floats:
    """Gamma draws of this mean and variance: worth is not below 0, and its tail is above. Where the
    mean is no rate, or there is nothing to doubt, what is believed."""
    doubt = (mean > 0) & (variance > 0)
    shape = np.where(doubt, mean, 1.0) ** 2 / np.where(doubt, variance, 1.0)
    drawn = rng.standard_gamma(shape) / shape * mean
    return np.where(doubt, drawn, mean)


@njit(cache=True, nogil=True)
def _live(
    mean: Floats,
    variance: Floats,
    noise: Floats,
    look: Floats,
    worth: Floats,
    fresh: Floats,
    whom: NDArray[np.int64],
    when: NDArray[np.int64],
    luck: Floats,
    wander: Floats,
    newcomer: Floats,
    lists: float,
    horizon: float,
    drift: float,
    control: Floats,
) -> tuple[float, float, float]:
    """Earned, spent and expected over all steps, each of so many ``lists``."""
    m, v, noise, f = mean.copy(), variance.copy(), noise.copy(), worth.copy()
    cap, step, level_max, start = control
    multiplier, most = max(math.log(level_max / start), 0.0), math.log(level_max / LOWEST)
    earned, spent, expected, came = 0.0, 0.0, 0.0, 0
    for t in range(len(luck)):
        while came < len(when) and when[came] == t:
            _replace(m, v, noise, f, whom[came], fresh[came], newcomer)
            came += 1
        level = level_max * math.exp(-multiplier) if cap > 0.0 else 0.0
        shown = _top(indices(m, v, noise, horizon, level, 1.0), len(look))
        best = _top(m, len(look))
        plan, cost = 0.0, 0.0
        for k in range(len(look)):
            plan += look[k] * m[best[k]]
            cost += look[k] * (m[best[k]] - m[shown[k]])
            earned += lists * look[k] * f[shown[k]]
            _learn(m, v, noise, f, shown[k], lists * look[k], luck[t, k])
        if cap > 0.0 and plan > 0.0:
            pull = min(step * lists, 0.3) * (cost / (cap * plan) - 1.0)
            multiplier = min(max(multiplier + min(pull, 3.0), 0.0), most)
        spent, expected = spent + lists * cost, expected + lists * plan
        if drift > 0.0:
            _wander(m, v, f, wander[t], drift)
    return earned, spent, expected


@njit(cache=True, nogil=True)
def _top(value: Floats, k: int) -> NDArray[np.int64]:
    """(k,) places of the highest, in falling order; the first of equals first."""
    top = np.empty(k, dtype=np.int64)
    held = 0
    for i in range(len(value)):
        if held == k and value[i] <= value[top[k - 1]]:
            continue
        held = min(held + 1, k)
        j = held - 1
        while j > 0 and value[i] > value[top[j - 1]]:
            top[j] = top[j - 1]
            j -= 1
        top[j] = i
    return top


@njit(cache=True, nogil=True)
def _learn(m: Floats, v: Floats, noise: Floats, f: Floats, i: int, looks: float, z: float) -> None:
    """What so many looks at one item earned: a Gaussian mean, learnt by precision."""
    if v[i] <= 0.0 or looks <= 0.0:
        return
    heard = noise[i] / looks
    seen = f[i] + z * math.sqrt(heard)
    gain = v[i] / (v[i] + heard)
    m[i] += gain * (seen - m[i])
    v[i] *= 1.0 - gain


@njit(cache=True, nogil=True)
def _replace(
    m: Floats, v: Floats, noise: Floats, f: Floats, i: int, worth: float, newcomer: Floats
) -> None:
    m[i], v[i], noise[i] = newcomer
    f[i] = worth


@njit(cache=True, nogil=True)
def _wander(m: Floats, v: Floats, f: Floats, z: Floats, drift: float) -> None:
    """Worth moves a little, not below 0; beliefs know that it may have."""
    for i in range(len(f)):
        added = drift * m[i] * m[i]
        f[i] = max(f[i] + math.sqrt(added) * z[i], 0.0)
        v[i] += added
