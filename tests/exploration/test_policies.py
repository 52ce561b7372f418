"""Every policy of the room against every law, and against arithmetic done by hand."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from equipoise.errors import SettingsError
from equipoise.exploration import (
    POLICIES,
    UCB,
    EpsilonGreedy,
    Floored,
    Greedy,
    JointThompson,
    Optimism,
    PlackettLuce,
    Softmax,
    SquareCB,
    Thompson,
    TopTwo,
    policy_from,
)
from equipoise.interfaces import Conditional, Policy
from equipoise.testing.policies import (
    LAWS,
    check_policy,
    floor_is_kept_in_slates,
    more_level_costs_no_less,
)
from equipoise.types import Floats, Scored

VARIED = [
    *(policy() for policy in POLICIES),
    EpsilonGreedy(epsilon=1.0),
    PlackettLuce(temperature=3.0),
    Floored(Thompson(), 0.05),
    Floored(Greedy(), 0.2),
    SquareCB(gamma=0.5),
    UCB(reach=0.5, floor=0.3),
    Thompson(sharpness=2.0),
    TopTwo(beta=0.0),
    JointThompson(draws=7),
]
SKELETON = Path(__file__).parents[2] / "docs" / "skeletons" / "policy.py"


def scored(mean: list[float], variance: list[float] | float = 1.0) -> Scored:
    spread = np.broadcast_to(np.array(variance, dtype=float), (len(mean),)).copy()
    return Scored(np.arange(len(mean), dtype=np.int32), np.array(mean, dtype=float), spread)


def probabilities(policy: Policy, of: Scored, level: float = 1.0) -> Floats:
    return policy.bind(of, level)(np.ones(len(of), dtype=bool))


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
@pytest.mark.parametrize("policy", VARIED, ids=repr)
def test_laws(policy: Policy, law: Callable[[Policy], None]) -> None:
    """Every policy keeps every law."""
    law(policy)


@pytest.mark.parametrize("policy", VARIED, ids=repr)
def test_name_and_parameters_make_the_policy_again(policy: Policy) -> None:
    """What a decision stores is enough to replay it."""
    assert policy_from(policy.name, policy.parameters) == policy
    assert policy.version == "1"  # type: ignore[attr-defined]


def test_greedy_shares_exact_ties() -> None:
    """Uniform among the best, whatever their variance."""
    assert probabilities(Greedy(), scored([1, 3, 3, 2], [1, 0, 9, 1])).tolist() == [0, 0.5, 0.5, 0]


def test_epsilon_greedy_by_hand() -> None:
    """1 − ε + ε/n for the best, ε/n for the others; level scales ε, up to 1."""
    chance = probabilities(EpsilonGreedy(epsilon=0.2), scored([1, 2, 3, 0]), level=0.5)

    np.testing.assert_allclose(chance, [0.025, 0.025, 0.925, 0.025], rtol=1e-15)
    assert (
        probabilities(EpsilonGreedy(epsilon=0.2), scored([1, 2]), level=9.0).tolist() == [0.5] * 2
    )


def test_plackett_luce_by_hand() -> None:
    """Softmax of mean / (temperature · level · root mean variance)."""
    chance = probabilities(PlackettLuce(temperature=0.5), scored([0, 1, 2], [1, 4, 7]), level=2.0)
    weight = np.exp(np.array([0, 1, 2]) / (0.5 * 2.0 * 2.0))

    np.testing.assert_allclose(chance, weight / weight.sum(), rtol=1e-14)


UNITLESS = (PlackettLuce, Thompson, EpsilonGreedy, SquareCB, UCB, Optimism, TopTwo, JointThompson)


@pytest.mark.parametrize("policy", [cls() for cls in UNITLESS], ids=repr)
def test_units_do_not_matter(policy: Policy) -> None:
    """Rewards in cents or in euros, from zero or from a thousand: the same probabilities."""
    mean, variance = [0.3, 0.9, 1.1, 0.2], [0.1, 0.5, 0.02, 1.0]
    here = probabilities(policy, scored(mean, variance))
    there = probabilities(
        policy, scored([100 * m + 1_000 for m in mean], [1e4 * v for v in variance])
    )

    np.testing.assert_allclose(here, there, atol=1e-9)


def test_plackett_luce_survives_any_gap() -> None:
    """Gaps that no float can hold after scaling are probability 0, not NaN."""
    chance = probabilities(PlackettLuce(), scored([0.0, 1e300], 1e-300))

    assert chance.tolist() == [0.0, 1.0]


def test_more_level_explores_more() -> None:
    """The greedy choice's probability falls as the level rises."""
    of = scored([0.3, 0.9, 1.1, 0.2], [0.1, 0.5, 0.02, 1.0])
    for policy in (PlackettLuce(), Thompson(), EpsilonGreedy(), SquareCB(), TopTwo()):
        falling = [probabilities(policy, of, level)[2] for level in (0.0, 0.2, 0.5, 1.0, 2.0)]

        assert falling == sorted(falling, reverse=True)
        assert falling[0] == 1.0 > falling[-1]


