"""Exponential weights: arithmetic by hand, bounds kept against an adversary, experts mixed."""

from __future__ import annotations

import math

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.exploration import (
    EpsilonGreedy,
    Expert,
    ExponentialState,
    ExponentialWeights,
    Greedy,
    Mixture,
    PlackettLuce,
    Thompson,
)
from equipoise.exploration.policies.exponential import complexity
from equipoise.randomness import derive
from equipoise.slates.draw import draw, probability_of
from equipoise.slates.rules import Rules
from equipoise.testing.policies import check_policy
from equipoise.types import Floats, Scored

THREE = Scored(np.arange(3, dtype=np.int32), np.array([0.1, 0.3, 0.2]), np.array([0.04, 0.01, 0.1]))


def test_one_update_by_hand() -> None:
    """EXP3: w ← w e^(−η ℓ / p) for what was shown; mix is added to what is read, not kept."""
    bandit = ExponentialWeights(3, rate=0.3, mix=0.1, implicit=0.0, low=0.0, high=2.0)
    state = bandit.update(bandit.init(), 1, 0.5, 0.25)
    weight = np.array([1.0, math.exp(-0.3 * 0.75 / 0.25), 1.0])

    np.testing.assert_allclose(bandit.weights(state), 0.9 * weight / weight.sum() + 0.1 / 3)
    assert state.rounds == 1


def test_implicit_exploration_and_share_by_hand() -> None:
    """EXP3-IX divides by p + γ, γ = η / 2 unless said; share spreads what is there."""
    bandit = ExponentialWeights(2, rate=0.4, share=0.1)
    state = bandit.update(bandit.init(), 0, 0.0, 0.5)
    weight = np.array([math.exp(-0.4 / 0.7), 1.0])

    np.testing.assert_allclose(bandit.weights(state), 0.9 * weight / weight.sum() + 0.05)


def test_experts_are_credited_by_what_they_advised() -> None:
    """EXP4: each expert loses in proportion to the chance it gave to what was shown."""
    experts = ExponentialWeights(3, rate=0.2, implicit=0.0)
    state = experts.credit(experts.init(), [0.0, 0.5, 1.0], 0.0, 0.5)
    weight = np.exp(-0.2 * np.array([0.0, 1.0, 2.0]))

    np.testing.assert_allclose(experts.weights(state), weight / weight.sum())


@settings(max_examples=30, derandomize=True, deadline=None)
@given(seed=st.integers(0, 10**6), share=st.sampled_from([0.0, 0.01, 1.0]))
def test_weights_stay_a_distribution(seed: int, share: float) -> None:
    """After losses that no float holds as a weight: finite, sum 1, and through JSON the same."""
    rng, bandit = derive(seed, "test exponential"), ExponentialWeights(4, rate=5.0, share=share)
    state = bandit.init()
    for _ in range(200):
        state = bandit.update(state, int(rng.integers(4)), float(rng.random()), 1e-3)
    again = msgspec.json.decode(msgspec.json.encode(state), type=ExponentialState)

    weights = bandit.weights(state)
    assert abs(weights.sum() - 1.0) < 1e-12
    assert (weights >= share / 4 * (1 - 1e-9)).all()
    assert np.isfinite(state.log_weights).all()
    assert again == state


