"""One policy in one world, compiled: beliefs, bank and index are the library's own kernels.

All rules share beliefs and settings: a bank of memories over hierarchical beta beliefs, the prior's
width fitted as evidence comes (``equipoise.exploration.beliefs``), looks in flight counted.
"""

from __future__ import annotations

import math
from collections import namedtuple
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numba import njit

from benchmarks.exploration.worlds import EVERY, World
from equipoise.exploration.beliefs.bank import reweigh
from equipoise.exploration.beliefs.beta_kernels import believed, fade, learn, overall
from equipoise.exploration.beliefs.prior_fit import refit
from equipoise.exploration.policies.best_of import log_cdf_and_rate
from equipoise.exploration.policies.gittins import raised, reach_of
from equipoise.types import Bools, Floats


class Rule(IntEnum):
    """How probabilities follow from beliefs; the parameter's meaning beside it."""

    EPSILON = 0
    """share of uniform draws"""
    SOFTMAX = 1
    """temperature, in clicks a look"""
    INVERSE_GAP = 2
    """γ"""
    BEST_SHARE = 3
    """cost as a share of expected reward, directed by P(best) to a power"""
    THOMPSON = 4
    """none"""
    GITTINS = 5
    """level: 1 is the policy as it stands"""
    GITTINS_SHARE = 6
    """cost as a share of expected reward, in the shape of Gittins, held by a slow multiplier"""


@dataclass(frozen=True)
class Play:
    """What came of it, by quarter of the run."""

    earned: Floats
    """(4,) true expected reward."""
    possible: Floats
    """(4,) of whoever knows all rates."""
    spent: Floats
    """(4,) cost of exploring, by the learner's own belief."""
    expected: Floats
    """(4,) of greedy, by the learner's own belief."""

    @property
    def share(self) -> float:
        """Of what was possible."""
        return float(self.earned.sum() / self.possible.sum())

    @property
    def cost(self) -> float:
        """Share of expected reward spent on exploring."""
        return float(self.spent.sum() / self.expected.sum())


MEMORIES = np.array([np.inf, 32_000.0, 8_000.0, 2_000.0])
"""Half-lives in decisions."""
REFITS = np.array([500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 64_000])
"""Rewards after which the prior's width is fitted anew."""
SETTINGS = {
    "planned": 20_000.0,
    "turnover": 2.0,
    "drift": 0.5,
    "temperature": 0.02,
    "skew": 1.0,
    "share": 1e-5,
}
"""One for all: decisions that knowledge is planned for, how much what comes and goes and what is
forgotten shorten that, the policy's own two, and the bank's fixed share."""
AGAIN = 2
"""Steps of the world after which memories fade, and all beliefs are computed again; that of an item
is so whenever it is heard of."""
STEP = 0.002
KNOWN_MEAN = 1e5
"""Strength of the group's prior about that of all: here all items are of one group."""

Learner = namedtuple(
    "Learner",
    "half_life chance arms slot groups top log_weight arm_of item_of mean variance noise reach",
)
"""Memories first: arms (R, A, 4), groups (R, 2, 3), top (R, 6), as ``beta_kernels`` has them; then
which arm stands at each item, and the belief (n,) about each item."""
Race = namedtuple("Race", "node log_cdf hazard inside widening")
"""The rows of P(best): nodes (T,), log F and f / F (n, T), who can win (n,)."""
NODES = 48


def play(
    world: World,
    rule: Rule,
    parameter: float,
    *,
    memories: Floats = MEMORIES,
    **settings: float,
) -> Play:
    """What this rule earns with the beliefs and the settings that all rules share."""
    chosen = SETTINGS | settings
    sums = _play(
        world.rates, world.launched, world.luck, world.delay, world.look,
        _learner(world.rates.shape[1], memories, *world.guess), _race(world.rates.shape[1]),
        int(rule), parameter, *(chosen[name] for name in SETTINGS),
    )  # fmt: skip
    return Play(*sums)


def _learner(n: int, half_life: Floats, mean: float, strength: float) -> Learner:
    memories, capacity = len(half_life), 2 * n
    groups = np.zeros((memories, 2, 3))
    groups[:, :, 2] = strength
    # A mean that all share, itself known as well as one item's prior says.
    top = np.tile([0.0, 0.0, mean, strength, KNOWN_MEAN, strength], (memories, 1))
    slot = (np.arange(capacity) < n).astype(np.int64)
    item_of = np.where(np.arange(capacity) < n, np.arange(capacity), -1)
    log_weight = np.full(memories, -math.log(memories))
    belief = (np.empty(n) for _ in range(4))
    return Learner(
        half_life, np.empty(memories), np.zeros((memories, capacity, 4)), slot, groups, top,
        log_weight, np.arange(n), item_of, *belief,
    )  # fmt: skip


