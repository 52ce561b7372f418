"""Compiled heart of ``ContextualBandit``: forms of a linear belief an action, levels of optimism.

::

    expand(u (d,), weights (d, w), offsets (w,))        -> (1 + d + w,) features
    forecast(tables, z, rows (K,), base, own, crowd)    -> mean (K,), variance (K,)
    absorb(tables, row, z, base, leverage, reward)      one reward                  in place
    absorb_rows(tables, contexts, …, rows, rewards)     many                        in place
    spread_of(tables)                                   -> variance of one reward
    level_chances(mean, variance, open, reach (Q,), t)  -> (Q, K) one row a level of optimism
    followed(hedge)                                     -> (Q,) how much each level is followed
    credit(hedge, advice (Q,), p, reward)               which level would have earned it  in place
    play(…)                                             choose and learn, row after row    in place

A *form* f is ridge regression, one an action, on the first ``dims[f]`` features, with λ =
``precision[f]``. All see the same rewards; they are mixed by what likelihood they gave the rewards
before seeing them. With y a reward, μ the mean of all of them, ``A = λI + Σ x xᵀ``::

    mean = μ + xᵀA⁻¹ Σ x (y − μ)      variance = σ² xᵀA⁻¹x

As μ moves, ``A⁻¹Σxy`` and ``A⁻¹Σx`` are kept apart: the mean is that of a fit made anew with the μ
of today. A⁻¹ is kept by Sherman and Morrison's formula (Golub & Van Loan, *Matrix Computations*,
2.1.4). It subtracts, which is safe here since features are clipped to a few standard deviations and
λ is 1 or more; for features in wild units there is ``beliefs.linear_kernels``.

Arrays are float64 and C-contiguous; what is not finite must have been refused before.
"""

from __future__ import annotations

from math import exp, log, sqrt
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from equipoise.types import Bools, Floats

Ints = NDArray[np.int64]

GAIN = 3.0
"""Root mean square length of the random features together, beside 1 for the constant."""
GUESS = 2.0
"""Rewards that the first guess of the noise, their plain variance, is worth."""
KEPT = 0.05
"""Share of the levels' weights that is spread evenly: none is ever given up."""
RATE = 1.0
"""How fast levels are told apart, in standard deviations of a reward."""
WILD = 3.0
"""Standard deviations at which a reward stops counting for or against a level."""

FORLORN = 1e-6
"""Below these odds against the likeliest form one has no part in forecasts; it learns on."""

FAST = {"reassoc", "contract", "nsz"}
"""Sums may be taken in any order: only then does the compiler use vectors."""


class Tables(NamedTuple):
    """All that the forms know. Rows are actions that were rewarded, in the order of their first."""

    dims: Ints
    """(F,) features of each form"""
    precision: Floats
    """(F,) λ of each form"""
    inverse: Floats
    """(A, Σ dims (dims + 1) / 2) A⁻¹, form after form, its lower triangle row by row"""
    coefficients: Floats
    """(A, Σ dims) A⁻¹ Σ x y"""
    ones: Floats
    """(A, Σ dims) A⁻¹ Σ x"""
    seen: Floats
    """(A,) rewards"""
    evidence: Floats
    """(F,) log-likelihood of the rewards, each given those before"""
    residuals: Floats
    """(F,) sum of squares, each over what was expected of it"""
    totals: Floats
    """rewards; the first of them, from which y counts; mean of y; Σ (y − mean)²; 1 if μ is used"""


class Hedge(NamedTuple):
    """Which level of optimism has earned most."""

    gains: Floats
    """(Q,) importance-weighted sums, in standard deviations of a reward"""
    rewards: Floats
    """how many; their mean; Σ (r − mean)²; how many were credited"""


@njit(cache=True, fastmath=FAST)
def expand(u: Floats, weights: Floats, offsets: Floats) -> Floats:
    """``[1, u, max(0, (u/√d) W + b)]``, the last scaled: one hidden layer that is not trained.

    Random features make a linear belief see curves and interactions (Rahimi and Recht, NIPS 2008).
    """
    d, wide = weights.shape
    z = np.empty(1 + d + wide)
    z[0] = 1.0
    z[1 : 1 + d] = u
    hidden = z[1 + d :]
    hidden[:] = offsets
    for i in range(d):
        step = u[i] / sqrt(d)
        for j in range(wide):
            hidden[j] += step * weights[i, j]
    scale = GAIN * sqrt(2.0 / wide) if wide else 0.0
    for j in range(wide):
        hidden[j] = scale * max(hidden[j], 0.0)
    return z


@njit(cache=True, fastmath=FAST)
def _dot(a: Floats, b: Floats) -> float:
    total = 0.0
    for i in range(len(a)):
        total += a[i] * b[i]
    return total


@njit(cache=True, fastmath=FAST)
def _solve(inverse: Floats, z: Floats, out: Floats) -> float:
    """``out[:d] = A⁻¹z``; returns ``zᵀA⁻¹z``. ``out`` may be longer than z."""
    d, at = len(z), 0
    for i in range(d):
        # A row of the triangle is a row and a column of A⁻¹: half of what a matrix would read.
        line, own, total = inverse[at : at + i], z[i], 0.0
        for j in range(i):
            total += line[j] * z[j]
            out[j] += line[j] * own
        out[i] = total + inverse[at + i] * own
        at += i + 1
    return max(_dot(z, out), 0.0)


