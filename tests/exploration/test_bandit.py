"""``ContextualBandit``: what it promises to people who have decisions but no shop."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import chi2

from equipoise.exploration import (
    Balance,
    Choice,
    ContextualBandit,
    EpsilonGreedy,
    GaussianBelief,
    Greedy,
    LogisticBelief,
    Optimism,
    Thompson,
)
from equipoise.exploration.bandit.kernels import KEPT, level_chances
from equipoise.interfaces import Conditional
from equipoise.randomness import derive
from equipoise.types import Floats, Scored

ACTIONS = ["red", "green", "blue"]
KINDS: list[dict[str, Any]] = [
    {},
    {"wide": 0},
    {"policy": Thompson()},
    {"policy": EpsilonGreedy(0.2)},
    {"budget": 0.05},
    {"belief": GaussianBelief(2)},
]


def world(n: int, seed: int, actions: int = 3, d: int = 2) -> tuple[Floats, Floats]:
    """Contexts (n, d), and 0 or 1 for each action: which is best depends on the context."""
    rng = derive(seed, "world")
    x = rng.normal(size=(n, d))
    worth = x @ rng.normal(size=(d, actions))
    return x, (worth >= worth.max(axis=1, keepdims=True)).astype(float)


def taught(n: int = 60, seed: int = 0, **keywords: Any) -> ContextualBandit:
    bandit = ContextualBandit(random_state=seed, **keywords)
    x, outcomes = world(n, seed)
    for row, earned in zip(x, outcomes, strict=True):
        choice = bandit.choose(row, ACTIONS)
        bandit.learn(choice, earned[ACTIONS.index(str(choice.action))])
    return bandit


def told(bandit: ContextualBandit, x: Floats, outcomes: Floats) -> list[Choice]:
    """Choose and learn through the object."""
    choices = []
    for row, earned in zip(x, outcomes, strict=True):
        choice = bandit.choose(row, range(outcomes.shape[1]))
        bandit.learn(choice, float(earned[int(str(choice.action))]))
        choices.append(choice)
    return choices


@pytest.mark.parametrize("keywords", KINDS, ids=str)
def test_propensities_are_the_distribution(keywords: dict[str, Any]) -> None:
    """``distribution`` sums to one, changes nothing, and says what ``choose`` then draws by."""
    bandit = taught(**keywords)
    for row in world(20, seed=1)[0]:
        ids, chance = bandit.distribution(row, ACTIONS)
        again = bandit.distribution(row, ACTIONS)[1]
        choice = bandit.choose(row, ACTIONS)

        assert ids == ACTIONS
        assert chance.sum() == pytest.approx(1.0, abs=1e-12)
        np.testing.assert_array_equal(chance, again)
        assert choice.propensity == pytest.approx(chance[ids.index(choice.action)], abs=1e-12)


def test_drawn_as_often_as_it_says() -> None:
    """Chi-square over 3,000 seeds of one state; false alarm 1e-6."""
    bandit = taught(260, policy=Thompson(), levels=[4.0], in_flight=0)
    context = np.array([0.02, -0.01])
    ids, chance = bandit.distribution(context, ACTIONS)
    drawn: Counter[Any] = Counter()
    for root in range(3_000):
        bandit.root, bandit.decisions = root, 7
        drawn[bandit.choose(context, ACTIONS).action] += 1
    expected = 3_000 * chance
    statistic = sum((drawn[id_] - e) ** 2 / e for id_, e in zip(ids, expected, strict=True))

    assert expected.min() > 5
    assert statistic < chi2.isf(1e-6, 2)


def test_same_seed_same_choices() -> None:
    """The luck of a decision depends on the seed and its number alone."""
    x, outcomes = world(50, seed=3)
    first, second, other = (told(ContextualBandit(random_state=s), x, outcomes) for s in (1, 1, 2))

    assert first == second
    assert [c.action for c in first] != [c.action for c in other]


def test_a_generator_is_a_seed() -> None:
    """scikit-learn's habit: ``random_state`` may be a generator."""
    roots = [ContextualBandit(random_state=derive(0, "root", str(key))).root for key in (1, 1, 2)]

    assert roots[0] == roots[1] != roots[2]


