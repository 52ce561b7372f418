"""What ``ContextualBandit`` believes by default: several forms of a linear belief, mixed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from equipoise.exploration.bandit.kernels import (
    Ints,
    Tables,
    absorb,
    absorb_rows,
    expand,
    forecast,
    spread_of,
)
from equipoise.exploration.bandit.scale import Scale
from equipoise.exploration.bandit.shared import Shared
from equipoise.randomness import derive
from equipoise.types import Arrays, Floats

PRECISIONS = (1.0, 10.0, 100.0)
"""λ of the constant and of the linear forms: the prior of a coefficient is worth that many rewards.
Effects on clicks are small beside their noise and want a high one, on clear-cut outcomes a low."""
HIDDEN_PRECISIONS = (1.0, 10.0)


@dataclass(frozen=True, slots=True)
class Observation:
    """A reward as it was learnt, kept until the scale of the features stands."""

    row: int
    context: Floats
    features: Floats | None
    reward: float


@dataclass(frozen=True, slots=True)
class _Base:
    """What is shared by actions, for one decision: zeros where actions have no features."""

    rows: Floats | None
    mean: Floats
    leverage: Floats


class Forms:
    """Rewards of an action given a context, by all forms at once.

    - the constant, ``[1]``, with λ = 1, 10 and 100;
    - linear, ``[1, x]``, with the same;
    - one hidden layer of ``wide`` random features beside it, ``[1, x, max(0, Wx + b)]``, λ = 1, 10;
    - with features of actions a regression that all share, alone and with each of these on top.

    The forms are mixed by the likelihood that each gave the rewards before it saw them (Bayesian
    model averaging). Unseen actions stand at what is known of all. Learning costs O((d + wide)²) a
    reward, an action that was rewarded 4·Σ dims² bytes: 230 kB with 32 features.

    Args:
        wide: random features; 0 for linear forms alone.
        root: seed of the random features.
    """

    def __init__(self, *, wide: int = 128, root: int = 0) -> None:
        if wide < 0:
            raise ValueError(f"wide is {wide}; it is a number of features, 0 or more")
        self.wide = wide
        self.root = root
        self.d: int | None = None
        self.k: int | None = None
        self.early: list[Observation] = []

    def open(self, d: int, k: int | None) -> None:
        """Settle the shapes: d features of a context, k of an action (None: ids alone)."""
        self.d, self.k = d, k
        self.scale = Scale(d)
        self.shared = None if k is None else Shared(d, k, wide=self.wide, root=self.root)
        wide = self.wide if d else 0
        luck = derive(self.root, "bandit features")
        self.weights = luck.standard_normal((d, wide))
        self.offsets = luck.standard_normal(wide)
        self.tables = _blank(d, wide, shared=k is not None)

    @property
    def known(self) -> bool:
        """Something has been learnt."""
        return self.d is not None and bool(self.tables.totals[0])

    @property
    def settled(self) -> bool:
        """The scale of all features stands."""
        own = self.d is not None and self.scale.settled
        return own and (self.shared is None or self.shared.scale.settled)

    def see(self, context: Floats, features: Floats | None) -> None:
        """Take in what a decision was asked with; the scale of features may change by it."""
        moved = self.scale.see(context)
        if self.shared is not None and features is not None:
            moved |= self.shared.scale.see(features.mean(axis=0))
        if moved:
            self._anew()

    def forecast(
        self, context: Floats, rows: Ints, features: Floats | None, crowd: Floats
    ) -> tuple[Floats, Floats]:
        """Mean and variance of the expected reward of each action, (K,)."""
        if not self.known:
            return np.zeros(len(rows)), np.ones(len(rows))
        u = self.scale.of(context)
        base = self._base(u, features, len(rows))
        return forecast(self.tables, self._z(u), rows, base.mean, base.leverage, crowd)

    def noise_of(self, mean: Floats) -> Floats:
        """(K,) variance of one reward about what is expected of it; 1 while nothing is known."""
        return np.full(len(mean), float(spread_of(self.tables)) if self.known else 1.0)

    def learn(self, row: int, context: Floats, features: Floats | None, reward: float) -> None:
        """One reward of the action in ``row``; a new action takes the first free row."""
        if not self.settled:
            self.early.append(Observation(row, context, features, reward))
        self._learn(row, context, features, reward)

    def learn_rows(self, rows: Ints, contexts: Floats, rewards: Floats) -> None:
        """Many rewards of actions without features, in order, each context seen first."""
        at = 0
        while at < len(rows) and not self.settled:
            self.see(contexts[at], None)
            self.learn(int(rows[at]), contexts[at], None, float(rewards[at]))
            at += 1
        if at < len(rows):
            self.reserve(int(rows.max()) + 1)
            u = self.scale.of(contexts[at:])
            absorb_rows(self.tables, u, self.weights, self.offsets, rows[at:], rewards[at:])

    def seen(self, row: int) -> float:
        """Rewards of the action in this row; 0 for -1."""
        return float(self.tables.seen[row]) if row >= 0 else 0.0

    def reserve(self, rows: int) -> None:
        """Make room, twice as much each time; new rows hold the prior."""
        held = len(self.tables.seen)
        if rows <= held:
            return
        more = max(rows, 2 * held) - held
        prior = np.tile(_prior(self.tables.dims, self.tables.precision), (more, 1))
        width = self.tables.coefficients.shape[1]
        self.tables = self.tables._replace(
            inverse=np.vstack([self.tables.inverse, prior]),
            coefficients=np.vstack([self.tables.coefficients, np.zeros((more, width))]),
            ones=np.vstack([self.tables.ones, np.zeros((more, width))]),
            seen=np.concatenate([self.tables.seen, np.zeros(more)]),
        )

    def arrays(self) -> Arrays:
        """All of it; empty before the first decision."""
        if self.d is None:
            return {}
        early = self.early
        arrays: Arrays = {
            "shape": np.array([self.d, -1 if self.k is None else self.k]),
            **{f"table_{name}": array for name, array in self.tables._asdict().items()},
            **self.scale.arrays(),
            "early_rows": np.array([o.row for o in early], dtype=np.int64),
            "early_rewards": np.array([o.reward for o in early]),
            "early_contexts": np.array([o.context for o in early]).reshape(len(early), self.d),
        }
        if self.shared is not None:
            arrays |= self.shared.arrays()
            arrays["early_features"] = np.array([o.features for o in early]).reshape(
                -1, self.k or 0
            )
        return arrays

    def load(self, arrays: Arrays) -> None:
        """Become what ``arrays`` described."""
        if not arrays:
            return
        d, k = arrays["shape"].tolist()
        self.open(d, None if k < 0 else k)
        self.tables = Tables(**{name: arrays[f"table_{name}"].copy() for name in Tables._fields})
        self.scale.load(arrays)
        if self.shared is not None:
            self.shared.load(arrays)
        rows, rewards = arrays["early_rows"].tolist(), arrays["early_rewards"].tolist()
        self.early = [
            Observation(row, arrays["early_contexts"][i],
                        None if k < 0 else arrays["early_features"][i], rewards[i])
            for i, row in enumerate(rows)
        ]  # fmt: skip

    def _learn(self, row: int, context: Floats, features: Floats | None, reward: float) -> None:
        self.reserve(row + 1)
        u = self.scale.of(context)
        base = self._base(u, None if features is None else features[None], 1)
        mean, leverage = float(base.mean[0]), float(base.leverage[0])
        absorb(self.tables, row, self._z(u), mean, leverage, reward)
        if self.shared is not None and base.rows is not None:
            self.shared.absorb(base.rows[0], reward - float(self.tables.totals[1]))

    def _base(self, u: Floats, features: Floats | None, actions: int) -> _Base:
        if self.shared is None or features is None:
            return _Base(None, np.zeros(actions), np.zeros(actions))
        rows = self.shared.rows(u, features)
        return _Base(rows, *self.shared.predict(rows))

    def _z(self, u: Floats) -> Floats:
        return expand(u, self.weights, self.offsets)

    def _anew(self) -> None:
        """Learn again, in the new scale, the little there is."""
        self.tables = _blank(len(self.scale.centre), len(self.offsets), shared=self.k is not None)
        if self.shared is not None:
            self.shared.forget()
        for past in self.early:
            self._learn(past.row, past.context, past.features, past.reward)
        if self.settled:
            self.early = []


def _blank(d: int, wide: int, *, shared: bool) -> Tables:
    forms = [(1, precision) for precision in PRECISIONS]
    if d:
        forms += [(1 + d, precision) for precision in PRECISIONS]
    if d and wide:
        forms += [(1 + d + wide, precision) for precision in HIDDEN_PRECISIONS]
    if shared:
        forms.insert(0, (0, 1.0))
    dims = np.array([width for width, _ in forms], dtype=np.int64)
    precision = np.array([strength for _, strength in forms])
    return Tables(
        dims=dims,
        precision=precision,
        inverse=np.zeros((0, int((dims * (dims + 1) // 2).sum()))),
        coefficients=np.zeros((0, int(dims.sum()))),
        ones=np.zeros((0, int(dims.sum()))),
        seen=np.zeros(0),
        evidence=np.zeros(len(dims)),
        residuals=np.zeros(len(dims)),
        totals=np.array([0.0, 0.0, 0.0, 0.0, 0.0 if shared else 1.0]),
    )


def _prior(dims: Ints, precision: Floats) -> Floats:
    """One row of ``Tables.inverse`` before any reward: the triangles of I/λ."""
    pairs = zip(dims.tolist(), precision.tolist(), strict=True)
    return np.concatenate([np.eye(d)[np.tri(d, dtype=bool)] / strength for d, strength in pairs])