@njit(cache=True)
def _size(d: int) -> int:
    """Entries of a triangle of d rows."""
    return d * (d + 1) // 2


@njit(cache=True)
def spread_of(tables: Tables) -> float:
    """Variance of one reward about what the best form expected of it."""
    return _noise(tables, int(np.argmax(tables.evidence)))


@njit(cache=True)
def _noise(tables: Tables, form: int) -> float:
    count, squares = tables.totals[0], tables.totals[3]
    # While all rewards are alike nothing says what their unit is, and nothing hangs on it.
    guess = squares / count if squares > 0.0 else 1.0
    return float((tables.residuals[form] + GUESS * guess) / (count + GUESS))


@njit(cache=True)
def _weights(tables: Tables) -> Floats:
    """(F,) what each form is believed; exactly 0 where it does not count, which saves its work."""
    weight: Floats = np.exp(tables.evidence - tables.evidence.max())
    weight[weight < FORLORN] = 0.0
    weight /= weight.sum()
    return weight


@njit(cache=True)
def _forecast_form(
    tables: Tables, form: int, at: int, start: int, row: int, z: Floats, scratch: Floats
) -> tuple[float, float]:
    """What a form adds to the base for an action, and the leverage of it."""
    d = len(z)
    centre = tables.totals[2] * tables.totals[4]
    if row < 0:
        return centre, _dot(z, z) / tables.precision[form]
    mean = _dot(tables.coefficients[row, start : start + d], z)
    mean += centre * (1.0 - _dot(tables.ones[row, start : start + d], z))
    return mean, _solve(tables.inverse[row, at : at + _size(d)], z, scratch)


@njit(cache=True)
def forecast(
    tables: Tables, z: Floats, rows: Ints, base: Floats, leverage: Floats, crowd: Floats
) -> tuple[Floats, Floats]:
    """Mean and variance of the expected reward of each action, over all forms.

    Args:
        rows: (K,) -1 for an action without a reward.
        base, leverage: (K,) mean and variance, in units of the noise, of what actions share.
        crowd: (K,) share of an action's own variance that remains, outcomes in flight counted.
    """
    forms, actions = len(tables.dims), len(rows)
    means, variances = np.zeros((forms, actions)), np.zeros((forms, actions))
    scratch, weight = np.empty(len(z)), _weights(tables)
    at, start = 0, 0
    for f in range(forms):
        d, noise = tables.dims[f], _noise(tables, f)
        if weight[f] > 0.0:
            for k in range(actions):
                own, lever = _forecast_form(tables, f, at, start, rows[k], z[:d], scratch)
                means[f, k] = tables.totals[1] + base[k] + own
                variances[f, k] = noise * (leverage[k] + crowd[k] * lever)
        at, start = at + _size(d), start + d
    return _mixed(means, variances, weight)


