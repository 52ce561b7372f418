"""Ours or theirs by a coin: the log's propensities are those of the mixture, exactly."""

from __future__ import annotations

from collections import Counter
from itertools import permutations

import numpy as np
import pytest
from scipy.stats import chi2

from equipoise.exploration import InOrder, PlackettLuce, Restrained, Thompson, Toss
from equipoise.exploration.coin import (
    FIRST,
    HELD,
    OURS,
    ours_weight,
)
from equipoise.interfaces import Policy
from equipoise.randomness import derive
from equipoise.slates.draw import draw, probability_of
from equipoise.slates.rules import Rules
from equipoise.types import Scored

N, SLOTS = 5, 3
LOOK = np.array([1.0, 0.7, 0.5])
SCORED = Scored(
    np.arange(N, dtype=np.int32),
    np.array([0.03, 0.06, 0.05, 0.02, 0.04]),
    np.array([1.0, 4.0, 2.0, 9.0, 1.0]) * 1e-4,
)
RULES = Rules.of(n=N, groups=np.array([0, 1, 1, -1, -1], dtype=np.int32), max_per_group=1)
TOSSES = {
    "their order": Toss(PlackettLuce(), 0.4, 3),
    "greedy": Toss(Thompson(), 0.5),
    "all theirs": Toss(PlackettLuce(), 0.0, 4),
}
FALSE_ALARM = 1e-6


def chance_of(toss: Toss, policy: Policy, slate: tuple[int, ...]) -> float:
    return float(probability_of(policy, SCORED, RULES, list(slate), 1.0).prod())


@pytest.mark.parametrize("name", TOSSES)
def test_propensities_are_those_of_the_mixture(name: str) -> None:
    """Over every slate that the rules allow: logged product = ours · P + (1 − ours) · P, and w is
    their share of it; rules and quotas at work."""
    toss, seen = TOSSES[name], {}
    for seed in range(400):
        drawn, weight = toss.draw(SCORED, RULES, SLOTS, 1.0, LOOK, derive(seed, "test coin"))
        seen[tuple(drawn.chosen.tolist())] = float(drawn.propensity.prod()), weight
    share = toss.ours or 0.0
    for slate, (logged, weight) in seen.items():
        theirs = chance_of(toss, toss.theirs, slate)
        both = share * chance_of(toss, toss.policy, slate) + (1 - share) * theirs

        assert logged == pytest.approx(both)
        assert weight == pytest.approx(theirs / both)
    assert len(seen) > 3 or name == "all theirs"


@pytest.mark.parametrize("name", TOSSES)
def test_drawn_frequencies_fit(name: str) -> None:
    """Chi-square over slates at 6,000 draws, false alarm 1e-6."""
    toss, draws = TOSSES[name], 6_000
    rng, share = derive(1, f"test coin {name}"), toss.ours or 0.0
    counted = Counter(
        tuple(toss.draw(SCORED, RULES, SLOTS, 1.0, LOOK, rng)[0].chosen.tolist())
        for _ in range(draws)
    )
    slates = [slate for slate in permutations(range(N), SLOTS) if not {1, 2} <= set(slate)]
    wanted = {
        slate: share * chance_of(toss, toss.policy, slate)
        + (1 - share) * chance_of(toss, toss.theirs, slate)
        for slate in slates
    }
    cells = [(counted[slate], draws * p) for slate, p in wanted.items() if draws * p >= 5]
    rare = draws - sum(seen for seen, _ in cells), draws - sum(p for _, p in cells)
    cells += [rare] if rare[1] > 1e-6 else []
    statistic = sum((seen - p) ** 2 / p for seen, p in cells)

    assert sum(wanted.values()) == pytest.approx(1.0)
    assert statistic < chi2.isf(FALSE_ALARM, max(len(cells) - 1, 1))


def test_weights_have_mean_one_and_judge_both() -> None:
    """Over all draws the mean of either weight is 1: the log can value ours and theirs."""
    toss = TOSSES["greedy"]
    pairs = [
        toss.draw(SCORED, RULES, SLOTS, 1.0, LOOK, derive(seed, "test coin weights"))[1]
        for seed in range(2_000)
    ]
    theirs = np.array(pairs)

    assert theirs.max() <= 2.0 + 1e-9
    assert theirs.mean() == pytest.approx(1.0, abs=5 * theirs.std() / np.sqrt(len(theirs)))
    assert np.mean([ours_weight(0.5, w) for w in theirs]) == pytest.approx(2.0 - theirs.mean())


def test_to_follow_costs_nothing() -> None:
    """A list of theirs explores nothing, by definition; what it might have earned stays."""
    toss = TOSSES["all theirs"]
    drawn, weight = toss.draw(SCORED, RULES, SLOTS, 1.0, LOOK, derive(1, "test coin"))

    assert (drawn.cost, weight) == (0.0, 1.0)
    assert not drawn.explored.any()
    assert drawn.expected == pytest.approx(LOOK @ [0.06, 0.04, 0.03])
    assert drawn.chosen.tolist() == [0, 1, 3]


def test_without_a_coin_it_is_the_policy() -> None:
    """To the bit, and without a weight."""
    plain = draw(PlackettLuce(), SCORED, RULES, SLOTS, 1.0, LOOK, derive(2, "test coin"))
    drawn, weight = Toss(PlackettLuce()).draw(
        SCORED, RULES, SLOTS, 1.0, LOOK, derive(2, "test coin")
    )

    assert weight is None
    assert drawn.chosen.tolist() == plain.chosen.tolist()
    assert drawn.propensity.tobytes() == plain.propensity.tobytes()


def test_nothing_to_show_is_shown_by_either() -> None:
    """An empty list has a weight of 1."""
    nothing = Scored(np.zeros(0, dtype=np.int32), np.zeros(0), np.zeros(0))
    drawn, weight = Toss(PlackettLuce(), 0.5, 0).draw(
        nothing, Rules.of(n=0), SLOTS, 1.0, LOOK, derive(1, "test coin")
    )

    assert (len(drawn.chosen), weight) == (0, 1.0)


def test_in_order_shows_its_own_first_and_then_the_best() -> None:
    """The first two as they stand; beyond them by mean."""
    conditional = InOrder(2).bind(SCORED, 0.0)
    open_, shown = np.ones(N, dtype=bool), []
    for _ in range(N):
        shown.append(int(np.argmax(conditional(open_))))
        open_[shown[-1]] = False

    assert shown == [0, 1, 2, 4, 3]
    assert InOrder(2).parameters == {"first": 2.0}


def test_marks_say_how_a_list_is_drawn() -> None:
    """What a decision has on record; with nothing on record it is the policy's."""
    toss = Toss.of(PlackettLuce(), {OURS: 0.5, FIRST: 3.0, HELD: 1.0})

    assert (toss.ours, toss.first) == (0.5, 3)
    assert toss.policy == Restrained(PlackettLuce())
    assert Toss.of(PlackettLuce(), {}) == Toss(PlackettLuce())
