"""Groups and their limits."""

from __future__ import annotations

import numpy as np
import pytest

from equipoise.slates.diversity import Quota, groups_of


def test_equal_codes_are_one_group() -> None:
    """Codes become small; a code below 0 is of no group."""
    assert groups_of(np.array([90_001, -1, 7, 90_001, 7])).tolist() == [1, -1, 0, 1, 0]


def test_several_columns_must_agree() -> None:
    """Same seller and same category; a none in either is a none."""
    seller, category = np.array([1, 1, 2, 1, -1]), np.array([5, 6, 5, 5, 5])

    assert groups_of(seller, category).tolist() == [0, 1, 2, 0, -1]
    assert groups_of(np.array([], dtype=np.int32)).tolist() == []


def test_a_full_group_is_closed() -> None:
    """The second of three closes the third where two are the most; the groupless stay open."""
    quota, open_ = Quota(np.array([4, 4, 4, -1, -1]), 2), np.ones(5, dtype=bool)
    quota.take(0, open_)
    quota.take(3, open_)

    assert open_.all()
    quota.take(2, open_)
    assert open_.tolist() == [False, False, False, True, True]


def test_0_means_any_number() -> None:
    """Without a limit nothing is ever closed."""
    quota, open_ = Quota(np.zeros(3, dtype=np.int32), 0), np.ones(3, dtype=bool)
    for index in range(3):
        quota.take(index, open_)

    assert open_.all()


def test_refusals() -> None:
    """What cannot be is refused, with the value, the place and what would be right."""
    with pytest.raises(ValueError, match=r"columns of one length; there are \[2, 3\]"):
        groups_of(np.zeros(2, dtype=int), np.zeros(3, dtype=int))
    with pytest.raises(ValueError, match=r"columns of one length; there are \[\]"):
        groups_of()
    with pytest.raises(ValueError, match="holds float64; it must be whole numbers"):
        groups_of(np.zeros(2))
