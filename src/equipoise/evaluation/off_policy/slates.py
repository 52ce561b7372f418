"""What another policy's *slates* would have earned, from a log of slates.

The decision log has, for every slot, the conditional propensity P(this item | the slots before);
the target's is what ``slates.probability_of`` says of the same slate. Every function gives (n,)
terms, one a slate, whose mean is the estimate of ``Σ_k look_k r_k``: any interval fits them.

==================  =======================================  ====================================
estimator           unbiased where a slot's reward depends   weight of a slot
==================  =======================================  ====================================
``sips``            on the whole slate                       all slots' ratios multiplied
``rips``            on the slots before it and itself        ratios up to the slot, multiplied
``cascade_dr``      on the same; it varies less              the same, on what the model leaves
``iips``            on itself alone                          ratio of the *marginal* chances
``pseudo_inverse``  on itself alone; only the sum is known   one a slate, from Γ† of the logger
==================  =======================================  ====================================

From top to bottom they assume more and vary less; where an assumption fails, the estimate is off
by what no log tells. Conditional propensities are not marginal ones: ``iips`` on conditionals
would judge each slot of the target *after the logger's slots before it*. ``slot_chances`` makes
marginals.

``normalise`` divides by the mean weight, of each slot by itself; terms are then linearised about
the estimate (the delta method), right for ``hall``, ``student`` and the bootstraps, not for bounds
or sequences. A pin has probability 1 on both sides and changes nothing. An empty slot of a short
list: reward 0, probabilities 1. Products are sums of logarithms in float64.
"""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from equipoise.errors import InvalidInput
from equipoise.interfaces import Conditional
from equipoise.types import Floats

Slates = NDArray[np.integer]
"""(S, L) one slate a row: the index of the candidate at each slot."""


def sips(
    rewards: Floats,
    logged: Floats,
    target: Floats,
    *,
    looks: Floats | None = None,
    normalise: bool = False,
) -> Floats:
    """(n,) ``Π_k π_k/p_k · Σ_k look_k r_k``: importance sampling of whole slates.

    ``rewards``, ``logged``, ``target`` (n, L): reward of a slot, conditional probabilities of what
    it showed. ``looks`` (L,) multiplies rewards, 1 by default.

    Raises:
        InvalidInput: shapes that differ; a logged probability that is not in (0, 1], a target one
            that is not in [0, 1]; as for all that follow.
    """
    weights = prefix_weights(logged, target)[:, -1:]
    whole = _looked(rewards, logged, looks).sum(axis=1, keepdims=True)
    return _weighted(weights, whole, normalise)


def rips(
    rewards: Floats,
    logged: Floats,
    target: Floats,
    *,
    looks: Floats | None = None,
    normalise: bool = False,
) -> Floats:
    """(n,) ``Σ_k Π_{j≤k} π_j/p_j · look_k r_k``, reward interaction. Arguments as of ``sips``.

    McInerney, Brost, Chandar, Mehrotra, Carterette, KDD 2020.
    """
    weights = prefix_weights(logged, target)
    return _weighted(weights, _looked(rewards, logged, looks), normalise)


def iips(
    rewards: Floats,
    logged: Floats,
    target: Floats,
    *,
    looks: Floats | None = None,
    normalise: bool = False,
) -> Floats:
    """(n,) ``Σ_k π(item at k)/p(item at k) · look_k r_k``, independent slots.

    ``logged`` and ``target`` (n, L) are *marginal*: the chance that this item stands at this slot,
    whatever stands before it (``slot_chances``). Li, Abbasi-Yadkori, Kveton, Muthukrishnan, Vinay,
    Wen, KDD 2018.
    """
    _check(logged, target)
    return _weighted(target / logged, _looked(rewards, logged, looks), normalise)


