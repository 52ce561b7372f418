"""``recommend``, ``export``, ``rejected``: what the shop would answer, and what it holds."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import Annotated, Any

import typer

from equipoise.cli.output import DEFAULT_DATA, AsJson, Data, print_json, say
from equipoise.cli.tables import print_table
from equipoise.clock import rfc3339
from equipoise.engine import Engine
from equipoise.home import Home
from equipoise.log.sqlite import SQLiteLog
from equipoise.types import Decision, Query


def recommend(
    user: Annotated[str, typer.Option(help="user_id of the shopper; none: a stranger.")] = "",
    anonymous: Annotated[
        str, typer.Option(help="anonymous_id of a visitor, with or without.")
    ] = "",
    n: Annotated[int, typer.Option("-n", min=1, max=100, help="Length of the list.")] = 12,
    placement: Annotated[str, typer.Option(help="Whose settings to use.")] = "home",
    item: Annotated[list[str] | None, typer.Option(help="Seed item or cart; repeatable.")] = None,
    data: Data = DEFAULT_DATA,
    as_json: AsJson = False,
) -> None:
    """A list, explained, in the terminal. Nothing is stored; a server may run meanwhile."""
    query = Query(
        placement=placement,
        user_id=user or None,
        anonymous_id=anonymous or (None if user else "terminal"),
        n=n,
        item_ids=tuple(item or ()),
        dry_run=True,
    )
    with closing(Engine.open(data, read_only=True)) as engine:
        decision = engine.recommend(query)
        rows = [_row(engine, decision, place) for place in range(len(decision.slots))]
    if as_json:
        level, reason = decision.fallback_level, decision.reason
        print_json({"items": rows, "fallback_level": level, "reason": reason})
        return
    print_table(
        f"{placement} for {user or anonymous or 'a stranger'} ({decision.fallback_level})",
        ["#", "item", "title", "propensity", "", "why"],
        [
            (r["rank"], r["item_id"], r["title"], f"{r['propensity']:.3f}",
             "tried" if r["explored"] else "", "; ".join(r["reasons"]))
            for r in rows
        ],
        note=decision.reason,
    )  # fmt: skip


def export(
    user: Annotated[str, typer.Option(help="user_id of the shopper.")],
    data: Data = DEFAULT_DATA,
    as_json: Annotated[
        bool, typer.Option("--json", help="It is JSON in any case.", show_default=False)
    ] = True,
) -> None:
    """Everything held about a shopper, as JSON."""
    with closing(Engine.open(data, read_only=True)) as engine:
        print_json(engine.export(user))


def rejected(
    limit: Annotated[int, typer.Option(min=1, help="Letters to show.")] = 50,
    after: Annotated[int, typer.Option(min=0, help="Those with a greater id.")] = 0,
    data: Data = DEFAULT_DATA,
    as_json: AsJson = False,
) -> None:
    """The dead letters, oldest first: what was refused, and why."""
    home = Home(data)
    home.secrets()
    with SQLiteLog(home.log, read_only=True) as log:
        letters = log.rejected(after, limit)
    rows = [
        {
            "id": letter.rejected_id,
            "arrived": rfc3339(letter.arrived),
            "source": letter.source,
            "code": letter.code,
            "pointer": letter.pointer,
            "message": letter.message,
            "body": letter.body.decode(errors="replace"),
        }
        for letter in letters
    ]
    if as_json:
        print_json(rows)
    elif rows:
        shown = [key for key in rows[0] if key != "body"]
        print_table("Dead letters", shown, [[row[key] for key in shown] for row in rows])
    else:
        say("No dead letters.")


def _row(engine: Engine, decision: Decision, place: int) -> dict[str, Any]:
    slot = decision.slots[place]
    return {
        "rank": place + 1,
        "item_id": slot.item_id,
        "title": _title(engine, slot.item_id),
        "propensity": slot.propensity,
        "explored": slot.explored,
        "source": slot.source,
        "reasons": engine.reasons(decision, place),
    }


def _title(engine: Engine, item_id: str) -> str:
    item = engine.item(item_id)
    return next(iter(item.title.values()), "") if item else ""


commands: dict[str, Callable[..., Any]] = {
    "recommend": recommend,
    "export": export,
    "rejected": rejected,
}
