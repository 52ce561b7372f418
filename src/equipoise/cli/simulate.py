"""``simulate``: policies side by side in a simulated shop."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from equipoise.cli.chart import Series, line_chart
from equipoise.cli.output import AsJson, print_json, progress, say
from equipoise.cli.tables import print_table
from equipoise.errors import SettingsError
from equipoise.simulation.contest import DEFAULT, USUAL, Entry, Result, Terms, contest
from equipoise.simulation.scenarios import SCENARIOS
from equipoise.simulation.standings import Standing, ordered, regret_bands, standings


def simulate(
    policy: Annotated[
        list[str] | None,
        typer.Option(
            help=f"{DEFAULT} (the home page's own), or NAME:parameter=value,…; level=1 fixes its "
            f"level. Repeatable; gains are over the first. Default: {' '.join(USUAL)}"
        ),
    ] = None,
    scenario: Annotated[
        str, typer.Option(help=f"What changes in the shop: {', '.join(SCENARIOS)}.")
    ] = "launches",
    seeds: Annotated[int, typer.Option(min=1, help="Shops, each played by every policy.")] = 4,
    first_seed: Annotated[int, typer.Option(min=0, help="Seed of the first shop.")] = 0,
    decisions: Annotated[int, typer.Option(min=50, help="Home lists in each run.")] = 3_000,
    items: Annotated[
        int | None, typer.Option(min=40, help="In the shop; default: one for every 20 lists.")
    ] = None,
    budget: Annotated[
        float | None,
        typer.Option(help="Share of expected reward that exploring may cost. Default: settings'."),
    ] = None,
    processes: Annotated[
        int | None, typer.Option(min=1, help="Runs at once; default: one a core.")
    ] = None,
    svg: Annotated[
        Path | None, typer.Option("--svg", help="Draw how regret grew into this file.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Policies side by side in a simulated shop: regret, reward, spending, time to find."""
    _check(scenario, budget)
    entries = _entries(policy or list(USUAL))
    terms = Terms(scenario=SCENARIOS[scenario], decisions=decisions, items=items, budget=budget)
    shops = range(first_seed, first_seed + seeds)
    runs = contest(entries, terms, shops, processes=processes or os.cpu_count() or 1)
    played = list(progress(runs, "Playing", total=len(entries) * len(shops)))
    results = ordered(played, [entry.name for entry in entries])
    if svg is not None:
        svg.write_text(_chart(results, terms), encoding="utf-8")
        say(f"Drew {svg}.")
    if as_json:
        print_json(_to_dict(results, terms))
    else:
        _print(standings(results), terms)


def _entries(texts: Sequence[str]) -> list[Entry]:
    try:
        entries = [Entry.of(text) for text in texts]
    except SettingsError as error:
        raise typer.BadParameter(str(error), param_hint="--policy") from None
    if len(set(texts)) < len(texts):
        raise typer.BadParameter("the same twice", param_hint="--policy")
    return entries


def _check(scenario: str, budget: float | None) -> None:
    if scenario not in SCENARIOS:
        known = ", ".join(SCENARIOS)
        raise typer.BadParameter(f"{scenario!r} is none of {known}", param_hint="--scenario")
    if budget is not None and not 0 <= budget < 1:
        raise typer.BadParameter(f"{budget} is no share from 0 to below 1", param_hint="--budget")


# ---------------------------------------------------------------- what is printed


def _print(lines: Sequence[Standing], terms: Terms) -> None:
    shops = lines[0].shops
    print_table(
        f"{terms.scenario.name}: {terms.decisions:,} home lists in a shop of {terms.size} items, "
        f"{shops} {'shops' if shops > 1 else 'shop'}",
        ["policy", "reward €", "± se", "regret €", "of oracle %", "last ¼ %", "spent %",
         "gain %", "95 %", "found", "lists until"],
        map(_row, lines),
        note="Reward: true expected worth. Spent: the engine's own account, of expected reward. "
        f"Gain: over {lines[0].policy}, shop by shop.\nFound: best-sellers launched that greedy "
        "would show a stranger by the end, and the median of lists until it would.",
    )  # fmt: skip


def _row(line: Standing) -> list[str]:
    span = f"{100 * line.gain_low:+.1f} … {100 * line.gain_high:+.1f}"
    return [
        line.policy,
        f"{line.reward:.2f}",
        _number(line.reward_error, 2),
        f"{line.regret:.2f}",
        f"{100 * line.share:.1f}",
        f"{100 * line.last_quarter:.1f}",
        f"{100 * line.spent:.2f}",
        f"{100 * line.gain:.1f}",
        span if math.isfinite(line.gain_low) else "–",
        f"{line.found} of {line.launched}" if line.launched else "–",
        _number(line.wait, 0) if line.launched else "–",
    ]


def _number(value: float, digits: int) -> str:
    return f"{value:,.{digits}f}" if math.isfinite(value) else "–"


def _to_dict(results: Sequence[Result], terms: Terms) -> dict[str, Any]:
    bands = regret_bands(results)
    return {
        "scenario": terms.scenario.name,
        "decisions": terms.decisions,
        "items": terms.size,
        "budget": terms.budget,
        "policies": [line.to_dict() for line in standings(results)],
        "runs": [_run(run) for run in results],
        "regret": {
            name: {part: getattr(band, part).tolist() for part in ("lists", "mean", "low", "high")}
            for name, band in bands.items()
        },
    }


def _run(run: Result) -> dict[str, Any]:
    names = ("policy", "seed", "reward", "oracle", "regret", "share", "last_quarter", "spent",
             "explored", "clicks", "orders", "revenue")  # fmt: skip
    return {**{name: getattr(run, name) for name in names}, "waits": list(run.waits)}


def _chart(results: Sequence[Result], terms: Terms) -> str:
    series = [
        Series(
            name,
            band.lists.tolist(),
            *((100 * part).tolist() for part in (band.mean, band.low, band.high)),
        )
        for name, band in regret_bands(results).items()
    ]
    return line_chart(
        f"Regret in the scenario {terms.scenario.name}: mean and one standard deviation over shops",
        series,
        x_label="home lists shown",
        y_label="regret so far, % of what was possible in all",
    )


commands: dict[str, Callable[..., Any]] = {"simulate": simulate}
