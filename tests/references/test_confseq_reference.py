"""Confidence sequences against those of Waudby-Smith's and Howard's package ``confseq``.

Inputs and results: data set ``ope-reference``, ``confseq_example.json`` and ``synth_bandit.npz``.
Its empirical Bernstein numbers are printed to six digits, its betting ones lie on a grid of a
thousandth. Ours are the same without running intersection, which we take by default.
"""

from __future__ import annotations

import json

import numpy as np
import pytest

from equipoise.evaluation.off_policy.sequences import (
    bernstein_bound,
    betting_bound,
    mean_sequence,
)


@pytest.fixture(scope="module")
def reference(data_set):
    """Values (n,) and the package's intervals by number of rows."""
    folder = data_set("ope-reference")
    expected = json.loads((folder / "confseq_example.json").read_text())
    arrays = np.load(folder / "synth_bandit.npz")
    action = arrays["action"].astype(int)
    weight = arrays["action_dist"][np.arange(len(action)), action].astype(float) / arrays["pscore"]
    return arrays["reward"].astype(float), weight * arrays["reward"], expected


def check(band, expected: dict[str, list[float]], digits: float) -> None:
    for rows, (low, high) in expected.items():
        assert band.lower[int(rows) - 1] == pytest.approx(low, abs=digits)
        assert band.upper[int(rows) - 1] == pytest.approx(high, abs=digits)


def on_grid(breaks: int):
    return lambda values, alpha: betting_bound(values, alpha, np.linspace(0, 1, breaks + 1))


def test_empirical_bernstein_of_rewards(reference) -> None:
    """[.510329, .605390] after 2,000 rewards, and at three earlier times."""
    rewards, _, expected = reference
    band = mean_sequence(rewards[:2_000], bound=bernstein_bound, intersect=False)

    check(band, expected["rewards[:2000] predmix_empbern_twosided_cs(alpha=.05)"], 1e-6)


@pytest.mark.parametrize(
    ("key", "intersect"), [("(alpha=.05,breaks=1000)", False), (" running_intersection", True)]
)
def test_betting_on_rewards(reference, key: str, intersect: bool) -> None:
    """[.511, .610] after 2,000 rewards; with running intersection [.511, .609]."""
    rewards, _, expected = reference
    band = mean_sequence(rewards[:2_000], bound=on_grid(1_000), intersect=intersect)

    check(band, expected["rewards[:2000] betting_cs" + key], 1e-9)


def test_the_default_grid_is_finer(reference) -> None:
    """Without a grid given, the bounds lie within a step or two of the reference's grid."""
    rewards, _, expected = reference
    band = mean_sequence(rewards[:2_000], intersect=False)

    for rows, (low, high) in expected["rewards[:2000] betting_cs(alpha=.05,breaks=1000)"].items():
        assert low - 1e-3 < band.lower[int(rows) - 1] < low + 1e-3
        assert high - 2e-3 < band.upper[int(rows) - 1] < high + 2e-3


def test_importance_weighted_rewards(reference) -> None:
    """w r taken as bounded by 20, as the reference does: Bernstein, one-sided, and betting."""
    _, terms, expected = reference
    bernstein = mean_sequence(terms, high=20.0, bound=bernstein_bound, intersect=False)
    betting = mean_sequence(terms, high=20.0, bound=on_grid(2_000), intersect=False)
    lower = bernstein_bound(terms / 20, 0.05)

    check(bernstein, expected["IPW w*r/20, scaled back, predmix_empbern_twosided_cs"], 1e-5)
    check(betting, expected["IPW w*r/20, scaled back, betting_cs(breaks=2000)"], 1e-9)
    one_sided = expected["IPW w*r/20, scaled back, predmix_empbern_lower_cs(alpha=.05)"]
    for rows, low in one_sided.items():
        assert max(20 * lower[int(rows) - 1], 0.0) == pytest.approx(low, abs=1e-5)
