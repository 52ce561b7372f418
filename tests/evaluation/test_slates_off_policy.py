"""Slate estimators: exactly unbiased where their assumption holds, summed over every slate."""

from __future__ import annotations

import numpy as np
import pytest

from equipoise.errors import InvalidInput
from equipoise.evaluation.off_policy.slates import (
    cascade_dr,
    every_slate,
    iips,
    pair_chances,
    prefix_weights,
    product_weights,
    pseudo_inverse,
    pseudo_inverse_weights,
    rips,
    sips,
    slot_chances,
)
from equipoise.exploration.policies import EpsilonGreedy, PlackettLuce, Thompson
from equipoise.randomness import derive
from equipoise.types import Scored

ITEMS, SLOTS = 5, 3
LOOKS = np.array([1.0, 0.6, 0.3])


class World:
    """Every slate of three of five, with both policies' probabilities of it."""

    def __init__(self, target) -> None:
        rng = derive(3, "slates")
        scored = Scored(
            np.arange(ITEMS, dtype=np.int32), rng.random(ITEMS), rng.random(ITEMS) * 0.05
        )
        self.slates, self.logged = every_slate(PlackettLuce(2.0).bind(scored, 1.0), ITEMS, SLOTS)
        _, self.target = every_slate(target.bind(scored, 1.0), ITEMS, SLOTS)
        self.chance, self.asked = self.logged.prod(axis=1), self.target.prod(axis=1)
        # Tables from which rewards of any dependence are read.
        self.own = rng.random((SLOTS, ITEMS))
        self.pair = rng.random((ITEMS, ITEMS))

    def marginal(self, chance):
        """(S, L) chance of each slate's item at its slot."""
        table = slot_chances(self.slates, ITEMS, chance)
        return table[np.arange(SLOTS), self.slates]

    def reward(self, kind: str):
        """(S, L) of each slot: of its ``own`` item, of the items ``before``, of the ``whole``."""
        alone = self.own[np.arange(SLOTS), self.slates]
        if kind == "own":
            return alone
        before = np.ones_like(alone)
        for slot in range(1, SLOTS):
            before[:, slot] = before[:, slot - 1] * self.pair[self.slates[:, slot - 1],
                                                              self.slates[:, slot]]  # fmt: skip
        cascade = alone * before
        if kind == "before":
            return cascade
        return cascade * self.pair[self.slates[:, -1], self.slates[:, 0]][:, None]

    def model(self, reward):
        """(predicted, planned) of the cascade: exact sums over what may follow."""
        left = reward * LOOKS
        predicted, planned = np.zeros_like(left), np.zeros_like(left)
        following = np.zeros(len(left))
        for slot in reversed(range(SLOTS)):
            predicted[:, slot] = left[:, slot] + following
            planned[:, slot] = self.mean_over(slot, self.target[:, slot], predicted[:, slot])
            following = planned[:, slot]
        return predicted, planned

    def mean_over(self, slot, chance, value):
        """Mean of ``value`` over the item at ``slot``, given the items before it."""
        mean = np.zeros(len(value))
        for prefix in np.unique(self.slates[:, :slot], axis=0):
            rows = (self.slates[:, :slot] == prefix).all(axis=1)
            # Each item at this slot stands in as many rows as there are ways to go on.
            ways = rows.sum() / len(np.unique(self.slates[rows, slot]))
            mean[rows] = (chance[rows] * value[rows]).sum() / ways
        return mean


@pytest.fixture(scope="module")
def world() -> World:
    return World(Thompson())


def estimates(world: World, reward):
    """Name → terms (S,), one a slate that could be logged."""
    own = world.marginal(world.chance), world.marginal(world.asked)
    pairs = pair_chances(world.slates, ITEMS, world.chance)
    wanted = slot_chances(world.slates, ITEMS, world.asked)
    weight = pseudo_inverse_weights(pairs, wanted, world.slates)
    wrong = np.full(reward.shape, 0.4), np.full(reward.shape, 0.4)
    return {
        "sips": sips(reward, world.logged, world.target, looks=LOOKS),
        "rips": rips(reward, world.logged, world.target, looks=LOOKS),
        "cascade_dr": cascade_dr(reward, world.logged, world.target, *wrong, looks=LOOKS),
        "iips": iips(reward, *own, looks=LOOKS),
        "pseudo_inverse": pseudo_inverse(reward @ LOOKS, weight),
    }


