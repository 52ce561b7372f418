"""The innermost loop, against plain sums, in both its forms."""

from __future__ import annotations

import numpy as np
import pytest
from numba import njit

from equipoise.randomness import derive
from equipoise.recommenders.byte_dots import LANES, byte_dots, has_vnni, plain_dots


@njit
def in_use(words, query, out):
    byte_dots(words, query, out)


@pytest.mark.parametrize("steps", [1, 2, 8, 33])
@pytest.mark.parametrize("extreme", [False, True])
def test_dots_are_sums_of_code_times_query(steps, extreme):
    """Eight codes a word, lower halves first; the instruction and the loop agree with the sums."""
    rng = derive(steps, "test")
    codes = np.full((LANES, 8 * steps), 15) if extreme else rng.integers(0, 16, (LANES, 8 * steps))
    query = np.full(8 * steps, -128) if extreme else rng.integers(-128, 128, 8 * steps)
    shifts = np.array([8 * (f % 4) + f % 8 // 4 * 4 for f in range(8)], np.uint64)
    words = (codes.reshape(LANES, steps, 8).astype(np.uint64) << shifts).sum(axis=2)
    words = np.ascontiguousarray(words.T.astype(np.uint32))
    outs = np.full((2, LANES), -1, np.int32)

    plain_dots(words, query.astype(np.int8), outs[0])
    in_use(words, query.astype(np.int8), outs[1])

    assert outs[0].tolist() == (codes @ query).tolist()
    assert outs[1].tolist() == outs[0].tolist()


def test_the_instruction_is_used_only_where_numba_compiles_for_this_processor(monkeypatch):
    """Somebody who asks numba for a plainer processor gets code that runs there."""
    monkeypatch.setattr("numba.config.CPU_NAME", "generic")

    assert not has_vnni()
