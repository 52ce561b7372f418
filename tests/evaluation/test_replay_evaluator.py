"""Replay of uniform logs: what is kept is what would have happened online."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from equipoise.errors import InvalidInput
from equipoise.evaluation import Replayed, Shown, progressive, replay, weighted
from equipoise.exploration import ContextualBandit
from equipoise.randomness import derive

K, D = 4, 3
TRUTH = np.array([0.2, 0.4, 0.6, 0.3])


@dataclass(frozen=True)
class Chosen:
    action: int


@dataclass
class Fixed:
    """Draws from probabilities that never move."""

    probabilities: np.ndarray
    seed: int = 0
    learnt: list[tuple[int, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.luck = derive(self.seed, "fixed")

    def choose(self, context: Any, actions: Any) -> Chosen:
        return Chosen(int(self.luck.choice(K, p=self.probabilities)))

    def learn(self, choice: Chosen, reward: float) -> None:
        self.learnt.append((choice.action, reward))

    def learn_log(self, contexts: Any, actions: Any, rewards: Any) -> None:
        self.learnt += zip(actions, rewards, strict=True)

    def distribution(self, context: Any, actions: Any) -> tuple[list[int], np.ndarray]:
        return list(range(K)), self.probabilities


class Follower(Fixed):
    """Learns: all but a tenth of its draws go to the best mean so far, from 1 for each action."""

    def __init__(self, seed: int) -> None:
        super().__init__(np.full(K, 1 / K), seed)
        self.sums, self.counts = np.ones(K), np.ones(K)

    def learn(self, choice: Chosen, reward: float) -> None:
        super().learn(choice, reward)
        self.sums[choice.action] += reward
        self.counts[choice.action] += 1
        means = self.sums / self.counts
        self.probabilities = np.full(K, 0.1 / K) + 0.9 * (np.arange(K) == means.argmax())


def world(n: int, seed: int) -> Iterator[Shown]:
    """Uniform actions; rewards of 0 and 1 by ``TRUTH``, contexts that say nothing."""
    luck = derive(seed, "replayed world")
    for _ in range(n):
        action = int(luck.integers(K))
        yield Shown(
            luck.normal(size=D), list(range(K)), action, float(luck.random() < TRUTH[action])
        )


def online(learner: Fixed, steps: int, seed: int) -> float:
    """Mean reward of the learner in the world itself."""
    luck = derive(seed, "live world")
    rewards = []
    for _ in range(steps):
        choice = learner.choose(None, None)
        rewards.append(float(luck.random() < TRUTH[choice.action]))
        learner.learn(choice, rewards[-1])
    return float(np.mean(rewards))


@pytest.mark.parametrize("read", [replay, weighted, progressive])
def test_the_value_of_a_fixed_policy(read: Callable[..., Replayed]) -> None:
    """All three agree with Σ_a π(a) r(a), within five standard errors."""
    probabilities = np.array([0.1, 0.2, 0.6, 0.1])
    found = read(Fixed(probabilities), world(4_000, 1))
    error = found.terms.std(ddof=1) / np.sqrt(len(found.terms))

    assert found.events == 4_000
    assert abs(found.value - probabilities @ TRUTH) < 5 * error
    assert found.interval().low < found.value < found.interval().high


def test_one_in_k_is_kept() -> None:
    """Whatever the policy: a binomial with chance 1/K, within five standard deviations."""
    kept = replay(Fixed(np.array([1.0, 0.0, 0.0, 0.0])), world(4_000, 2)).kept

    assert abs(kept - 1_000) < 5 * np.sqrt(4_000 * 0.25 * 0.75)


def test_weights_say_more_than_what_is_kept() -> None:
    """For a policy that spreads, the weighted estimate of one log varies less over logs."""
    values = np.array(
        [
            [read(Fixed(TRUTH / TRUTH.sum(), seed), world(80, seed)).value
             for read in (replay, weighted)]
            for seed in range(150)
        ]
    )  # fmt: skip

    assert values[:, 1].std() < 0.8 * values[:, 0].std()


@pytest.mark.parametrize("read", [replay, weighted])
def test_a_learner_earns_what_it_earns_online(read: Callable[..., Replayed]) -> None:
    """Over many logs, the mean of 30 kept steps is that of 30 steps in the world itself."""
    live = np.array([online(Follower(seed), 30, seed) for seed in range(200)])
    found = [read(Follower(seed), world(400, seed), most=30) for seed in range(200)]
    values = np.array([one.value for one in found])
    error = np.sqrt((live.var() + values.var()) / 200)

    assert {one.kept for one in found} == {30}
    assert live.mean() > TRUTH.mean() + 0.05  # it learns, so that a fixed policy's would not do
    assert abs(values.mean() - live.mean()) < 4 * error


def test_what_is_rejected_teaches_nothing() -> None:
    """The learner's history is the kept events alone, in their order."""
    log = list(world(200, 3))
    learner = Fixed(np.full(K, 1 / K))
    twin = Fixed(np.full(K, 1 / K))
    due = [
        (event.action, event.reward)
        for event in log
        if twin.choose(None, None).action == event.action
    ]
    found = replay(learner, log)

    assert learner.learnt == due
    assert found.terms.tolist() == [reward for _, reward in due]


