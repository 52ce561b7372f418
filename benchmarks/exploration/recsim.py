"""What does it earn in a whole session, where one list changes what the next ones can earn?

``python -m benchmarks exploration recsim [--sessions 400] [--seeds 3] [--quick]``

*Environment*: RecSim 0.2.4 (Ie, Hsu, Mladenov et al., 2019), its three worlds with the defaults of
its own runner. Each list is drawn from 10 new candidates; a session is one user's.

- interest evolution: interests are seen, and change by what is watched; minutes watched count. How
  good a video is stays hidden, and poor ones use up the time that a user has.
- interest exploration: nothing is seen of a user, who clicks by hidden tastes; clicks count. Such a
  session never ends by itself: it is cut after 300 lists.
- long-term satisfaction: clickbait earns more now and wears the user out. With RecSim's defaults it
  wears out so little that clickbait is right.

RecSim runs in an environment of its own, with stand-ins for TensorFlow, which only its agents need.

*Settings*: ours is ``ContextualBandit``, learning from nothing while it serves: slates of
candidates with features, among them how often this user has clicked their kind so far. It is
credited in one of two ways: each slot with what it earned itself (*slot*), or each list with all
that its session earned from then on (*session*), which is how it can learn what is good for later.
Beside it RecSim's own random slates; its learning agents need TensorFlow and are not played.

*Score*: what a session earns, over all sessions and over the last half; ours, by the better of its
two credits in the last half, over random in the same sessions.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np

from benchmarks.exploration.referees import Referee
from equipoise.exploration import Choice, ContextualBandit
from equipoise.types import Floats

RECSIM = Referee(
    "recsim",
    requires=("numpy<2", "scipy<1.12", "gym==0.26.2", "absl-py", "six"),
    alone=("recsim==0.2.4",),
)
CANDIDATES = 10
AGENTS = ("random", "slot", "session")


@dataclass(frozen=True)
class World:
    """One of RecSim's, and its size."""

    name: str
    slots: int
    lists: int
    """Of a session, at most."""
    kinds: int
    """Topics or clusters of what is shown."""
    part: float = 1.0
    """Of the sessions that are played: where they are long."""


WORLDS = (
    World("interest evolution", slots=2, lists=1_000, kinds=20),
    World("interest exploration", slots=2, lists=300, kinds=2, part=0.25),
    # Its users look at the first slot alone.
    World("long-term satisfaction", slots=1, lists=1_000, kinds=1),
)


@dataclass
class Session:
    """What one user has done so far."""

    shown: dict[int, float] = field(default_factory=dict)
    clicked: dict[int, float] = field(default_factory=dict)
    choices: list[Choice] = field(default_factory=list)
    earned: list[float] = field(default_factory=list)
    kinds: list[int] = field(default_factory=list)
    """Of the last slate."""

    def took(self, earned: Sequence[float]) -> None:
        """What the last slate earned, slot by slot."""
        self.earned.append(sum(earned))
        for kind, worth in zip(self.kinds, earned, strict=True):
            self.shown[kind] = self.shown.get(kind, 0.0) + 1.0
            self.clicked[kind] = self.clicked.get(kind, 0.0) + float(worth > 0.0)

    def liking(self, kind: int) -> float:
        """Clicks of its kind by this user so far, of those shown; half before any."""
        return (self.clicked.get(kind, 0.0) + 1.0) / (self.shown.get(kind, 0.0) + 2.0)


