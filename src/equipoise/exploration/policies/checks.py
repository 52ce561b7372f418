"""What every policy asks of its input. A wrong number here would be logged as a propensity."""

from __future__ import annotations

import math

import numpy as np

from equipoise.types import Bools, Scored


def check_scored(scored: Scored, level: float) -> None:
    """Refuse beliefs or a level from which no probability follows.

    Raises:
        ValueError: no candidates, a mean that is not finite, a variance that is not finite or
            below 0, shapes that differ, a level that is not finite or below 0.
    """
    shapes = np.shape(scored.mean), np.shape(scored.variance)
    if shapes != ((len(scored),), (len(scored),)):
        raise ValueError(f"{len(scored)} candidates have means and variances of shapes {shapes}")
    if len(scored) == 0:
        raise ValueError("there are no candidates to choose from")
    if not np.isfinite(scored.mean).all():
        at = int(np.argmin(np.isfinite(scored.mean)))
        raise ValueError(f"the mean of candidate {at} is {scored.mean[at]}; it must be finite")
    sound = np.isfinite(scored.variance) & (scored.variance >= 0)
    if not sound.all():
        at = int(np.argmin(sound))
        raise ValueError(
            f"the variance of candidate {at} is {scored.variance[at]}; it must be finite, 0 or more"
        )
    if not (math.isfinite(level) and level >= 0):
        raise ValueError(f"level is {level}; it must be finite: 0 (greedy), 1 (natural) or more")


def check_open(open_: Bools, n: int) -> None:
    """Refuse a mask of another length, or one that leaves nothing to choose.

    Raises:
        ValueError
    """
    if open_.shape != (n,):
        raise ValueError(f"the mask has shape {open_.shape}; there are {n} candidates")
    if not np.count_nonzero(open_):
        raise ValueError("nothing is open: at least one candidate must be")


def check_share(name: str, value: float) -> None:
    """Refuse what is not a share.

    Raises:
        ValueError
    """
    if not 0.0 <= value <= 1.0:
        raise ValueError(f"{name} is {value}; it is a share from 0 to 1")
