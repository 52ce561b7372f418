"""How far each placement may explore now, all limits taken together; and whose list it is.

Beside its ``Balance`` a placement may have money a day and in all (``Limit``), the same for the
lists of a segment of shoppers, item groups that are explored less or not at all, a ``Guarantee``
against a baseline, an ``Apprentice`` that has yet to beat one, and a switch that stops it, by hand.
The strictest holds. All of it is a fold over decisions, what they earned, and what people switched,
so that a replay stops and goes on where the shop did.

Rewards are those that learning was given within ``window_ms`` of a list; what comes later is not
counted, for anybody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec
import numpy as np
from msgspec import UNSET, Struct

from equipoise.exploration.apprentice import ApprenticeState
from equipoise.exploration.balance import Balance, BalanceState, Move
from equipoise.exploration.coin import OURS, WEIGHT
from equipoise.exploration.guarantee import GuaranteeState
from equipoise.exploration.limits import Limit, LimitState
from equipoise.exploration.standing import apprentice, guarantee, money
from equipoise.exploration.terms import WHOLE, Part, Plan, Switch, Terms
from equipoise.types import Arrays, Decision, Milliseconds


class _Waiting(Struct, array_like=True):
    """A list whose reward is not known yet."""

    ts: int
    share: float
    weight: float
    guess: float
    reward: float = 0.0


class _Scope(Struct):
    """States of a segment."""

    balance: BalanceState | None = None
    limit: LimitState | None = None


class _Held(Struct):
    """All that is remembered of a placement."""

    stops: dict[str, bool] = msgspec.field(default_factory=dict)
    """By name: empty, ``segment:NAME``, ``group:NAME``."""
    filters: dict[str, dict[str, Any]] = msgspec.field(default_factory=dict)
    """Of groups that the settings do not name."""
    limit: LimitState | None = None
    segments: dict[str, _Scope] = msgspec.field(default_factory=dict)
    groups: dict[str, BalanceState] = msgspec.field(default_factory=dict)
    guarantee: GuaranteeState | None = None
    apprentice: ApprenticeState | None = None
    waiting: dict[str, _Waiting] = msgspec.field(default_factory=dict)
    """By decision, in the order in which they were made."""


class Steering:
    """A fold: what every placement is held to, and how it stands.

    Args:
        terms: by placement; one that is not named has none.
        window_ms: after which a list's reward is taken as known.
        tell: called with (placement, move) at every move.
    """

    def __init__(
        self,
        terms: Mapping[str, Terms],
        *,
        window_ms: int,
        tell: Callable[[str, Move], None],
    ) -> None:
        self._terms = dict(terms)
        self._window = window_ms
        self._tell = tell
        self._held: dict[str, _Held] = {}

    # ------------------------------------------------------------ what is asked

    def terms(self, placement: str) -> Terms:
        return self._terms.get(placement, _NONE)

    def plan(
        self,
        placement: str,
        level: float,
        segments: Iterable[str],
        ts: Milliseconds,
        *,
        steered: bool = False,
    ) -> Plan:
        """How the next list of a placement is to be drawn, for somebody of these segments.

        Args:
            level: of the placement's own balance.
            steered: a browser chose what the list may hold, so it proves nothing: the baseline's.
        """
        known = [name for name in segments if name in self._named(placement)]
        why = self.closed(placement, known, ts)
        held = self._of(placement)
        for name in known:
            part = self.terms(placement).segments.get(name)
            if part is not None and part.balance is not None:
                level = min(level, part.balance.level(_balance(part.balance, held, name)))
        ours = 0.0 if steered and self.terms(placement).compared else self.ours(placement)
        if why and ours is not None:
            # No coin is thrown any more: whoever has most of the lists has all.
            ours = None if ours > 0.5 else 0.0
        return Plan(0.0 if why or ours == 0.0 else level, ours, self._groups(placement), why)

    def closed(self, placement: str, segments: Iterable[str], ts: Milliseconds) -> str:
        """Why nothing is explored there now; empty where something may be."""
        terms, held = self.terms(placement), self._of(placement)
        if self.stopped(placement):
            return "stopped"
        reason = terms.limit.reason(held.limit or terms.limit.init(), ts)
        for name in () if reason else segments:
            if self.stopped(placement, f"segment:{name}"):
                return f"stopped for segment {name}"
            limit = terms.segments[name].limit if name in terms.segments else Limit()
            reason = limit.reason(_limit(limit, held, name), ts)
            if reason:
                return f"segment {name}: {reason}"
        return reason

    def stopped(self, placement: str, name: str = WHOLE) -> bool:
        """Whether the placement, ``segment:NAME`` or ``group:NAME`` is switched off."""
        switched = self._of(placement).stops.get(name)
        return self._stopped_by_settings(placement, name) if switched is None else switched

    def ours(self, placement: str) -> float | None:
        """Chance that a list is ours rather than the baseline's; None: there is no baseline."""
        terms, held = self.terms(placement), self._of(placement)
        shares = []
        if terms.apprentice is not None:
            shares.append(terms.apprentice.share(held.apprentice or terms.apprentice.init()))
        if terms.guarantee is not None:
            shares.append(terms.guarantee.share(held.guarantee or terms.guarantee.init()))
        return min(shares) if shares else None

    def group(self, placement: str, name: str) -> float:
        """What remains of the spread of a group's items: 0 none, 1 all."""
        if self.stopped(placement, f"group:{name}"):
            return 0.0
        group = self.terms(placement).groups.get(name)
        if group is None or group.balance is None:
            return 1.0
        state = self._of(placement).groups.get(name)
        return group.balance.level(state or group.balance.init())

    def knows(self, placement: str, group: str) -> bool:
        """Whether it has been said what an item group holds."""
        return group in self._filters(placement)

    def shared_groups(self, placement: str) -> dict[str, Mapping[str, Any]]:
        """Filters of the groups whose looks are counted, by name."""
        groups = self.terms(placement).groups.items()
        return {name: group.filter for name, group in groups if group.balance is not None}

    def describe(self, placement: str, ts: Milliseconds) -> dict[str, Any]:
        """For people: every limit with where it stands."""
        terms, held = self.terms(placement), self._of(placement)
        segments, groups = self._named(placement), self._filters(placement)
        return {
            "stopped": self.stopped(placement),
            "why": self.closed(placement, (), ts),
            "limit": money(terms.limit, held.limit or terms.limit.init(), ts),
            "segments": {name: self._segment(placement, name, ts) for name in sorted(segments)},
            "groups": {
                name: {
                    "stopped": self.stopped(placement, f"group:{name}"),
                    "filter": dict(groups[name]),
                    "spread": self.group(placement, name),
                }
                for name in sorted(groups)
            },
            "guarantee": guarantee(terms.guarantee, held.guarantee),
            "apprentice": apprentice(terms.apprentice, held.apprentice),
        }

    # ------------------------------------------------------------ the fold

    def decided(
        self,
        decision: Decision,
        segments: Iterable[str],
        looks: Mapping[str, tuple[float, float]],
        ts: Milliseconds,
        *,
        steered: bool = False,
    ) -> None:
        """A list was served.

        Args:
            looks: by group of ``shared_groups``, (its looks by exploring, those of all items).
            ts: when the record arrived.
        """
        placement = decision.query.placement
        self._begin(placement, decision, ts, steered)
        if steered:
            return
        self._spend(placement, decision)
        for name in segments:
            if name in self.terms(placement).segments:
                self._spend_segment(placement, name, decision)
        for name, (own, whole) in looks.items():
            balance = self.terms(placement).groups[name].balance
            if balance is not None and whole > 0:
                states = self._keep(placement).groups
                states[name], move = balance.update(
                    states.get(name) or balance.init(), cost=own, expected=whole, ts=decision.ts
                )
                self._say(placement, move, f"items of {name}: ")

    def earned(self, placement: str, decision_id: str, worth: float) -> None:
        """A slot of a list earned so much more."""
        waiting = self._of(placement).waiting.get(decision_id)
        if waiting is not None:
            waiting.reward += worth

    def mature(self, ts: Milliseconds) -> None:
        """Time has passed: what was under way for long enough is known."""
        for placement, held in self._held.items():
            while held.waiting:
                first = next(iter(held.waiting))
                if held.waiting[first].ts + self._window > ts:
                    break
                self._heard(placement, held, held.waiting.pop(first), ts)

    def switch(self, switch: Switch, ts: Milliseconds) -> None:
        """Somebody switched something off, or on again."""
        placement = switch.placement
        held = self._keep(placement)
        asked: dict[str, bool | None] = {}
        if switch.stopped is not UNSET:
            asked[WHOLE] = switch.stopped
        asked |= {f"segment:{name}": value for name, value in switch.segments.items()}
        for name, group in switch.groups.items():
            if group.filter is not None:
                held.filters[name] = group.filter
            asked[f"group:{name}"] = group.stopped
        for name, value in asked.items():
            self._switch(placement, name, value, switch.reason, ts)

    def arrays(self) -> Arrays:
        """The whole state."""
        return {"json": np.frombuffer(msgspec.json.encode(self._held), dtype=np.uint8)}

    def load(self, arrays: Arrays) -> None:
        """Become what ``arrays`` described."""
        self._held = msgspec.json.decode(arrays["json"].tobytes(), type=dict[str, _Held])

    # ------------------------------------------------------------ how

    def _of(self, placement: str) -> _Held:
        """To read."""
        return self._held.get(placement) or _Held()

    def _keep(self, placement: str) -> _Held:
        """To write."""
        return self._held.setdefault(placement, _Held())

    def _named(self, placement: str) -> set[str]:
        """Segments that something is said of."""
        stops = self._of(placement).stops
        live = {name.partition(":")[2] for name in stops if name.startswith("segment:")}
        return live | set(self.terms(placement).segments)

    def _filters(self, placement: str) -> dict[str, Mapping[str, Any]]:
        named = {name: group.filter for name, group in self.terms(placement).groups.items()}
        return self._of(placement).filters | named

    def _groups(self, placement: str) -> tuple[tuple[Mapping[str, Any], float], ...]:
        filters = self._filters(placement).items()
        held = ((filter_, self.group(placement, name)) for name, filter_ in filters)
        return tuple((filter_, factor) for filter_, factor in held if factor < 1.0)

    def _stopped_by_settings(self, placement: str, name: str) -> bool:
        terms, (kind, _, of) = self.terms(placement), name.partition(":")
        if kind == "segment":
            return of in terms.segments and terms.segments[of].stopped
        if kind == "group":
            return of in terms.groups and terms.groups[of].stopped
        return terms.stopped

    def _switch(
        self, placement: str, name: str, value: bool | None, reason: str, ts: Milliseconds
    ) -> None:
        before = self.stopped(placement, name)
        stops = self._keep(placement).stops
        if value is None:
            stops.pop(name, None)
        else:
            stops[name] = value
        after = self.stopped(placement, name)
        if after == before:
            return
        kind, _, of = name.partition(":")
        what = {"segment": f" for segment {of}", "group": f" with items of {of}"}.get(kind, "")
        words = f"exploring{what} {'stopped' if after else 'allowed again'}, by hand"
        self._tell(
            placement,
            Move(
                ts=ts, before=float(not before), after=float(not after), measured=0.0, target=0.0,
                reason=f"{words}: {reason}" if reason else words,
            ),
        )  # fmt: skip

    def _begin(self, placement: str, decision: Decision, ts: Milliseconds, steered: bool) -> None:
        marks, terms = decision.coin, self.terms(placement)
        if steered or OURS not in marks or not terms.compared:
            return
        held, share = self._keep(placement), marks[OURS]
        held.waiting[decision.decision_id] = _Waiting(
            ts, share, marks.get(WEIGHT, 1.0), decision.expected
        )
        if terms.guarantee is not None:
            held.guarantee = terms.guarantee.begin(held.guarantee or terms.guarantee.init(), share)

    def _heard(self, placement: str, held: _Held, one: _Waiting, ts: Milliseconds) -> None:
        terms = self.terms(placement)
        known = {
            "reward": max(one.reward, 0.0), "weight": one.weight, "share": one.share,
            "guess": one.guess,
        }  # fmt: skip
        if terms.guarantee is not None:
            held.guarantee, move = terms.guarantee.update(
                held.guarantee or terms.guarantee.init(), **known, ts=ts
            )
            self._say(placement, move)
        if terms.apprentice is not None:
            held.apprentice, move = terms.apprentice.update(
                held.apprentice or terms.apprentice.init(), **known, ts=ts
            )
            self._say(placement, move)

    def _spend(self, placement: str, decision: Decision) -> None:
        limit, held = self.terms(placement).limit, self._keep(placement)
        if limit.day or limit.total:
            held.limit, move = limit.update(
                held.limit or limit.init(), cost=decision.cost, ts=decision.ts
            )
            self._say(placement, move)

    def _spend_segment(self, placement: str, name: str, decision: Decision) -> None:
        part, held = self.terms(placement).segments[name], self._keep(placement)
        scope = held.segments.setdefault(name, _Scope())
        ts, cost = decision.ts, decision.cost
        if part.limit.day or part.limit.total:
            scope.limit, move = part.limit.update(
                scope.limit or part.limit.init(), cost=cost, ts=ts
            )
            self._say(placement, move, f"segment {name}: ")
        if part.balance is not None:
            scope.balance, move = part.balance.update(
                scope.balance or part.balance.init(), cost=cost, expected=decision.expected, ts=ts
            )
            self._say(placement, move, f"segment {name}: ")

    def _say(self, placement: str, move: Move | None, before: str = "") -> None:
        if move is not None:
            self._tell(placement, msgspec.structs.replace(move, reason=before + move.reason))

    def _segment(self, placement: str, name: str, ts: Milliseconds) -> dict[str, Any]:
        part = self.terms(placement).segments.get(name, Part())
        held = self._of(placement)
        said: dict[str, Any] = {
            "stopped": self.stopped(placement, f"segment:{name}"),
            "limit": money(part.limit, _limit(part.limit, held, name), ts),
        }
        if part.balance is not None:
            state = _balance(part.balance, held, name)
            said |= {
                "target": part.balance.target,
                "measured": part.balance.measured(state),
                "level": part.balance.level(state),
            }
        return said


_NONE = Terms()


def _limit(limit: Limit, held: _Held, segment: str) -> LimitState:
    return held.segments.get(segment, _Scope()).limit or limit.init()


def _balance(balance: Balance, held: _Held, segment: str) -> BalanceState:
    return held.segments.get(segment, _Scope()).balance or balance.init()