def test_thompson_to_a_power() -> None:
    """P(best)^sharpness, normalised: what is unlikely becomes rarer, in any power a float holds."""
    of = scored([0.3, 0.9, 1.1, 0.2], [0.1, 0.5, 0.02, 1.0])
    chance = probabilities(Thompson(), of)

    np.testing.assert_allclose(
        probabilities(Thompson(sharpness=3.0), of), chance**3 / (chance**3).sum(), rtol=1e-12
    )
    assert probabilities(Thompson(sharpness=1e6), of).tolist() == (chance == chance.max()).tolist()


def test_softmax_is_plackett_luce() -> None:
    """Two names of one policy."""
    assert Softmax is PlackettLuce


def test_monotone_is_said_where_it_holds() -> None:
    """The dial turns one way for these; a floor changes nothing about that, a power does."""
    promised = {cls.name for cls in POLICIES if getattr(cls(), "monotone", False)}

    assert promised >= {"greedy", "epsilon_greedy", "plackett_luce", "square_cb", "ucb", "thompson"}
    assert promised.isdisjoint({"optimism", "top_two"})
    assert Floored(Thompson(), 0.1).monotone
    assert not Floored(TopTwo(), 0.1).monotone
    assert not Thompson(sharpness=2.0).monotone


def test_a_dial_that_turns_back_is_caught() -> None:
    """Uniform at level ½, greedy above: its promise is broken, and the law says where."""

    class TurnsBack(EpsilonGreedy):
        def bind(self, scored: Scored, level: float) -> Conditional:
            return super().bind(scored, 20 * level if level <= 0.5 else 0.0)

    with pytest.raises(AssertionError, match="settled: more level costs less"):
        more_level_costs_no_less(TurnsBack())


def test_a_slate_below_the_floor_is_caught() -> None:
    """A floor that is claimed and not kept shows in the propensities of slates."""

    class Claims(PlackettLuce):
        @property
        def parameters(self) -> dict[str, float]:
            return {"floor": 1.0}

    with pytest.raises(AssertionError, match="below the floor"):
        floor_is_kept_in_slates(Claims(temperature=1.0))


def test_floor_by_hand() -> None:
    """(1 − floor) p + floor / n_open, at every level but 0."""
    policy = Floored(Greedy(), 0.3)
    open_ = np.array([True, True, False, True])

    np.testing.assert_allclose(policy.bind(scored([1, 2, 3, 0]), 1.0)(open_), [0.1, 0.8, 0, 0.1])
    assert policy.bind(scored([1, 2, 3, 0]), 0.0)(open_).tolist() == [0, 1, 0, 0]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: EpsilonGreedy(epsilon=1.5), "epsilon is 1.5; it is a share from 0 to 1"),
        (lambda: PlackettLuce(temperature=0.0), "temperature is 0.0; it must be finite"),
        (lambda: Floored(Greedy(), -0.1), "floor is -0.1; it is a share"),
        (lambda: Thompson(sharpness=0.0), "sharpness is 0.0; it must be finite and above 0"),
        (lambda: Greedy().bind(scored([1, np.inf]), 1.0), "mean of candidate 1 is inf"),
        (lambda: Greedy().bind(scored([1, 2], [1, -2]), 1.0), "variance of candidate 1 is -2.0"),
        (lambda: Greedy().bind(scored([1]), -1.0), "level is -1.0; it must be finite: 0 (greedy)"),
        (lambda: Greedy().bind(scored([]), 1.0), "there are no candidates"),
        (
            lambda: Greedy().bind(Scored(np.arange(2, dtype=np.int32), np.ones(2), np.ones(3)), 1),
            "2 candidates have means and variances of shapes ((2,), (3,))",
        ),
        (lambda: Thompson().bind(scored([1, 2]), 1.0)(np.ones(3, dtype=bool)), "mask has shape"),
        (lambda: Thompson().bind(scored([1, 2]), 1.0)(np.zeros(2, dtype=bool)), "nothing is open"),
    ],
)
def test_refusals(make: Callable[[], object], message: str) -> None:
    """What cannot be is refused, with the value, the place and what would be right."""
    with pytest.raises(ValueError) as refusal:
        make()

    assert message in str(refusal.value)


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("thomson", {}, f"the policies are {', '.join(policy.name for policy in POLICIES)}"),
        ("ucb", {"floor": 0.0}, "its parameters are reach, floor"),
        ("joint_thompson", {"draws": 0.5}, "its parameters are draws, floor"),
        ("epsilon_greedy", {"eps": 0.1}, "its parameters are epsilon, floor"),
        ("plackett_luce", {"temperature": -1.0}, "temperature is -1.0"),
        ("greedy", {"floor": 2.0}, "floor is 2.0"),
    ],
)
def test_policy_from_names_what_is_valid(
    name: str, parameters: dict[str, float], message: str
) -> None:
    """A setting that cannot be names those that can."""
    with pytest.raises(SettingsError) as refusal:
        policy_from(name, parameters)

    assert message in str(refusal.value)


def test_the_skeleton_runs_and_keeps_the_laws() -> None:
    """Whoever copies docs/skeletons/policy.py starts from something that works."""
    skeleton = runpy.run_path(str(SKELETON))

    check_policy(skeleton["Doubtful"]())
    chance = probabilities(skeleton["Doubtful"](share=0.5), scored([1, 2], [9.0, 1.0]))
    np.testing.assert_allclose(chance, [0.375, 0.625])
