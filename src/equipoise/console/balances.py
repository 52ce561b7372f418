"""Every balance as a card, in words and money; and what other caps on exploring would earn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from equipoise.clock import rfc3339
from equipoise.console.charts import fan, spark
from equipoise.console.learner import NEAR, balance
from equipoise.console.words import clock, counted, money, percent
from equipoise.engine import Engine
from equipoise.exploration import Constraint, ConstraintState, Move
from equipoise.exploration.ahead import Ahead

MOVES = 3
"""Newest moves that a card tells."""
DRAWN = 40
"""Moves that its line goes through."""
PER = 1_000
"""Lists for which money is told."""
TITLES = {
    "margin": "Margin of what is ordered",
    "tail": "Looks at what few look at",
    "variety": "Looks that meet a new category",
}
UNITS = {
    "margin": "a unit of margin",
    "tail": "a look at it",
    "variety": "a look at a new category",
}


@dataclass(frozen=True, slots=True)
class Card:
    """A balance of a placement."""

    placement: str
    title: str
    wish: str
    now: str
    costs: str
    stands: str
    spark: str
    """Path of what moved: the level of exploring, the multiplier of all others."""
    moves: list[dict[str, str]]


def cards(engine: Engine, placement: str) -> list[Card]:
    """Exploring first, then what the settings ask for; an empty ``placement`` means all of them."""
    chosen = [placement] if placement else sorted(engine.settings.placements)
    return [card for name in chosen for card in (_exploring(engine, name), *_asked(engine, name))]


def _exploring(engine: Engine, name: str) -> Card:
    row, state = balance(engine, name), engine.knowledge.balance_state(name)
    per = PER * state.cost / state.decisions if state.decisions > 0 else 0.0
    currency = engine.settings.shop.currency
    return Card(
        placement=name,
        title="Exploring",
        wish="no budget" if row["budget"] == "none" else f"at most {row['budget']}",
        now=row["spent"],
        costs=f"{money(max(per, 0.0), currency)} of expected reward in {PER:,} lists",
        stands=row["stands"],
        spark=spark([move.after for move in engine.knowledge.moves.get(name, ())][-DRAWN:]),
        moves=_moves(engine, engine.knowledge.moves.get(name, [])),
    )


def _asked(engine: Engine, placement: str) -> list[Card]:
    held = engine.knowledge.constraints
    found = []
    for name, constraint in held.of(placement).items():
        state, moves = held.state(placement, name), held.moves(placement, name)
        known = state.base > 0
        found.append(
            Card(
                placement=placement,
                title=TITLES.get(name, f"Looks at {constraint.name}"),
                wish=constraint.wish,
                now=percent(constraint.measured(state)) if known else "nothing yet",
                costs=costs(constraint, state, name, engine.settings.shop.currency),
                stands=stands(constraint, state),
                spark=spark([move.after for move in moves][-DRAWN:]),
                moves=_moves(engine, moves),
            )
        )
    return found


def costs(constraint: Constraint, state: ConstraintState, name: str, currency: str) -> str:
    """What it is given up for. What a floor costs is no more than its price times what it holds:
    else the lists would be others."""
    price = constraint.price(state)
    if price == 0:
        return "nothing: no list is changed for it"
    unit = UNITS.get(name, f"a look at {constraint.name}")
    said = f"{unit} counts {money(price, currency)} {'less' if constraint.cap else 'more'}"
    if constraint.cap or name == "margin":
        return said
    most = PER * price * state.amount / state.decisions
    return f"{said}; at most {money(most, currency)} of reward in {PER:,} lists"


def stands(constraint: Constraint, state: ConstraintState) -> str:
    """How it stands, in a few words."""
    if state.base <= 0:
        return "nothing measured yet"
    measured, cap = constraint.measured(state), constraint.cap
    if constraint.multiplier(state) >= constraint.most:
        return "out of reach with what there is to show: pushed as far as it may"
    if constraint.multiplier(state) == 0 and constraint.met(measured):
        return "met without help"
    if constraint.met(measured) or abs(measured - constraint.target) <= NEAR * constraint.target:
        return "held"
    return "above: held back more and more" if cap else "below: pushed more and more"


def _moves(engine: Engine, moves: list[Move]) -> list[dict[str, str]]:
    now = engine.clock()
    return [
        {"at": clock(move.ts, now), "ts": rfc3339(move.ts), "reason": move.reason}
        for move in reversed(moves[-MOVES:])
    ]


# ---------------------------------------------------------------- looking ahead


def outlook(engine: Engine, placement: str, ahead: Ahead, days: float) -> dict[str, Any]:
    """What ``console_ahead.html`` needs."""
    currency, chosen = engine.settings.shop.currency, engine.settings.placements[placement]
    lists, names = ahead.lists, [percent(cap) for cap in ahead.caps]
    budget = chosen.budget if chosen.fixed_level is None else -1.0
    low, middle, high = (
        (lists * one).tolist() for one in (ahead.low, ahead.reward, ahead.high)
    )  # fmt: skip
    marks = [min(low), max(middle), max(high)]
    return {
        "placement": placement,
        "days": counted(days, "day"),
        "lists": f"{lists:,.0f}",
        "verdict": verdict(ahead, currency),
        "unknown": percent(ahead.unknown),
        "fan": fan(
            names, middle, low, high, [(value, money(value, currency)) for value in marks],
            marked=ahead.caps.index(budget) if budget in ahead.caps else -1,
        ),
        "rows": [
            {
                "cap": name,
                "now": cap == budget,
                "reward": money(lists * float(ahead.reward[place]), currency),
                "likely": f"{money(low[place], currency)} to {money(high[place], currency)}",
                "gain": money(lists * float(ahead.gain[place]), currency),
                "error": money(lists * float(ahead.gain_error[place]), currency),
                "spent": percent(float(ahead.spent[place])),
            }
            for place, (cap, name) in enumerate(zip(ahead.caps, names, strict=True))
        ],
    }  # fmt: skip


def verdict(ahead: Ahead, currency: str) -> str:
    """The best cap, and whether it can be told from not exploring at all."""
    best = ahead.best
    gain, error = (ahead.lists * float(one[best]) for one in (ahead.gain, ahead.gain_error))
    if best == 0 or gain < 2.0 * error:
        return "By what is believed now, no cap can be told from never exploring."
    return (
        f"By what is believed now, a cap of {percent(ahead.caps[best])} would earn "
        f"{money(gain, currency)} more than never exploring (± {money(error, currency)})."
    )
