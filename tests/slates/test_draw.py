"""The draw: propensities are true whatever the rules, nothing else touches the slate."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.exploration import EpsilonGreedy, Floored, Greedy, PlackettLuce, Thompson
from equipoise.interfaces import Conditional, Policy
from equipoise.randomness import derive
from equipoise.slates.draw import draw, probability_of
from equipoise.slates.rules import Rules
from equipoise.testing.policies import FALSE_ALARM, chi_square
from equipoise.types import Bools, Draw, Floats, Scored

LOOK = np.array([1.0, 0.7, 0.5, 0.4, 0.3, 0.25, 0.2, 0.2])
SIX = Scored(
    np.arange(6, dtype=np.int32),
    np.array([0.5, 0.4, 0.3, 0.45, 0.2, 0.35]),
    np.array([0.01, 0.02, 0.04, 0.001, 0.09, 0.03]),
)
STRICT = Rules.of(
    n=6,
    closed=np.array([False, False, False, False, False, True]),
    pins=((1, 4),),
    groups=np.array([7, 7, -1, 8, 8, -1], dtype=np.int32),
    max_per_group=1,
)
"""Candidate 5 closed, 4 pinned to slot 1 (so its twin 3 is out), 0 and 1 exclude each other."""


def random_case(seed: int, n: int) -> tuple[Scored, Rules]:
    rng = derive(seed, "test draw")
    scored = Scored(np.arange(n, dtype=np.int32), rng.normal(0.1, 0.05, n), rng.uniform(0, 0.01, n))
    closed = rng.random(n) < 0.3
    free = rng.permutation(np.flatnonzero(~closed))[: rng.integers(0, 3)]
    slots = rng.permutation(6)[: len(free)]
    pins = tuple((int(slot), int(index)) for slot, index in zip(slots, free, strict=True))
    groups = rng.integers(-1, 4, n).astype(np.int32)
    return scored, Rules(closed, pins, groups, int(rng.integers(0, 3)))


def test_draws_agree_with_propensities_under_all_rules() -> None:
    """100,000 draws with pins, closed items and limits: slates and (slot, item) by chi-square."""
    policy, rng, draws = PlackettLuce(temperature=1.0), derive(0, "test draw frequencies"), 100_000
    bound = Bound(policy, SIX)
    seen = Counter(
        tuple(draw(bound, SIX, STRICT, 3, 1.0, LOOK, rng).chosen.tolist()) for _ in range(draws)
    )
    slates = list(product(range(6), repeat=3))
    due = np.array([probability_of(policy, SIX, STRICT, slate, 1.0).prod() for slate in slates])
    counts = np.array([seen[slate] for slate in slates])

    assert due.sum() == pytest.approx(1.0, abs=1e-12)
    assert counts.sum() == draws
    assert chi_square(counts, due) > FALSE_ALARM
    for slot in range(3):
        at = np.array([slate[slot] for slate in slates])
        assert (
            chi_square(np.bincount(at, counts, 6).astype(np.int64), np.bincount(at, due, 6))
            > FALSE_ALARM
        )


class Bound:
    """A policy bound once: the same beliefs for all draws of a test."""

    def __init__(self, policy: Policy, scored: Scored, level: float = 1.0) -> None:
        self.name, self.parameters = policy.name, policy.parameters
        self._conditional = policy.bind(scored, level)

    def bind(self, scored: Scored, level: float) -> Conditional:
        return self._conditional


@pytest.mark.parametrize("policy", [Thompson(), EpsilonGreedy(0.5)], ids=repr)
def test_other_policies_draw_truly_too(policy: Policy) -> None:
    """The same for Thompson's quadrature and for ε-greedy, with fewer draws."""
    rng, bound = derive(1, "test draw frequencies", policy.name), Bound(policy, SIX)
    seen = Counter(
        tuple(draw(bound, SIX, STRICT, 3, 1.0, LOOK, rng).chosen.tolist()) for _ in range(15_000)
    )
    slates = list(product(range(6), repeat=3))
    due = np.array([probability_of(policy, SIX, STRICT, slate, 1.0).prod() for slate in slates])

    assert chi_square(np.array([seen[slate] for slate in slates]), due) > FALSE_ALARM


def test_ips_recovers_another_policys_value() -> None:
    """From a log by Thompson with a floor, IPS gives ε-greedy's true value within its error."""
    logging, target = Floored(Thompson(), 0.3), EpsilonGreedy(0.4)
    rng, truth = derive(2, "test draw ips"), np.array([0.2, 0.6, 0.4, 0.3, 0.5, 0.1])
    reward_of = lambda slate: float(LOOK[: len(slate)] @ truth[list(slate)])  # noqa: E731
    slates = list(product(range(6), repeat=3))
    value = sum(
        probability_of(target, SIX, STRICT, slate, 1.0).prod() * reward_of(slate)
        for slate in slates
    )
    bound, estimates = Bound(logging, SIX), []
    weights: dict[tuple[int, ...], float] = {}
    for _ in range(10_000):
        drawn = draw(bound, SIX, STRICT, 3, 1.0, LOOK, rng)
        slate = tuple(drawn.chosen.tolist())
        if slate not in weights:
            weights[slate] = probability_of(target, SIX, STRICT, slate, 1.0).prod()
        noise = float(rng.normal(0, 0.1))
        estimates.append(weights[slate] / drawn.propensity.prod() * (reward_of(slate) + noise))

    error = np.std(estimates) / np.sqrt(len(estimates))
    assert error < 0.03
    assert np.mean(estimates) == pytest.approx(value, abs=4 * error)


