"""Does ``ContextualBandit`` choose better than popularity and the policies of two other packages,
where shoppers rated what they were shown at random?

``python -m benchmarks exploration uniform_logs [--shuffles 5] [--first 0] [--visits 8]
[--world again|once] [--no-peers]``

*Environment*: Coat (Schnabel, Swaminathan, Singh, Chandak and Joachims, ICML 2016; the archive
``coat``; EQUIPOISE_DATA_SETS names its folder). 290 users rated 16 of 300 coats each, drawn
uniformly at random. Every user comes eight times, in a new order each time, and is shown one of
their own 16 coats; its rating is known, so that nothing is rejected and every step is exact. Replay
over all 300 (``equipoise.evaluation.replay``) would keep some 15 of the 4,640 ratings: too few to
learn anything from. Two worlds: *again*, where all 16 are open at every visit, as in a shop, so
that what pleased can be found and kept to; and *once*, where nobody is shown a coat twice, so that
every reward is foretold and none remembered. A reward is a rating of 4 or 5; 19 in 100 are.

*Settings*: ours as ``ContextualBandit(random_state=shuffle)``, told the user's 14 features and the
coats' 33, in rows below it with one thing changed. All policies of ``contextualbandits`` 0.3.30 and
of MABWiser 2.7.4, with their defaults, in an environment of their own
(``benchmarks/exploration/referees``): they are told the user's features; neither package can be
told the coats', so the row "ids alone" is ours without them. They choose, and then learn, 58 at a
time, as their documentation has it; a row of ours does so too. Shuffles from 100 on were looked at
while this was built.

*Score*: share of what was shown that was rated 4 or 5; the mean rating beside it. Gains are in
pairs, shuffle by shuffle, with Student's 95 % interval: for these users, in another order and with
other luck. Asked: above popularity and every policy of the peers, in both worlds. Steps a second
are all of choosing and learning; the machine's load is in them for all alike.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.exploration.referees import Referee
from benchmarks.exploration_shop import interval
from equipoise.clock import elapsed
from equipoise.exploration import ContextualBandit
from equipoise.intake.data_sets import locate
from equipoise.randomness import derive
from equipoise.types import Bools, Floats

PEERS = Referee(
    "uniform_logs",
    requires=(
        "numpy", "scipy", "pandas", "scikit-learn", "joblib", "cython", "setuptools",
        "mabwiser==2.7.4",
    ),
    alone=("contextualbandits==0.3.30",),
)  # fmt: skip
BATCH = 58
"""A fifth of the users: peers learn so many at a time."""
GOOD = 4
CONFIDENCE = 0.95
DEFAULT = "default"
WORLDS = ("again", "once")
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Stream:
    """One shuffle."""

    users: Floats
    """(290, 14)"""
    items: Floats
    """(300, 33)"""
    ratings: Floats
    """(290, 300), 0 where not rated."""
    turns: Ints
    """Whose turn it is, each user once a visit."""
    once: bool
    """Whether nobody is shown an item twice."""

    @property
    def open(self) -> Bools:
        """(users, items) what can be shown to whom at first."""
        return np.asarray(self.ratings > 0)

    @property
    def rewards(self) -> Floats:
        return (self.ratings >= GOOD).astype(float)


def stream(shuffle: int, visits: int, *, once: bool) -> Stream:
    """The set in the order of this shuffle."""
    folder = locate("coat")
    ratings, users, items = (
        np.loadtxt(folder / name)
        for name in (
            "test.ascii",
            "user_item_features/user_features.ascii",
            "user_item_features/item_features.ascii",
        )
    )
    luck = derive(shuffle, "benchmark uniform logs")
    turns = np.concatenate([luck.permutation(len(ratings)) for _ in range(visits)])
    return Stream(users, items, ratings, turns, once)


Shows = Callable[[int, Ints], int]
"""(user, open items) → the item."""


def play(world: Stream, show: Shows, learn: Callable[[int, float], None], batch: int = 1) -> Ints:
    """What was shown at each turn; ``learn`` is told turn and reward after each batch of turns."""
    left, rewards, shown = world.open, world.rewards, np.empty(len(world.turns), dtype=np.int64)
    for start in range(0, len(shown), batch):
        turns = range(start, min(start + batch, len(shown)))
        for turn in turns:
            user = int(world.turns[turn])
            shown[turn] = show(user, np.flatnonzero(left[user]))
            left[user, shown[turn]] = not world.once
        for turn in turns:
            learn(turn, float(rewards[world.turns[turn], shown[turn]]))
    return shown


def bandit(
    world: Stream, seed: int, *, features: bool = True, batch: int = 1, **keywords: Any
) -> Ints:
    """What ``ContextualBandit`` shows."""
    learner = ContextualBandit(random_state=seed, **keywords)
    choices: list[Any] = []

    def show(user: int, open_: Ints) -> int:
        ids = open_.tolist()
        actions = dict(zip(ids, world.items[open_], strict=True)) if features else ids
        choices.append(learner.choose(world.users[user], actions))
        return int(choices[-1].action)

    return play(world, show, lambda turn, reward: learner.learn(choices[turn], reward), batch)


def popularity(world: Stream, seed: int) -> Ints:
    """The highest mean reward so far, two looks at the mean of all before them; ties by lot."""
    n, earned, luck = np.zeros(300), np.zeros(300), derive(seed, "benchmark popularity")
    told: list[int] = []

    def show(user: int, open_: Ints) -> int:
        overall = (earned.sum() + 1) / (n.sum() + 2)
        score = (earned[open_] + 2 * overall) / (n[open_] + 2)
        told.append(int(luck.choice(open_[score == score.max()])))
        return told[-1]

    def learn(turn: int, reward: float) -> None:
        n[told[turn]] += 1
        earned[told[turn]] += reward

    return play(world, show, learn)


def at_random(world: Stream, seed: int) -> Ints:
    luck = derive(seed, "benchmark random")
    return play(world, lambda user, open_: int(luck.choice(open_)), lambda turn, reward: None)


def in_hindsight(world: Stream, seed: int) -> Ints:
    """The best rating first: no policy can do better."""
    return play(
        world,
        lambda user, open_: int(open_[world.ratings[user, open_].argmax()]),
        lambda turn, reward: None,
    )


OURS: dict[str, Callable[[Stream, int], Ints]] = {
    DEFAULT: bandit,
    f"learning {BATCH} at a time": lambda world, seed: bandit(world, seed, batch=BATCH),
    "ids alone": lambda world, seed: bandit(world, seed, features=False),
    "greedy (budget 0)": lambda world, seed: bandit(world, seed, budget=0),
}
SCALE: dict[str, Callable[[Stream, int], Ints]] = {
    "popularity": popularity,
    "at random": at_random,
    "in hindsight": in_hindsight,
}


@dataclass
class Results:
    """Figures of each method, a shuffle after another."""

    good: dict[str, list[float]] = field(default_factory=dict)
    rating: dict[str, list[float]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    steps: dict[str, int] = field(default_factory=dict)

    def add(self, method: str, world: Stream, shown: Ints, seconds: float) -> None:
        _check(method, world, shown)
        ratings = world.ratings[world.turns, shown]
        self.good.setdefault(method, []).append(float((ratings >= GOOD).mean()))
        self.rating.setdefault(method, []).append(float(ratings.mean()))
        self.seconds[method] = self.seconds.get(method, 0.0) + seconds
        self.steps[method] = self.steps.get(method, 0) + len(shown)

    def gains(self, method: str) -> list[float]:
        """Of the default over it, shuffle by shuffle."""
        pairs = zip(self.good[DEFAULT], self.good[method], strict=True)
        return [ours - theirs for ours, theirs in pairs]


def _check(method: str, world: Stream, shown: Ints) -> None:
    """Nobody is shown what they did not rate, nor, if so agreed, a coat twice."""
    pairs = set(zip(world.turns.tolist(), shown.tolist(), strict=True))
    twice = world.once and len(pairs) < len(shown)
    if twice or not world.open[world.turns, shown].all():
        raise RuntimeError(f"{method} showed what was not open")


def play_all(shuffles: Sequence[int], visits: int, *, once: bool, peers: bool) -> Results:
    """Every method on every shuffle."""
    results = Results()
    bandit(stream(shuffles[0], 1, once=once), 0)
    for number, shuffle in enumerate(shuffles, start=1):
        world = stream(shuffle, visits, once=once)
        for method, show in (OURS | SCALE).items():
            started = elapsed()
            shown = show(world, shuffle)
            results.add(method, world, shown, elapsed() - started)
        for method, shown, seconds in theirs(world, shuffle) if peers else ():
            results.add(method, world, shown, seconds)
        print(f"\r{number} of {len(shuffles)} shuffles", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return results


def theirs(world: Stream, shuffle: int) -> Iterator[tuple[str, Ints, float]]:
    """Name, what was shown, seconds, of each policy of the peers."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "stream.npz"
        np.savez(
            path, users=world.users, open=world.open, rewards=world.rewards, turns=world.turns,
            once=np.array(world.once),
        )  # fmt: skip
        # They want seeds above 0.
        found = PEERS.judge("--stream", path, "--batch", BATCH, "--seed", shuffle + 1)
    for name, run in found.items():
        yield name, np.array(run["shown"]), float(run["seconds"])


