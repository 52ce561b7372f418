"""How long does a decision take, and how fast is learning, beside Vowpal Wabbit?

``python -m benchmarks exploration speed [--decisions 300] [--rewards 100000]``

*Environment*: 500 candidates of 32 features, other ones each time, and a Bayesian linear belief
over them that has seen 50 rewards (cold) or 20,000 (settled). A decision is all of it: mean and
variance of the 500, then a slate of 20, slot by slot, with its propensities and its cost. Learning
is one reward at a time: exact second-order updates of the same belief.

*Settings*: one core, one thread, each side in a process of its own, in the same run. Vowpal Wabbit
9.11 gives the probabilities of *one* slot (``--cb_explore_adf``, softmax and SquareCB), by
first-order weights. It is timed from text, which is how a service would call it, and, in brackets,
from examples that were parsed before, at nobody's expense. For learning, what is done in one call
stands beside its reading of a text file, which it must parse; a call a reward beside its Python
binding's calls with parsed examples.

*Score*: the slowest median of a decision as a share of what it may take (1 ms with Plackett–Luce
and SquareCB, 3 ms with Thompson and optimism; the others have no limit); rewards a second over the
50,000 asked.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks.exploration import vowpal

CANDIDATES, FEATURES, SLOTS = 500, 32, 20
LIMITS = {"plackett_luce": 1.0, "square_cb": 1.0, "thompson": 3.0, "optimism": 3.0}
"""Milliseconds, in the median."""
REWARDS_WANTED = 50_000
COLD, SETTLED = 50, 20_000
NOISE = 0.09
"""Variance of one reward."""
THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")

PEER = """
import json, random, sys, time
from vowpalwabbit import Workspace

decisions, candidates, features, rewards, path = json.loads(sys.argv[1])
luck = random.Random(0)

def example():
    return "| " + " ".join(f"f{j}:{luck.gauss(0, 1):.6f}" for j in range(features))

def timed(call, argument):
    start = time.perf_counter()
    call(argument)
    return time.perf_counter() - start

