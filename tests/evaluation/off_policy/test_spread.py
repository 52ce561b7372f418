"""Standard errors by cluster."""

from __future__ import annotations

import numpy as np
import pytest

from equipoise.evaluation.off_policy.spread import standard_error
from equipoise.randomness import derive


def test_rows_of_their_own():
    """Without clusters, and with one row a cluster in any order, it is s/√n."""
    terms = derive(0, "test").random(40)
    alone = derive(1, "test").permutation(40)

    assert standard_error(terms, None) == pytest.approx(terms.std(ddof=1) / np.sqrt(40))
    assert standard_error(terms, alone) == pytest.approx(standard_error(terms, None))


def test_repeated_rows_add_no_knowledge():
    """Every row copied five times under one cluster leaves the error as it was."""
    terms = derive(0, "test").random(40)
    copied = standard_error(np.repeat(terms, 5), np.repeat(np.arange(40), 5))

    assert copied == pytest.approx(standard_error(terms, None))
    assert standard_error(np.repeat(terms, 5), None) < 0.5 * copied


def test_one_cluster_says_nothing():
    """A single cluster has no spread to tell an error from."""
    assert standard_error(np.array([1.0, 2.0]), np.array([0, 0])) == np.inf
    assert standard_error(np.array([1.0]), None) == np.inf