def _race(n: int) -> Race:
    empty = np.empty((n, NODES))
    return Race(np.empty(NODES), empty, empty.copy(), np.empty(n, dtype=bool), np.empty(NODES))


@njit(cache=True)
def _play(
    rates: Floats,
    launched: Bools,
    luck: Floats,
    delay: int,
    look: Floats,
    learner: Learner,
    race: Race,
    rule: int,
    parameter: float,
    planned: float,
    turnover: float,
    drift: float,
    temperature: float,
    skew: float,
    share: float,
) -> Floats:
    n, slots = rates.shape[1], len(look)
    sums, waiting = np.zeros((4, 4)), np.full((max(delay, 1), slots, 2), -1.0)
    index, p, open_ = np.empty(n), np.empty(n), np.ones(n, np.bool_)
    gone, rewards, due, horizon, log_level, possible, scale = 0.0, 0, 0, planned, 0.0, 0.0, 1.0
    # An answer is used in any of the slots, so at the looks that one gets on average.
    looks = look.mean()
    for t in range(len(luck)):
        step, q = t // EVERY, 4 * t // len(luck)
        if t % EVERY == 0:
            replaced = _replace_all(learner, launched[step])
            gone += replaced
            if step % AGAIN == 0:
                _fade(learner)
                due += _fit(learner, rewards, due)
                ends = 1.0 / planned + turnover * gone / (max(t, 1) * n)
                horizon = looks / (ends + drift * _forgetting(learner))
            if step % AGAIN == 0 or replaced > 0.0:
                _believe_all(learner, horizon)
                if rule == 3 or rule == 4:
                    _nodes(learner, race, slots)
            possible = look @ -np.sort(-rates[step])[:slots]
        level = parameter if rule == 5 else math.exp(log_level)
        if rule >= 5:
            scale = _index(learner, level, temperature, skew, index)
        expected = _greedy(learner.mean, look)
        spent = expected
        open_[:] = True
        for place in range(slots):
            if rule >= 5:
                _softmax(index, open_, scale, p)
            elif rule >= 3:
                _best(race, open_, p)
                if rule == 3:
                    _tilt(p, learner.mean, open_, parameter)
            else:
                _simple(rule, parameter, learner.mean, open_, p)
            spent -= look[place] * (p @ learner.mean)
            chosen = _drawn(p, luck[t, 2 * place])
            open_[chosen] = False
            rate, fate = rates[step, chosen], luck[t, 2 * place + 1]
            sums[0, q] += look[place] * rate
            # Whether a slot was looked at is known; what was not looked at teaches nothing.
            outcome = 1.0 if fate < look[place] * rate else 0.0
            if fate >= look[place]:
                outcome = -1.0
            told, outcome = _wait(learner, waiting, t, place, delay, chosen, outcome)
            if outcome >= 0.0:
                rewards += 1
                _learn(learner, told, outcome, share)
            for item in (chosen, learner.item_of[told] if told >= 0 else -1):
                if item >= 0:
                    _believe(learner, item, horizon)
                    if rule == 3 or rule == 4:
                        _row(learner, race, item)
        sums[1, q] += possible
        sums[2, q] += spent
        sums[3, q] += expected
        log_level -= STEP * (spent / (parameter * expected) - 1.0)
        log_level = min(max(log_level, -5.0), 1.0)
    return sums


# ---------------------------------------------------------------- what is believed


@njit(cache=True)
def _replace_all(learner: Learner, launched: Bools) -> float:
    """Items are replaced by new ones. How many were."""
    gone = 0.0
    for i in range(len(launched)):
        if launched[i]:
            _replace(learner, i)
            gone += 1.0
    return gone


@njit(cache=True)
def _fade(learner: Learner) -> None:
    """Time goes by for those memories that forget."""
    for r in range(len(learner.half_life)):
        if learner.half_life[r] < np.inf:
            gamma = 0.5 ** (AGAIN * EVERY / learner.half_life[r])
            fade(gamma, learner.arms[r], learner.slot, learner.groups[r], learner.top[r])


