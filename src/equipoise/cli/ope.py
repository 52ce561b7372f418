"""``ope``: what another policy would have earned, or another level, from the shop's own log."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from equipoise.cli.output import DEFAULT_DATA, AsJson, Data, complain, print_json, remark
from equipoise.cli.tables import print_table
from equipoise.evaluation.off_policy import LevelCost, LevelCosts
from equipoise.exploration import POLICIES
from equipoise.home import Home
from equipoise.intake.fields import read_time
from equipoise.log.sqlite import SQLiteLog
from equipoise.proof import (
    ESTIMATORS,
    INTERVALS,
    OUTCOMES,
    Line,
    Proof,
    Question,
    Tally,
    level_costs,
    prove,
)
from equipoise.proof.estimates import SLOTS
from equipoise.proof.verdict import finite, told

HOUR = 3_600_000
MUCH = 0.02
"""Share of a list's value that is worth a warning."""


def ope(
    policy: Annotated[
        str,
        typer.Option(
            help=f"Which policy: {', '.join(p.name for p in POLICIES)}. Default: the log's own."
        ),
    ] = "",
    parameter: Annotated[
        list[str] | None,
        typer.Option("--parameter", help="name=value of the policy; repeatable."),
    ] = None,
    level: Annotated[
        list[float] | None,
        typer.Option("--level", help="How much it explores; repeatable. Default: as logged."),
    ] = None,
    levels: Annotated[
        str, typer.Option(help="0,.25,.5,1: what each level costs against greedy, instead.")
    ] = "",
    cap: Annotated[
        float | None,
        typer.Option(help="With --levels: the highest level that surely costs at most this share."),
    ] = None,
    placement: Annotated[str, typer.Option(help="Whose lists.")] = "home",
    since: Annotated[str, typer.Option(help="Lists decided from then on; RFC 3339.")] = "",
    until: Annotated[str, typer.Option(help="Lists decided before then.")] = "",
    outcome: Annotated[str, typer.Option(help=f"What is earned: {', '.join(OUTCOMES)}.")] = "worth",
    estimator: Annotated[str, typer.Option(help=", ".join(ESTIMATORS))] = "dr",
    interval: Annotated[str, typer.Option(help=", ".join(INTERVALS))] = "shopper",
    confidence: Annotated[float, typer.Option(help="Of every interval.")] = 0.95,
    data: Data = DEFAULT_DATA,
    as_json: AsJson = False,
) -> None:
    """What another policy or level would have earned, from the log alone; a server may run.

    Exit 1, with the reasons, where the log cannot tell.
    """
    settings, given = Home(data).settings(), _parameters(parameter)
    span = {"since": _time(since, "--since"), "until": _time(until, "--until")}
    common: dict[str, Any] = {
        "placement": placement, "outcome": outcome, "estimator": estimator,
        "confidence": confidence, **span,
    }  # fmt: skip
    if levels:
        question = Question(policy, given)
        with _log(data) as log:
            found = level_costs(log, settings, _levels(levels), question=question, **common)
        _show_levels(*found, cap, confidence, as_json)
        return
    if cap is not None:
        raise typer.BadParameter("--cap goes with --levels")
    asked: Sequence[float | None] = level or [None]
    questions = [Question(policy, given, one) for one in asked]
    with _log(data) as log:
        proof = prove(log, settings, questions, interval=interval, **common)
    _show(proof, as_json)


def _log(data: Path) -> SQLiteLog:
    home = Home(data)
    home.secrets()
    remark("Reading the log")
    return SQLiteLog(home.log, read_only=True)


def _parameters(given: list[str] | None) -> dict[str, float]:
    found = {}
    for pair in given or []:
        name, _, value = pair.partition("=")
        try:
            found[name] = float(value)
        except ValueError:
            raise typer.BadParameter(f"--parameter {pair!r} is not name=number") from None
    return found


def _levels(given: str) -> list[float]:
    try:
        return [float(one) for one in given.split(",")]
    except ValueError:
        raise typer.BadParameter(f"--levels {given!r} is not numbers with commas") from None


def _time(given: str, pointer: str) -> int | None:
    return read_time(given, pointer) if given else None


# ---------------------------------------------------------------- policies


