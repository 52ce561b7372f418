"""Estimators by name: from evidence to the value of a list, with the rows it is the mean of.

Two families, by what they assume.

*Slots* (``dr``, ``ips``, ``snips``, ``dm``, ``sndr``): a slot earns by what stands in it, and is
weighted by its own conditional ratio, so that long lists can be judged. ``dm`` is what the stored
beliefs expect of the *target's own lists*; its interval knows nothing of how wrong they are. ``dr``
adds, slot by slot, what the log's rewards say against them: it is right for whole lists where
beliefs are right, and where they err it takes the error from lists that the log had begun. ``ips``
and ``snips`` have no model to begin lists anew: they judge each slot *after the slots that the log
had placed*, and count for a greedier policy an item at every slot that it was left for. ``shift``
is what beginning anew comes to, by the beliefs: where that is much, ask for whole lists.

*Lists* (``sips``, ``rips``, ``cascade_dr``, ``iips``, ``pseudo_inverse``): see
``evaluation.off_policy.slates``. They assume less or ask for marginals, and are soon refused for
long lists.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import TypeAlias

import numpy as np

from equipoise.errors import InvalidInput
from equipoise.evaluation.off_policy import (
    Diagnosis,
    Estimate,
    Logged,
    diagnose,
    dm,
    dr,
    ips,
    ratio,
    slates,
    sndr,
    snips,
)
from equipoise.proof.evidence import Columns, Evidence
from equipoise.proof.marginals import Marginals
from equipoise.types import Floats

OfSlots: TypeAlias = Callable[[Logged], Estimate]
OfLists: TypeAlias = Callable[[Evidence, Columns], Floats]


def _cascade(evidence: Evidence, asked: Columns) -> Floats:
    return slates.cascade_dr(
        evidence.reward,
        evidence.logged,
        asked.target,
        evidence.predicted + evidence.ahead,
        asked.planned + evidence.ahead,
    )


def _independent(evidence: Evidence, asked: Columns) -> Floats:
    known = _known(asked)
    return slates.iips(evidence.reward, known.logged, known.target)


def _inverse(evidence: Evidence, asked: Columns) -> Floats:
    return slates.pseudo_inverse(evidence.reward.sum(axis=1), _known(asked).weight[:, 0])


def _known(asked: Columns) -> Marginals:
    if asked.marginals is None:
        raise InvalidInput(
            "this estimator needs the chances of whole slates; collect(…, marginals=True)",
            pointer="/estimator",
        )
    return asked.marginals


SLOTS: Mapping[str, OfSlots] = MappingProxyType(
    {
        "dr": partial(dr, refuse=False),
        "ips": partial(ips, refuse=False),
        "snips": partial(snips, refuse=False),
        "dm": partial(dm, refuse=False),
        "sndr": partial(sndr, refuse=False),
    }
)
LISTS: Mapping[str, OfLists] = MappingProxyType(
    {
        "sips": lambda of, asked: slates.sips(of.reward, of.logged, asked.target),
        "rips": lambda of, asked: slates.rips(of.reward, of.logged, asked.target),
        "cascade_dr": _cascade,
        "iips": _independent,
        "pseudo_inverse": _inverse,
    }
)
ESTIMATORS = (*SLOTS, *LISTS)
MARGINAL = frozenset({"iips", "pseudo_inverse"})
"""Estimators that need ``collect(…, marginals=True)``."""


def estimate(evidence: Evidence, asked: Columns, estimator: str = "dr") -> Estimate:
    """The value of a list under the policy that was asked about, with its diagnosis.

    Never refuses: ``Estimate.diagnosis`` says whether to believe it.

    Raises:
        InvalidInput: an unknown estimator, one that lacks its marginals, or weights that are all 0
            where they are divided by.
    """
    if estimator in SLOTS:
        return _by_slots(evidence, asked, SLOTS[estimator])
    if estimator not in LISTS:
        raise InvalidInput(
            f"estimator {estimator!r} is none of {', '.join(ESTIMATORS)}", pointer="/estimator"
        )
    terms = LISTS[estimator](evidence, asked)
    return Estimate(
        estimator, terms, True, evidence.cluster, diagnosis_of(evidence, asked, estimator)
    )


def own_value(evidence: Evidence) -> Estimate:
    """What a list of the log did earn: its mean, without any weight."""
    return Estimate("logged", evidence.reward.sum(axis=1), True, evidence.cluster)


def shift(asked: Columns) -> float:
    """What the stored beliefs expect of the target's own lists more than of its choices after the
    log's beginnings."""
    return float((asked.own - asked.planned).sum(axis=1).mean())


def slots_of(evidence: Evidence, asked: Columns) -> Logged:
    """The drawn slots as rows, list after list."""
    drawn = evidence.drawn
    return Logged(
        reward=evidence.reward[drawn],
        weight=ratio(asked.target[drawn], evidence.logged[drawn]),
        model=asked.own[drawn],
        predicted=evidence.predicted[drawn],
        cluster=np.repeat(evidence.cluster, drawn.sum(axis=1)),
        unsupported=_told(asked.unsupported[drawn]),
    )


def diagnosis_of(evidence: Evidence, asked: Columns, estimator: str) -> Diagnosis:
    """Of whole lists' weights; of the slots' own where lists are not weighted as a whole."""
    if estimator in SLOTS:
        return diagnose(slots_of(evidence, asked))
    if estimator in MARGINAL:
        known, drawn = _known(asked), evidence.drawn
        weight = ratio(known.target[drawn], known.logged[drawn])
        cluster = np.repeat(evidence.cluster, drawn.sum(axis=1))
        return diagnose(Logged(reward=evidence.reward[drawn], weight=weight, cluster=cluster))
    lost = np.where(evidence.drawn, asked.unsupported, 0.0).sum(axis=1) / evidence.drawn.sum(axis=1)
    return diagnose(
        Logged(
            reward=evidence.reward.sum(axis=1),
            weight=slates.prefix_weights(evidence.logged, asked.target)[:, -1],
            cluster=evidence.cluster,
            unsupported=_told(lost),
        )
    )


def _by_slots(evidence: Evidence, asked: Columns, of: OfSlots) -> Estimate:
    """An estimate on slots, its terms added up list by list."""
    found = of(slots_of(evidence, asked))
    lists = np.nonzero(evidence.drawn)[0]
    terms: Floats = np.bincount(lists, found.terms, minlength=len(evidence)).astype(float)
    return Estimate(found.name, terms, found.exact, evidence.cluster, found.diagnosis)


def _told(unsupported: Floats) -> Floats | None:
    """None where one list's own policy is not known any more: then the mean weight has to do."""
    return None if np.isnan(unsupported).any() else unsupported
