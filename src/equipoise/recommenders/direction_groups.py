"""Items in groups of like direction, and how far a group may hope to reach towards a query.

Spherical k-means (Dhillon, Modha, Machine Learning 2001) on the items' directions. Of a group are
kept the mean direction m and how far its members scatter about it. A member of norm n then scores
about n (q·m + z s), s being the scatter along q and z a standard normal number. A search passes
over all below the floor at one z, which is measured when the groups are made: the one that finds
the recall asked for, on queries made from the items.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csr_matrix

from equipoise.errors import InvalidInput
from equipoise.randomness import derive
from equipoise.recommenders.top import masked_top
from equipoise.types import Floats, Floats32, Positions

ROUNDS, SAMPLE = 6, 40
"""Of k-means, on so many items a group."""
QUERIES, NEAREST, BEST = 64, 3, (10, 100)
"""The trial: so many queries, each the sum of so many items that go together; lengths of lists."""
CHUNK = 8_192


@dataclass(frozen=True)
class Groups:
    """√I groups; memory 4 I bytes and √I·d + d² floats."""

    member: Positions
    """(I,) the group of each item."""
    means: Floats32
    """(groups, d) mean directions, shorter than one."""
    spread: Floats32
    """(groups,) a group's scatter as a share of the common one."""
    scatter: Floats32
    """(d, d) the common scatter's covariance."""
    z: float = 0.0
    """How many standard deviations above a group's mean are looked for."""

    @classmethod
    def of(cls, factors: Floats32, norms: Floats) -> Groups:
        """Group the rows of ``factors`` (I, d) of these ``norms``."""
        usable = np.isfinite(norms) & (norms > 0)
        scale = np.divide(1, norms, out=np.zeros_like(norms), where=usable).astype(np.float32)
        rows = np.flatnonzero(usable).astype(np.int32)
        member = _k_means(factors, scale, rows)
        return cls(member, *_moments(factors, scale, member, rows))

    def promise(self, vector: Floats32) -> Floats32:
        """(groups,) the score of an item of norm one that a group may well hold."""
        middle, deviation = self._about(vector)
        promise: Floats32 = np.maximum(middle + np.float32(self.z) * deviation, 0)
        return promise

    def _about(self, vector: Floats32) -> tuple[Floats32, Floats32]:
        """(groups,) mean and standard deviation of the scores of items of norm one."""
        along = max(float(vector @ self.scatter @ vector), 0.0)
        return self.means @ vector, np.float32(along**0.5) * self.spread

    def tried(self, factors: Floats32, reach: Floats32, recall: float) -> Groups:
        """The same with the z that a share ``recall`` of the trial's best items needed at most.

        ``reach`` (I,) is the largest norm in each item's block, since blocks are passed over whole;
        0 for those that are in none. Raises InvalidInput for a recall that is none.
        """
        if not 0 < recall < 1:
            message = f"recall is {recall}; it lies between 0 and 1, and None searches exactly"
            raise InvalidInput(message, pointer="/recall")
        usable = (reach > 0) & np.isfinite(reach)
        rng = derive(0, "recommenders.direction_groups.trial")
        items = np.flatnonzero(usable)
        needed: list[list[Floats]] = [[] for _ in BEST]
        for item in rng.choice(items, QUERIES if len(items) else 0):
            near, _ = masked_top(factors @ factors[item], usable, NEAREST)
            query = factors[near].sum(axis=0)
            best, scores = masked_top(factors @ query, usable, max(BEST))
            middle, deviation = (part[self.member[best]] for part in self._about(query))
            for length, so_far in zip(BEST, needed, strict=True):
                short = slice(length)
                reached = scores[short].min() / reach[best[short]] - middle[short]
                so_far.append(reached / np.maximum(deviation[short], 1e-30))
        z = max(float(np.quantile(np.concatenate([*part, [0.0]]), recall)) for part in needed)
        return replace(self, z=z)


def _k_means(factors: Floats32, scale: Floats32, usable: Positions) -> Positions:
    """(I,) groups, none empty; 0 for rows that have no direction."""
    groups = max(1, round(len(usable) ** 0.5))
    sample = derive(0, "recommenders.direction_groups").permutation(usable)[: SAMPLE * groups]
    directions = factors[sample] * scale[sample, None]
    centres = directions[:groups]
    for _ in range(ROUNDS if len(sample) else 0):
        nearest = _nearest(directions, centres)
        ones = np.ones(len(sample), np.float32)
        cells = csr_matrix((ones, (nearest, np.arange(len(sample)))), (groups, len(sample)))
        sums = cells @ directions
        lengths = np.linalg.norm(sums, axis=1, keepdims=True)
        centres = np.where(lengths > 0, sums / np.maximum(lengths, 1e-30), centres)
    member = np.zeros(len(factors), np.int32)
    for start in range(0, len(usable), CHUNK):
        rows = usable[start : start + CHUNK]
        member[rows] = _nearest(factors[rows] * scale[rows, None], centres)
    member[usable] = np.unique(member[usable], return_inverse=True)[1]
    return member


def _nearest(rows: Floats32, centres: Floats32) -> Positions:
    nearest = np.empty(len(rows), np.int32)
    for start in range(0, len(rows), CHUNK):
        part = slice(start, start + CHUNK)
        nearest[part] = np.argmax(rows[part] @ centres.T, axis=1)
    return nearest


def _moments(
    factors: Floats32, scale: Floats32, member: Positions, rows: Positions
) -> tuple[Floats32, Floats32, Floats32]:
    """Mean directions, relative spreads and the common scatter."""
    groups, d = int(member.max(initial=0)) + 1, factors.shape[1]
    counts = np.maximum(np.bincount(member[rows], minlength=groups), 1)
    cells = csr_matrix((scale[rows], (member[rows], rows)), (groups, len(factors)))
    means = ((cells @ np.nan_to_num(factors)) / counts[:, None]).astype(np.float32)
    around, scatter = np.zeros(groups), np.zeros((d, d))
    for start in range(0, len(rows), CHUNK):
        part = rows[start : start + CHUNK]
        rest = factors[part] * scale[part, None] - means[member[part]]
        around += np.bincount(member[part], np.square(rest).sum(axis=1), groups)
        scatter += rest.T @ rest
    mean = max(float(around.sum()), 1e-30) / max(len(rows), 1)
    spread = np.sqrt(around / counts / mean)
    return means, spread.astype(np.float32), (scatter / max(len(rows), 1)).astype(np.float32)
