"""Slate estimates against those that Open Bandit Pipeline 0.5.7 gave for the same arrays.

Data set ``ope-reference``, ``slate.npz``: its propensities of prefixes are products, the decision
log's and ours are conditional. Truth of ``cascade_additive``: 1.599905; ``iips`` is biased there,
rightly.
"""

from __future__ import annotations

import json

import numpy as np
import pytest

from equipoise.evaluation.off_policy.slates import cascade_dr, iips, rips, sips

EXACT = 1e-9


NAMES = ("independent", "cascade_additive")


@pytest.fixture(scope="module")
def load(data_set):
    """Name → (arrays of the log, what the package said)."""
    folder = data_set("ope-reference")

    def read(name: str):
        with np.load(folder / "slate.npz") as stored:
            arrays = {
                key.removeprefix(f"{name}_"): stored[key]
                for key in stored.files
                if key.startswith(name)
            }
        return arrays, json.loads((folder / "slate.json").read_text())[name]

    return read


def conditional(products: np.ndarray) -> np.ndarray:
    """Probabilities of prefixes → of each slot given those before."""
    return np.hstack((products[:, :1], products[:, 1:] / products[:, :-1]))


def estimates(arrays) -> dict[str, np.ndarray]:
    reward = arrays["reward"].astype(float)
    slots = conditional(arrays["pscore_cascade"]), conditional(arrays["target_pscore_cascade"])
    own = arrays["pscore_item_position"], arrays["target_pscore_item_position"]
    return {
        "sips": sips(reward, *slots),
        "snsips": sips(reward, *slots, normalise=True),
        "rips": rips(reward, *slots),
        "snrips": rips(reward, *slots, normalise=True),
        "iips": iips(reward, *own),
        "sniips": iips(reward, *own, normalise=True),
    }


@pytest.mark.parametrize("name", NAMES)
def test_importance_sampling(load, name: str) -> None:
    """SIPS 1.578323, IIPS 1.668493, RIPS 1.572679 and their normalised forms, and the standard
    errors that are stated with them."""
    arrays, stated = load(name)
    ours = estimates(arrays)

    for estimator, terms in ours.items():
        assert terms.mean() == pytest.approx(stated["estimates"][estimator], abs=EXACT)
    for estimator, error in stated["se"].items():
        terms = ours[estimator]

        assert terms.std(ddof=1) / np.sqrt(len(terms)) == pytest.approx(error, abs=EXACT)


def test_cascade_doubly_robust(load) -> None:
    """1.593022, from the reference's own q̂ of what each slot and those after it will earn."""
    arrays, stated = load("cascade_additive")
    q, chance = arrays["q_hat"].astype(float), arrays["target_action_dist"].astype(float)
    shown = np.take_along_axis(q, arrays["action"].astype(int)[:, :, None], axis=2)[:, :, 0]
    terms = cascade_dr(
        arrays["reward"].astype(float),
        conditional(arrays["pscore_cascade"]),
        conditional(arrays["target_pscore_cascade"]),
        shown,
        (q * chance).sum(axis=2),
    )

    assert terms.mean() == pytest.approx(stated["estimates"]["cascade-dr"], abs=EXACT)


@pytest.mark.parametrize("name", NAMES)
def test_the_truth_is_near_where_the_assumption_holds(load, name: str) -> None:
    """Within three standard errors; but for IIPS where slots depend on those before."""
    arrays, stated = load(name)
    truth = stated["true_value_on_these_contexts"]
    for estimator, terms in estimates(arrays).items():
        off = abs(terms.mean() - truth) / (terms.std() / np.sqrt(len(terms)))
        biased = name == "cascade_additive" and estimator in ("iips", "sniips")

        assert (off > 3) == biased
