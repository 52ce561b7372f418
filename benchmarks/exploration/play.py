"""One policy in one world, compiled: the kernels are the library's own."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numba import njit
from numpy.typing import NDArray

from benchmarks.exploration.worlds import EVERY, World
from equipoise.exploration.beliefs.bank import reweigh
from equipoise.exploration.beliefs.beta_kernels import believed, fade, learn, overall
from equipoise.exploration.beliefs.prior_fit import refit
from equipoise.exploration.policies.best_of import _log_cdf_and_rate
from equipoise.exploration.policies.gittins import index_of
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
    """power on P(best): 1"""
    GITTINS = 5
    """level; 1"""
    GITTINS_SHARE = 6
    """cost as a share of expected reward, in the shape of Gittins"""


@dataclass(frozen=True)
class Play:
    """What came of it."""

    earned: Floats
    """(4,) true expected reward, by quarter of the run."""
    possible: Floats
    """(4,) of whoever knows all rates."""
    spent: Floats
    """(4,) cost of exploring, by the learner's own belief."""
    expected: Floats
    """(4,) of greedy, by the learner's own belief."""
    memory: float
    """Weighted half-life of the bank at the end, in decisions; infinite if it forgets nothing."""


MEMORIES = np.array([np.inf, 32_000.0, 8_000.0, 2_000.0])
"""Half-lives in decisions."""
REFITS = (500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 64_000)
"""Rewards after which the prior's width is fitted anew."""
STEP = 0.002


def play(
    world: World,
    rule: Rule,
    parameter: float,
    *,
    memories: Floats = MEMORIES,
    **options: float,
) -> Play:
    """What this rule earns with the beliefs and the settings that all rules share."""
    chosen = {
        "horizon": 10_000.0,
        "turnover": 2.0,
        "temperature": 0.02,
        "skew": 1.0,
        "share": 1e-5,
        "drift": 0.0,
    } | options
    parts = _play(
        world.rates, world.launched, world.luck, world.delay, world.look, *world.guess, memories,
        np.array(REFITS), int(rule), parameter, *chosen.values(),
    )  # fmt: skip
    return Play(*parts[0], parts[1])


