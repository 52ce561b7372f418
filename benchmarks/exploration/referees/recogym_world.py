"""RecoGym's shop, run by RecoGym's own Python; whoever sits at the other end of the table decides.

Asks with the views that a user's own browsing has left and with what the last answer earned. An
answer is the product to show. RecoGym's own agents need no table.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

import numpy as np
import table
from stand_ins import stand_in

# A name that NumPy has given up, and libraries of agents that are not played.
np.float = float  # type: ignore[attr-defined]  # noqa: NPY001
stand_in("torch", "sklearn", "matplotlib")

from recogym import Configuration, env_1_args  # noqa: E402
from recogym.agents import (  # noqa: E402
    BanditCount,
    OrganicCount,
    OrganicUserEventCounterAgent,
    RandomAgent,
    bandit_count_args,
    organic_count_args,
    organic_user_count_args,
    random_args,
)
from recogym.envs import RecoEnv1  # noqa: E402
from recogym.envs.reco_env_v1 import ff  # noqa: E402

OTHERS: dict[str, tuple[Callable[[Any], Any], dict[str, Any]]] = {
    "random": (RandomAgent, random_args),
    "organic count": (OrganicCount, organic_count_args),
    "organic user count": (OrganicUserEventCounterAgent, organic_user_count_args),
    "bandit count": (BanditCount, bandit_count_args),
}
QUARTERS = 4


class Seat:
    """Ours, at the other end: sees what a user's browsing shows, and what its answers earned."""

    def __init__(self, products: int) -> None:
        self.views = [0] * products
        self.last = 0

    def reset(self) -> None:
        self.views = [0] * len(self.views)

    def act(self, observation: Any, reward: float | None, done: bool) -> dict[str, int]:
        for session in observation.sessions():
            self.last = int(session["v"])
            self.views[self.last] += 1
        earned = None if reward is None else float(reward)
        return {"a": table.ask(views=self.views, last=self.last, reward=earned)}

    def train(self, observation: Any, action: Any, reward: Any, done: bool = False) -> None:
        """It learns by the next question; a user's last reward is told before they go."""
        if done:
            table.ask(reward=float(reward), views=None, last=None)


def world(options: argparse.Namespace) -> Any:
    env = RecoEnv1()
    settings = {"num_products": options.products, "number_of_flips": options.flips}
    env.init_gym({**env_1_args, **settings, "random_seed": options.seed})
    return env


def seated(options: argparse.Namespace) -> Any:
    if options.agent == "ours":
        return Seat(options.products)
    make, settings = OTHERS[options.agent]
    mine = {"num_products": options.products, "random_seed": options.seed}
    return make(Configuration({**settings, **mine}))


def train(env: Any, agent: Any, users: int) -> None:
    """Log users who are shown products at random, as RecoGym's own bench does."""
    for user in range(users):
        env.reset(user)
        observation, reward, done, _ = env.step(None)
        while not done:
            before = observation
            action, observation, reward, done, _ = env.step_offline(before, reward, done)
            agent.train(before, action, reward, done)


def play(env: Any, agent: Any, users: int, first: int) -> dict[str, Any]:
    """Show one product at a time; sums of true click chances by quarter of the users."""
    shown, best = np.zeros(QUARTERS), np.zeros(QUARTERS)
    clicks = lists = 0
    learns = isinstance(agent, Seat)
    for user in range(users):
        env.reset(first + user)
        agent.reset()
        observation, _, done, _ = env.step(None)
        reward = None
        while not done:
            action = agent.act(observation, reward, done)
            observation, reward, done, _ = env.step(int(action["a"]))
            chance = ff(env.cached_state_seed)
            quarter = QUARTERS * user // users
            shown[quarter] += chance[int(action["a"])]
            best[quarter] += chance.max()
            clicks, lists = clicks + int(reward), lists + 1
        if learns and reward is not None:
            agent.train(observation, None, reward, done=True)
    return {"shown": shown.tolist(), "best": best.tolist(), "clicks": clicks, "lists": lists}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--agent", choices=["ours", *OTHERS], required=True)
    parser.add_argument("--products", type=int, required=True)
    parser.add_argument("--flips", type=int, required=True)
    parser.add_argument("--users", type=int, required=True)
    parser.add_argument("--logged", type=int, default=0, help="users shown products at random")
    parser.add_argument("--seed", type=int, required=True)
    options = parser.parse_args()
    env, agent = world(options), seated(options)
    train(env, agent, options.logged)
    table.say(outcome=play(env, agent, options.users, options.logged))


main()
