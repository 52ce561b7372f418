"""What a policy that *learns* would earn online, from a log of what was shown uniformly at random.

Off-policy estimators judge a policy that stands still. One that learns from its own choices needs
its own history, and a log holds another's; a uniformly random log holds every history, some of the
time. Three ways to read it, each one pass:

``replay``: events whose logged action is what the learner draws are its history, all others never
happened. Given T kept events, they are distributed as T decisions online (Li, Chu, Langford and
Wang, "Unbiased Offline Evaluation of Contextual-bandit-based News Article Recommendation
Algorithms", WSDM 2011, theorem 1). Of n events some n / K are kept.
``weighted``: the same history, but each event counts, kept or not, with the weight
π(logged) / p(logged): the same value, from K times the rewards (Dudík, Erhan, Langford and Li,
"Sample-efficient Nonstationary Policy Evaluation for Contextual Bandits", UAI 2012, without a
reward model). An interval is most often narrower, and never asks more of the log.
``progressive``: nothing is rejected. The learner is taught *every* event, whoever chose it, after
it was judged on it by weight. That is another question: how good it is after n rewards of a random
policy. What exploring by itself would have taught it does not show.

All events are taken as independent of one another. Where the world drifts, what is kept drifts K
times as fast.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np

from equipoise.errors import InvalidInput
from equipoise.evaluation.intervals import Interval, student
from equipoise.types import Floats

TOLERANCE = 1e-6
"""Of a logged propensity against 1 / K."""


class Shown(NamedTuple):
    """One logged event."""

    context: Any
    actions: Any
    """What was open: a sequence of ids, or ids with features."""
    action: Hashable
    """What was shown."""
    reward: float
    propensity: float | None = None
    """As logged; None: 1 / K."""


class Chooses(Protocol):
    """As ``ContextualBandit``. Rewards come at once here, and a rejected event has none: give a
    bandit that counts what it awaits ``in_flight=0``, else rejected choices are awaited for ever.
    """

    def choose(self, context: Any, actions: Any) -> Any:
        """A choice, whose ``action`` is one of ``actions``."""

    def learn(self, choice: Any, reward: Any) -> None:
        """What it earned."""


class Tells(Protocol):
    """Says with what probability it would choose, and changes nothing by it."""

    def distribution(self, context: Any, actions: Any) -> tuple[Sequence[Hashable], Floats]:
        """Ids and their probabilities."""


class ChoosesAndTells(Chooses, Tells, Protocol):
    """Both."""


class Taught(Tells, Protocol):
    """Learns from what another chose."""

    def learn_log(self, contexts: Any, actions: Any, rewards: Any) -> None:
        """Contexts, ids and rewards, n each."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """What came of it."""

    terms: Floats
    """One a counted event, in order; their mean is the value of a decision."""
    kept: int
    """Events that the learner learnt from."""
    events: int
    """Events read."""

    @property
    def value(self) -> float:
        """Mean reward of a decision while learning; NaN where nothing was counted."""
        return float(self.terms.mean()) if len(self.terms) else float("nan")

    def interval(self, confidence: float = 0.95) -> Interval:
        """Of the mean value of the policies that this history went through. How much histories
        differ it does not hold: for that, replay shuffles of the log and compare them."""
        return student(self.terms, confidence=confidence)


def replay(learner: Chooses, log: Iterable[Shown], *, most: int | None = None) -> Replayed:
    """Keep the events in which the learner's own choice is what the log shows.

    Args:
        log: of one number of actions, each event's drawn uniformly.
        most: kept events to end after: the T of the online run that is asked about.

    Raises:
        InvalidInput: a log that is not uniform, or whose number of actions changes: rejection would
            then prefer some events to others.
    """
    rewards: list[float] = []
    read = 0
    for event in _uniform(log):
        read += 1
        if _tried(learner, event):
            rewards.append(event.reward)
        if len(rewards) == most:
            break
    return Replayed(np.array(rewards), len(rewards), read)


def weighted(
    learner: ChoosesAndTells, log: Iterable[Shown], *, most: int | None = None
) -> Replayed:
    """The history of ``replay``, but every event counts, by π(logged) / p(logged).

    Raises:
        InvalidInput: as ``replay``, or a learner that leaves out what was shown.
    """
    terms: list[float] = []
    kept = 0
    for event in _uniform(log):
        terms.append(_weight(learner, event) * event.reward)
        kept += _tried(learner, event)
        if kept == most:
            break
    return Replayed(np.array(terms), kept, len(terms))


def progressive(learner: Taught, log: Iterable[Shown]) -> Replayed:
    """Judge the learner on each event by weight, then teach it the event. Nothing is rejected.

    The log may have any known propensities, and other actions each time; ids without features.

    Raises:
        InvalidInput: an action or a propensity that cannot be, or a learner that leaves out what
            was shown.
    """
    terms = []
    for number, event in enumerate(log):
        _check(event, number)
        terms.append(_weight(learner, event) * event.reward)
        learner.learn_log([event.context], [event.action], [event.reward])
    return Replayed(np.array(terms), len(terms), len(terms))


def _tried(learner: Chooses, event: Shown) -> bool:
    """Whether the learner chooses what was shown; then it learns from it."""
    choice = learner.choose(event.context, event.actions)
    same = bool(choice.action == event.action)
    if same:
        learner.learn(choice, event.reward)
    return same


def _weight(learner: Tells, event: Shown) -> float:
    ids, probabilities = learner.distribution(event.context, event.actions)
    chances = dict(zip(ids, probabilities.tolist(), strict=True))
    if event.action not in chances:
        raise InvalidInput(
            f"the learner says nothing of {event.action!r}, which was shown; distribution has to"
            " give every open action its probability",
            pointer="/distribution",
        )
    return float(chances[event.action]) / _propensity(event)


def _propensity(event: Shown) -> float:
    return 1 / len(event.actions) if event.propensity is None else event.propensity


def _uniform(log: Iterable[Shown]) -> Iterator[Shown]:
    """The log's events, refused where they were not drawn uniformly from as many."""
    size = 0
    for number, event in enumerate(log):
        _check(event, number)
        here = len(event.actions)
        size = size or here
        if here != size:
            raise InvalidInput(
                f"event {number} has {here} actions, those before had {size}: an event is kept"
                " once in as many, so that small sets would be preferred; replay them apart",
                pointer=f"/{number}/actions",
            )
        if abs(_propensity(event) - 1 / here) > TOLERANCE:
            raise InvalidInput(
                f"event {number} was shown with probability {event.propensity:g} among {here}"
                f" actions; replay needs {1 / here:g}, for such logs see off_policy",
                pointer=f"/{number}/propensity",
            )
        yield event


def _check(event: Shown, number: int) -> None:
    if event.action not in event.actions:
        raise InvalidInput(
            f"event {number} shows {event.action!r}, which is not among its actions",
            pointer=f"/{number}/action",
        )
    if not 0 < _propensity(event) <= 1:
        raise InvalidInput(
            f"event {number} has propensity {event.propensity}; it is above 0 and at most 1",
            pointer=f"/{number}/propensity",
        )
