"""Every balance but exploring: a floor or a cap on a ratio, held by a price that moves.

A shop wants more of its lists than reward: margin, looks for a seller, for what few have seen, for
many categories; it has a coupon's budget to make last. Each is a ratio of two sums over the lists
that were really drawn, with a target::

    floor:  Σ amount ≥ target · Σ base              cap:  Σ amount ≤ target · Σ base

and a multiplier λ that a shortfall raises and a surplus lowers, by sums over a window of lists::

    λ ← clip(λ + step · Σ_window (target · base − amount) / (target · B̄), 0, most)

(for a cap the other way round), B̄ the decayed mean of a list's base. A candidate whose look adds
(amount, base) is then worth ``price · (amount − target · base)`` more to the policy, where
``price = λ · Σ reward / Σ base``. So λ has no unit: 0.3 on a seller's looks says "a look at it
counts as if it earned 30 % more of what a look earns on average".

This is gradient descent on the dual of "earn the most, subject to the targets": the same mechanism
as ``Balance`` has for what exploring costs (Balseiro and Gur, *Management Science* 2019; for any
such ratio Agrawal and Devanur, EC 2014). A price in reward, and not a factor, is what makes it
cheap: every list gives as much as is worth its while, those to whom it matters least the most.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import msgspec
import numpy as np
from msgspec import Struct, field
from msgspec.structs import replace

from equipoise.exploration.balance import Move
from equipoise.types import Arrays, Floats, Positions


class ConstraintState(Struct, frozen=True, kw_only=True):
    """All that a constraint remembers. Plain numbers: as JSON it loses nothing."""

    amount: float = 0.0
    base: float = 0.0
    reward: float = 0.0
    decisions: float = 0.0
    """The four are decayed sums with the same weights: what the console shows as *now*."""
    multiplier: float = 0.0
    told: float = 0.0
    """The multiplier at the last move."""
    window_amount: float = 0.0
    window_base: float = 0.0
    window_decisions: int = 0
    """The three are sums since the multiplier was last moved."""
    spell_amount: float = 0.0
    spell_base: float = 0.0
    spell_decisions: int = 0
    """The three are sums since the last move that was told, or since the multiplier last rested."""


@dataclass(frozen=True, slots=True)
class Constraint:
    """Holds ``Σ amount / Σ base`` above a floor or below a cap. Pure: state in, state out.

    Args:
        name: as moves call it.
        target: of the ratio.
        cap: at most that much; else at least.
        half_life: lists after which one counts half in what is measured.
        step: how far the multiplier moves in all at a list that has nothing of what is wanted.
        window: lists after which it moves.
        most: where it ends, if what is wanted cannot be had.
        tell: smallest change that makes a ``Move``, of 1 or of the multiplier if that is greater.

    Raises:
        ValueError: an argument out of its range.
    """

    name: str
    target: float
    cap: bool = False
    half_life: float = 1_000.0
    step: float = 0.003
    window: int = 10
    most: float = 10.0
    tell: float = 0.1

    def __post_init__(self) -> None:
        for name in ("target", "half_life", "step", "window", "most", "tell"):
            value = getattr(self, name)
            if not 0.0 < value < math.inf:
                raise ValueError(f"{name} of {self.name} is {value}; it must be above 0 and finite")

    def init(self) -> ConstraintState:
        """Nothing measured, nothing pushed."""
        return ConstraintState()

    def multiplier(self, state: ConstraintState) -> float:
        """λ: 0 while the target is met without help."""
        return state.multiplier

    def price(self, state: ConstraintState) -> float:
        """What one unit of the amount is worth, in reward; 0 before anything was measured."""
        return state.multiplier * state.reward / state.base if state.base > 0 else 0.0

    def measured(self, state: ConstraintState) -> float:
        """The ratio of late; 0 before anything was measured."""
        return _ratio(state.amount, state.base)

    def met(self, measured: float) -> bool:
        """Whether a ratio is on the right side of the target."""
        return measured <= self.target if self.cap else measured >= self.target

    def worth(self, state: ConstraintState, amount: Floats, base: Floats) -> Floats:
        """(n,) what the constraint adds to the worth of a look at each candidate, in reward."""
        side = -1.0 if self.cap else 1.0
        added: Floats = side * self.price(state) * (amount - self.target * base)
        return added

    def update(
        self, state: ConstraintState, *, amount: float, base: float, reward: float, ts: int
    ) -> tuple[ConstraintState, Move | None]:
        """Take one list in: its amount and base, and the reward that is believed of it.

        Raises:
            ValueError: a number is not finite.
        """
        if not (math.isfinite(amount) and math.isfinite(base) and math.isfinite(reward)):
            raise ValueError(
                f"{self.name}: amount is {amount}, base {base} and reward {reward}; "
                "all must be finite"
            )
        keep = 0.5 ** (1.0 / self.half_life)
        summed = replace(
            state,
            amount=keep * state.amount + amount,
            base=keep * state.base + base,
            reward=keep * state.reward + reward,
            decisions=keep * state.decisions + 1.0,
            window_amount=state.window_amount + amount,
            window_base=state.window_base + base,
            window_decisions=state.window_decisions + 1,
            spell_amount=state.spell_amount + amount,
            spell_base=state.spell_base + base,
            spell_decisions=state.spell_decisions + 1,
        )
        if summed.window_decisions < self.window:
            return summed, None
        return self._tell(self._move(summed), ts)

    def _move(self, state: ConstraintState) -> ConstraintState:
        closed = replace(state, window_amount=0.0, window_base=0.0, window_decisions=0)
        usual = self.target * state.base / state.decisions
        if usual <= 0:
            return closed
        # A window falls short now and then by luck: pushing begins where the longer record does.
        if state.multiplier == 0 and self.met(self.measured(state)):
            return self._rest(closed)
        short = self.target * state.window_base - state.window_amount
        wanted = state.multiplier + (-short if self.cap else short) * self.step / usual
        within = min(max(wanted, 0.0), self.most)
        if within != state.multiplier or within == wanted:
            return replace(closed, multiplier=within)
        return self._rest(closed)

    def _rest(self, state: ConstraintState) -> ConstraintState:
        """Nothing adds up to a change now: what explains the next one starts here."""
        return replace(state, spell_amount=0.0, spell_base=0.0, spell_decisions=0)

    def _tell(self, state: ConstraintState, ts: int) -> tuple[ConstraintState, Move | None]:
        before, after = state.told, state.multiplier
        measured = _ratio(state.spell_amount, state.spell_base)
        explained = state.spell_decisions and (after > before) != self.met(measured)
        if abs(after - before) < self.tell * max(before, 1.0) or not explained:
            return state, None
        move = Move(
            ts=ts,
            before=before,
            after=after,
            measured=measured,
            target=self.target,
            reason=f"{self.name} was {100 * measured:.3g} % over the last "
            f"{state.spell_decisions:,} lists, {self.wish}: "
            f"{'held back' if self.cap else 'pushed'} {'more' if after > before else 'less'}",
        )
        told = replace(state, told=after, spell_amount=0.0, spell_base=0.0, spell_decisions=0)
        return told, move

    @property
    def wish(self) -> str:
        """The target in words: ``at least 25 %``."""
        return f"at {'most' if self.cap else 'least'} {100 * self.target:.3g} %"


class Direction(Protocol):
    """What a look gives besides reward (``ranking.directions``)."""

    @property
    def name(self) -> str: ...
    def given(self, items: Positions, reward: Floats) -> tuple[Floats, Floats]:
        """Amount and base (n,) of items in order of merit, expected to earn ``reward`` a look."""


class Constraints:
    """Those of a shop, by placement and name, with where they stand and how they moved. A fold.

    Args:
        asked: by placement and name; what is not named there has none.
        moves_kept: newest moves of each that stay in memory.
    """

    def __init__(
        self,
        asked: Mapping[str, Mapping[str, tuple[Constraint, Direction]]],
        *,
        moves_kept: int = 200,
    ) -> None:
        self._asked = asked
        self._moves_kept = moves_kept
        self._held = _Held()

    def of(self, placement: str) -> dict[str, Constraint]:
        """By name."""
        return {name: asked for name, (asked, _) in self._asked.get(placement, {}).items()}

    def state(self, placement: str, name: str) -> ConstraintState:
        """Where one stands; of one that has not begun, its beginning."""
        return self._held.states.get(placement, {}).get(name) or ConstraintState()

    def moves(self, placement: str, name: str) -> list[Move]:
        """Oldest first."""
        return self._held.moves.get(placement, {}).get(name, [])

    def prices(self, placement: str) -> dict[str, float]:
        """What a unit of each amount is worth now, in reward."""
        return {
            name: constraint.price(self.state(placement, name))
            for name, constraint in self.of(placement).items()
        }

    def added(self, placement: str, items: Positions, reward: Floats) -> Floats | None:
        """(n,) what they add to the worth of a look at each candidate; None while none pushes.

        Moved up so that no candidate loses: to a choice only differences matter, and a mean below 0
        would be no rate any more.
        """
        pushing = [name for name, price in self.prices(placement).items() if price > 0]
        if not pushing:
            return None
        order = np.argsort(-reward, kind="stable")
        added = np.zeros(len(items))
        for name in pushing:
            constraint, direction = self._asked[placement][name]
            given = direction.given(items[order], reward[order])
            added[order] += constraint.worth(self.state(placement, name), *given)
        return added - min(float(added.min(initial=0.0)), 0.0)

    def take(self, placement: str, items: Positions, reward: Floats, look: Floats, ts: int) -> None:
        """Take a list in as it was drawn: (L,) each, ``look`` the chance of a look at the slot."""
        for name, (constraint, direction) in self._asked.get(placement, {}).items():
            amount, base = (float(look @ given) for given in direction.given(items, reward))
            state, move = constraint.update(
                self.state(placement, name),
                amount=amount, base=base, reward=float(look @ reward), ts=ts,
            )  # fmt: skip
            self._held.states.setdefault(placement, {})[name] = state
            if move is not None:
                kept = self._held.moves.setdefault(placement, {}).setdefault(name, [])
                kept.append(move)
                del kept[: -self._moves_kept]

    def arrays(self) -> Arrays:
        """The whole state."""
        return {"json": np.frombuffer(msgspec.json.encode(self._held), dtype=np.uint8)}

    def load(self, arrays: Arrays) -> None:
        """Become what ``arrays`` described."""
        self._held = msgspec.json.decode(arrays["json"].tobytes(), type=_Held)


class _Held(Struct):
    states: dict[str, dict[str, ConstraintState]] = field(default_factory=dict)
    moves: dict[str, dict[str, list[Move]]] = field(default_factory=dict)


def allowance(left: float, remaining: float, elapsed: float) -> float:
    """What a budget lets be spent in ``elapsed``, if what is ``left`` is to last ``remaining``.

    The base of a coupon's constraint, whose amount is what was given away and whose target is a cap
    of 1. It is asked anew at each list, so that what was saved or overspent yesterday is spread
    over the days to come. 0 where nothing is left, or no time; the times are in one unit.

    Raises:
        ValueError: time that runs backwards.
    """
    if elapsed < 0:
        raise ValueError(f"elapsed is {elapsed}; time does not run backwards")
    if remaining <= 0:
        return 0.0
    return max(left, 0.0) * min(elapsed / remaining, 1.0)


def _ratio(amount: float, base: float) -> float:
    return amount / base if base > 0 else 0.0
