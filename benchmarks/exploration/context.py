"""The same question as ``budget``, where what is best depends on a context.

``python -m benchmarks exploration context [--seeds 20] [--first 1000] [--processes 2]``

*Environment*: ``context_world``: twenty actions, eight features, 40,000 decisions; stationary, an
action launched every 400, and 30 % of the actions changed every 8,000. Rewards are Gaussian and ten
times as noisy as one coefficient is large.

*Settings*: linear beliefs in a bank of three memories, the same for all rules. Ours is ``Gittins``
with the settings of ``budget``; an action is the best in one context of as many as there are
actions, so an answer serves for that part of the horizon. Rivals at their best amount in hindsight.

*Score*: share of the oracle's reward, ours less the best fixed amount's, mean of the three worlds.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from multiprocessing import get_context

import numpy as np
from scipy.stats import t as student

from equipoise.types import Floats

KINDS = ("launches", "drift", "stationary")
RULES: dict[str, tuple[int, tuple[float, ...]]] = {
    "gittins": (5, (1.0,)),
    "greedy": (0, (0.0,)),
    "epsilon": (0, (0.02, 0.05, 0.1)),
    "softmax": (1, (0.03, 0.05, 0.07)),
    "inverse gap": (2, (400.0, 1_000.0, 3_000.0)),
    "own share": (6, (0.01, 0.03, 0.05)),
    "LinUCB": (7, (0.5, 1.0, 2.0)),
}
"""Name → rule of ``context_world`` and its amounts. LinUCB is deterministic: it logs nothing."""
FIXED = ("greedy", "epsilon", "softmax", "inverse gap")


def play_all(kind: str, seed: int) -> dict[str, Floats]:
    """(amounts, 2) share and spent, by rule."""
    from benchmarks.exploration.context_world import context_world, play_context

    world = context_world(kind, seed)
    return {
        name: np.array([play_context(world, rule, amount) for amount in amounts])
        for name, (rule, amounts) in RULES.items()
    }


def show(kind: str, worlds: list[dict[str, Floats]]) -> float:
    """The table of one kind; ours less the best fixed amount's."""
    ours = np.array([world["gittins"][0, 0] for world in worlds])
    print(f"{kind}: {len(worlds)} seeds")
    gains = []
    for name, (_, amounts) in RULES.items():
        found = np.array([world[name] for world in worlds])
        best = int(np.argmax(found[:, :, 0].mean(axis=0)))
        gain = ours - found[:, best, 0]
        half = student.ppf(0.975, len(gain) - 1) * gain.std(ddof=1) / np.sqrt(len(gain))
        print(
            f"  {name:12s} {found[:, best, 0].mean():.3f} ({100 * found[:, best, 1].mean():4.1f} %)"
            f" at {amounts[best]:<6g} ours {gain.mean():+.3f} ± {half:.3f}"
        )
        if name in FIXED:
            gains.append(float(gain.mean()))
    return min(gains)


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="benchmarks exploration context", description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=1_000)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    arguments = parser.parse_args(argv)
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"
    seeds = range(arguments.first, arguments.first + arguments.seeds)
    with ProcessPoolExecutor(arguments.processes, mp_context=get_context("spawn")) as pool:
        gains = [show(kind, list(pool.map(play_all, repeat(kind), seeds))) for kind in KINDS]
    print(f"score {np.mean(gains):+.4f}")