def test_learns_to_choose_well() -> None:
    """Which action is best depends on the context: after 1,000 decisions nine in ten are right."""
    x, outcomes = world(1_500, seed=4)
    chosen, _ = ContextualBandit(random_state=4).replay(x, outcomes)
    earned = outcomes[np.arange(len(x)), chosen]

    assert earned[1_000:].mean() > 0.9


def test_learns_what_is_not_linear() -> None:
    """Exclusive or: hopeless for a linear belief, and seen by the random features."""
    x = derive(5, "world").normal(size=(3_000, 2))
    odd = (x[:, 0] * x[:, 1] > 0).astype(float)
    outcomes = np.stack([odd, 1.0 - odd], axis=1)
    earned = {}
    for wide in (0, 64):
        chosen, _ = ContextualBandit(wide=wide, random_state=0).replay(x, outcomes)
        earned[wide] = outcomes[np.arange(len(x)), chosen][2_000:].mean()

    assert earned[0] < 0.65
    assert earned[64] > 0.9


@pytest.mark.parametrize("budget", [None, 0])
@pytest.mark.parametrize(("d", "actions"), [(0, 3), (2, 3), (9, 6)])
def test_replay_is_choose_and_learn(d: int, actions: int, budget: float | None) -> None:
    """The compiled loop makes the object's choices, and leaves the same bandit behind."""
    x, outcomes = world(400, seed=6, actions=actions, d=max(d, 1))
    x = x[:, :d]
    object_, compiled = (ContextualBandit(random_state=6, budget=budget) for _ in range(2))
    choices = told(object_, x, outcomes)
    chosen, propensity = compiled.replay(x, outcomes)

    assert [choice.action for choice in choices] == chosen.tolist()
    np.testing.assert_allclose([c.propensity for c in choices], propensity, rtol=1e-9)
    assert object_.rows == compiled.rows
    np.testing.assert_allclose(
        object_.distribution(x[0], range(actions))[1],
        compiled.distribution(x[0], range(actions))[1],
        rtol=1e-9,
        atol=1e-15,
    )


@pytest.mark.parametrize("keywords", [{"policy": Thompson()}, {"budget": 0.1}], ids=str)
def test_replay_of_what_is_not_compiled(keywords: dict[str, Any]) -> None:
    """Slower, and the same."""
    x, outcomes = world(40, seed=7)
    choices = told(ContextualBandit(**keywords), x, outcomes)
    chosen, propensity = ContextualBandit(**keywords).replay(x, outcomes)

    assert [choice.action for choice in choices] == chosen.tolist()
    assert [choice.propensity for choice in choices] == propensity.tolist()


@pytest.mark.parametrize("keywords", [{}, {"wide": 0}, {"belief": GaussianBelief(2)}], ids=str)
def test_a_log_teaches_as_choices_do(keywords: dict[str, Any]) -> None:
    """Whoever chose: the same contexts, actions and rewards, the same belief."""
    x, outcomes = world(300, seed=15)
    live, read = (ContextualBandit(random_state=15, **keywords) for _ in range(2))
    choices = told(live, x, outcomes)
    rewards = [float(row[int(str(c.action))]) for row, c in zip(outcomes, choices, strict=True)]
    read.learn_log(x, [choice.action for choice in choices], rewards)
    rows = np.array([read.rows[action] for action in range(3)])
    ours, theirs = (each.model.forecast(x[0], rows, None, np.ones(3)) for each in (read, live))

    assert read.rows == live.rows
    np.testing.assert_allclose(ours, theirs, rtol=1e-9)


@pytest.mark.parametrize(("factor", "shift"), [(1_000.0, 0.0), (0.001, 7.0), (3.0, -500.0)])
def test_rewards_in_any_unit(factor: float, shift: float) -> None:
    """Cents or euros, from any zero: the choices are the same."""
    x, outcomes = world(400, seed=8)
    plain, _ = ContextualBandit(random_state=8).replay(x, outcomes)
    other, _ = ContextualBandit(random_state=8).replay(x, factor * outcomes + shift)

    assert (plain == other).mean() > 0.99