@pytest.mark.parametrize(
    ("kind", "unbiased"),
    [
        ("own", {"sips", "rips", "cascade_dr", "iips", "pseudo_inverse"}),
        ("before", {"sips", "rips", "cascade_dr"}),
        ("whole", {"sips"}),
    ],
)
def test_unbiased_where_its_assumption_holds_and_nowhere_else(world, kind, unbiased) -> None:
    """Summed over every slate the log could hold, each estimator is the truth to the last digits
    just where the reward depends on what it allows for."""
    reward = world.reward(kind)
    truth = world.asked @ (reward @ LOOKS)

    found = {
        name
        for name, terms in estimates(world, reward).items()
        if abs(world.chance @ terms - truth) < 1e-10
    }

    assert found == unbiased


def test_less_is_assumed_more_it_varies(world) -> None:
    """With rewards of each slot's own: iips varies less than rips, and rips than sips."""
    terms = estimates(world, world.reward("own"))
    spread = {name: world.chance @ (one - world.chance @ one) ** 2 for name, one in terms.items()}

    assert spread["iips"] < spread["rips"] < spread["sips"]


def test_a_right_model_leaves_nothing_to_chance(world) -> None:
    """cascade_dr of the true model is the value itself at *every* slate."""
    reward = world.reward("before")
    terms = cascade_dr(reward, world.logged, world.target, *world.model(reward), looks=LOOKS)

    assert terms == pytest.approx(world.asked @ (reward @ LOOKS))


def test_conditional_propensities_are_not_marginal(world) -> None:
    """iips of what the log stores per slot is biased even where slots are independent."""
    reward = world.reward("own")
    terms = iips(reward, world.logged, world.target, looks=LOOKS)

    assert abs(world.chance @ terms - world.asked @ (reward @ LOOKS)) > 1e-3


def test_own_policy_is_its_own_mean(world) -> None:
    """Asked about the policy that wrote the log, every estimator gives the rewards as they were."""
    reward, same = world.reward("whole"), (world.logged, world.logged)
    whole = reward.sum(axis=1)

    assert sips(reward, *same) == pytest.approx(whole)
    assert rips(reward, *same) == pytest.approx(whole)
    assert iips(reward, *same) == pytest.approx(whole)
    assert product_weights(*same) == pytest.approx(1)


@pytest.mark.parametrize("estimator", [sips, rips, iips])
def test_normalised_terms_have_the_ratio_as_mean(world, estimator) -> None:
    """Σwr/Σw slot by slot; a constant on every reward passes through whole."""
    reward = world.reward("before")
    pair = (world.logged, world.target)
    weight = {
        sips: np.repeat(prefix_weights(*pair)[:, -1:], SLOTS, axis=1),
        rips: prefix_weights(*pair),
        iips: world.target / world.logged,
    }[estimator]
    ratio = ((weight * reward).sum(axis=0) / weight.sum(axis=0)).sum()

    assert estimator(reward, *pair, normalise=True).mean() == pytest.approx(ratio)
    assert estimator(reward + 5, *pair, normalise=True).mean() == pytest.approx(ratio + 5 * SLOTS)


def test_normalised_cascade_and_pseudo_inverse(world) -> None:
    """Both parts of cascade_dr are normalised by their own weights; constants cancel."""
    reward = world.reward("before")
    five = np.full(reward.shape, 5.0)
    flat = cascade_dr(0 * reward + 5, world.logged, world.target, five, five, normalise=True)
    weight = np.linspace(-1, 3, 60)

    assert flat.mean() == pytest.approx(5 * SLOTS)
    assert pseudo_inverse(np.full(60, 2.0), weight, normalise=True).mean() == pytest.approx(2)


def test_twenty_small_slots_keep_their_digits() -> None:
    """Twenty conditionals of 1e-20 multiply to 1e-400, which no float holds; their ratio does."""
    logged = np.full((1, 20), 1e-20)

    assert sips(np.full((1, 20), 0.05), logged, 2 * logged)[0] == pytest.approx(2.0**20)
    assert prefix_weights(logged, logged)[0] == pytest.approx(np.ones(20))


def test_pins_and_empty_slots_change_nothing(world) -> None:
    """A slot of probability 1 on both sides and reward 0 leaves every term as it was."""
    reward = world.reward("whole")
    ones, none = np.ones((len(reward), 1)), np.zeros((len(reward), 1))
    longer = np.hstack((none, reward, none))
    logged, target = (np.hstack((ones, p, ones)) for p in (world.logged, world.target))

    for estimator in (sips, rips, iips):
        assert estimator(longer, logged, target) == pytest.approx(
            estimator(reward, world.logged, world.target)
        )


def test_what_the_target_never_shows_has_no_weight(world) -> None:
    """Greedy gives 0 to all slates but its own; the weights of prefixes stay 0 once they are."""
    greedy = World(EpsilonGreedy(0.0))
    weight = prefix_weights(greedy.logged, greedy.target)
    reward = greedy.reward("before")

    assert np.isfinite(weight).all()
    assert (weight[weight[:, 0] == 0] == 0).all()
    assert greedy.chance @ rips(reward, greedy.logged, greedy.target) == pytest.approx(
        greedy.asked @ reward.sum(axis=1)
    )