def _show(proof: Proof, as_json: bool) -> None:
    if as_json:
        print_json(proof.to_dict())
    else:
        own = ["logged", "", _money(proof.own), _span(proof.own_interval), "", "", "", ""]
        print_table(
            f"What a list of {proof.placement!r} earns ({proof.outcome}, {proof.estimator})",
            ["policy", "level", "value", f"{proof.confidence:.0%}", "less logged",
             f"{proof.confidence:.0%}", "rows worth", "no support"],
            [own, *map(_row, proof.lines)],
            note=f"{_left_out(proof.tally)} {proof.shoppers:,} shoppers.{_moved(proof)}",
        )  # fmt: skip
    _refuse(proof.reasons)


def _row(line: Line) -> list[str]:
    level, found = line.question.level, line.diagnosis
    return [
        str(line.question),
        "as logged" if level is None else f"{level:g}",
        _money(line.value),
        _span(line.interval),
        _money(line.difference),
        _span(line.difference_interval),
        f"{found.effective:,.0f}",
        f"{found.unsupported:.2%}",
    ]


# ---------------------------------------------------------------- levels


def _show_levels(
    costs: LevelCosts, tally: Tally, cap: float | None, confidence: float, as_json: bool
) -> None:
    told_of_greedy = costs.estimates[0] is not None
    most = (
        costs.affordable(cap, confidence=confidence) if cap is not None and told_of_greedy else None
    )
    if as_json:
        rows = [_level_dict(row) for row in costs.rows]
        print_json({"levels": rows, "affordable": most, "log": told(tally), "note": costs.note})
    else:
        print_table(
            "What each level of exploration costs a list",
            ["level", "value", f"{confidence:.0%}", "cost", f"{confidence:.0%}", "believed",
             "bought"],
            map(_level_row, costs.rows),
            note=f"{_left_out(tally)}\n{costs.note}{_most(most, cap)}",
        )  # fmt: skip
    _refuse([f"level {row.level:g}: {why}" for row in costs.rows for why in row.diagnosis.reasons])


def _level_row(row: LevelCost) -> list[str]:
    return [
        f"{row.level:g}",
        _money(row.value),
        _span((row.low, row.high)),
        _money(row.cost),
        _span((row.cost_low, row.cost_high)),
        _money(row.believed),
        "unknown" if row.bought is None else _money(row.bought),
    ]


def _level_dict(row: LevelCost) -> dict[str, Any]:
    names = ("value", "low", "high", "cost", "cost_low", "cost_high", "believed")
    figures = {name: finite(getattr(row, name)) for name in names}
    return {"level": row.level, **figures, "reasons": list(row.diagnosis.reasons)}


def _moved(proof: Proof) -> str:
    """A warning where slots were judged after beginnings that the policy would not have made."""
    most = max((abs(line.shift) for line in proof.lines if line.answerable), default=0.0)
    if proof.estimator not in SLOTS or most <= MUCH * abs(proof.own):
        return ""
    return (
        f"\nBy the beliefs, {_money(most)} of a list's value hangs on how it begins, which"
        f" {proof.estimator} judges in part by the log's own beginnings: compare with --estimator"
        " cascade_dr or rips."
    )


def _most(level: float | None, cap: float | None) -> str:
    if level is None or cap is None:
        return ""
    return f"\nThe highest level that surely costs at most {cap:.1%} of greedy's value: {level:g}"


# ---------------------------------------------------------------- words


def _refuse(reasons: list[str]) -> None:
    for reason in reasons:
        complain(f"refused: {reason}")
    if reasons:
        raise typer.Exit(1)


def _left_out(tally: Tally) -> str:
    """What stands behind the table, and what does not."""
    left = [
        (tally.immature, f"younger than {tally.wait_ms / HOUR:g} h"),
        (tally.empty, "empty"),
        (tally.pinned, "pinned throughout"),
        (tally.erased, "of erased shoppers"),
    ]
    out = ", ".join(f"{count:,} {why}" for count, why in left if count)
    pins = f"; {tally.pinned_slots:,} pinned slots left out" if tally.pinned_slots else ""
    return f"{tally.lists:,} lists{f' (left out: {out})' if out else ''}{pins}."


def _money(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.5f}"


def _span(ends: tuple[float, float]) -> str:
    return "" if math.isnan(ends[0]) else f"{ends[0]:.5f} … {ends[1]:.5f}"


commands: dict[str, Callable[..., Any]] = {"ope": ope}