@pytest.mark.parametrize("read", [replay, weighted])
def test_a_log_of_its_own_choices_is_kept_whole(read: Callable[..., Replayed]) -> None:
    """Replay equals live: the bandit ends with the same distribution."""
    live = ContextualBandit(in_flight=0, random_state=5)
    log = []
    for event in world(60, 5):
        choice = live.choose(event.context, event.actions)
        log.append(event._replace(action=choice.action))
        live.learn(choice, event.reward)
    again = ContextualBandit(in_flight=0, random_state=5)
    found = read(again, log)
    ends = [bandit.distribution(np.ones(D), range(K))[1] for bandit in (live, again)]

    assert found.kept == found.events == 60
    np.testing.assert_array_equal(ends[0], ends[1])


def test_progressive_teaches_every_event() -> None:
    """Nothing is rejected: the bandit ends as if it had been given the log at once."""
    log = list(world(80, 6))
    taught, told = ContextualBandit(random_state=6), ContextualBandit(random_state=6)
    found = progressive(taught, log)
    told.learn_log(
        [event.context for event in log],
        [event.action for event in log],
        [event.reward for event in log],
    )
    ends = [bandit.distribution(np.ones(D), range(K))[1] for bandit in (taught, told)]

    assert found.kept == 80
    np.testing.assert_allclose(ends[0], ends[1], atol=1e-9)


def test_progressive_takes_any_known_propensity() -> None:
    """Weights are π / p as logged: rare events count for more."""
    log = [Shown(None, range(K), 2, 1.0, 0.05), Shown(None, range(K), 1, 1.0, 0.5)]
    found = progressive(Fixed(np.array([0.0, 0.5, 0.1, 0.4])), log)

    np.testing.assert_allclose(found.terms, [2.0, 1.0])


def test_nothing_kept_is_nothing_known() -> None:
    """No value and no interval, rather than 0."""
    log = [Shown(None, range(K), 1, 1.0)] * 3
    found = replay(Fixed(np.array([1.0, 0.0, 0.0, 0.0])), log)

    assert (found.kept, found.events) == (0, 3)
    assert np.isnan([found.value, *found.interval()]).all()


@pytest.mark.parametrize(
    ("log", "message"),
    [
        ([Shown(None, range(K), 7, 1.0)], "event 0 shows 7, which is not among its actions"),
        ([Shown(None, range(K), 1, 1.0, 0.0)], "event 0 has propensity 0.0; it is above 0"),
        ([Shown(None, range(K), 1, 1.0, 0.5)], "with probability 0.5 among 4 actions; .* 0.25"),
        (
            [Shown(None, range(K), 1, 1.0), Shown(None, range(3), 1, 1.0)],
            "event 1 has 3 actions, those before had 4",
        ),
    ],
)
@pytest.mark.parametrize("read", [replay, weighted])
def test_logs_that_are_not_uniform(
    read: Callable[..., Replayed], log: list[Shown], message: str
) -> None:
    """Refused, with the event and what would be right."""
    with pytest.raises(InvalidInput, match=message):
        read(Fixed(np.full(K, 1 / K)), log)


def test_a_learner_that_leaves_out_what_was_shown() -> None:
    """Its probability is not guessed to be 0."""
    with pytest.raises(InvalidInput, match="the learner says nothing of 'x', which was shown"):
        progressive(Fixed(np.full(K, 1 / K)), [Shown(None, ["x", "y"], "x", 1.0)])
