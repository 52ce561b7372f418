"""What a log says about some policies, as columns: a row a list, a column a slot.

Pinned and empty slots have reward 0, probability 1 and no prediction, so that they change no sum
and no product. Rewards and predictions are in the outcome's unit.

The prediction q̂ of a slot is what the *decision itself stored* before it was shown: the item's mean
times the chance of a look. No estimator here has to fit a model, and none can have seen a row that
it predicts. One factor turns means into the outcome's unit and takes out what beliefs are too high
or too low by as a whole: earned over predicted, by the rows of *other* shoppers (ten folds). What
boosts and balances add is in the means, as the policy saw it: q̂ is then off there, which ``dr`` and
``cascade_dr`` correct by what was earned.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from equipoise.errors import InvalidInput
from equipoise.interfaces import Log
from equipoise.proof.laid import Laid, Question, Scene, lay, log_chances
from equipoise.proof.lists import CLICK, OUTCOMES, WORTH, Earned, Harvest, Tally
from equipoise.proof.marginals import Marginals, Slates, log_slates, marginals_of
from equipoise.settings import Settings
from equipoise.types import Bools, Decision, Floats, Milliseconds

FOLDS = 10
_CANDIDATE_BYTES = 4


@dataclass(frozen=True, slots=True)
class Columns:
    """A policy laid over all lists, (n, L) each: ``Laid``, looks weighted and in the unit."""

    target: Floats
    planned: Floats
    own: Floats
    unsupported: Floats
    marginals: Marginals | None
    """Where they were asked for."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """n lists of up to L slots, oldest first."""

    reward: Floats
    drawn: Bools
    """Slots that a policy filled: neither pinned nor empty."""
    logged: Floats
    """Conditional propensities as stored."""
    predicted: Floats
    """q̂ of what was shown."""
    ahead: Floats
    """What the best candidates would earn in the slots below: known before anything was drawn."""
    cluster: NDArray[np.int64]
    """(n,) whose list, codes from 0 in the order of first appearance."""
    largest: float
    """The most that one slot can earn."""
    least: Floats
    """(n,) the floor under every propensity of the list; 0 where its policy had none."""
    asked: tuple[Columns, ...]
    """One a question."""
    tally: Tally

    def __len__(self) -> int:
        return len(self.reward)

    @property
    def slots_a_list(self) -> float:
        return float(self.drawn.sum() / len(self))


def collect(
    log: Log,
    settings: Settings,
    questions: Sequence[Question],
    *,
    placement: str = "home",
    since: Milliseconds | None = None,
    until: Milliseconds | None = None,
    outcome: str = WORTH,
    marginals: bool = False,
) -> Evidence:
    """Walk the log once and lay every question over every mature list of a placement.

    ``outcome`` is what a slot earns: ``worth`` in the shop's currency, or ``click``. ``marginals``:
    also the unconditional chances, for small decisions. A list costs a slate for its own policy and
    two for each question.

    Raises:
        InvalidInput: an unknown outcome or placement, nothing mature to judge (code
            ``unanswerable``), or marginals of decisions that are not small.
    """
    _check(settings, placement, outcome)
    harvest = Harvest(settings, placement, since=since, until=until, outcome=outcome)
    lists = [_row(earned, questions, outcome, marginals) for earned in harvest.lists(log)]
    if not lists:
        raise InvalidInput(_nothing(harvest.tally, placement), code="unanswerable")
    people = [harvest.person(*row.who) for row in lists]
    codes = {person: code for code, person in enumerate(dict.fromkeys(people))}
    cluster = np.array([codes[person] for person in people])
    reward = _padded([row.reward for row in lists], 0.0)
    predicted = _padded([row.predicted for row in lists], 0.0)
    factor = _factors(reward.sum(axis=1), predicted.sum(axis=1), cluster)[:, None]
    return Evidence(
        reward=reward,
        drawn=_padded([row.drawn for row in lists], 0.0) > 0,
        logged=_padded([row.logged for row in lists], 1.0),
        predicted=factor * predicted,
        ahead=factor * _padded([row.ahead for row in lists], 0.0),
        cluster=cluster,
        largest=most(settings, outcome),
        least=np.array([row.least for row in lists]),
        asked=tuple(
            _columns(answers, factor) for answers in zip(*(row.asked for row in lists), strict=True)
        ),
        tally=harvest.tally,
    )


def most(settings: Settings, outcome: str) -> float:
    """The most that one slot can earn: each outcome counts once."""
    worth = settings.worth
    return worth.click + worth.add_to_cart + worth.purchase if outcome == WORTH else 1.0


@dataclass(frozen=True, slots=True)
class _Row:
    """A list: (L,) each."""

    who: tuple[str, str]
    """The shopper's key then, and the decision's id."""
    reward: Floats
    drawn: Bools
    logged: Floats
    predicted: Floats
    ahead: Floats
    least: float
    asked: tuple[_Asked, ...]


@dataclass(frozen=True, slots=True)
class _Asked:
    laid: Laid
    marginals: Marginals | None


def _row(earned: Earned, questions: Sequence[Question], outcome: str, marginals: bool) -> _Row:
    decision = earned.decision
    scene = Scene.of(decision)
    could, slates = log_chances(scene), log_slates(scene) if marginals else None
    look = scene.look * scene.drawn
    best = np.sort(scene.scored.mean)[::-1][: len(look)]
    return _Row(
        who=(decision.shopper, decision.decision_id),
        reward=np.array(earned.clicks if outcome == CLICK else earned.worth) * scene.drawn,
        drawn=scene.drawn,
        logged=np.array([slot.propensity for slot in decision.slots]),
        predicted=look * scene.mean,
        ahead=np.append(np.cumsum((look * best)[:0:-1])[::-1], 0.0),
        least=_floor(decision),
        asked=tuple(_ask(question, scene, could, look, slates) for question in questions),
    )


def _ask(
    question: Question, scene: Scene, could: Floats | None, look: Floats, slates: Slates | None
) -> _Asked:
    used = scene.decision.policy
    policy, level = question.of(used)
    laid = lay(policy, level, scene, could)
    laid = replace(laid, planned=laid.planned * look, own=laid.own * look)
    if slates is None:
        return _Asked(laid, None)
    return _Asked(laid, marginals_of(policy, level, scene, slates))


def _floor(decision: Decision) -> float:
    """What no candidate's propensity can be below; at level 0 a policy has no floor."""
    used = decision.policy
    share = used.parameters.get("floor", 0.0) if used.level > 0 else 0.0
    return share * _CANDIDATE_BYTES / max(len(decision.items), 1)


