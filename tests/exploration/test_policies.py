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
    EpsilonGreedy,
    Floored,
    Greedy,
    PlackettLuce,
    Thompson,
    policy_from,
)
from equipoise.interfaces import Policy
from equipoise.testing.policies import LAWS, check_policy
from equipoise.types import Floats, Scored

VARIED = [
    *(policy() for policy in POLICIES),
    EpsilonGreedy(epsilon=1.0),
    PlackettLuce(temperature=3.0),
    Floored(Thompson(), 0.05),
    Floored(Greedy(), 0.2),
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


@pytest.mark.parametrize("policy", [PlackettLuce(), Thompson(), EpsilonGreedy()], ids=repr)
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
    for policy in (PlackettLuce(), Thompson(), EpsilonGreedy()):
        falling = [probabilities(policy, of, level)[2] for level in (0.0, 0.2, 0.5, 1.0, 2.0)]

        assert falling == sorted(falling, reverse=True)
        assert falling[0] == 1.0 > falling[-1]


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
        (
            "thomson",
            {},
            "the policies are greedy, epsilon_greedy, plackett_luce, optimism, thompson",
        ),
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