@njit(cache=True)
def _play(
    rates: Floats,
    launched: Bools,
    luck: Floats,
    delay: int,
    look: Floats,
    prior_mean: float,
    prior_strength: float,
    half_life: Floats,
    refits: NDArray[np.int64],
    rule: int,
    parameter: float,
    planned: float,
    turnover: float,
    temperature: float,
    skew: float,
    share: float,
    drift: float,
) -> tuple[Floats, float]:
    n, memories, decisions = rates.shape[1], len(half_life), len(luck)
    capacity = 4 * n
    arms = np.zeros((memories, capacity, 3))
    slot = np.zeros(capacity, np.int64)
    groups = np.zeros((memories, 2, 3))
    top_ = np.zeros((memories, 6))
    groups[:, :, 2] = prior_strength
    # A mean that everybody shares, itself known as well as one item's prior says.
    top_[:, 2], top_[:, 3], top_[:, 4], top_[:, 5] = prior_mean, prior_strength, 1e5, prior_strength
    arm_of = np.arange(n)
    slot[:n] = 1
    next_arm = n
    log_weight = np.full(memories, -math.log(memories))
    chance = np.empty(memories)
    mean, variance, noise, index = np.empty(n), np.empty(n), np.empty(n), np.empty(n)
    p = np.empty(n)
    slots, rows = len(look), max(delay, 1)
    open_, ranked = np.ones(n, np.bool_), np.empty(n)
    shown, outcomes, seen = np.empty(slots, np.int64), np.empty(slots), np.empty(slots)
    waiting = np.zeros((rows, slots, 3))
    scale = 0.0
    sums = np.zeros((4, 4))
    log_level = 0.0
    gone, rewards, due, horizon = 0.0, 0, 0, planned
    for t in range(decisions):
        step = t // EVERY
        if t % EVERY == 0:
            if step > 0:
                for i in range(n):
                    if launched[step, i]:
                        while slot[next_arm] == 1 and _lives(next_arm, arm_of):
                            next_arm = (next_arm + 1) % capacity
                        arms[:, next_arm] = 0.0
                        slot[next_arm] = 1
                        arm_of[i] = next_arm
                        next_arm = (next_arm + 1) % capacity
                        gone += 1.0
                for r in range(memories):
                    if half_life[r] < np.inf:
                        fade(0.5 ** (EVERY / half_life[r]), arms[r], slot, groups[r], top_[r])
            if due < len(refits) and rewards >= refits[due]:
                due += 1
                for r in range(memories):
                    refit(arms[r], slot, groups[r], top_[r], np.array([1e5, prior_strength]))
                    top_[r, 4] = 1e5
            forgetting = 0.0
            for r in range(memories):
                forgetting += math.exp(log_weight[r]) / half_life[r]
            horizon = 1.0 / (1.0 / planned + turnover * gone / (max(t, 1) * n) + drift * forgetting)
            for i in range(n):
                _believe(i, arm_of[i], arms, groups, top_, log_weight, mean, variance, noise)
        level = parameter if rule == 5 else math.exp(log_level)
        if rule >= 5:
            scale = _index(mean, variance, noise, horizon, level, temperature, skew, index)
        spent, expected, q = 0.0, 0.0, 4 * t // decisions
        open_[:], ranked[:] = True, mean
        for place in range(slots):
            leader = np.argmax(np.where(open_, mean, -np.inf))
            if rule <= 2:
                _simple(rule, parameter, mean, leader, open_, p)
            elif rule <= 4:
                _by_chance_of_best(mean, variance, open_, p)
                if rule == 3:
                    _tilt(p, mean, leader, parameter)
            else:
                _softmax(np.where(open_, index, -np.inf), scale, p)
            chosen = _drawn(p, luck[t, 2 * place])
            # Greedy's slate is the order of the means, whatever was drawn above.
            top = np.argmax(ranked)
            expected += look[place] * ranked[top]
            spent += look[place] * (ranked[top] - p @ mean)
            ranked[top] = -np.inf
            open_[chosen] = False
            shown[place] = chosen
            rate = rates[step, chosen]
            sums[0, q] += look[place] * rate
            # Where the slot was not looked at nothing is learnt, and that is known.
            looked = luck[t, 2 * place + 1] < look[place]
            outcomes[place] = 1.0 if luck[t, 2 * place + 1] < look[place] * rate else 0.0
            seen[place] = 1.0 if looked else 0.0
        best_rates = -np.sort(-rates[step])
        sums[1, q] += look @ best_rates[:slots]
        sums[2, q] += spent
        sums[3, q] += expected
        # A share of expected reward, held by the slow multiplier of ``Balance``.
        log_level -= STEP * (spent / (parameter * expected) - 1.0)
        log_level = min(max(log_level, -5.0), 1.0)
        row = t % rows
        for place in range(slots):
            arm = arm_of[shown[place]]
            if delay > 0:
                told, ready = int(waiting[row, place, 0]), t >= delay
                if ready and waiting[row, place, 2] > 0.0:
                    for r in range(memories):
                        arms[r, told, 2] = max(arms[r, told, 2] - 1.0, 0.0)
                    told_outcome, told_seen = waiting[row, place, 1], 1.0
                else:
                    told_outcome, told_seen = 0.0, 0.0
                waiting[row, place, 0] = arm
                waiting[row, place, 1] = outcomes[place]
                waiting[row, place, 2] = seen[place]
                if seen[place] > 0.0:
                    for r in range(memories):
                        arms[r, arm, 2] += 1.0
                    _believe(
                        shown[place], arm, arms, groups, top_, log_weight, mean, variance, noise
                    )
                arm, outcomes[place], seen[place] = told, told_outcome, told_seen
            if seen[place] > 0.0:
                rewards += 1
                for r in range(memories):
                    chance[r] = learn(arm, 1.0, outcomes[place], arms[r], slot, groups[r], top_[r])
                if memories > 1:
                    reweigh(log_weight, chance, share)
                for i in range(n):
                    if arm_of[i] == arm:
                        _believe(i, arm, arms, groups, top_, log_weight, mean, variance, noise)
    memory = 0.0
    for r in range(memories):
        memory += math.exp(log_weight[r]) / half_life[r]
    return sums, 1.0 / memory if memory > 0.0 else np.inf


@njit(cache=True)
def _lives(arm: int, arm_of: NDArray[np.int64]) -> bool:
    for i in range(len(arm_of)):
        if arm_of[i] == arm:
            return True
    return False