found = {}
for form in ("softmax", "squarecb"):
    learner = Workspace(f"--cb_explore_adf --{form} --quiet")
    for _ in range(20):
        actions = [example() for _ in range(candidates)]
        actions[0] = "0:0.5:0.01 " + actions[0]
        learner.learn(actions)
    text, parsed = [], []
    for _ in range(decisions):
        actions = [example() for _ in range(candidates)]
        text.append(timed(learner.predict, actions))
        examples = learner.parse(actions)
        parsed.append(timed(learner.predict, examples))
        learner.finish_example(examples)
    found[form] = [sorted(times)[len(times) // 2] for times in (text, parsed)]
    learner.finish()
with open(path, "w") as file:
    file.writelines(f"{luck.random():.6f} {example()}\\n" for _ in range(rewards))
start = time.perf_counter()
Workspace(f"--data {path} --quiet").finish()
found["file"] = rewards / (time.perf_counter() - start)
learner = Workspace("--quiet")
examples = [learner.parse(f"{luck.random():.6f} {example()}") for _ in range(min(rewards, 20000))]
start = time.perf_counter()
for one in examples:
    learner.learn(one)
found["parsed"] = len(examples) / (time.perf_counter() - start)
print(json.dumps(found))
"""


def ours(decisions: int, rewards: int) -> dict[str, Any]:
    """Median and 95th percentile of a decision in ms, by policy and belief; rewards a second."""
    import numpy as np

    from equipoise.exploration import POLICIES, GaussianBelief
    from equipoise.randomness import derive

    rng = derive(0, "benchmark speed")
    found: dict[str, Any] = {}
    for name, seen in (("cold", COLD), ("settled", SETTLED)):
        x = rng.normal(size=(seen, FEATURES))
        truth = rng.normal(size=FEATURES) / np.sqrt(FEATURES)
        reward = 0.1 * x @ truth + rng.normal(0, np.sqrt(NOISE), seen)
        belief = GaussianBelief(FEATURES, prior_precision=9.0, noise=NOISE).update(x, reward)
        for cls in POLICIES:
            times = [_decide(cls(), belief, rng) for _ in range(decisions + 3)][3:]
            found.setdefault(cls.name, {})[name] = np.percentile(times, [50, 95]).tolist()
        times = [_decide(_joint(), belief, rng, joint=True) for _ in range(decisions // 10 + 3)][3:]
        found.setdefault("joint_thompson, a root", {})[name] = np.percentile(
            times, [50, 95]
        ).tolist()
    return found | _learning(rewards, rng)


def _joint() -> Any:
    from equipoise.exploration import JointThompson

    return JointThompson()


def _decide(policy: Any, belief: Any, rng: Any, *, joint: bool = False) -> float:
    """Milliseconds of one decision, from features to slate."""
    import numpy as np

    from equipoise.slates.draw import draw
    from equipoise.slates.rules import Rules
    from equipoise.types import Scored

    x, items = rng.normal(size=(CANDIDATES, FEATURES)), np.arange(CANDIDATES, dtype=np.int32)
    look = 1.0 / np.arange(1, SLOTS + 1)
    start = time.perf_counter()
    mean, variance = belief.predict(x)
    root = belief.covariance_root(x) if joint else None
    scored = Scored(items, mean, variance, np.full(CANDIDATES, NOISE), root)
    drawn = draw(policy, scored, Rules.of(n=CANDIDATES), SLOTS, 1.0, look, rng)
    spent = 1e3 * (time.perf_counter() - start)
    if len(drawn.chosen) != SLOTS:
        raise RuntimeError(f"{policy} filled {len(drawn.chosen)} slots of {SLOTS}")
    return spent


def _learning(rewards: int, rng: Any) -> dict[str, Any]:
    """Rewards a second: all rows in one compiled call, and a Python call each."""
    import numpy as np

    from equipoise.exploration.beliefs import linear_kernels

    x = rng.normal(size=(rewards, FEATURES))
    reward, weight = rng.normal(size=rewards), np.ones(rewards)
    state = linear_kernels.start(np.ones(FEATURES), np.zeros(FEATURES))
    linear_kernels.absorb_rows(*state, x[:10], reward[:10], weight[:10])
    linear_kernels.absorb(*state, x[0], reward[0], 1.0)
    rate = {}
    rate["rows"] = _rate(lambda: linear_kernels.absorb_rows(*state, x, reward, weight), rewards)
    some = min(rewards, 20_000)

    def one_by_one() -> None:
        for i in range(some):
            linear_kernels.absorb(*state, x[i], reward[i], 1.0)

    rate["calls"] = _rate(one_by_one, some)
    return {"learning": rate}


def _rate(call: Callable[[], object], count: int) -> float:
    start = time.perf_counter()
    call()
    return count / (time.perf_counter() - start)


def theirs(decisions: int, rewards: int) -> dict[str, Any]:
    """The same of Vowpal Wabbit, in its own environment."""
    with tempfile.TemporaryDirectory() as folder:
        sizes = [decisions, CANDIDATES, FEATURES, rewards, str(Path(folder) / "rewards.txt")]
        done = subprocess.run(
            [vowpal.python(), "-c", PEER, json.dumps(sizes)],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _one_core() -> None:
    """For this process and for those it starts."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def table(mine: dict[str, Any], peer: dict[str, Any]) -> str:
    """A line a policy, then those of learning."""
    lines = [
        f"{'one decision, ms':<26}{'cold':>8}{'95 %':>8}{'settled':>10}{'95 %':>8}{'limit':>8}"
        f"{'VW, one slot':>20}"
    ]
    rivals = {"plackett_luce": "softmax", "square_cb": "squarecb"}
    for name in (name for name in mine if name != "learning"):
        (cold, cold_high), (settled, settled_high) = mine[name]["cold"], mine[name]["settled"]
        limit = f"{LIMITS[name]:g}" if name in LIMITS else "–"
        beside = _beside(peer[rivals[name]]) if name in rivals else ""
        lines.append(
            f"{name:<26}{cold:>8.2f}{cold_high:>8.2f}{settled:>10.2f}{settled_high:>8.2f}"
            f"{limit:>8}{beside:>20}"
        )
    rate = mine["learning"]
    lines += [
        "",
        f"{'rewards a second':<26}{'ours':>14}{'VW':>14}{'ratio':>8}",
        _rates("one call (VW: a file)", rate["rows"], peer["file"]),
        _rates("a call each (VW: parsed)", rate["calls"], peer["parsed"]),
    ]
    return "\n".join(lines)


def _beside(seconds: Sequence[float]) -> str:
    text, parsed = (1e3 * value for value in seconds)
    return f"{text:.2f} ({parsed:.2f})"


def _rates(what: str, mine: float, peer: float) -> str:
    return f"{what:<26}{mine:>14,.0f}{peer:>14,.0f}{mine / peer:>8.2f}"


def score(mine: dict[str, Any]) -> tuple[float, float]:
    """The slowest median over its limit; rewards a second over those asked."""
    slowest = max(
        mine[name][belief][0] / limit
        for name, limit in LIMITS.items()
        for belief in ("cold", "settled")
    )
    return slowest, mine["learning"]["rows"] / REWARDS_WANTED


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks exploration speed")
    parser.add_argument("--decisions", type=int, default=300)
    parser.add_argument("--rewards", type=int, default=100_000)
    options = parser.parse_args(argv)
    sizes = options.decisions, options.rewards
    # Threads are counted when the linear algebra is loaded: hence a process that has not yet.
    os.environ.update(dict.fromkeys(THREADS, "1"))
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn, initializer=_one_core) as pool:
        mine = pool.submit(ours, *sizes).result()
        peer = pool.submit(theirs, *sizes).result()
    slowest, learnt = score(mine)
    print(f"{CANDIDATES} candidates, {FEATURES} features, {SLOTS} slots; one core\n")
    print(table(mine, peer))
    print(f"\nscore: {slowest:.0%} of the time allowed, {learnt:.1f} × the rewards asked")
    return int(slowest > 1 or learnt < 1)