def table(results: Results) -> str:
    """A line a method, peers by what they earned."""
    rivals = [name for name in results.good if name not in OURS and name not in SCALE]
    ranked = sorted(rivals, key=lambda name: -statistics.fmean(results.good[name]))
    head = (
        f"{'':<28}{'rated 4 or 5 %':>15}{'rating':>9}{'steps/s':>11}{'default gains':>15}"
        f"{'95 %':>18}{'ahead in':>10}"
    )
    names = ["ours", *OURS, "", *SCALE, "", *ranked]
    return "\n".join([head, *(_line(results, name) if name in results.good else name
                              for name in names)])  # fmt: skip


def _line(results: Results, method: str) -> str:
    good, rating = (statistics.fmean(of[method]) for of in (results.good, results.rating))
    rate = results.steps[method] / results.seconds[method]
    line = f"{method:<28}{100 * good:>15.2f}{rating:>9.3f}{rate:>11,.0f}"
    if method == DEFAULT:
        return line
    gains = results.gains(method)
    centre, low, high = (100 * value for value in interval(gains, CONFIDENCE))
    ahead = f"{sum(gain > 0 for gain in gains)} of {len(gains)}"
    return f"{line}{centre:>15.2f}{f'{low:.2f} … {high:.2f}':>18}{ahead:>10}"