@njit(cache=True)
def _believe(
    i: int,
    arm: int,
    arms: Floats,
    groups: Floats,
    top: Floats,
    log_weight: Floats,
    mean: Floats,
    variance: Floats,
    noise: Floats,
) -> None:
    m, square = 0.0, 0.0
    for r in range(len(log_weight)):
        top_mean, top_variance = overall(top[r])
        a, b = believed(
            arms[r, arm, 0], arms[r, arm, 1], arms[r, arm, 2], 1, groups[r], top[r],
            top_mean, top_variance,
        )  # fmt: skip
        w = math.exp(log_weight[r])
        m += w * a
        square += w * (b + a * a)
    mean[i], variance[i] = m, max(square - m * m, 1e-12)
    noise[i] = m * (1.0 - m)


@njit(cache=True)
def _drawn(p: Floats, u: float) -> int:
    below = 0.0
    for i in range(len(p)):
        below += p[i]
        if u < below:
            return i
    return int(np.argmax(p))


@njit(cache=True)
def _simple(
    rule: int, parameter: float, mean: Floats, leader: int, open_: Bools, p: Floats
) -> None:
    n, total = open_.sum(), 0.0
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
def _softmax(index: Floats, scale: float, p: Floats) -> None:
    top, total = index.max(), 0.0
    for i in range(len(index)):
        gap = (index[i] - top) / scale
        p[i] = math.exp(gap) if gap > -40.0 else 0.0
        total += p[i]
    p /= total


@njit(cache=True)
def _index(
    mean: Floats,
    variance: Floats,
    noise: Floats,
    horizon: float,
    level: float,
    temperature: float,
    skew: float,
    index: Floats,
) -> float:
    """Fills in the indices; the scale of the softmax."""
    for i in range(len(mean)):
        index[i] = index_of(mean[i], variance[i], noise[i], horizon, level, skew)
    leader = np.argmax(index)
    return max(temperature * (index[leader] - mean[leader]), 1e-12)


@njit(cache=True)
def _cost(p: Floats, mean: Floats, best: int) -> float:
    cost = 0.0
    for i in range(len(p)):
        cost += p[i] * (mean[best] - mean[i])
    return cost


@njit(cache=True)
def _tilt(p: Floats, mean: Floats, best: int, share: float) -> None:
    """P(best) to the power that costs this share of what is expected."""
    log_p = np.log(np.maximum(p, 1e-300))
    low, high = -8.0, 8.0
    for _ in range(12):
        power = math.exp(0.5 * (low + high))
        _softmax(log_p * power, 1.0, p)
        if _cost(p, mean, best) > share * mean[best]:
            low = 0.5 * (low + high)
        else:
            high = 0.5 * (low + high)


@njit(cache=True)
def _by_chance_of_best(mean: Floats, variance: Floats, open_: Bools, p: Floats) -> None:
    """P(best) of independent Gaussian beliefs, on 48 nodes that widen from where it is decided."""
    n, nodes = len(mean), 48
    floor, ceiling, narrow = -np.inf, -np.inf, np.inf
    for i in range(n):
        if not open_[i]:
            continue
        spread = math.sqrt(variance[i])
        floor = max(floor, mean[i] - 4.0 * spread)
        ceiling = max(ceiling, mean[i] + 5.0 * spread)
    for i in range(n):
        spread = math.sqrt(variance[i])
        if open_[i] and mean[i] + 5.0 * spread > floor:
            narrow = min(narrow, spread)
    scale = 6.0 * narrow
    end = math.asinh((ceiling - floor) / scale)
    log_below, node = np.zeros(nodes), np.empty(nodes)
    for k in range(nodes):
        node[k] = floor + scale * math.sinh((k + 0.5) * end / nodes)
    hazard = np.zeros((n, nodes))
    for i in range(n):
        spread = math.sqrt(variance[i])
        if open_[i] and mean[i] + 5.0 * spread > floor:
            for k in range(nodes):
                z = (node[k] - mean[i]) / spread
                if z < 6.0:
                    below, rate = _log_cdf_and_rate(max(z, -6.9))
                    log_below[k] += below
                    hazard[i, k] = rate / spread
    total = 0.0
    for k in range(nodes):
        log_below[k] = math.exp(log_below[k]) * math.cosh((k + 0.5) * end / nodes)
    for i in range(n):
        p[i] = 0.0
        for k in range(nodes):
            p[i] += hazard[i, k] * log_below[k]
        total += p[i]
    p /= total
