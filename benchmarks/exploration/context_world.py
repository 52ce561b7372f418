"""Worlds with context: twenty actions, each worth a linear function of eight features."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numba import njit

from equipoise.exploration.beliefs.bank import reweigh
from equipoise.exploration.beliefs.linear_kernels import absorb, decay, predict_actions, start
from equipoise.exploration.policies.gittins import raised, reach_of
from equipoise.randomness import derive
from equipoise.types import Bools, Floats

ACTIONS, FEATURES, DECISIONS = 20, 8, 40_000
SPREAD = 0.1
"""Standard deviation of a coefficient; that of a reward is 1."""
EVERY = 50
"""Decisions a step: rates of forgetting are applied, and worlds change, so often."""
MEMORIES = np.array([np.inf, 32_000.0, 8_000.0])


@dataclass(frozen=True)
class ContextWorld:
    coefficients: Floats
    """(steps, actions, features)"""
    launched: Bools
    """(steps, actions)"""
    contexts: Floats
    """(decisions, features)"""
    luck: Floats
    """(decisions,) uniform"""
    noise: Floats
    """(decisions,) normal"""


def context_world(kind: str, seed: int) -> ContextWorld:
    """``stationary``, ``launches`` (an action anew every 400) or ``drift`` (30 % every 8,000)."""
    rng = derive(seed, "benchmarks.exploration.context", kind)
    steps = DECISIONS // EVERY
    coefficients = np.repeat(SPREAD * rng.normal(size=(1, ACTIONS, FEATURES)), steps, axis=0)
    launched = np.zeros((steps, ACTIONS), dtype=bool)
    for step in range(1, steps):
        if kind == "launches" and step % (400 // EVERY) == 0:
            one = int(rng.integers(ACTIONS))
            coefficients[step:, one] = SPREAD * rng.normal(size=FEATURES)
            launched[step, one] = True
        elif kind == "drift" and step % (8_000 // EVERY) == 0:
            changed = rng.random(ACTIONS) < 0.3
            coefficients[step:, changed] = SPREAD * rng.normal(size=(changed.sum(), FEATURES))
    contexts = rng.normal(size=(DECISIONS, FEATURES))
    return ContextWorld(
        coefficients, launched, contexts, rng.random(DECISIONS), rng.normal(size=DECISIONS)
    )


def play_context(
    world: ContextWorld, rule: int, parameter: float, **options: float
) -> tuple[float, float]:
    """Share of the oracle's reward, and of the expected reward spent on exploring.

    ``rule``: 0 ε, 1 softmax, 2 inverse gap, 5 Gittins, 6 the same held to a share, 7 LinUCB.
    """
    chosen = {"horizon": 20_000.0, "turnover": 2.0, "temperature": 0.02, "share": 1e-5,
              "drift": 0.5} | options  # fmt: skip
    earned, possible, spent, expected = _play(
        world.coefficients, world.launched, world.contexts, world.luck, world.noise, MEMORIES,
        SPREAD, rule, parameter, *chosen.values(),
    )  # fmt: skip
    return earned / possible, spent / expected


@njit(cache=True)
def _play(
    coefficients: Floats,
    launched: Bools,
    contexts: Floats,
    luck: Floats,
    noise: Floats,
    half_life: Floats,
    spread: float,
    rule: int,
    parameter: float,
    planned: float,
    turnover: float,
    temperature: float,
    share: float,
    drift: float,
) -> tuple[float, float, float, float]:
    actions, d = coefficients.shape[1:]
    memories = len(half_life)
    precision, zero = np.full(d, 1.0 / (spread * spread)), np.zeros(d)
    factor = np.empty((memories, actions, d, d))
    target = np.empty((memories, actions, d))
    for r in range(memories):
        for a in range(actions):
            factor[r, a], target[r, a] = start(precision, zero)
    log_weight = np.full(memories, -math.log(memories))
    chance = np.empty(memories)
    mean, variance, index = np.empty(actions), np.empty(actions), np.empty(actions)
    p = np.empty(actions)
    means, leverages = np.empty((memories, actions)), np.empty((memories, actions))
    earned, possible, spent, expected, gone = 0.0, 0.0, 0.0, 0.0, 0.0
    horizon, log_level = planned, 0.0
    for t in range(len(contexts)):
        step, x = t // EVERY, contexts[t]
        if t % EVERY == 0:
            forgetting = 0.0
            for r in range(memories):
                forgetting += math.exp(log_weight[r]) / half_life[r]
                for a in range(actions):
                    if launched[step, a]:
                        factor[r, a], target[r, a] = start(precision, zero)
                    elif half_life[r] < np.inf:
                        gamma = 0.5 ** (EVERY / half_life[r])
                        decay(factor[r, a], target[r, a], precision, zero, gamma)
            gone += launched[step].sum()
            horizon = 1.0 / (
                1.0 / planned + turnover * gone / (max(t, 1) * actions) + drift * forgetting
            )
        mean[:], variance[:] = 0.0, 0.0
        for r in range(memories):
            means[r], leverages[r] = predict_actions(factor[r], target[r], x)
            mean += math.exp(log_weight[r]) * means[r]
        for r in range(memories):
            variance += math.exp(log_weight[r]) * (leverages[r] + (means[r] - mean) ** 2)
        best = np.argmax(mean)
        if rule == 0:
            p[:] = parameter / actions
            p[best] += 1.0 - parameter
        elif rule == 1:
            p[:] = np.exp((mean - mean[best]) / parameter)
            p /= p.sum()
        elif rule == 2:
            p[:] = 1.0 / (actions + parameter * (mean[best] - mean))
            p[best] = 0.0
            p[best] = 1.0 - p.sum()
        elif rule == 7:
            index[:] = mean + parameter * np.sqrt(variance)
            lead = np.argmax(index)
            p[:] = 0.0
            p[lead] = 1.0
        else:
            level = parameter if rule == 5 else math.exp(log_level)
            for a in range(actions):
                # An action is the best in one context of as many as there are actions.
                reach = level * reach_of(variance[a], 1.0, horizon / actions)
                index[a] = raised(mean[a], reach, 0.0)
            lead = np.argmax(index)
            scale = max(temperature * (index[lead] - mean[lead]), 1e-9)
            p[:] = np.exp((index - index[lead]) / scale)
            p /= p.sum()
        chosen, below = actions - 1, 0.0
        for a in range(actions):
            below += p[a]
            if luck[t] < below:
                chosen = a
                break
        cost = mean[best] - p @ mean
        true = coefficients[step] @ x
        earned += true[chosen]
        possible += true.max()
        spent += cost
        expected += mean[best]
        if rule == 6 and mean[best] > 0.0:
            log_level -= 0.002 * (cost / (parameter * mean[best]) - 1.0)
            log_level = min(max(log_level, -5.0), 2.0)
        reward = true[chosen] + noise[t]
        for r in range(memories):
            wide = 1.0 + leverages[r, chosen]
            off = reward - means[r, chosen]
            chance[r] = -0.5 * (math.log(wide) + off * off / wide)
            absorb(factor[r, chosen], target[r, chosen], x, reward, 1.0)
        reweigh(log_weight, chance, share)
    return earned, possible, spent, expected
