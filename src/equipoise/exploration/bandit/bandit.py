"""``ContextualBandit``: belief, policy and balance in one object, for decisions without a shop."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import Any, Self, cast

import msgspec
import numpy as np
from numpy.typing import ArrayLike

from equipoise.exploration.balance import Balance, BalanceState
from equipoise.exploration.bandit import files
from equipoise.exploration.bandit.awaited import Awaited
from equipoise.exploration.bandit.choice import Choice, frozen
from equipoise.exploration.bandit.forms import Forms
from equipoise.exploration.bandit.kernels import Hedge, Ints, credit, followed
from equipoise.exploration.bandit.levels import Levels, check_levels
from equipoise.exploration.bandit.question import Actions, Question, log_of, rewards_of
from equipoise.exploration.bandit.replay import Rest, checked, run
from equipoise.exploration.bandit.separate import Separate
from equipoise.exploration.policies.optimism import Optimism
from equipoise.interfaces import Belief, Policy
from equipoise.randomness import derive
from equipoise.slates.draw import draw
from equipoise.slates.rules import Rules
from equipoise.types import Draw, Floats, Scored

LEVELS = (0.0, 0.5, 1.0, 2.0)
"""Of optimism, in standard deviations: greedy, and up to where an action nobody has tried leads."""


class ContextualBandit:
    """Chooses among actions, learns from what they earn, and says with what probability it chose.

    ::

        bandit = ContextualBandit(random_state=0)
        choice = bandit.choose(context, actions)
        bandit.learn(choice, reward)

    By default a reward is believed to follow one of several forms, from a constant an action to one
    hidden layer of random features, mixed by how well each has foretold (``forms``); actions
    are drawn from a softmax about an upper confidence bound at several levels of optimism at once,
    greedy among them, followed by what each has earned (EXP4). Rewards and features may be in any
    unit: all is learnt relative to their own spread.

    Args:
        policy: draws instead of the default's ``Optimism``; at level 1, unless ``levels``.
        belief: one a separate copy of which learns each action, instead of the forms.
        budget: share of the expected reward that exploring may cost (``Balance``), or a ``Balance``
            with other settings; 0 is greedy. By default the levels decide alone.
        levels: of the policy, mixed by their success; multiplied by the budget's own level.
        wide: random features of the widest form; 0 for linear forms alone.
        in_flight: how many of the newest choices are awaited: what their rewards will teach is off
            the spread already, else an action is flooded for as long as its rewards take.
        random_state: seed; the luck of each decision is derived from it and the decision's number.

    Not thread-safe. It does not forget: after a change of the world, old rewards count as new ones.

    Raises:
        ValueError: an argument out of its range.
    """

    def __init__(
        self,
        *,
        policy: Policy | None = None,
        belief: Belief | None = None,
        budget: float | Balance | None = None,
        levels: Sequence[float] | None = None,
        wide: int = 128,
        in_flight: int = 10_000,
        random_state: int | np.random.Generator | None = None,
    ) -> None:
        self.root = _seed(random_state)
        self.policy = Optimism(reach=1.0) if policy is None else policy
        self.levels = check_levels(_levels(policy) if levels is None else levels)
        self.balance = Balance(target=budget) if isinstance(budget, int | float) else budget
        self.balance_state = None if self.balance is None else self.balance.init()
        self.model: Forms | Separate = (
            Forms(wide=wide, root=self.root) if belief is None else Separate(belief)
        )
        self.hedge = Hedge(np.zeros(len(self.levels)), np.zeros(4))
        self.rows: dict[Hashable, int] = {}
        self.awaited = Awaited(in_flight)
        self.decisions = 0

    def choose(self, context: ArrayLike | None, actions: Actions, n: int | None = None) -> Choice:
        """Choose one action, or with ``n`` a slate of up to ``n``, all of them different.

        Args:
            context: (d,) floats, always the same d; None where there is nothing to tell.
            actions: ids (anything hashable), or ids with features, ``{id: (k,) floats}``; others
                each time if need be.

        Raises:
            ValueError: no actions, one twice, or what has another shape than before.
        """
        asked = self._question(context, actions)
        if n is not None and n < 1:
            raise ValueError(f"n is {n}; a slate holds one action at least")
        slots = min(n or 1, len(asked.ids))
        scored, policy, level = self._scored(asked), self._policy(), self._level()
        luck = derive(self.root, "bandit", str(self.decisions))
        rules = Rules.of(n=len(scored))
        drawn = draw(policy, scored, rules, slots, level, np.ones(slots), luck)
        choice = self._chosen(asked, drawn, self._advice(policy, scored, level, drawn))
        self._remember(asked, choice, drawn)
        return choice

    def distribution(
        self, context: ArrayLike | None, actions: Actions
    ) -> tuple[list[Hashable], Floats]:
        """The ids, and with what probability ``choose`` would choose each now. Changes nothing."""
        asked = self._question(context, actions)
        conditional = self._policy().bind(self._scored(asked), self._level())
        return asked.ids, conditional(np.ones(len(asked.ids), dtype=bool))

    def learn(self, choice: Choice, reward: float | Sequence[float | None]) -> None:
        """Take in what a choice earned, now or days later, in any order; once for each choice.

        A slate takes one reward a slot, None where a slot was not seen; a single number is what the
        slate earned as a whole, and every slot is credited with an equal share of it.

        Raises:
            ValueError: a reward that is not finite, or not one for each slot.
        """
        rewards, asked = rewards_of(choice, reward), Question.behind(choice)
        asked.check(self.model.d, self.model.k)
        self._open(asked)
        self.awaited.land(choice.number)
        for slot, earned in enumerate(rewards):
            if earned is not None:
                self._learn(choice, slot, asked, earned)

    def learn_log(
        self, contexts: ArrayLike, actions: Sequence[Hashable], rewards: ArrayLike
    ) -> None:
        """Learn from what was done before, whoever chose: a start that is not from nothing.

        Args:
            contexts: (n, d); actions: n ids, without features; rewards: (n,). Compiled.

        Raises:
            ValueError: not one action and reward a context, other shapes, or what is not finite.
        """
        x, earned = log_of(contexts, actions, rewards)
        for context in x[:1]:
            asked = Question(context, [], None)
            asked.check(self.model.d, self.model.k)
            self._open(asked)
        rows = [self.rows.setdefault(action, len(self.rows)) for action in actions]
        self.model.learn_rows(np.array(rows, dtype=np.int64), x, earned)

    def replay(self, contexts: ArrayLike, outcomes: ArrayLike) -> tuple[Ints, Floats]:
        """Choose and learn at once where every outcome is known: for simulation and benchmarks.

        Args:
            contexts: (n, d), one row a decision.
            outcomes: (n, K) what each action would have earned; actions are called 0 … K − 1.

        Returns:
            chosen, propensity: (n,) each. Choices, and what is learnt, are those of ``choose`` and
            ``learn``; compiled with ``Optimism`` and the default belief, unless a budget moves.

        Raises:
            ValueError: other shapes, or what is not finite.
        """
        x, earned = checked(contexts, outcomes)
        chosen, propensity = np.empty(len(x), dtype=np.int64), np.empty(len(x))
        for at in range(len(x)):
            if self._steady():
                rest = Rest(x[at:], earned[at:], self.root, self.decisions)
                chosen[at:], propensity[at:] = self._run(rest)
                break
            choice = self.choose(x[at], range(earned.shape[1]))
            chosen[at], propensity[at] = cast(int, choice.action), choice.propensity
            self.learn(choice, float(earned[at, chosen[at]]))
        return chosen, propensity

    def save(self, path: str | Path) -> None:
        """Write everything that was learnt to one ``.npz`` file of plain arrays.

        Raises:
            ValueError: an action's id that JSON cannot hold, or a belief without ``arrays``.
        """
        awaited = [[n, files.plain(ids)] for n, ids in self.awaited.choices.items()]
        about = {
            "kind": self._kind(),
            "root": self.root,
            "decisions": self.decisions,
            "actions": [files.plain(id_) for id_ in self.rows],
            "awaited": awaited,
            "balance": msgspec.to_builtins(self.balance_state),
        }
        arrays = {f"model_{name}": array for name, array in self.model.arrays().items()}
        arrays |= {f"hedge_{name}": array for name, array in self.hedge._asdict().items()}
        files.write(Path(path), about, arrays)

    @classmethod
    def load(cls, path: str | Path, **keywords: Any) -> Self:
        """What ``save`` wrote, with the ``policy``, ``belief``, ``budget`` … it was made with.

        Raises:
            ValueError: the keywords make another kind of bandit than was saved.
        """
        bandit = cls(**keywords)
        about, arrays = files.read(Path(path))
        saved, made = about["kind"], bandit._kind()
        if saved != made:
            other = ", ".join(name for name in made if made[name] != saved[name])
            raise ValueError(f"the file holds a bandit of {saved}; given was {made}: see {other}")
        bandit.root, bandit.decisions = about["root"], about["decisions"]
        bandit.rows = {frozen(id_): row for row, id_ in enumerate(about["actions"])}
        for number, ids in about["awaited"]:
            bandit.awaited.add(number, frozen(ids))
        if about["balance"] is not None:
            bandit.balance_state = msgspec.convert(about["balance"], BalanceState)
        bandit.hedge = Hedge(**files.within("hedge_", arrays))
        bandit.model.root = bandit.root
        bandit.model.load(files.within("model_", arrays))
        return bandit

    def _kind(self) -> dict[str, Any]:
        """What must be the same for saved arrays to mean the same."""
        return {
            "policy": self.policy.name,
            "parameters": self.policy.parameters,
            "levels": list(self.levels),
            "belief": "forms" if isinstance(self.model, Forms) else type(self.model.prior).__name__,
            "wide": self.model.wide,
            "budget": None if self.balance is None else self.balance.target,
        }

    def _steady(self) -> bool:
        """Nothing is left that only ``choose`` and ``learn`` do."""
        fixed = self.balance is None or self.balance.target == 0
        forms = isinstance(self.model, Forms) and self.model.settled and self.model.k is None
        return fixed and forms and isinstance(self.policy, Optimism) and not len(self.awaited)

    def _run(self, rest: Rest) -> tuple[Ints, Floats]:
        policy, model = cast(Optimism, self.policy), cast(Forms, self.model)
        reach = policy.reach * self._level() * np.array(self.levels)
        self.decisions += len(rest.contexts)
        return run(model, self.hedge, self.rows, rest, reach=reach, temperature=policy.temperature)

    def _level(self) -> float:
        """How much to explore now. A budget that adapts joins here and in ``_spend``."""
        if self.balance is None or self.balance_state is None:
            return 1.0
        return self.balance.level(self.balance_state)

    def _spend(self, drawn: Draw) -> None:
        """Tell the budget what this decision gave up."""
        if self.balance is not None and self.balance_state is not None:
            self.balance_state, _ = self.balance.update(
                self.balance_state, cost=drawn.cost, expected=drawn.expected, ts=self.decisions
            )

    def _policy(self) -> Levels:
        return Levels(self.policy, self.levels, followed(self.hedge))

    def _scored(self, asked: Question) -> Scored:
        """What is believed of each action: mean, variance, noise."""
        rows = np.array([self.rows.get(id_, -1) for id_ in asked.ids], dtype=np.int64)
        mean, variance = self.model.forecast(
            asked.context, rows, asked.features, self._crowd(asked)
        )
        return Scored(
            items=np.arange(len(rows), dtype=np.int32),
            mean=mean,
            variance=variance,
            noise=self.model.noise_of(mean),
        )

    def _crowd(self, asked: Question) -> Floats:
        """(K,) the share of each variance that will be left when what is awaited has come."""
        seen = {id_: self.model.seen(self.rows.get(id_, -1)) for id_ in asked.ids}
        return self.awaited.left(asked.ids, seen) if len(self.awaited) else np.ones(len(seen))

    def _advice(
        self, policy: Levels, scored: Scored, level: float, drawn: Draw
    ) -> tuple[tuple[float, ...], ...]:
        """For each slot what every level gave to its action."""
        if len(policy.levels) == 1:
            return tuple((share,) for share in drawn.propensity.tolist())
        each, open_ = policy.each(scored, level), np.ones(len(scored), dtype=bool)
        advice = []
        for index in drawn.chosen.tolist():
            advice.append(tuple(each(open_)[:, index].tolist()))
            open_[index] = False
        return tuple(advice)

    def _chosen(
        self, asked: Question, drawn: Draw, advice: tuple[tuple[float, ...], ...]
    ) -> Choice:
        indices = drawn.chosen.tolist()
        features = asked.features
        return Choice(
            number=self.decisions,
            actions=tuple(asked.ids[index] for index in indices),
            propensities=tuple(drawn.propensity.tolist()),
            explored=bool(drawn.explored.any()),
            context=tuple(asked.context.tolist()),
            features=None if features is None else tuple(map(tuple, features[indices].tolist())),
            advice=advice,
        )

    def _remember(self, asked: Question, choice: Choice, drawn: Draw) -> None:
        """A decision was made: it counts, costs, and its reward is awaited."""
        self._open(asked)
        self.model.see(asked.context, asked.features)
        self._spend(drawn)
        self.decisions += 1
        self.awaited.add(choice.number, choice.actions)

    def _question(self, context: ArrayLike | None, actions: Actions) -> Question:
        asked = Question.of(context, actions)
        asked.check(self.model.d, self.model.k)
        return asked

    def _open(self, asked: Question) -> None:
        """The first question settles the shapes of all."""
        if self.model.d is None:
            self.model.open(asked.d, asked.k)

    def _learn(self, choice: Choice, slot: int, asked: Question, reward: float) -> None:
        advice = np.array(choice.advice[slot])
        if len(advice) == len(self.levels):
            credit(self.hedge, advice, choice.propensities[slot], reward)
        row = self.rows.setdefault(choice.actions[slot], len(self.rows))
        features = None if asked.features is None else asked.features[slot]
        self.model.learn(row, asked.context, features, reward)


def _levels(policy: Policy | None) -> tuple[float, ...]:
    return LEVELS if policy is None else (1.0,)


def _seed(random_state: int | np.random.Generator | None) -> int:
    if isinstance(random_state, np.random.Generator):
        return int(random_state.integers(2**63))
    return 0 if random_state is None else int(random_state)