def test_features_in_any_unit() -> None:
    """A price beside a share: features count relative to their own spread."""
    x, outcomes = world(400, seed=9)
    plain, _ = ContextualBandit(random_state=9).replay(x, outcomes)
    other, _ = ContextualBandit(random_state=9).replay(x * [1e5, 1e-4] + [3e5, 0.0], outcomes)
    earned = [outcomes[np.arange(400), chosen][200:].mean() for chosen in (plain, other)]

    assert earned[1] == pytest.approx(earned[0], abs=0.1)
    assert earned[0] > 0.8


def test_forecast_without_context_is_a_shrunk_mean() -> None:
    """Without context: the mean of an action's rewards, drawn to the mean of all by λ of the form
    that foretold best, to the bit of arithmetic done by hand."""
    bandit = ContextualBandit(random_state=0)
    rewards = {"a": [1.0, 0.0, 1.0, 1.0], "b": [0.0, 0.0, 1.0]}
    for id_, earned in rewards.items():
        for reward in earned:
            bandit.learn(Choice(0, (id_,), (1.0,), False, (), None, ((1.0,),)), reward)
    rows = np.array([bandit.rows["a"], bandit.rows["b"], -1])
    mean, _ = bandit.model.forecast(np.zeros(0), rows, None, np.ones(3))
    tables = bandit.model.tables  # type: ignore[union-attr]
    weight = np.exp(tables.evidence - tables.evidence.max())
    weight /= weight.sum()
    centre = 4 / 7
    by_hand = [
        sum(
            w * (lam * centre + sum(earned)) / (lam + len(earned))
            for w, lam in zip(weight, (1.0, 10.0, 100.0), strict=True)
        )
        for earned in rewards.values()
    ]

    np.testing.assert_allclose(mean, [*by_hand, centre], rtol=1e-12)


def test_linear_forecast_is_ridge() -> None:
    """Each form is the ridge regression of all rewards so far, about their mean of today."""
    bandit = taught(300, wide=0)
    model = bandit.model
    start = float(model.tables.totals[0])  # type: ignore[union-attr]
    x, earned = world(40, seed=11)
    for row, outcome in zip(x, earned, strict=True):
        bandit.learn(Choice(0, ("new",), (1.0,), False, tuple(row), None, ((1.0,),)), outcome[0])
    tables = model.tables  # type: ignore[union-attr]
    centre = tables.totals[1] + tables.totals[2]
    z = np.hstack([np.ones((40, 1)), model.scale.of(x)])  # type: ignore[union-attr]
    expected = np.linalg.solve(z.T @ z + np.eye(3), z.T @ (earned[:, 0] - centre))
    at = slice(3, 6)  # after the three constants, the form with λ = 1
    row = bandit.rows["new"]
    own = tables.coefficients[row, at] - tables.totals[2] * tables.ones[row, at]

    assert start == 300
    np.testing.assert_allclose(own, expected, rtol=1e-9, atol=1e-12)


def test_levels_are_optimism() -> None:
    """The compiled levels are the policy's own probabilities, level 0 greedy with shared ties."""
    rng = derive(0, "levels")
    policy = Optimism(reach=1.5)
    for case in range(20):
        mean, variance = rng.normal(size=6), rng.uniform(size=6) ** 2
        if case % 3 == 0:
            mean[1] = mean[0]
        open_ = rng.random(6) < 0.7
        open_[case % 6] = True
        levels = np.array([0.0, 0.5, 2.0])
        ours = level_chances(mean, variance, open_, 1.5 * levels, policy.temperature)
        scored = Scored(np.arange(6, dtype=np.int32), mean, variance)
        theirs = [policy.bind(scored, level)(open_) for level in levels]

        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-15)


def test_levels_follow_what_earns() -> None:
    """Where looking only costs the bandit learns to look less; every level keeps a share."""
    bandit = ContextualBandit(policy=EpsilonGreedy(0.5), levels=[0.0, 1.0], random_state=0)
    bandit.replay(np.zeros((400, 0)), np.tile([1.0, 0.5, 0.0, 0.0], (400, 1)))
    weight = bandit._policy().weights

    assert weight[0] > 0.8
    assert weight.sum() == pytest.approx(1.0)
    assert weight[1] >= KEPT / 2