class Seat:
    """Ours at RecSim's table."""

    def __init__(self, world: World, credit: str, seed: int) -> None:
        self.world, self.whole = world, credit == "session"
        self.bandit = ContextualBandit(wide=0, random_state=seed)
        self.session = Session()

    def answer(self, question: dict[str, Any]) -> list[int]:
        if question["earned"] is not None:
            self._learn(question["earned"])
        if not question["candidates"]:
            self._leave()
            return []
        return self._choose(question)

    def _choose(self, question: dict[str, Any]) -> list[int]:
        actions = self._actions(question)
        places = {action: place for place, action in enumerate(actions)}
        choice = self.bandit.choose(self._context(), actions, n=self.world.slots)
        slate = [places[cast(tuple[int, int], action)] for action in choice.actions]
        self.session.choices.append(choice)
        self.session.kinds = [question["kinds"][place] for place in slate]
        return slate

    def _context(self) -> Floats | None:
        """What is still to come of a session depends on how much of it is gone."""
        earned = self.session.earned
        return np.array([len(earned), sum(earned)]) if self.whole else None

    def _actions(self, question: dict[str, Any]) -> dict[tuple[int, int], Floats]:
        """Candidates with features. They are new each time: known by kind, and place within it."""
        times: dict[int, int] = {}
        actions, kinds = {}, question["kinds"]
        for kind, features in zip(kinds, question["candidates"], strict=True):
            times[kind] = times.get(kind, -1) + 1
            interest = [question["user"][kind]] if question["user"] else []
            own = [self.session.liking(kind), *interest, *features]
            actions[kind, times[kind]] = np.concatenate([own, np.eye(self.world.kinds)[kind]])
        return actions

    def _learn(self, earned: Sequence[float]) -> None:
        self.session.took(earned)
        if not self.whole:
            self.bandit.learn(self.session.choices[-1], earned)

    def _leave(self) -> None:
        if self.whole:
            rest = np.cumsum(self.session.earned[::-1])[::-1].tolist()
            for choice, worth in zip(self.session.choices, rest, strict=True):
                self.bandit.learn(choice, worth)
        self.session = Session()


def play(world: World, agent: str, *, sessions: int, seed: int) -> list[float]:
    """What each session earned."""
    totals: list[float] = RECSIM.judge(
        "--world", world.name, "--agent", "random" if agent == "random" else "ours",
        "--sessions", sessions, "--lists", world.lists, "--candidates", CANDIDATES,
        "--slots", world.slots, "--seed", seed,
        answer=None if agent == "random" else Seat(world, agent, seed).answer,
    )  # fmt: skip
    return totals


@dataclass(frozen=True)
class Row:
    """One agent in one world, all seeds."""

    world: str
    agent: str
    totals: list[list[float]]
    """By seed: what each session earned, in order."""

    @property
    def whole(self) -> float:
        return statistics.fmean(one for totals in self.totals for one in totals)

    @property
    def late(self) -> list[float]:
        """By seed: mean of the last half of the sessions."""
        return [statistics.fmean(totals[len(totals) // 2 :]) for totals in self.totals]

    @property
    def error(self) -> float:
        """Standard error of the late mean, from the seeds; from the sessions where there is one."""
        if len(self.totals) > 1:
            return statistics.stdev(self.late) / len(self.late) ** 0.5
        late = self.totals[0][len(self.totals[0]) // 2 :]
        return statistics.stdev(late) / len(late) ** 0.5


def play_all(sessions: int, seeds: Sequence[int]) -> list[Row]:
    """Every agent in every world."""
    rows = []
    for world in WORLDS:
        count = max(4, round(world.part * sessions))
        for agent in AGENTS:
            totals = [play(world, agent, sessions=count, seed=seed) for seed in seeds]
            rows.append(Row(world.name, agent, totals))
            print(f"\r{len(rows)} of {len(WORLDS) * len(AGENTS)}", end="", file=sys.stderr)
    print(file=sys.stderr)
    return rows


def score(rows: Sequence[Row]) -> dict[str, float]:
    """World → ours over random, late."""
    scores = {}
    for world in WORLDS:
        late = {row.agent: statistics.fmean(row.late) for row in rows if row.world == world.name}
        ours = max(late[agent] for agent in AGENTS if agent != "random")
        scores[world.name] = ours / late["random"]
    return scores


def table(rows: Sequence[Row]) -> str:
    head = f"{'world':<24}{'agent':<16}{'a session':>10}{'last half':>11}{'± se':>8}"
    return "\n".join([head, *map(_line, rows)])


def _line(row: Row) -> str:
    name = row.agent if row.agent == "random" else f"ours, {row.agent}"
    late = statistics.fmean(row.late)
    return f"{row.world:<24}{name:<16}{row.whole:>10.1f}{late:>11.1f}{row.error:>8.1f}"


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks exploration recsim")
    parser.add_argument("--sessions", type=int, default=200)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="a tenth of the sessions, one seed")
    options = parser.parse_args(argv)
    sessions, seeds = options.sessions, options.seeds
    if options.quick:
        sessions, seeds = sessions // 10, 1
    rows = play_all(sessions, range(seeds))
    print(f"{sessions} sessions, {seeds} seeds\n\n{table(rows)}\n")
    scores = score(rows)
    print("score: " + ", ".join(f"{world} {ratio:.2f} ×" for world, ratio in scores.items()))
    return int(min(scores.values()) <= 1.0)
