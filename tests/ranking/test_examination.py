"""The curve of looks."""

from __future__ import annotations

import numpy as np
import pytest

from equipoise.ranking.examination import look


def test_the_curve() -> None:
    """1 for the first, falling, never 0, and its start does not depend on its length."""
    curve = look(100)

    assert curve[0] == 1
    assert (np.diff(curve) < 0).all()
    assert curve[-1] > 0.2
    assert np.array_equal(look(7), curve[:7])
    assert len(look(0)) == 0


def test_its_ends_are_no_bias_and_dcg() -> None:
    """Steepness 0 looks at every slot alike, 1 is the discount of DCG."""
    assert look(5, steepness=0.0).tolist() == [1.0] * 5
    assert look(3, steepness=1.0) == pytest.approx([1, 1 / np.log2(3), 1 / 2])


def test_it_is_shared_and_cannot_be_changed() -> None:
    """The same array serves every list."""
    with pytest.raises(ValueError, match="read-only"):
        look(5)[0] = 0.5