@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_slates(n: int) -> None:
    """Different actions, a propensity for each slot, and for the whole their product."""
    bandit = taught()
    choice = bandit.choose([0.3, 0.1], ACTIONS, n=n)

    assert len(choice.actions) == len(set(choice.actions)) == min(n, 3)
    assert choice.propensity == pytest.approx(np.prod(choice.propensities))
    assert choice.propensities[2:] == ((1.0,) if n > 2 else ())


def test_slate_is_learnt_slot_by_slot() -> None:
    """As two single choices would be; a slot that nobody saw teaches nothing."""
    slate, single = taught(), taught()
    context = (0.3, 0.1)
    choice = slate.choose(context, ACTIONS, n=3)
    single.choose(context, ACTIONS, n=3)
    slate.learn(choice, [1.0, None, 0.0])
    single.awaited.land(choice.number)
    for slot, reward in ((0, 1.0), (2, 0.0)):
        part = Choice(
            -1, (choice.actions[slot],), (choice.propensities[slot],), False, choice.context, None,
            (choice.advice[slot],),
        )  # fmt: skip
        single.learn(part, reward)

    np.testing.assert_array_equal(
        slate.distribution(context, ACTIONS)[1], single.distribution(context, ACTIONS)[1]
    )


def test_one_number_for_a_slate() -> None:
    """Shared out evenly."""
    whole, parts = taught(), taught()
    for bandit, reward in ((whole, 3.0), (parts, [1.0, 1.0, 1.0])):
        bandit.learn(bandit.choose([0.0, 1.0], ACTIONS, n=3), reward)  # type: ignore[arg-type]

    np.testing.assert_array_equal(
        whole.distribution([0.0, 1.0], ACTIONS)[1], parts.distribution([0.0, 1.0], ACTIONS)[1]
    )


def test_choices_keep_as_json() -> None:
    """Days later, in another order, through JSON: learnt as if they had never left."""
    x, outcomes = world(30, seed=12)
    kept, sent = ContextualBandit(), ContextualBandit()
    pairs = []
    for row, earned in zip(x, outcomes, strict=True):
        choice = kept.choose(row, [("size", 1), ("size", 2)])
        assert sent.choose(row, [("size", 1), ("size", 2)]) == choice
        pairs.append((choice, float(earned[0])))
    for choice, reward in reversed(pairs):
        kept.learn(choice, reward)
        back = Choice.from_dict(json.loads(json.dumps(choice.to_dict())))
        assert back == choice
        sent.learn(back, reward)

    np.testing.assert_array_equal(
        kept.distribution(x[0], [("size", 1), "new"])[1],
        sent.distribution(x[0], [("size", 1), "new"])[1],
    )


def test_choice_of_another_bandit() -> None:
    """A choice holds all that learning needs: whoever has it may learn from it first."""
    choice = ContextualBandit().choose([1.0, 2.0], ACTIONS)
    bandit = ContextualBandit()
    bandit.learn(choice, 1.0)

    assert bandit.rows == {choice.action: 0}
    assert bandit.distribution([1.0, 2.0], ACTIONS)[1].sum() == pytest.approx(1.0)


def test_new_actions_are_tried() -> None:
    """An action that comes late is found, if it is better; one that vanishes is not chosen."""
    bandit = ContextualBandit(random_state=1)
    worth = {"old": 0.3, "older": 0.25, "new": 0.9}
    luck = derive(1, "rewards")
    for _ in range(300):
        choice = bandit.choose(None, ["old", "older"])
        bandit.learn(choice, float(luck.random() < worth[str(choice.action)]))
    late = []
    for _ in range(300):
        choice = bandit.choose(None, ["older", "new"])
        bandit.learn(choice, float(luck.random() < worth[str(choice.action)]))
        late.append(choice.action)

    assert late[100:].count("new") > 180