@njit(cache=True)
def _replace(learner: Learner, item: int) -> None:
    """Another arm takes an item's place; the old one's record still speaks for the group."""
    capacity = len(learner.item_of)
    arm = (learner.arm_of.max() + 1) % capacity
    while learner.item_of[arm] >= 0:
        arm = (arm + 1) % capacity
    learner.item_of[learner.arm_of[item]] = -1
    learner.arm_of[item], learner.item_of[arm] = arm, item
    learner.arms[:, arm], learner.slot[arm] = 0.0, 1


@njit(cache=True)
def _fit(learner: Learner, rewards: int, due: int) -> int:
    """Fit the prior's width when it is due: 1 if it was."""
    if due >= len(REFITS) or rewards < REFITS[due]:
        return 0
    for r in range(len(learner.half_life)):
        top = learner.top[r]
        guess = np.array([KNOWN_MEAN, top[3]])
        refit(learner.arms[r], learner.slot, learner.groups[r], top, guess)
        top[4] = KNOWN_MEAN
    return 1


@njit(cache=True)
def _forgetting(learner: Learner) -> float:
    """Of the bank's memory, a decision."""
    rate = 0.0
    for r in range(len(learner.half_life)):
        rate += math.exp(learner.log_weight[r]) / learner.half_life[r]
    return rate


@njit(cache=True)
def _believe_all(learner: Learner, horizon: float) -> None:
    learner.mean[:], learner.variance[:] = 0.0, 0.0
    for r in range(len(learner.half_life)):
        _hear(learner, r, 0, len(learner.mean))
    for item in range(len(learner.mean)):
        _finish(learner, item, horizon)


@njit(cache=True)
def _believe(learner: Learner, item: int, horizon: float) -> None:
    learner.mean[item], learner.variance[item] = 0.0, 0.0
    for r in range(len(learner.half_life)):
        _hear(learner, r, item, item + 1)
    _finish(learner, item, horizon)


@njit(cache=True)
def _hear(learner: Learner, r: int, first: int, last: int) -> None:
    """What one memory says of some items, by its weight: to the mean and to the mean square."""
    arms, groups, top = learner.arms[r], learner.groups[r], learner.top[r]
    weight, (top_mean, top_variance) = math.exp(learner.log_weight[r]), overall(top)
    for item in range(first, last):
        arm = learner.arm_of[item]
        m, v = believed(
            arms[arm, 0], arms[arm, 1], arms[arm, 2], 1, groups, top, top_mean, top_variance
        )
        learner.mean[item] += weight * m
        learner.variance[item] += weight * (v + m * m)


@njit(cache=True)
def _finish(learner: Learner, item: int, horizon: float) -> None:
    mean = learner.mean[item]
    learner.variance[item] = max(learner.variance[item] - mean * mean, 1e-12)
    learner.noise[item] = mean * (1.0 - mean)
    learner.reach[item] = reach_of(learner.variance[item], learner.noise[item], horizon)


@njit(cache=True)
def _learn(learner: Learner, arm: int, outcome: float, share: float) -> None:
    chance = learner.chance
    for r in range(len(chance)):
        chance[r] = learn(
            arm, 1.0, outcome, learner.arms[r], learner.slot, learner.groups[r], learner.top[r]
        )
    if len(chance) > 1:
        reweigh(learner.log_weight, chance, share)


@njit(cache=True)
def _wait(
    learner: Learner, waiting: Floats, t: int, place: int, delay: int, chosen: int, outcome: float
) -> tuple[int, float]:
    """The arm and outcome that are heard of now, -1 for none; what was done now is in flight."""
    arm = learner.arm_of[chosen]
    if delay == 0:
        return arm, outcome
    row = t % delay
    told, heard = int(waiting[row, place, 0]), waiting[row, place, 1]
    if heard >= 0.0:
        for r in range(len(learner.half_life)):
            learner.arms[r, told, 2] = max(learner.arms[r, told, 2] - 1.0, 0.0)
    if outcome >= 0.0:
        learner.arms[:, arm, 2] += 1.0
    waiting[row, place, 0], waiting[row, place, 1] = arm, outcome
    return told, heard


# ---------------------------------------------------------------- what is done


@njit(cache=True)
def _drawn(p: Floats, u: float) -> int:
    below = 0.0
    for i in range(len(p)):
        below += p[i]
        if u < below:
            return i
    return int(np.argmax(p))


@njit(cache=True)
def _greedy(mean: Floats, look: Floats) -> float:
    """What greedy expects of the slate."""
    if len(look) == 1:
        return float(look[0] * mean.max())
    return float(look @ -np.sort(-mean)[: len(look)])