def test_independent_slots_have_the_pseudo_inverse_in_closed_form() -> None:
    """Slots filled independently (repeats allowed): Γ† gives 1 + Σ(ratio − 1)."""
    rng = derive(5, "slates")
    logged, target = rng.dirichlet(np.full(4, 2.0), 2), rng.dirichlet(np.full(4, 2.0), 2)
    slates = np.array([(i, j) for i in range(4) for j in range(4)])
    chance = logged[0, slates[:, 0]] * logged[1, slates[:, 1]]
    pairs = pair_chances(slates, 4, chance)
    weight = pseudo_inverse_weights(pairs, target, slates)
    of_slate = (table[np.arange(2), slates] for table in (logged, target))

    assert product_weights(*of_slate) == pytest.approx(weight)


def test_every_slate_is_a_distribution(world) -> None:
    """Probabilities of all slates sum to 1, and are what the policy says slot by slot."""
    assert len(world.slates) == 60
    assert world.chance.sum() == pytest.approx(1)
    assert slot_chances(world.slates, ITEMS, world.chance).sum(axis=1) == pytest.approx(1)
    first = slot_chances(world.slates, ITEMS, world.chance)[0]
    assert world.logged[:, 0] == pytest.approx(first[world.slates[:, 0]])


def test_drawn_slates_estimate_the_same_chances(world) -> None:
    """20,000 draws in place of all slates: chances within five standard errors; Γ's diagonal is
    that of the slots, and a slot never holds two."""
    drawn = world.slates[derive(6, "slates").choice(60, size=20_000, p=world.chance)]
    exact, found = (slot_chances(world.slates, ITEMS, world.chance), slot_chances(drawn, ITEMS))
    pairs = pair_chances(drawn, ITEMS)

    assert (np.abs(found - exact) < 5 * np.sqrt(exact * (1 - exact) / 20_000)).all()
    assert np.diag(pairs) == pytest.approx(found.ravel())
    assert (pairs[:ITEMS, :ITEMS] == np.diag(np.diag(pairs)[:ITEMS])).all()
    assert pairs == pytest.approx(pairs.T)


def test_refusals(world) -> None:
    """What cannot be a log is refused, with the place."""
    reward, logged, target = np.zeros((3, 2)), np.full((3, 2), 0.5), np.full((3, 2), 0.5)
    zero, over = logged.copy(), target.copy()
    zero[1, 0], over[2, 1] = 0, 1.5
    with pytest.raises(InvalidInput, match=r"logged .* row 1, slot 0 is 0.0.*was shown"):
        sips(reward, zero, target)
    with pytest.raises(InvalidInput, match=r"target probability at row 2, slot 1 is 1.5"):
        rips(reward, logged, over)
    with pytest.raises(InvalidInput, match=r"target probability at row 0, slot 0 is nan"):
        iips(reward, logged, target * np.nan)
    with pytest.raises(InvalidInput, match=r"target has shape \(3, 1\); \(3, 2\) is needed"):
        sips(reward, logged, target[:, :1])
    with pytest.raises(InvalidInput, match=r"rewards has shape \(3,\); \(3, 2\) is needed"):
        sips(reward[:, 0], logged, target)
    with pytest.raises(InvalidInput, match=r"looks has shape \(3,\); \(2,\) is needed"):
        sips(reward, logged, target, looks=np.ones(3))
    with pytest.raises(InvalidInput, match=r"planned has shape \(3,\)"):
        cascade_dr(reward, logged, target, reward, reward[:, 0])
    with pytest.raises(InvalidInput, match=r"weights has shape \(2,\); \(3,\) is needed"):
        pseudo_inverse(np.zeros(3), np.zeros(2))
    with pytest.raises(InvalidInput, match=r"logged has shape \(3,\); a row a slate"):
        prefix_weights(logged[:, 0], target)
    with pytest.raises(InvalidInput, match=r"the weights of slot 1 sum to 0.0"):
        rips(reward, logged, target * [1, 0], normalise=True)


def test_pseudo_inverse_refuses_what_the_log_never_shows() -> None:
    """A log of one slate says nothing about a target that shows others."""
    slates = np.array([[0, 1]])
    pairs = pair_chances(slates, 3)
    target = np.full((2, 3), 1 / 3)

    assert pseudo_inverse_weights(pairs, slot_chances(slates, 3), slates) == pytest.approx(1)
    with pytest.raises(InvalidInput, match="shows items at slots where the log never could"):
        pseudo_inverse_weights(pairs, target, slates)