def test_features_of_actions_tell_of_new_ones() -> None:
    """What its like earned says what a new action will: chosen well before it was ever tried."""
    rng = derive(13, "features")
    bandit = ContextualBandit(random_state=13)
    right = 0
    for step in range(600):
        context = rng.normal(size=2)
        actions = {(step, k): rng.normal(size=2) for k in range(5)}
        worth = {id_: float(context @ e) for id_, e in actions.items()}
        choice = bandit.choose(context, actions)
        bandit.learn(choice, worth[choice.action] + 0.1 * rng.normal())  # type: ignore[index]
        right += step >= 400 and choice.action == max(worth, key=worth.__getitem__)

    assert right > 160


def test_many_features_are_projected() -> None:
    """More products of context and action than ``wide``: random ones stand for them."""
    rng = derive(14, "features")
    bandit = ContextualBandit(random_state=14, wide=8)
    for _ in range(300):
        actions = {k: rng.normal(size=6) for k in range(4)}
        choice = bandit.choose(rng.normal(size=5), actions)
        bandit.learn(choice, float(actions[int(str(choice.action))][0]))
    ids, chance = bandit.distribution(
        np.zeros(5), {"good": [2.0] + [0.0] * 5, "bad": [-2.0] + [0.0] * 5}
    )

    assert chance[ids.index("good")] > 0.9


def test_in_flight_spreads_choices() -> None:
    """While rewards are awaited an unknown action does not take every decision."""
    spread = {}
    for in_flight in (0, 1_000):
        bandit = ContextualBandit(random_state=0, in_flight=in_flight, policy=Optimism())
        for id_ in "abcdef":
            for reward in (0.0, 1.0):
                bandit.learn(Choice(0, (id_,), (1.0,), False, (), None, ((1.0,),)), reward)
        bandit.learn(Choice(0, ("a",), (1.0,), False, (), None, ((1.0,),)), 0.6)
        chosen = Counter(bandit.choose(None, "abcdef").action for _ in range(60))
        spread[in_flight] = max(chosen.values())

    assert spread[1_000] < 20 < spread[0]


def test_awaited_choices_are_bounded() -> None:
    """Of those whose reward never comes the oldest are given up; a reward may still come."""
    bandit = ContextualBandit(in_flight=5)
    choices = [bandit.choose(None, ["a", "b"]) for _ in range(9)]
    bandit.learn(choices[0], 1.0)
    for choice in choices[4:]:
        bandit.learn(choice, 0.0)

    assert len(bandit.awaited) == 0
    assert bandit.awaited.left(["a", "b"], {"a": 1.0, "b": 2.0}).tolist() == [1.0, 1.0]


@pytest.mark.parametrize("keywords", KINDS, ids=str)
@pytest.mark.parametrize("n", [5, 400])
def test_saved_and_loaded_goes_on_the_same(
    keywords: dict[str, Any], n: int, tmp_path: Path
) -> None:
    """Early and late: arrays hold everything, awaited choices too."""
    steps = 60 if "policy" in keywords or "belief" in keywords or "budget" in keywords else n
    bandit = taught(min(n, steps), **keywords)
    x, outcomes = world(30, seed=20)
    open_choice = bandit.choose(x[0], ACTIONS)
    bandit.save(tmp_path / "bandit.npz")
    loaded = ContextualBandit.load(tmp_path / "bandit.npz", **keywords)
    for each in (bandit, loaded):
        each.learn(open_choice, 1.0)
    first, second = (
        [(c.action, c.propensity) for c in told(each, x, outcomes)] for each in (bandit, loaded)
    )

    assert first == second


def test_saved_with_features(tmp_path: Path) -> None:
    """The regression that actions share is saved too."""
    bandit = ContextualBandit(random_state=3)
    actions = {"a": [0.0, 1.0], 2: [1.0, 0.5], (1, "x"): [0.3, 0.3]}
    for step in range(10):
        bandit.learn(bandit.choose([float(step)], actions), float(step % 3))
    bandit.save(tmp_path / "bandit.npz")
    loaded = ContextualBandit.load(tmp_path / "bandit.npz")
    for each in (bandit, loaded):
        for step in range(10):
            each.learn(each.choose([float(step)], actions), float(step % 2))

    np.testing.assert_array_equal(
        bandit.distribution([1.0], actions)[1], loaded.distribution([1.0], actions)[1]
    )
    assert list(loaded.rows) == list(bandit.rows)