def cascade_dr(
    rewards: Floats,
    logged: Floats,
    target: Floats,
    predicted: Floats,
    planned: Floats,
    *,
    looks: Floats | None = None,
    normalise: bool = False,
) -> Floats:
    """(n,) ``Σ_k w_{1:k} (look_k r_k − q_k) + w_{1:k−1} E_π q_k``, doubly robust for cascades.

    ``predicted`` (n, L): q_k, what slot k *and those after it* will earn together (looks included)
    given the slots up to k, from a model that has not seen the row. ``planned`` (n, L): its mean
    over the target's choice at k, ``Σ_a π(a | the slots before) q_k(a)``. Unbiased under ``rips``'
    assumption whatever the model says. Other arguments as of ``sips``. Kiyohara, Saito, Matsuhiro,
    Narita, Shimizu, Yamamoto, WSDM 2022.
    """
    weights = prefix_weights(logged, target)
    for name, model in (("predicted", predicted), ("planned", planned)):
        _shaped(name, model, logged.shape)
    before = np.hstack((np.ones((len(weights), 1)), weights[:, :-1]))
    left = _looked(rewards, logged, looks) - predicted
    return _weighted(weights, left, normalise) + _weighted(before, planned, normalise)


def pseudo_inverse(rewards: Floats, weights: Floats, *, normalise: bool = False) -> Floats:
    """(n,) ``weight · reward`` of slates; ``rewards`` (n,) of the whole, no slot need be known.

    ``weights`` (n,) are ``pseudo_inverse_weights`` of each row's slate, or ``product_weights``;
    they may be below 0 and are 1 in the mean. Swaminathan, Krishnamurthy, Agarwal, Dudík, Langford,
    Jose, Zitouni, NeurIPS 2017; ``normalise`` is their weighted form.
    """
    _shaped("weights", weights, rewards.shape)
    return _weighted(weights[:, None], rewards[:, None], normalise)


def pseudo_inverse_weights(pairs: Floats, target: Floats, slates: Slates) -> Floats:
    """(S,) ``q_πᵀ Γ† 1_s`` of each of ``slates`` (S, L) that one decision could have shown.

    ``pairs`` (L·m, L·m) is Γ of the logging policy and ``target`` (L, m) q_π: ``pair_chances`` and
    ``slot_chances`` of the decision's m candidates. Cost (L·m)³: for short lists from few
    candidates, or from few kinds of them.

    Raises:
        InvalidInput: the target's slates lie outside what the log could show.
    """
    wanted = target.ravel()
    spread = np.linalg.pinv(pairs, rcond=1e-9, hermitian=True) @ wanted
    if not np.allclose(pairs @ spread, wanted, atol=1e-6):
        raise InvalidInput(
            "the target shows items at slots where the log never could: no weight is right for it",
            code="unsupported",
            pointer="/target",
        )
    weights: Floats = spread.reshape(target.shape)[np.arange(len(target)), slates].sum(axis=1)
    return weights


def product_weights(logged: Floats, target: Floats) -> Floats:
    """(n,) ``1 + Σ_k (π_k/p_k − 1)``: the pseudo-inverse where slots were filled independently.

    ``logged`` and ``target`` (n, L) marginal, as for ``iips``. Swaminathan et al. 2017.
    """
    _check(logged, target)
    weights: Floats = 1 + (target / logged - 1).sum(axis=1)
    return weights


def prefix_weights(logged: Floats, target: Floats) -> Floats:
    """(n, L) ``Π_{j≤k} π_j/p_j``; the last column is the weight of the slate."""
    _check(logged, target)
    with np.errstate(divide="ignore"):
        logs = np.log(np.asarray(target, dtype=float)) - np.log(np.asarray(logged, dtype=float))
    weights: Floats = np.exp(np.cumsum(logs, axis=1))
    return weights