@njit(cache=True)
def _mixed(means: Floats, variances: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """Mean and variance of a mixture: what forms disagree on is unknown too."""
    forms, actions = means.shape
    mean, variance = np.zeros(actions), np.zeros(actions)
    for f in range(forms):
        mean += weight[f] * means[f]
    for f in range(forms):
        variance += weight[f] * (variances[f] + (means[f] - mean) ** 2)
    return mean, variance


@njit(cache=True)
def absorb(
    tables: Tables, row: int, z: Floats, base: float, leverage: float, reward: float
) -> None:
    """Learn from one reward of the action in ``row``; every form, with what it had expected."""
    totals = tables.totals
    if totals[0] == 0.0:
        totals[1] = reward
    y = reward - totals[1]
    scratch = np.empty(len(z))
    at, start = 0, 0
    for f in range(len(tables.dims)):
        d = tables.dims[f]
        own, lever = _forecast_form(tables, f, at, start, row, z[:d], scratch)
        if totals[3] > 0.0:
            expected = 1.0 + leverage + lever
            density = expected * _noise(tables, f)
            error = y - base - own
            tables.evidence[f] -= 0.5 * (log(density) + error * error / density)
            tables.residuals[f] += error * error / expected
        _update(tables, row, at, start, z[:d], scratch, lever, y - base)
        at, start = at + _size(d), start + d
    tables.seen[row] += 1.0
    totals[0] += 1.0
    change = y - totals[2]
    totals[2] += change / totals[0]
    totals[3] += change * (y - totals[2])


@njit(cache=True)
def absorb_rows(
    tables: Tables, contexts: Floats, weights: Floats, offsets: Floats, rows: Ints, rewards: Floats
) -> None:
    """Learn from many: scaled contexts (n, d), the row of each action (n,), rewards (n,)."""
    for t in range(len(rewards)):
        absorb(tables, rows[t], expand(contexts[t], weights, offsets), 0.0, 0.0, rewards[t])


@njit(cache=True, fastmath=FAST)
def _update(
    tables: Tables, row: int, at: int, start: int, z: Floats, solved: Floats, lever: float, y: float
) -> None:
    """Sherman–Morrison: ``A⁻¹ ← A⁻¹ − v vᵀ/(1 + zᵀv)``, v = A⁻¹z, and both right-hand sides."""
    d, gain = len(z), 1.0 / (1.0 + lever)
    coefficients = tables.coefficients[row, start : start + d]
    ones = tables.ones[row, start : start + d]
    error, rest = gain * (y - _dot(coefficients, z)), gain * (1.0 - _dot(ones, z))
    for i in range(d):
        coefficients[i] += error * solved[i]
        ones[i] += rest * solved[i]
        line = tables.inverse[row, at : at + i + 1]
        share = gain * solved[i]
        for j in range(i + 1):
            line[j] -= share * solved[j]
        at += i + 1


@njit(cache=True)
def level_chances(
    mean: Floats, variance: Floats, open_: Bools, reach: Floats, temperature: float
) -> Floats:
    """(Q, K) the probabilities of ``Optimism(reach[q], temperature)``, all levels at once."""
    spread = np.sqrt(variance)
    chance = np.zeros((len(reach), len(mean)))
    for q in range(len(reach)):
        index = mean + reach[q] * spread
        top = index.max()
        scale = temperature * reach[q] * np.where(index == top, spread, 0.0).max()
        best = np.where(open_, index, -np.inf).max()
        for k in range(len(mean)):
            if open_[k] and scale > 0.0:
                chance[q, k] = exp((index[k] - best) / scale)
            elif open_[k] and index[k] == best:
                chance[q, k] = 1.0
        chance[q] /= chance[q].sum()
    return chance


@njit(cache=True)
def followed(hedge: Hedge) -> Floats:
    """(Q,) exponential weights with a rate that falls as 1/√t, so that no horizon is needed."""
    score = hedge.gains * (RATE / sqrt(hedge.rewards[3] + 10.0))
    weight: Floats = np.exp(score - score.max())
    weight *= (1.0 - KEPT) / weight.sum()
    return weight + KEPT / len(weight)


@njit(cache=True)
def credit(hedge: Hedge, advice: Floats, propensity: float, reward: float) -> None:
    """Credit every level with the reward, by the chance it alone gave to what was chosen.

    Importance weighting over the chance that was drawn by (EXP4: Auer, Cesa-Bianchi, Freund and
    Schapire 2002). Rewards count from their mean, which changes no comparison and most of the luck.
    """
    rewards = hedge.rewards
    if rewards[2] > 0.0:
        above = (reward - rewards[1]) / sqrt(rewards[2] / rewards[0])
        hedge.gains[:] += advice / propensity * min(max(above, -WILD), WILD)
        rewards[3] += 1.0
    rewards[0] += 1.0
    change = reward - rewards[1]
    rewards[1] += change / rewards[0]
    rewards[2] += change * (reward - rewards[1])


@njit(cache=True)
def pick(chance: Floats, draw: float) -> int:
    """By inversion, as ``slates.draw`` does it."""
    below = np.cumsum(chance)
    index = int(np.searchsorted(below, draw * below[-1], side="right"))
    return index if index < len(chance) else int(np.flatnonzero(chance)[-1])


@njit(cache=True)
def play(
    tables: Tables, hedge: Hedge, contexts: Floats, weights: Floats, offsets: Floats,
    outcomes: Floats, rows: Ints, free: int, draws: Floats, reach: Floats, temperature: float,
    chosen: Ints, propensity: Floats,
) -> None:  # fmt: skip
    """Choose and learn at once, decision after decision; what the object does, without it.

    Args:
        contexts: (n, d) scaled; outcomes: (n, K) what each action would earn; draws: (n,) luck.
        rows: (K,) where each action stands in the tables, -1 where it has no reward yet, written
            as they come; free: the first row that nobody has.
        chosen, propensity: (n,) written.
    """
    actions = outcomes.shape[1]
    nothing, whole = np.zeros(actions), np.ones(actions)
    all_open = np.ones(actions, dtype=np.bool_)
    for t in range(len(contexts)):
        z = expand(contexts[t], weights, offsets)
        mean, variance = forecast(tables, z, rows, nothing, nothing, whole)
        levels = level_chances(mean, variance, all_open, reach, temperature)
        chance = mixture(followed(hedge), levels)
        k = pick(chance, draws[t])
        if rows[k] < 0:
            rows[k] = free
            free += 1
        credit(hedge, levels[:, k].copy(), chance[k], outcomes[t, k])
        absorb(tables, rows[k], z, 0.0, 0.0, outcomes[t, k])
        chosen[t], propensity[t] = k, chance[k]


@njit(cache=True)
def mixture(weight: Floats, levels: Floats) -> Floats:
    """(K,) ``Σ_q w_q p_q``."""
    chance = np.zeros(levels.shape[1])
    for q in range(len(weight)):
        chance += weight[q] * levels[q]
    chance /= chance.sum()
    return chance
