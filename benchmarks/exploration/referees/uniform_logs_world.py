"""The policies of ``contextualbandits`` and ``MABWiser`` on a stream of users, run by their Python.

Asks nobody. Both packages have arms with an id and no features, and predict for all of them: where
only some are open, the first open one of the policy's *own ranking* (``topN``; MABWiser's
expectations) is shown, explored ranks included. Predictions come a batch at a time and the batch is
learnt after it, as both packages' documentation has it; the first batch is random.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import table
from contextualbandits import online
from mabwiser.mab import MAB, LearningPolicy, NeighborhoodPolicy
from sklearn.linear_model import LogisticRegression

Array = np.ndarray[Any, Any]


class Fitted:
    """``contextualbandits``: refitted on all that was seen, arms with new rewards alone."""

    def __init__(self, policy: Any) -> None:
        self.policy = policy

    def ranked(self, x: Array) -> Array:
        """(B, K) arms, the first the policy's choice among all."""
        ranks: Array = np.asarray(self.policy.topN(x, self.policy.nchoices))
        return ranks

    def learn(self, x: Array, arms: Array, rewards: Array) -> None:
        self.policy.fit(x, arms, rewards, continue_from_last=True)


class Absorbing(Fitted):
    """``contextualbandits``' LinUCB and LinTS: exact updates, so the new rows are enough."""

    def __init__(self, policy: Any) -> None:
        super().__init__(policy)
        self.seen = 0

    def learn(self, x: Array, arms: Array, rewards: Array) -> None:
        rows = slice(self.seen, None)
        self.policy.partial_fit(x[rows], arms[rows], rewards[rows])
        self.seen = len(arms)


class Wiser:
    """``MABWiser``: expectations of all arms, drawn at random where the policy explores."""

    def __init__(self, policy: Any, arms: int, seed: int, near: Any = None) -> None:
        self.arms, self.seen = list(range(arms)), 0
        self.bandit = MAB(self.arms, policy, near, seed=seed)

    def ranked(self, x: Array) -> Array:
        told = self.bandit.predict_expectations(x) if self.bandit.is_contextual else [
            self.bandit.predict_expectations() for _ in x
        ]  # fmt: skip
        # One row of contexts comes back without its list.
        rows = told if isinstance(told, list) else [told]
        values = np.array([[row[arm] for arm in self.arms] for row in rows])
        # Where a policy has no opinion yet (NaN), last; equals in the order of their ids.
        ranks: Array = np.argsort(-np.nan_to_num(values, nan=-np.inf), axis=1, kind="stable")
        return ranks

    def learn(self, x: Array, arms: Array, rewards: Array) -> None:
        first, rows = self.seen == 0, slice(self.seen, None)
        contexts = (x[rows],) if self.bandit.is_contextual else ()
        learn = self.bandit.fit if first else self.bandit.partial_fit
        learn(arms[rows], rewards[rows], *contexts)
        self.seen = len(arms)


def policies(arms: int, seed: int) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Every policy, with its package's defaults but for what is named."""
    # contextualbandits takes gradients only where the penalty is named.
    base = LogisticRegression(solver="liblinear", penalty="l2")
    shared = {"nchoices": arms, "random_state": seed, "njobs": 1}
    sampled = {"nchoices": arms, "random_state": seed, "njobs_arms": 1, "njobs_samples": 1}
    fitted: dict[str, Callable[[], Any]] = {
        "BootstrappedUCB": lambda: online.BootstrappedUCB(base, **sampled),
        "BootstrappedTS": lambda: online.BootstrappedTS(base, **sampled),
        "LogisticUCB": lambda: online.LogisticUCB(**shared),
        "LogisticTS": lambda: online.LogisticTS(**shared),
        "SeparateClassifiers": lambda: online.SeparateClassifiers(
            base, beta_prior="auto", **shared
        ),
        "EpsilonGreedy": lambda: online.EpsilonGreedy(base, **shared),
        "AdaptiveGreedy": lambda: online.AdaptiveGreedy(base, **shared),
        "AdaptiveGreedy, active": lambda: online.AdaptiveGreedy(
            base, active_choice="weighted", **shared
        ),
        "ExploreFirst, 290": lambda: online.ExploreFirst(
            base, explore_rounds=290, beta_prior="auto", **shared
        ),
        "ActiveExplorer": lambda: online.ActiveExplorer(base, **shared),
        "SoftmaxExplorer": lambda: online.SoftmaxExplorer(base, **shared),
        "ParametricTS": lambda: online.ParametricTS(base, beta_prior="auto", **shared),
        "PartitionedUCB": lambda: online.PartitionedUCB(**shared),
        "PartitionedTS": lambda: online.PartitionedTS(**shared),
    }
    for name, make in fitted.items():
        yield f"cb {name}", lambda make=make: Fitted(make())
    yield "cb LinUCB", lambda: Absorbing(online.LinUCB(**shared))
    yield "cb LinTS", lambda: Absorbing(online.LinTS(**shared))
    wise = {
        "EpsilonGreedy .1": (LearningPolicy.EpsilonGreedy(0.1), None),
        "UCB1": (LearningPolicy.UCB1(), None),
        "ThompsonSampling": (LearningPolicy.ThompsonSampling(), None),
        "Softmax": (LearningPolicy.Softmax(), None),
        "Popularity": (LearningPolicy.Popularity(), None),
        "LinGreedy": (LearningPolicy.LinGreedy(), None),
        "LinUCB": (LearningPolicy.LinUCB(), None),
        "LinTS": (LearningPolicy.LinTS(), None),
        "UCB1, 25 nearest": (LearningPolicy.UCB1(), NeighborhoodPolicy.KNearest(25)),
    }
    for name, (policy, near) in wise.items():
        yield f"mw {name}", lambda policy=policy, near=near: Wiser(policy, arms, seed, near)


def play(policy: Any, stream: dict[str, Array], batch: int, rng: Any) -> list[int]:
    """What it shows at each turn: one of the user's own items, once only where ``once`` is set."""
    open_, rewards = stream["open"].copy(), stream["rewards"]
    turns, users = stream["turns"], stream["users"]
    shown = np.empty(len(turns), dtype=np.int64)
    for start in range(0, len(turns), batch):
        now = turns[start : start + batch]
        x = users[now]
        ranks = rng.permuted(np.tile(np.arange(open_.shape[1]), (len(now), 1)), axis=1)
        if start:
            ranks = policy.ranked(x)
        first = open_[now[:, None], ranks].argmax(axis=1)
        shown[start : start + batch] = ranks[np.arange(len(now)), first]
        if stream["once"]:
            open_[now, shown[start : start + batch]] = False
        seen = slice(0, start + len(now))
        policy.learn(users[turns[seen]], shown[seen], rewards[turns[seen], shown[seen]])
    return [int(item) for item in shown]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--stream", required=True, help="npz: users, open, rewards, turns, once")
    parser.add_argument("--batch", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True, help="above 0: so they want it")
    parser.add_argument("--only", nargs="*", help="some of the policies")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    with np.load(options.stream) as file:
        stream = {name: file[name] for name in file.files}
    found = {}
    for name, make in policies(stream["open"].shape[1], options.seed):
        if options.only and name not in options.only:
            continue
        started = time.perf_counter()
        shown = play(make(), stream, options.batch, np.random.default_rng(options.seed))
        found[name] = {"shown": shown, "seconds": time.perf_counter() - started}
    table.say(outcome=found)


main()