def test_saved_before_anything(tmp_path: Path) -> None:
    """A fresh bandit too."""
    ContextualBandit(random_state=4).save(tmp_path / "bandit.npz")

    assert ContextualBandit.load(tmp_path / "bandit.npz").root == 4


def test_budget_is_held() -> None:
    """What exploring costs, by the bandit's own account, stays at or under its share."""
    x, outcomes = world(1_500, seed=21, actions=5)
    outcomes = outcomes + 0.5
    spent = {}
    for budget in (0.02, 0.1):
        bandit = ContextualBandit(
            policy=EpsilonGreedy(0.5), budget=Balance(target=budget, step=0.01), random_state=1
        )
        told(bandit, x, outcomes)
        assert bandit.balance is not None
        assert bandit.balance_state is not None
        spent[budget] = bandit.balance.measured(bandit.balance_state)

    assert spent[0.02] == pytest.approx(0.02, rel=0.3)
    assert spent[0.1] == pytest.approx(0.1, rel=0.3)


def test_no_budget_is_greedy() -> None:
    """Budget 0: the highest mean, always."""
    bandit = taught(budget=0)
    for row in world(20, seed=22)[0]:
        choice = bandit.choose(row, ACTIONS)

        assert not choice.explored
        assert choice.propensity == pytest.approx(1.0)


def test_all_rewards_alike() -> None:
    """Nothing says what their unit is; nothing breaks, and actions go on being tried."""
    bandit = ContextualBandit(random_state=0)
    chosen = Counter()
    for _ in range(60):
        choice = bandit.choose([1.0, 1.0], ACTIONS)
        bandit.learn(choice, 0.0)
        chosen[choice.action] += 1

    assert set(chosen) == set(ACTIONS)


@pytest.mark.parametrize(
    ("context", "actions", "n", "message"),
    [
        ([[1.0, 2.0]], ACTIONS, None, r"it must be None or \(d,\) finite numbers"),
        ([1.0, np.nan], ACTIONS, None, r"it must be None or \(d,\) finite numbers"),
        ([1.0, 2.0], [], None, "there are no actions"),
        ([1.0, 2.0], ["a", "b", "a"], None, "action 'a' comes twice"),
        ([1.0], ACTIONS, None, "the context has 1 numbers; it had 2 before"),
        (None, ACTIONS, None, "the context has 0 numbers; it had 2 before"),
        ([1.0, 2.0], {"a": [1.0]}, None, "actions have 1 features; they had no features before"),
        ([1.0, 2.0], {"a": [1.0], "b": [1.0, 2.0]}, None, "the same number of finite ones"),
        ([1.0, 2.0], ACTIONS, 0, "n is 0; a slate holds one action at least"),
    ],
)
def test_refuses_questions(context: Any, actions: Any, n: int | None, message: str) -> None:
    """With what was wrong and what would be right."""
    bandit = taught(3)
    with pytest.raises(ValueError, match=message):
        bandit.choose(context, actions, n=n)


@pytest.mark.parametrize(
    ("n", "reward", "message"),
    [
        (None, np.inf, "a reward is inf; it must be finite"),
        (3, [1.0, 2.0], "3 slots have 2 rewards"),
        (3, [1.0, 2.0, np.nan], "a reward is nan"),
    ],
)
def test_refuses_rewards(n: int | None, reward: Any, message: str) -> None:
    """And learns nothing of them."""
    bandit = taught(3)
    choice = bandit.choose([1.0, 2.0], ACTIONS, n=n)
    with pytest.raises(ValueError, match=message):
        bandit.learn(choice, reward)

    assert len(bandit.awaited) == 1


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"wide": -1}, "wide is -1"),
        ({"in_flight": -1}, "in_flight is -1"),
        ({"levels": []}, "levels are"),
        ({"levels": [1.0, -1.0]}, "each finite, 0 or more"),
        ({"budget": 1.5}, "target is 1.5"),
    ],
)
def test_refuses_settings(keywords: dict[str, Any], message: str) -> None:
    """At once, not at the first choice."""
    with pytest.raises(ValueError, match=message):
        ContextualBandit(**keywords)