@njit(cache=True)
def _leader(mean: Floats, open_: Bools) -> int:
    leader = -1
    for i in range(len(mean)):
        if open_[i] and (leader < 0 or mean[i] > mean[leader]):
            leader = i
    return leader


@njit(cache=True)
def _simple(rule: int, parameter: float, mean: Floats, open_: Bools, p: Floats) -> None:
    n, total, leader = open_.sum(), 0.0, _leader(mean, open_)
    for i in range(len(mean)):
        p[i] = 0.0
        if open_[i]:
            gap = mean[leader] - mean[i]
            if rule == 0:
                p[i] = parameter / n
            elif rule == 1:
                p[i] = math.exp(-gap / parameter)
            elif i != leader:
                p[i] = 1.0 / (n + parameter * gap)
        total += p[i]
    if rule == 1:
        p /= total
    else:
        p[leader] += 1.0 - total


@njit(cache=True)
def _index(learner: Learner, level: float, temperature: float, skew: float, index: Floats) -> float:
    """Fills in the indices; the scale of the softmax."""
    leader = 0
    for i in range(len(index)):
        index[i] = raised(learner.mean[i], level * learner.reach[i], skew)
        if index[i] > index[leader]:
            leader = i
    return max(temperature * (index[leader] - learner.mean[leader]), 1e-12)


@njit(cache=True)
def _softmax(index: Floats, open_: Bools, scale: float, p: Floats) -> None:
    top, total = index[_leader(index, open_)], 0.0
    for i in range(len(index)):
        gap = (index[i] - top) / scale
        p[i] = math.exp(gap) if open_[i] and gap > -40.0 else 0.0
        total += p[i]
    p /= total


@njit(cache=True)
def _tilt(p: Floats, mean: Floats, open_: Bools, share: float) -> None:
    """P(best) to the power that costs this share of what is expected."""
    best = mean[_leader(mean, open_)]
    able = np.flatnonzero(p > 1e-12)
    log_p, tilted = np.log(p[able] / p.max()), np.empty(len(able))
    low, high = -8.0, 8.0
    for _ in range(10):
        power, total, cost = math.exp(0.5 * (low + high)), 0.0, 0.0
        for k in range(len(able)):
            tilted[k] = math.exp(power * log_p[k])
            total += tilted[k]
            cost += tilted[k] * (best - mean[able[k]])
        if cost > share * best * total:
            low = 0.5 * (low + high)
        else:
            high = 0.5 * (low + high)
    p[:] = 0.0
    for k in range(len(able)):
        p[able[k]] = tilted[k] / tilted.sum()


@njit(cache=True)
def _nodes(learner: Learner, race: Race, slots: int) -> None:
    """Nodes that widen from where it is decided who is best, and the rows of all at them."""
    spread = np.sqrt(learner.variance)
    # A slate takes the best away, and then it is decided lower down.
    floor = np.sort(learner.mean - 4.0 * spread)[-slots]
    ceiling = (learner.mean + 5.0 * spread).max()
    narrow = np.inf
    for i in range(len(spread)):
        if learner.mean[i] + 5.0 * spread[i] > floor:
            narrow = min(narrow, spread[i])
    scale = 6.0 * narrow
    end = math.asinh((ceiling - floor) / scale)
    for k in range(NODES):
        u = (k + 0.5) * end / NODES
        race.node[k], race.widening[k] = floor + scale * math.sinh(u), math.cosh(u)
    for i in range(len(spread)):
        _row(learner, race, i)


@njit(cache=True)
def _row(learner: Learner, race: Race, item: int) -> None:
    mean, spread = learner.mean[item], math.sqrt(learner.variance[item])
    race.inside[item] = mean + 5.0 * spread > race.node[0]
    if race.inside[item]:
        for k in range(NODES):
            z = (race.node[k] - mean) / spread
            race.log_cdf[item, k], race.hazard[item, k] = 0.0, 0.0
            if z < 6.0:
                below, rate = log_cdf_and_rate(max(z, -6.9))
                race.log_cdf[item, k], race.hazard[item, k] = below, rate / spread


@njit(cache=True)
def _best(race: Race, open_: Bools, p: Floats) -> None:
    """P(best) among what is open, of independent Gaussian beliefs."""
    total = np.zeros(NODES)
    for i in range(len(p)):
        if open_[i] and race.inside[i]:
            total += race.log_cdf[i]
    total = np.exp(total) * race.widening
    for i in range(len(p)):
        p[i] = race.hazard[i] @ total if open_[i] and race.inside[i] else 0.0
    p /= p.sum()