@settings(max_examples=60, derandomize=True, deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(1, 12), slots=st.integers(0, 8))
def test_logged_propensities_are_computed_again_to_the_bit(seed: int, n: int, slots: int) -> None:
    """``probability_of`` a drawn slate is what was logged; closed, pins and limits are obeyed."""
    scored, rules = random_case(seed, n)
    for policy in (Thompson(), PlackettLuce(), EpsilonGreedy(0.5), Greedy()):
        drawn = draw(policy, scored, rules, slots, 1.0, LOOK, derive(seed, "luck"))
        again = probability_of(policy, scored, rules, drawn.chosen, 1.0)
        twin = draw(policy, scored, rules, slots, 1.0, LOOK, derive(seed, "luck"))

        assert drawn.propensity.tobytes() == again.tobytes()
        assert twin.chosen.tolist() == drawn.chosen.tolist()
        obeys(drawn, rules, slots)


def obeys(drawn: Draw, rules: Rules, slots: int) -> None:
    chosen = drawn.chosen.tolist()
    free = [index for index, pinned in zip(chosen, drawn.pinned, strict=True) if not pinned]
    assert len(set(chosen)) == len(chosen) <= slots
    assert not rules.closed[chosen].any()
    assert set(free).isdisjoint(index for _, index in rules.pins)
    for slot, index in rules.pins:
        # At its slot; or sooner, where only pins were left to fill up with.
        assert slot >= len(chosen) or index in chosen
        at = chosen.index(index) if index in chosen else slot
        assert at == slot or (at < slot and drawn.pinned[at:].all())
    if rules.max_per_group:
        pinned = Counter(rules.groups[index] for _, index in rules.pins)
        for group, count in Counter(rules.groups[free]).items():
            assert group == -1 or count + pinned[group] <= rules.max_per_group
    assert (drawn.propensity > 0).all()
    assert (drawn.propensity[drawn.pinned] == 1).all()
    assert not drawn.explored[drawn.pinned].any()


def test_greedy_costs_nothing_and_explores_nothing() -> None:
    """Expected is the greedy slate's own worth, looks weighted, by hand."""
    drawn = draw(Greedy(), SIX, STRICT, 3, 1.0, LOOK, derive(0, "luck"))

    assert drawn.chosen.tolist() == [0, 4, 2]
    assert drawn.pinned.tolist() == [False, True, False]
    assert not drawn.explored.any()
    assert drawn.expected == pytest.approx(0.5 + 0.7 * 0.2 + 0.5 * 0.3)
    assert drawn.cost == 0.0


def test_cost_by_hand() -> None:
    """expected − Σ look_k Σ_i p_k(i) m_i, along the slate that was drawn."""
    policy = EpsilonGreedy(0.3)
    drawn = draw(policy, SIX, STRICT, 3, 1.0, LOOK, derive(3, "luck"))
    first = 0.7 * 0.5 + 0.1 * (0.5 + 0.4 + 0.3)
    rest = 0.3 if 2 not in drawn.chosen[:1] else max(SIX.mean[[0, 1]])
    left = [0.3] if 2 not in drawn.chosen[:1] else [0.5, 0.4]
    third = 0.7 * rest + 0.3 * np.mean(left)

    assert drawn.cost == pytest.approx(
        drawn.expected - (first + 0.7 * 0.2 + 0.5 * third), abs=1e-12
    )


def test_mean_cost_is_what_the_policy_gives_up() -> None:
    """Over the whole distribution of slates, cost is greedy's worth less the policy's."""
    policy, costs, worth = PlackettLuce(temperature=1.0), 0.0, 0.0
    for slate in product(range(6), repeat=3):
        chance = probability_of(policy, SIX, STRICT, slate, 1.0).prod()
        if chance:
            drawn = draw(Forced(policy, list(slate)), SIX, STRICT, 3, 1.0, LOOK, Low())
            assert drawn.chosen.tolist() == list(slate)
            worth += chance * float(LOOK[:3] @ SIX.mean[list(slate)])
            costs += chance * cost_along(policy, slate, drawn.expected)

    assert costs == pytest.approx(drawn.expected - worth, abs=1e-12)


class Low(np.random.Generator):
    """Luck that always draws the first item with a probability."""

    def __init__(self) -> None:
        super().__init__(np.random.PCG64(0))

    def random(self) -> float:  # type: ignore[override]
        return 0.0


class Forced:
    """Puts all mass on the next item of a given slate (slot 1 of which is a pin)."""

    name = "forced"
    parameters: dict[str, float] = {}  # noqa: RUF012

    def __init__(self, policy: Policy, slate: list[int]) -> None:
        self._free = [slate[0], slate[2]]

    def bind(self, scored: Scored, level: float) -> Conditional:
        def conditional(open_: Bools) -> Floats:
            chance = np.zeros(len(scored))
            chance[self._free.pop(0)] = 1.0
            return chance

        return conditional


