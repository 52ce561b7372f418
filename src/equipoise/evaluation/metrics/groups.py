"""Metrics by group of users: a mean may hide who pays for it."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import NamedTuple

import numpy as np

from equipoise.errors import InvalidInput
from equipoise.types import Floats


class Group(NamedTuple):
    """One group's mean."""

    mean: float
    """Over users with a value; NaN where none has one."""
    users: int
    """With a value."""


def by_group(values: Floats, groups: Sequence[Hashable]) -> dict[Hashable, Group]:
    """Group → mean and number of users, groups as they first come. NaN values are left out.

    Args:
        values: (U,) one a user, of any metric.
        groups: (U,) any labels: a country, new or known, a quarter of activity.
    """
    if len(groups) != len(values):
        raise InvalidInput(
            f"{len(values)} users but {len(groups)} groups; one each is wanted", pointer="/groups"
        )
    code = {group: place for place, group in enumerate(dict.fromkeys(groups))}
    codes = np.fromiter(map(code.__getitem__, groups), np.int64, len(values))
    known = ~np.isnan(values)
    counts = np.bincount(codes[known], minlength=len(code))
    sums = np.bincount(codes[known], values[known], minlength=len(code))
    means = np.divide(sums, counts, out=np.full(len(code), np.nan), where=counts > 0)
    return {group: Group(float(means[at]), int(counts[at])) for group, at in code.items()}
