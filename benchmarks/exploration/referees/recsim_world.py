"""RecSim's three worlds, run by RecSim's own Python; whoever sits at the other end decides.

Asks for a slate: places of the candidates, best first. With the question comes what RecSim lets an
agent see: the user's interests where they are visible, each candidate's features and kind, and what
each place of the last slate earned. A question without candidates ends a session; its answer is
not used.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from typing import Any

import numpy as np
import table
from stand_ins import stand_in

# Only agents use these, and none of those is played.
stand_in("tensorflow", "dopamine", "gin")

from recsim.agents.random_agent import RandomAgent  # noqa: E402
from recsim.environments import (  # noqa: E402
    interest_evolution,
    interest_exploration,
    long_term_satisfaction,
)

WORLDS = {
    "interest evolution": interest_evolution.create_environment,
    "interest exploration": interest_exploration.create_environment,
    "long-term satisfaction": long_term_satisfaction.create_environment,
}
EARNED = ("watch_time", "engagement", "click")
"""What a response is worth; the first of these that it has."""


class Seat:
    """Ours, at the other end of the table."""

    def slate(self, seen: Any) -> list[int]:
        documents = list(seen["doc"].values())
        slate: list[int] = table.ask(
            user=np.asarray(seen["user"], dtype=float).ravel().tolist(),
            candidates=[features(document) for document in documents],
            kinds=[kind(document) for document in documents],
            earned=earned(seen["response"]),
        )
        return slate

    def leave(self, seen: Any) -> None:
        table.ask(user=[], candidates=[], kinds=[], earned=earned(seen["response"]))


class Random:
    """RecSim's own random slates."""

    def __init__(self, env: Any, seed: int) -> None:
        self.agent = RandomAgent(env.action_space, random_seed=seed)

    def slate(self, seen: Any) -> list[int]:
        slate: list[int] = self.agent.step(0.0, seen)
        return slate

    def leave(self, seen: Any) -> None:
        """Nothing is learnt."""


def features(document: Any) -> list[float]:
    """What is seen of a candidate, as numbers."""
    if isinstance(document, dict):
        return [float(document["quality"])]
    if len(document) == 1:
        return [float(document[0])]
    return []


def kind(document: Any) -> int:
    """Its cluster or topic; 0 where there are none."""
    if isinstance(document, dict):
        return int(document["cluster_id"])
    return int(np.argmax(document))


def earned(responses: Iterable[Any] | None) -> list[float] | None:
    """What each place of the last slate earned; None where there was no slate."""
    if responses is None:
        return None
    return [_worth(response) if response["click"] else 0.0 for response in responses]


def _worth(response: Any) -> float:
    return next(float(response[name]) for name in EARNED if name in response)


def play(env: Any, agent: Seat | Random, sessions: int, lists: int) -> list[float]:
    """What each session earned."""
    totals = []
    for _ in range(sessions):
        seen, total = env.reset(), 0.0
        for _ in range(lists):
            seen, reward, done, _ = env.step(agent.slate(seen))
            total += float(reward)
            if done:
                break
        agent.leave(seen)
        totals.append(total)
    return totals


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--world", choices=WORLDS, required=True)
    parser.add_argument("--agent", choices=["ours", "random"], required=True)
    parser.add_argument("--sessions", type=int, required=True)
    parser.add_argument("--lists", type=int, required=True, help="of a session, at most")
    parser.add_argument("--candidates", type=int, required=True)
    parser.add_argument("--slots", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    options = parser.parse_args()
    # Some of RecSim's own draws come from NumPy's global generator.
    np.random.seed(options.seed)  # noqa: NPY002
    env = WORLDS[options.world](
        {
            "num_candidates": options.candidates,
            "slate_size": options.slots,
            "resample_documents": True,
            "seed": options.seed,
        }
    )
    agent = Seat() if options.agent == "ours" else Random(env, options.seed)
    table.say(outcome=play(env, agent, options.sessions, options.lists))


main()
