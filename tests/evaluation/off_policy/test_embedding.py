"""Weights of an action's embedding."""

from __future__ import annotations

import numpy as np
import pytest

from equipoise.errors import InvalidInput
from equipoise.evaluation import off_policy as ope
from equipoise.randomness import derive

GROUPS = np.array([0, 0, 1, 1, 2, 2])
"""Of the world's six actions."""


def _rows(world, n, seed):
    rows = world.rows(n, seed)
    rows.pop("context")
    return rows


def _kinds(world, n, seed):
    """A log with a random embedding of two dimensions, three categories each, and p(e | a)."""
    rows = _rows(world, n, seed)
    given = derive(0, "test").dirichlet(np.ones(3), size=(6, 2)).transpose(0, 2, 1)
    rng = derive(seed, "test")
    below = given[rows["action"]].cumsum(axis=1)
    embedding = (rng.random((n, 1, 2)) > below[:, :2]).sum(axis=1)
    return rows, given, embedding


def test_the_action_itself_as_embedding(world):
    """An embedding that names the action gives the weights of the action."""
    rows = _rows(world, 200, 0)
    plain = ope.Logged.from_distributions(**rows)
    named = {key: rows[key] for key in ("reward", "target", "logging")}
    whole = ope.marginal(**named, embedding=rows["action"][:, None], given=np.eye(6)[:, :, None])
    single = ope.grouped(**rows, groups=np.arange(6))
    told = ope.from_posterior(**named, posterior=np.eye(6)[rows["action"]])

    for logged in (whole, single, told):
        assert logged.weight == pytest.approx(plain.weight)


def test_one_kind_for_all(world):
    """An embedding that tells nothing gives weights of 1."""
    rows = _rows(world, 200, 0)

    assert ope.grouped(**rows, groups=np.zeros(6, int)).weight == pytest.approx(np.ones(200))


def test_bayes_gives_the_same(world):
    """With the exact posterior, the two ways to a marginal weight are one."""
    rows, given, embedding = _kinds(world, 300, 1)
    likelihood = given[:, embedding[:, 0], 0].T * given[:, embedding[:, 1], 1].T
    posterior = rows["logging"] * likelihood
    posterior /= posterior.sum(axis=1, keepdims=True)
    named = {key: rows[key] for key in ("reward", "target", "logging")}
    direct = ope.marginal(**named, embedding=embedding, given=given)

    assert ope.from_posterior(**named, posterior=posterior).weight == pytest.approx(direct.weight)


def test_the_product_stands_inside_the_sum(world):
    """Dimensions are independent given the action only: the joint weight is no product of theirs,
    and only the joint one averages 1."""
    rows, given, embedding = _kinds(world, 40_000, 2)
    named = {key: rows[key] for key in ("reward", "target", "logging")}
    parts = [
        ope.marginal(**named, embedding=embedding, given=given, dimensions=[d]).weight
        for d in range(2)
    ]
    joint = ope.marginal(**named, embedding=embedding, given=given)

    assert np.abs(parts[0] * parts[1] - joint.weight).max() > 0.05
    assert ope.diagnose(joint).answerable
    for part in parts:
        assert part.mean() == pytest.approx(1, abs=0.02)


def test_marginal_weights_are_less_extreme(world):
    """Groups of actions carry more rows than actions, and never a larger weight."""
    rows = _rows(world, 1_000, 3)
    plain = ope.diagnose(ope.Logged.from_distributions(**rows))
    coarse = ope.diagnose(ope.grouped(**rows, groups=GROUPS))

    assert coarse.effective > plain.effective
    assert (
        ope.grouped(**rows, groups=GROUPS).weight.max() <= (rows["target"] / rows["logging"]).max()
    )


def test_mips_recovers_the_truth_where_kinds_decide(world):
    """If reward depends on the group alone, IPS on groups is unbiased and surer."""
    q = world.q[:, [0, 0, 2, 2, 4, 4]]
    truth = (world.target * q).sum(axis=1).mean()
    values = {"mips": [], "ips": []}
    for seed in range(150):
        rows = world.rows(500, seed)
        context = rows.pop("context")
        luck = derive(seed, "reward").random(500)
        rows["reward"] = (luck < q[context, rows["action"]]).astype(float)
        values["mips"].append(ope.ips(ope.grouped(**rows, groups=GROUPS), refuse=False).value)
        values["ips"].append(ope.ips(ope.Logged.from_distributions(**rows), refuse=False).value)
    mips, ips = np.array(values["mips"]), np.array(values["ips"])

    assert abs(mips.mean() - truth) < 4 * mips.std() / np.sqrt(150)
    assert mips.std() < 0.9 * ips.std()


def test_offcem_needs_only_differences_within_groups(world):
    """q̂ off by a constant for each group: DR on groups is unbiased where IPS on groups is not."""
    shift = derive(3, "test").random((3, 3))[:, GROUPS]
    mips, offcem = [], []
    for seed in range(150):
        rows = world.rows(800, seed)
        q = (world.q + shift)[rows.pop("context")]
        logged = ope.grouped(**rows, groups=GROUPS, q=q)
        mips.append(ope.ips(logged, refuse=False).value - world.truth)
        offcem.append(ope.dr(logged, refuse=False).value - world.truth)

    assert abs(np.mean(offcem)) < 4 * np.std(offcem) / np.sqrt(150)
    assert abs(np.mean(mips)) > 8 * np.std(mips) / np.sqrt(150)


def test_unsupported_groups_are_told(world):
    """What no action of the log's could stand for is counted as without support."""
    logging = np.array([[0.5, 0.5, 0.0, 0.0], [0.5, 0.0, 0.5, 0.0]])
    target = np.full((2, 4), 0.25)
    logged = ope.grouped(
        reward=[1, 0], action=[0, 2], target=target, logging=logging, groups=[0, 0, 1, 1]
    )
    told = ope.from_posterior(
        reward=[1, 0], posterior=np.eye(4)[[0, 2]], target=target, logging=logging
    )

    assert logged.unsupported.tolist() == [0.5, 0]
    assert told.unsupported.tolist() == [0.5, 0.5]


def _call(make, world, **change):
    rows = _rows(world, 4, 0)
    if make is not ope.grouped:
        rows.pop("action")
    return lambda: make(**{**rows, **change})


@pytest.mark.parametrize(
    ("make", "change", "text"),
    [
        (
            ope.marginal,
            {"embedding": np.zeros(4), "given": np.ones((6, 1, 1))},
            r"embedding is float64 of shape \(4,\); \(4, D\) integers are needed",
        ),
        (
            ope.marginal,
            {"embedding": np.zeros((4, 1), int), "given": np.ones((6, 1))},
            r"given has shape \(6, 1\); \(6, C, 1\) is needed",
        ),
        (
            ope.marginal,
            {"embedding": np.full((4, 1), 2), "given": np.ones((6, 2, 1))},
            "embedding holds categories 2 to 2; given knows 2, from 0",
        ),
        (
            ope.marginal,
            {"embedding": np.zeros((4, 1), int), "given": np.zeros((6, 1, 1))},
            "the log shows at row 0 what by its own probabilities it could not show",
        ),
        (
            ope.grouped,
            {"groups": [0, 1]},
            r"groups is int64 of shape \(2,\); 6 integers from 0 are needed, one an action",
        ),
        (ope.from_posterior, {"posterior": np.ones((4, 6))}, "posterior of row 0 sums to 6"),
    ],
)
def test_refuses(make, change, text, world):
    """What was wrong, and what would be right."""
    with pytest.raises(InvalidInput, match=text):
        _call(make, world, **change)()