def _columns(answers: Sequence[_Asked], factor: Floats) -> Columns:
    return Columns(
        target=_padded([answer.laid.probability for answer in answers], 1.0),
        planned=factor * _padded([answer.laid.planned for answer in answers], 0.0),
        own=factor * _padded([answer.laid.own for answer in answers], 0.0),
        unsupported=_padded([answer.laid.unsupported for answer in answers], 0.0),
        marginals=_marginals([answer.marginals for answer in answers]),
    )


def _marginals(lists: Sequence[Marginals | None]) -> Marginals | None:
    found = [one for one in lists if one is not None]
    if not found:
        return None
    return Marginals(
        logged=_padded([one.logged for one in found], 1.0),
        target=_padded([one.target for one in found], 1.0),
        weight=_padded([one.weight for one in found], 1.0),
    )


def _factors(earned: Floats, predicted: Floats, cluster: NDArray[np.int64]) -> Floats:
    """(n,) earned / predicted over all lists but those of shoppers in the same fold; 1 where
    nothing was predicted."""
    fold = cluster % FOLDS
    tops, bottoms = (np.bincount(fold, sums, minlength=FOLDS) for sums in (earned, predicted))
    tops, bottoms = tops.sum() - tops, bottoms.sum() - bottoms
    factors: Floats = np.divide(tops, bottoms, out=np.ones(FOLDS), where=bottoms > 0)[fold]
    return factors


def _padded(rows: Sequence[Floats | Bools], fill: float) -> Floats:
    """(n, L) of rows of at most L entries."""
    widths = np.array([len(row) for row in rows])
    table = np.full((len(rows), widths.max()), fill)
    table[np.arange(table.shape[1]) < widths[:, None]] = np.concatenate(rows)
    return table


def _check(settings: Settings, placement: str, outcome: str) -> None:
    if outcome not in OUTCOMES:
        raise InvalidInput(
            f"outcome {outcome!r} is none of {', '.join(OUTCOMES)}", pointer="/outcome"
        )
    if placement not in settings.placements:
        raise InvalidInput(
            f"{placement!r} is no placement of this shop; its placements are"
            f" {', '.join(sorted(settings.placements))}",
            pointer="/placement",
        )


def _nothing(tally: Tally, placement: str) -> str:
    """Why there is no list to judge."""
    hours = tally.wait_ms / 3_600_000
    young = f"{tally.immature:,} of them younger than the {hours:g} hours that they may earn in"
    left = f"{tally.empty:,} empty, {tally.pinned:,} pinned throughout, {tally.erased:,} erased"
    return f"no list of {placement!r} on the log can be judged: {young}, {left}"