def score(results: Results) -> tuple[str, float, float]:
    """The best rival, chosen in hindsight; the default's gain over it; the least low end of all."""
    rivals = [name for name in results.good if name not in OURS and name not in list(SCALE)[1:]]
    best = max(rivals, key=lambda name: statistics.fmean(results.good[name]))
    lows = [interval(results.gains(name), CONFIDENCE)[1] for name in rivals]
    return best, statistics.fmean(results.gains(best)), min(lows)


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks exploration uniform_logs")
    parser.add_argument("--shuffles", type=int, default=5)
    parser.add_argument("--first", type=int, default=0, help="first shuffle; 100 and on: built on")
    parser.add_argument("--visits", type=int, default=8, help="of each user; at most 16")
    parser.add_argument("--world", choices=WORLDS, action="append", help="one of the two alone")
    parser.add_argument("--no-peers", action="store_true", help="ours and popularity alone")
    options = parser.parse_args(argv)
    shuffles = range(options.first, options.first + options.shuffles)
    least = float("inf")
    for name in options.world or WORLDS:
        results = play_all(
            shuffles, options.visits, once=name == "once", peers=not options.no_peers
        )
        best, gain, low = score(results)
        print(f"{name}: 290 users, {options.visits} visits each, {options.shuffles} shuffles\n")
        print(table(results))
        print(
            f"\nscore: {100 * gain:+.2f} points over {best}, the best rival in hindsight; at 95 %,"
            f" over every rival at least {100 * low:+.2f}\n",
            flush=True,
        )
        least = min(least, gain)
    return int(least <= 0)
