"""Estimates of Open Bandit Pipeline 0.5.7 on stored logs, most derived again with numpy alone."""

from __future__ import annotations

import pytest

estimators = pytest.importorskip(
    "benchmarks.exploration.estimators", reason="needs python -m pytest at the root"
)


@pytest.fixture(scope="module")
def rows(data_set):
    return estimators.reference_rows(data_set("ope-reference"))


def test_every_estimate(rows):
    """All that is stated for single actions, 127 figures, each within what is asked of it."""
    missed = [row for row in rows if not row.off <= row.tolerance]

    assert len(rows) == 127
    assert not missed


def test_only_the_fitted_posterior_is_let_off(rows):
    """Everything but the one iterative fit is asked to 1e-6."""
    loose = {row.name for row in rows if row.tolerance > 1e-6}

    assert loose == {"mips(logistic pi(a|x,e))"}


def test_plain_propensities_cannot_answer_where_embeddings_can(data_set):
    """On ``mips`` the diagnosis refuses the actions' weights and passes the embedding's."""
    arrays, _ = estimators.load(data_set("ope-reference"), "mips")
    plain = estimators.Logged.from_distributions(
        reward=arrays["reward"],
        action=arrays["action"],
        target=arrays["action_dist"],
        logging=arrays["pi_b"],
    )

    with pytest.raises(estimators.ope.Unanswerable, match=r"size is 75\.2 of 6,000 rows"):
        estimators.ope.ips(plain)
    assert estimators.ope.diagnose(estimators.mips_log(arrays)).answerable


def test_accuracy_where_truth_is_known(data_set):
    """Over 40 fresh logs of ``synth_bandit`` RMSEs are the reference's within a third, and 95 %
    intervals of unbiased estimators hold the truth 34 times or more."""
    folder = data_set("ope-reference")
    _, stated = estimators.load(folder, "synth_bandit")
    truth = stated["true_value_on_these_contexts"]
    names = ("dm", "ipw", "snipw", "dr", "sndr")
    made = {name: [] for name in names}
    for logged in estimators.simulated_logs(folder, 40):
        for name in names:
            made[name].append(estimators.PLAIN[name](logged))

    for name in names:
        rmse = (sum((one.value - truth) ** 2 for one in made[name]) / 40) ** 0.5
        assert rmse == pytest.approx(stated["monte_carlo_200_logs"][name]["rmse"], rel=0.34)
    for name in names[1:]:
        held = sum(low <= truth <= high for low, high in (one.interval() for one in made[name]))
        assert held >= 34