def cost_along(policy: Policy, slate: tuple[int, ...], expected: float) -> float:
    conditional, open_ = policy.bind(SIX, 1.0), np.array([1, 1, 1, 0, 0, 0], dtype=bool)
    first = conditional(open_) @ SIX.mean
    open_[list(slate[:1])] = False
    if slate[0] in (0, 1):
        open_[[0, 1]] = False
    third = conditional(open_) @ SIX.mean
    return expected - float(first + 0.7 * SIX.mean[4] + 0.5 * third)


def test_explored_is_what_greedy_would_not_have_shown() -> None:
    """True where a better mean was open, given the slots before; ties are not exploring."""
    tied = Scored(np.arange(3, dtype=np.int32), np.array([1.0, 1.0, 0.5]), np.ones(3))
    for seed in range(20):
        drawn = draw(EpsilonGreedy(1.0), tied, Rules.of(n=3), 3, 1.0, LOOK, derive(seed, "luck"))
        best = [tied.mean[drawn.chosen[slot:]].max() for slot in range(3)]

        assert drawn.explored.tolist() == (tied.mean[drawn.chosen] < best).tolist()


def test_short_where_nothing_is_open() -> None:
    """Fewer items than slots, or none: a shorter slate, and the pins that wait close up."""
    one = Rules.of(n=6, closed=np.arange(6) > 1, pins=((5, 0),))
    drawn = draw(Greedy(), SIX, one, 6, 1.0, LOOK, derive(0, "luck"))
    nothing = draw(Greedy(), SIX, Rules.of(n=6, closed=np.ones(6, bool)), 6, 1, LOOK, Low())
    empty = Scored(np.zeros(0, dtype=np.int32), np.zeros(0), np.zeros(0))
    none = draw(Thompson(), empty, Rules.of(n=0), 4, 1.0, LOOK, Low())

    assert drawn.chosen.tolist() == [1, 0]
    assert drawn.pinned.tolist() == [False, True]
    for short in (nothing, none):
        assert len(short.chosen) == len(short.propensity) == 0
        assert (short.expected, short.cost) == (0.0, 0.0)


def test_what_could_not_be_shown_has_probability_0() -> None:
    """A closed item, a repeat, another at a pin's slot, more than is open: 0 there."""
    policy = EpsilonGreedy(1.0)

    assert probability_of(policy, SIX, STRICT, [5], 1.0).tolist() == [0.0]
    assert probability_of(policy, SIX, STRICT, [0, 2], 1.0)[1] == 0.0
    assert probability_of(policy, SIX, STRICT, [0, 4, 1], 1.0)[2] == 0.0
    assert probability_of(policy, SIX, STRICT, [2, 4, 2], 1.0)[2] == 0.0
    assert probability_of(policy, SIX, STRICT, [0, 4, 2, 3], 1.0).tolist() == [1 / 3, 1, 1, 0]


def test_one_number_a_drawn_slot() -> None:
    """The generator gives one number for each drawn slot and none for a pin: documented luck."""
    rng, count = derive(4, "luck"), derive(4, "luck")
    draw(Thompson(), SIX, STRICT, 3, 1.0, LOOK, rng)
    count.random(2)

    assert rng.random() == count.random()


def test_inversion_takes_the_first_whose_sum_exceeds_the_number() -> None:
    """0 takes the first with a probability, the largest number below 1 the last."""

    class High(Low):
        def random(self) -> float:  # type: ignore[override]
            return float(np.nextafter(1.0, 0.0))

    closed = Rules.of(n=6, closed=np.array([1, 0, 0, 0, 0, 1], dtype=bool))
    policy = EpsilonGreedy(1.0)

    assert draw(policy, SIX, closed, 1, 1.0, LOOK, Low()).chosen.tolist() == [1]
    assert draw(policy, SIX, closed, 1, 1.0, LOOK, High()).chosen.tolist() == [4]


@pytest.mark.parametrize(
    ("attempt", "message"),
    [
        (
            lambda: draw(Greedy(), SIX, Rules.of(n=5), 2, 1.0, LOOK, Low()),
            "the rules are for 5 candidates; there are 6",
        ),
        (
            lambda: draw(Greedy(), SIX, Rules.of(n=6), 9, 1.0, LOOK, Low()),
            "a slate of 9 needs as many looks; there are 8",
        ),
        (lambda: draw(Greedy(), SIX, Rules.of(n=6), -1, 1.0, LOOK, Low()), "a slate of -1"),
        (
            lambda: probability_of(Greedy(), SIX, Rules.of(n=7), [0], 1.0),
            "the rules are for 7 candidates",
        ),
    ],
)
def test_refusals(attempt: Callable[[], object], message: str) -> None:
    """What cannot be is refused, with the value, the place and what would be right."""
    with pytest.raises(ValueError) as refusal:
        attempt()

    assert message in str(refusal.value)
