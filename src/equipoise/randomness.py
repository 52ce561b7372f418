"""Randomness is an argument, derived from (root seed, purpose, key). Generators are made only here.

The same request therefore gets the same luck, on any worker and in any order, and two purposes
never share it: the agent and the world it is judged in, a slate's draw and a data set's split.
"""

from __future__ import annotations

import hashlib
import os

import numpy as np

RandomState = int | np.random.Generator | None


def derive(root: int, purpose: str, key: str = "") -> np.random.Generator:
    """A generator that depends on nothing but the three arguments."""
    digest = hashlib.blake2b(f"{root}\x1f{purpose}\x1f{key}".encode(), digest_size=16).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest, "little")))


def generator(random_state: RandomState, purpose: str) -> np.random.Generator:
    """What ``random_state`` stands for: a seed, a generator to go on with, or (None) seed 0."""
    if isinstance(random_state, np.random.Generator):
        return random_state
    return derive(0 if random_state is None else random_state, purpose)


def fresh_seed() -> int:
    """A root seed from the operating system, 63 bits, for a new data directory."""
    return int.from_bytes(os.urandom(8), "little") >> 1


def fresh_id(prefix: str, ts: int) -> str:
    """A new id that sorts by time: prefix, milliseconds and 64 random bits, in hexadecimal."""
    return f"{prefix}{ts:012x}{os.urandom(8).hex()}"
