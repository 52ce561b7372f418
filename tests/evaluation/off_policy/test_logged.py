"""The door: what passes may be trusted, what does not is told where and why."""

from __future__ import annotations

import numpy as np
import pytest

from equipoise.errors import InvalidInput
from equipoise.evaluation.off_policy import Logged

GOOD = {
    "reward": [1.0, 0.0],
    "action": [0, 2],
    "target": [[0.5, 0.25, 0.25], [0.0, 0.5, 0.5]],
    "logging": [[0.25, 0.75, 0.0], [0.5, 0.25, 0.25]],
    "q": [[0.2, 0.4, 0.8], [0.0, 1.0, 0.5]],
}


def test_columns_by_hand():
    """Weights, the model's term, q̂ of what was shown and the mass without support, on paper."""
    logged = Logged.from_distributions(**GOOD, cluster=["b", "a"])

    assert len(logged) == 2
    assert logged.weight.tolist() == pytest.approx([2, 2])
    assert logged.model.tolist() == pytest.approx([0.4, 0.75])
    assert logged.predicted.tolist() == pytest.approx([0.2, 0.5])
    assert logged.unsupported.tolist() == pytest.approx([0.25, 0])
    assert logged.cluster.tolist() == [1, 0]


def test_both_builders_agree():
    """Probabilities of what was shown say the same as whole distributions."""
    whole = Logged.from_distributions(**GOOD)
    shown = Logged.from_probabilities(
        reward=GOOD["reward"], propensity=[0.25, 0.25], target=[0.5, 0.5],
        model=whole.model, predicted=whole.predicted,
    )  # fmt: skip

    assert shown.weight.tolist() == whole.weight.tolist()
    assert shown.unsupported is None


def test_the_logged_propensity_goes_before_the_recomputed():
    """Where both are given, what was logged then is used, not what a policy says now."""
    logged = Logged.from_distributions(**GOOD, propensity=[0.125, 0.5])

    assert logged.weight.tolist() == pytest.approx([4, 1])
    assert logged.unsupported.tolist() == pytest.approx([0.25, 0])


def test_float32_distributions_pass():
    """Rounding to float32 is no error."""
    target = np.full((2, 3), 1 / 3, dtype=np.float32)

    assert Logged.from_distributions(**{**GOOD, "target": target}).weight[1] == pytest.approx(4 / 3)


def _changed(**change):
    given = {**GOOD, **change}
    return lambda: Logged.from_distributions(
        **{key: value for key, value in given.items() if value is not None}
    )


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: Logged(reward=np.array([]), weight=np.array([])), "no rows; an estimate needs"),
        (
            lambda: Logged(reward=np.ones(2), weight=np.array([1.0, -0.5])),
            "weight of row 1 is -0.5; a weight is at least 0",
        ),
        (
            lambda: Logged(reward=np.ones(2), weight=np.ones(3)),
            r"weight has shape \(3,\); there are 2 rewards, so \(2,\) is needed",
        ),
        (_changed(reward=[1.0, np.nan]), "reward of row 1 is not a finite number"),
        (_changed(cluster=["a"]), r"cluster has shape \(1,\); there are 2 rewards"),
        (
            _changed(target=[[0.5, 0.25, 0.25], [0.1, 0.5, 0.5]]),
            "target of row 1 sums to 1.1; probabilities sum to 1, and are not rescaled here",
        ),
        (
            _changed(logging=[[-0.25, 1.25, 0.0], [0.5, 0.25, 0.25]]),
            "logging of row 0 holds -0.25; a probability is at least 0",
        ),
        (_changed(logging=[[1.0], [1.0]]), r"logging has shape \(2, 1\); \(2, 3\) is needed"),
        (_changed(target=[0.5, 0.5]), r"target has shape \(2,\); \(2, K\) is needed"),
        (_changed(action=[0, 3]), "action of row 1 is 3; there are 3 actions, from 0"),
        (_changed(action=[0.0, 1.0]), r"action is float64 of shape \(2,\); 2 integers are needed"),
        (_changed(logging=None), "neither propensity nor logging is given"),
        (
            _changed(propensity=[0.5, 0.0]),
            "propensity of row 1 is 0; what was shown had a chance above 0, at most 1",
        ),
        (
            lambda: Logged.from_probabilities(reward=[1], propensity=[0.5], target=[1.5]),
            "target of row 0 is 1.5; a probability lies between 0 and 1",
        ),
    ],
)
def test_refuses(call, text):
    """Every refusal states the value, the row and what would be right."""
    with pytest.raises(InvalidInput, match=text):
        call()