def switching(horizon: int, arms: int, spells: int) -> Floats:
    """(horizon, arms) rewards an adversary fixed: each spell another arm is the good one."""
    rewards = np.full((horizon, arms), 0.1)
    for t in range(horizon):
        rewards[t, (3 * (t * spells // horizon)) % arms] = 0.9
    return rewards


def earned(bandit: ExponentialWeights, rewards: Floats, seed: int) -> float:
    """Expected reward of following the weights, arm by arm drawn."""
    rng, state, total = derive(seed, "test exponential play"), bandit.init(), 0.0
    for row in rewards:
        weights = bandit.weights(state)
        total += float(weights @ row)
        arm = int(rng.choice(len(row), p=weights))
        state = bandit.update(state, arm, float(row[arm]), float(weights[arm]))
    return total


def test_it_tracks_the_best_arm_of_each_spell_within_the_bound() -> None:
    """Fixed share keeps its regret against the best sequence; without, a shift is not followed."""
    horizon, arms, spells = 3_000, 4, 3
    rewards = switching(horizon, arms, spells)
    tracking = ExponentialWeights.tuned(arms, horizon, switches=spells - 1)
    steady = ExponentialWeights.tuned(arms, horizon)
    best = float(rewards.max(axis=1).sum())
    bound = math.sqrt(2 * arms * horizon * complexity(arms, horizon, spells - 1))
    regret = [best - earned(tracking, rewards, seed) for seed in range(4)]
    alone = [best - earned(steady, rewards, seed) for seed in range(4)]

    assert bound < best - float(rewards.mean(axis=1).sum())
    assert np.mean(regret) < bound
    assert np.mean(regret) < 0.7 * np.mean(alone)


def test_exp3_keeps_its_bound_against_one_that_answers() -> None:
    """An adversary who pays what the weights favour least: regret to the best fixed arm."""
    horizon, arms = 2_000, 3
    bandit = ExponentialWeights.tuned(arms, horizon)
    rng, state = derive(5, "test exponential adversary"), bandit.init()
    mine, fixed = 0.0, np.zeros(arms)
    for _ in range(horizon):
        weights = bandit.weights(state)
        row = (np.arange(arms) == weights.argmin()).astype(float)
        arm = int(rng.choice(arms, p=weights))
        mine, fixed = mine + float(row[arm]), fixed + row
        state = bandit.update(state, arm, float(row[arm]), float(weights[arm]))

    assert fixed.max() - mine < math.sqrt(2 * arms * horizon * complexity(arms, horizon, 0))


def test_complexity_by_hand() -> None:
    """Near the logarithm of how many sequences there are: 10 updates, 3 arms, 2 changes."""
    sequences = math.comb(9, 2) * 3**3

    assert complexity(3, 10, 0) == pytest.approx(math.log(3))
    assert math.log(sequences) < complexity(3, 10, 2) < math.log(sequences) + 2
    assert complexity(3, 10, 9) == pytest.approx(10 * math.log(3))


def test_a_mixture_keeps_the_laws_of_a_policy() -> None:
    """Whatever its experts are, if they keep them."""
    check_policy(Mixture((PlackettLuce(), Thompson(), EpsilonGreedy()), (0.5, 0.3, 0.2)))


def test_a_mixture_by_hand_and_by_its_parameters() -> None:
    """Σ w p at each position, and a name for each weight."""
    mixture = Mixture((EpsilonGreedy(0.3), Greedy()), (0.25, 0.75))
    chance = mixture.bind(THREE, 1.0)(np.array([True, False, True]))

    np.testing.assert_allclose(chance, [0.25 * 0.15, 0, 0.75 + 0.25 * 0.85])
    assert mixture.parameters == {"0.epsilon_greedy": 0.25, "1.greedy": 0.75}


def test_an_expert_goes_by_its_own_scores() -> None:
    """A recommender's ranking stands beside our beliefs."""
    recommender = Expert(Greedy(), np.array([5.0, 1.0, 2.0]))
    mixture = Mixture((recommender, Greedy()), (0.4, 0.6))

    assert recommender.name == "greedy"
    assert recommender.parameters == {}
    np.testing.assert_allclose(mixture.bind(THREE, 1.0)(np.ones(3, bool)), [0.4, 0.6, 0.0])


def test_exp4_finds_the_expert_that_is_right() -> None:
    """Slates of two from a mixture; the log's own numbers credit the experts."""
    truth = np.array([0.1, 0.2, 0.9, 0.1])
    scored = Scored(np.arange(4, dtype=np.int32), np.array([0.5, 0.4, 0.1, 0.3]), np.full(4, 0.01))
    experts = (EpsilonGreedy(0.2), Expert(EpsilonGreedy(0.2), truth), EpsilonGreedy(1.0))
    learner, rng = ExponentialWeights.tuned(3, 600), derive(6, "test exp4")
    state, rules = learner.init(), Rules.of(n=4)
    for _ in range(300):
        mixture = Mixture(experts, tuple(learner.weights(state).tolist()))
        drawn = draw(mixture, scored, rules, 2, 1.0, np.ones(2), rng)
        advice = [probability_of(e, scored, rules, drawn.chosen, 1.0) for e in experts]
        for slot, item in enumerate(drawn.chosen):
            reward = float(rng.random() < truth[item])
            said = [float(one[slot]) for one in advice]
            state = learner.credit(state, said, reward, float(drawn.propensity[slot]))

    assert learner.weights(state)[1] > 0.8


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ExponentialWeights(0), "n is 0; there must be one expert at least"),
        (lambda: ExponentialWeights(2, rate=0.0), "rate is 0.0; it must be above 0"),
        (lambda: ExponentialWeights(2, mix=2.0), "mix is 2.0; it is a share"),
        (lambda: ExponentialWeights(2, share=-1.0), "share is -1.0; it is a share"),
        (lambda: ExponentialWeights(2, implicit=-1.0), "implicit is -1.0; it must be finite"),
        (lambda: ExponentialWeights(2, low=1.0), "rewards from 1.0 to 1.0; low must be below"),
        (
            lambda: ExponentialWeights.tuned(2, 5, switches=5),
            "5 switches in 5 updates; there must be fewer",
        ),
        (lambda: credit(arm=2), "arm 2; the arms count from 0 to 1"),
        (lambda: credit(reward=1.5), "reward is 1.5; it must be from 0.0 to 1.0: clip it"),
        (lambda: credit(reward=math.nan), "reward is nan"),
        (lambda: credit(propensity=0.0), "propensity is 0.0; it must be above 0"),
        (
            lambda: ExponentialWeights(2).credit(ExponentialWeights(2).init(), [0.5], 1.0, 1.0),
            "advice is [0.5]; it is one probability for each of 2",
        ),
        (lambda: Mixture((Greedy(),), (0.5,)), "weights are (0.5,); they must be shares"),
        (lambda: Mixture((Greedy(),), (0.5, 0.5)), "1 experts have 2 weights"),
    ],
)
def test_refusals(make: object, message: str) -> None:
    """What cannot be is refused, with the value and what would be right."""
    with pytest.raises(ValueError) as refusal:
        make()  # type: ignore[operator]

    assert message in str(refusal.value)


def credit(arm: int = 0, reward: float = 1.0, propensity: float = 0.5) -> ExponentialState:
    bandit = ExponentialWeights(2)
    return bandit.update(bandit.init(), arm, reward, propensity)
