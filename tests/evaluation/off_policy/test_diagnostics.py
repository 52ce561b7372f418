"""A sound log is answered, an unsound one is refused in words."""

from __future__ import annotations

import numpy as np
import pytest

from equipoise.evaluation.off_policy import Logged, Unanswerable, diagnose, ips
from equipoise.randomness import derive


def test_sound_logs_are_answered(world):
    """Of 300 sound logs at most six are refused (the mean weight fails at a rate of .003)."""
    refused = sum(not diagnose(world.log(2_000, seed)).answerable for seed in range(300))

    assert refused <= 6


def test_own_policy_is_always_answered(world):
    """A log under its own policy has weights of 1 and nothing to object to."""
    found = diagnose(Logged(reward=np.ones(200), weight=np.ones(200)))

    assert found.answerable
    assert (found.mean_weight, found.effective, found.largest) == (1, 200, 1 / 200)
    assert str(found) == (
        "200 rows worth 200; mean weight 1.0000 ± 0.0000; the largest carries 0.50%; 0.00% of the"
        " target without support, by the mean weight"
    )


def test_propensities_logged_as_one(world):
    """The commonest fault, 1.0 for everything, shows in the mean weight."""
    rows = world.rows(2_000, 0)
    shown = rows["target"][np.arange(2_000), rows["action"]]
    logged = Logged.from_probabilities(
        reward=rows["reward"], propensity=np.ones(2_000), target=shown
    )

    assert "and not 1: the propensities are not those" in diagnose(logged).reasons[0]


def test_the_latest_policy_for_a_mixture(world):
    """Half the rows drawn uniformly, all judged by the latest policy's probability: refused."""
    rows = world.rows(4_000, 0)
    uniform = derive(0, "test").integers(6, size=4_000)
    action = np.where(np.arange(4_000) < 2_000, uniform, rows["action"])
    logged = Logged.from_distributions(
        reward=rows["reward"], action=action, target=rows["target"], logging=rows["logging"]
    )

    assert "the mean weight is" in diagnose(logged).reasons[0]


def test_too_few_rows_count():
    """A hundred rows that count are too few, however many stand beside them."""
    weight = np.r_[np.full(100, 100.0), np.zeros(9_900)]
    found = diagnose(Logged(reward=np.ones(10_000), weight=weight))

    assert any("size is 100.0 of 10,000 rows; 200 are needed" in why for why in found.reasons)


def test_one_per_cent_of_a_long_log():
    """Of 100,000 rows 1,000 have to count."""
    weight = np.r_[np.full(500, 200.0), np.zeros(99_500)]
    found = diagnose(Logged(reward=np.ones(100_000), weight=weight))

    assert any("1,000 are needed" in why for why in found.reasons)


def test_one_row_rules():
    """A row with a tenth of the weight is named, though the effective size would do."""
    weight = np.r_[np.full(4_499, 1.0), 500.0]
    found = diagnose(Logged(reward=np.ones(4_500), weight=weight * 4_500 / weight.sum()))

    assert any("one row carries 10.0% of the whole weight" in why for why in found.reasons)


def test_without_support(world):
    """What the log could never show is measured where its distributions are known, and refused."""
    rows = world.rows(4_000, 1)
    rows.pop("context")
    closed = np.repeat(np.eye(6)[[0]], 4_000, axis=0)
    target = 0.98 * rows["target"] + 0.02 * closed
    logging = rows["logging"] * (1 - closed)
    logging /= logging.sum(axis=1, keepdims=True)
    kept = rows["action"] != 0
    share = target[kept, 0].mean()
    found = diagnose(
        Logged.from_distributions(
            reward=rows["reward"][kept],
            action=rows["action"][kept],
            target=target[kept],
            logging=logging[kept],
        )
    )

    assert found.unsupported == pytest.approx(share)
    assert found.support_known
    assert f"{share:.2%} of what the target shows the log could never show" in found.reasons


def test_dependent_rows_widen_the_mean(world):
    """The mean weight's error counts shoppers, not rows."""
    rows = world.rows(500, 2)
    weight = np.repeat(rows["target"][:, 0] / rows["logging"][:, 0], 8)
    alone = diagnose(Logged(reward=np.ones(4_000), weight=weight))
    together = diagnose(
        Logged(reward=np.ones(4_000), weight=weight, cluster=np.repeat(np.arange(500), 8))
    )

    assert together.mean_error > 2.5 * alone.mean_error


def test_refusal_can_be_overruled():
    """The exception carries the figures, ``refuse=False`` the number."""
    logged = Logged(reward=np.ones(300), weight=np.zeros(300))

    with pytest.raises(Unanswerable, match="the log cannot answer: the mean weight is 0") as caught:
        ips(logged)

    assert caught.value.code == "unanswerable"
    assert not caught.value.diagnosis.answerable
    assert ips(logged, refuse=False).value == 0
    assert "refused: the effective sample size is 0.0" in str(diagnose(logged))