def every_slate(conditional: Conditional, n: int, slots: int) -> tuple[Slates, Floats]:
    """All slates of ``slots`` of n candidates, (S, L), and the conditional probability of each of
    their slots, (S, L), under a policy that was bound to a decision.

    S = n!/(n − slots)!: for small decisions and for tests. A policy depends on what is open and not
    on the order in which the rest was placed, so it is asked once for each set.
    """
    slates = np.array(list(itertools.permutations(range(n), slots)), dtype=np.int64)
    known: dict[frozenset[int], Floats] = {}
    chances = np.empty(slates.shape)
    for row, slate in enumerate(slates.tolist()):
        for slot, item in enumerate(slate):
            placed = frozenset(slate[:slot])
            if placed not in known:
                known[placed] = conditional(~np.isin(np.arange(n), list(placed)))
            chances[row, slot] = known[placed][item]
    return slates, chances


def slot_chances(slates: Slates, n: int, chances: Floats | None = None) -> Floats:
    """(L, n) chance that each candidate stands at each slot.

    ``chances`` (S,) of the slates: the product of ``every_slate``'s conditionals, which is exact;
    None for slates that were drawn, which is as exact as they are many.
    """
    weight = np.full(len(slates), 1 / len(slates)) if chances is None else chances
    marginal = np.zeros((slates.shape[1], n))
    for slot, items in enumerate(slates.T):
        np.add.at(marginal[slot], items, weight)
    return marginal


def pair_chances(slates: Slates, n: int, chances: Floats | None = None) -> Floats:
    """(L·n, L·n) Γ: the chance that a slate has this candidate at this slot and that at that.

    Slot k's candidate i is row k·n + i. ``slates`` and ``chances`` as for ``slot_chances``.
    """
    weight = np.full(len(slates), 1 / len(slates)) if chances is None else chances
    slots = slates.shape[1]
    pairs = np.zeros((slots * n, slots * n))
    at = slates + n * np.arange(slots)
    for first, second in itertools.product(range(slots), repeat=2):
        np.add.at(pairs, (at[:, first], at[:, second]), weight)
    return pairs


def _weighted(weights: Floats, values: Floats, normalise: bool) -> Floats:
    """(n,) Σ over columns of w·v, or of what has the mean Σwv/Σw, linearised about it."""
    if not normalise:
        plain: Floats = (weights * values).sum(axis=1)
        return plain
    total = weights.sum(axis=0)
    if not (total > 0).all():
        raise InvalidInput(
            f"the weights of slot {int(np.argmin(total > 0))} sum to {total.min()}: the log shows"
            " nothing there that the target would, and there is nothing to normalise by",
            code="unsupported",
            pointer="/target",
        )
    centre = (weights * values).sum(axis=0) / total
    terms: Floats = (centre + weights * (values - centre) * (len(weights) / total)).sum(axis=1)
    return terms


def _looked(rewards: Floats, logged: Floats, looks: Floats | None) -> Floats:
    _shaped("rewards", rewards, logged.shape)
    if looks is None:
        return rewards
    _shaped("looks", looks, logged.shape[1:])
    return rewards * looks


def _shaped(name: str, values: Floats, shape: tuple[int, ...]) -> None:
    if np.shape(values) != shape:
        raise InvalidInput(
            f"{name} has shape {np.shape(values)}; {shape} is needed", pointer=f"/{name}"
        )


def _check(logged: Floats, target: Floats) -> None:
    if np.ndim(logged) != 2 or np.shape(logged)[0] == 0:
        raise InvalidInput(
            f"logged has shape {np.shape(logged)}; a row a slate, a column a slot, is needed",
            pointer="/logged",
        )
    _shaped("target", target, np.shape(logged))
    for name, chance, least in (("logged", logged, np.nextafter(0, 1)), ("target", target, 0.0)):
        # Sums of probabilities may pass 1 by their last digits.
        wrong = ~((chance >= least) & (chance <= 1 + 1e-9))
        if wrong.any():
            row, slot = (int(index[0]) for index in np.nonzero(wrong))
            raise InvalidInput(
                f"the {name} probability at row {row}, slot {slot} is {chance[row, slot]}; it lies"
                f" between 0 and 1{' and is not 0: it was shown' if least else ''}",
                pointer=f"/{name}/{row}/{slot}",
            )