def test_refuses_a_choice_of_other_fields() -> None:
    """From another version, or another object."""
    with pytest.raises(ValueError, match="a choice has the fields number, actions"):
        Choice.from_dict({"action": 3})


def test_refuses_outcomes() -> None:
    """A row of outcomes for each row of contexts, all finite."""
    with pytest.raises(ValueError, match=r"they are \(n, d\), \(n, K\)"):
        ContextualBandit().replay(np.zeros((3, 2)), np.zeros(3))
    with pytest.raises(ValueError, match="must be finite"):
        ContextualBandit().replay(np.zeros((1, 2)), np.array([[np.nan, 0.0]]))


def test_refuses_a_log() -> None:
    """One action and one reward for each context; actions without features."""
    with pytest.raises(ValueError, match="3 contexts have 2 actions and 3 rewards"):
        ContextualBandit().learn_log(np.zeros((3, 2)), ["a", "b"], [0.0, 1.0, 0.0])
    with pytest.raises(ValueError, match="rewards must be finite"):
        ContextualBandit().learn_log(np.zeros((1, 2)), ["a"], [np.inf])
    bandit = ContextualBandit()
    bandit.choose([1.0], {"a": [1.0]})
    with pytest.raises(ValueError, match="actions have no features; they had 1 features before"):
        bandit.learn_log(np.zeros((1, 1)), ["a"], [1.0])


def test_refuses_what_it_cannot_save(tmp_path: Path) -> None:
    """An id that JSON would bring back as another, and a belief that keeps no arrays."""

    class Dumb:
        def predict(self, x: Floats) -> tuple[Floats, Floats]:
            return np.zeros(len(x)), np.ones(len(x))

        def update(self, x: Floats, reward: Floats, weight: Floats | None = None) -> Dumb:
            return self

    bandit = ContextualBandit()
    bandit.learn(bandit.choose(None, [frozenset({1})]), 1.0)
    with pytest.raises(ValueError, match="cannot be saved: text, numbers and tuples"):
        bandit.save(tmp_path / "bandit.npz")
    with pytest.raises(ValueError, match="Dumb cannot be saved: it needs arrays"):
        ContextualBandit(belief=Dumb()).save(tmp_path / "bandit.npz")


def test_refuses_to_load_another_kind(tmp_path: Path) -> None:
    """And says in what they differ."""
    path = tmp_path / "bandit.npz"
    ContextualBandit(policy=Greedy()).save(path)
    with pytest.raises(ValueError, match="see policy, parameters, levels"):
        ContextualBandit.load(path)


def test_refuses_another_version(tmp_path: Path) -> None:
    """Of the file."""
    path = tmp_path / "bandit.npz"
    np.savez(path, about=np.frombuffer(b'{"version": 99}', dtype=np.uint8))
    with pytest.raises(ValueError, match="has version 99; this is version 1"):
        ContextualBandit.load(path)


class Told(Greedy):
    """Greedy, with an ear for what it is told."""

    heard: list[Scored] = []  # noqa: RUF012

    def bind(self, scored: Scored, level: float) -> Conditional:
        self.heard.append(scored)
        return super().bind(scored, level)


def test_the_policy_is_told_how_noisy_a_reward_is() -> None:
    """By the belief: ``m (1 − m)`` for chances, what a linear one was given, else from errors."""
    told = {}
    for name, belief in {
        "chances": LogisticBelief(2), "linear": GaussianBelief(2, noise=0.3), "forms": None,
    }.items():  # fmt: skip
        bandit = ContextualBandit(policy=Told(), levels=(1.0,), belief=belief, random_state=0)
        for reward in (1.0, 0.0, 1.0):
            bandit.learn(bandit.choose([1.0, 0.5], ["a", "b"]), reward)
        bandit.distribution([1.0, 0.5], ["a", "b"])
        told[name] = Told.heard[-1]

    mean = told["chances"].mean
    assert np.allclose(told["chances"].noise, mean * (1.0 - mean))
    assert np.allclose(told["linear"].noise, 0.3)
    assert (told["forms"].noise > 0).all()
