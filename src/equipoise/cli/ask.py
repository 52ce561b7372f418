"""``recommend``, ``export``, ``rejected``: what the shop would answer, and what it holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import typer

from equipoise.cli.output import DEFAULT_DATA, AsJson, Data, print_json, print_table, say
from equipoise.clock import rfc3339
from equipoise.engine import Engine
from equipoise.types import Query


def recommend(
    user: Annotated[str, typer.Option(help="user_id of the shopper; empty for a stranger")] = "",
    n: Annotated[int, typer.Option("-n", help="length of the list")] = 12,
    placement: Annotated[str, typer.Option(help="which placement's settings to use")] = "home",
    item: Annotated[list[str] | None, typer.Option(help="seed item or cart, repeatable")] = None,
    data: Data = DEFAULT_DATA,
    as_json: AsJson = False,
) -> None:
    """A list, explained, in the terminal. Nothing is stored."""
    engine = Engine.open(data, read_only=True)
    query = Query(
        placement=placement,
        user_id=user or None,
        anonymous_id=None if user else "terminal",
        n=n,
        item_ids=tuple(item or ()),
        dry_run=True,
    )
    decision = engine.recommend(query)
    rows: list[dict[str, Any]] = [
        {
            "rank": index + 1,
            "item_id": slot.item_id,
            "title": _title(engine, slot.item_id),
            "propensity": round(slot.propensity, 4),
            "explored": slot.explored,
            "source": slot.source,
            "reasons": engine.reasons(decision, index),
        }
        for index, slot in enumerate(decision.slots)
    ]
    if as_json:
        print_json({"items": rows, "fallback_level": decision.fallback_level})
        return
    print_table(
        f"{placement} for {user or 'a stranger'} ({decision.fallback_level})",
        ["#", "item", "title", "propensity", "", "why"],
        [
            (r["rank"], r["item_id"], r["title"], f"{r['propensity']:.3f}",
             "tried" if r["explored"] else "", " ".join(r["reasons"]))
            for r in rows
        ],
    )  # fmt: skip
    if decision.reason:
        say(decision.reason)


def export(
    user: Annotated[str, typer.Option(help="user_id of the shopper")],
    data: Data = DEFAULT_DATA,
) -> None:
    """Everything held about a shopper, as JSON."""
    print_json(Engine.open(data, read_only=True).export(user))


def rejected(data: Data = DEFAULT_DATA, as_json: AsJson = False, limit: int = 50) -> None:
    """The dead letters: what was refused, and why."""
    engine = Engine.open(data, read_only=True)
    letters = engine.log.rejected(limit=limit)
    rows = [
        {
            "id": letter.rejected_id,
            "arrived": rfc3339(letter.arrived),
            "source": letter.source,
            "code": letter.code,
            "pointer": letter.pointer,
            "message": letter.message,
        }
        for letter in letters
    ]
    if as_json:
        print_json(rows)
    else:
        print_table("Dead letters", list(rows[0]) if rows else ["none"], [r.values() for r in rows])


def _title(engine: Engine, item_id: str) -> str:
    item = engine.item(item_id)
    return next(iter(item.title.values()), "") if item else ""


commands: dict[str, Callable[..., Any]] = {
    "recommend": recommend,
    "export": export,
    "rejected": rejected,
}
