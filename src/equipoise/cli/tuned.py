"""What ``tune`` says: tables, a table of the settings, a drawing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from equipoise.cli.output import out, print_json, say
from equipoise.cli.scatter import Panel, scatter
from equipoise.cli.tables import print_table
from equipoise.recommenders.presets import PRESETS
from equipoise.tuning import SPACES, Found, Tried
from equipoise.tuning.found import rounded

SHOWN = 10


def print_found(
    found: Found, words: str, test: str, figures: Mapping[str, Mapping[str, float]]
) -> None:
    keywords = list(dict.fromkeys(name for one in found.trials for name in one.keywords))
    ranked = found.ranked()
    print_table(
        f"The best trials of {found.method.name} ({found.goal.metric} on {words})",
        ["trial", found.goal.metric, *keywords, "seconds"],
        [_row(one, keywords) for one in ranked[:SHOWN]],
        note=_note(found, len(ranked)),
    )
    if found.importance:
        shares = [[name, f"{share:.0%}"] for name, share in found.importance.items()]
        print_table("What mattered", ["setting", "share of the variance"], shares)
    if figures:
        metrics = list(dict.fromkeys(name for row in figures.values() for name in row))
        rows = [[name, *(f"{row[m]:.4f}" for m in metrics)] for name, row in figures.items()]
        print_table("On the test part", ["settings", *metrics], rows, note=test)
    if found.best is None:
        say("No trial is better than the defaults: leave them.")
    else:
        out().print(found.toml(), highlight=False, markup=False, end="")


def _row(one: Tried, keywords: Sequence[str]) -> list[str]:
    cells = [_short(one.keywords.get(name)) for name in keywords]
    return [str(one.number + 1), f"{one.value:.4f}", *cells, f"{one.seconds:.1f}"]


def _short(value: Any) -> str:
    return "–" if value is None else str(rounded(value))


def _note(found: Found, judged: int) -> str:
    reasons = [one.reason for one in found.trials if one.value is None]
    given_up = reasons.count("given up")
    failed = sorted({reason for reason in reasons if reason != "given up"})
    parts = [f"{len(found.trials)} trials, {judged} judged to the end, {given_up} given up"]
    if found.defaults is not None:
        parts.append(f"the defaults reach {found.defaults:.4f}")
    return "; ".join(parts) + "".join(f"\nfailed: {reason}" for reason in failed)


def draw(found: Found, svg: Path) -> None:
    if found.ranked():
        svg.write_text(_chart(found), encoding="utf-8")
        say(f"Drew {svg}.")
    else:
        say(f"No trial has a value: {svg} is not drawn.")


def _chart(found: Found) -> str:
    judged = [one for one in found.trials if one.value is not None]
    keywords = [*found.importance] or list(judged[0].keywords)
    values = [one.value or 0.0 for one in judged]
    best = judged.index(found.ranked()[0])
    panels = [
        Panel(
            name,
            f"{found.importance[name]:.0%} of the variance" if name in found.importance else "",
            [one.keywords[name] for one in judged],
            values,
            log=getattr(SPACES[found.method].get(name), "log", False),
        )
        for name in keywords
    ]
    return scatter(f"{found.method.name}: {found.goal.metric} by setting", panels, best=best)


def show_presets(recommender: str, as_json: bool) -> None:
    chosen = [one for one in PRESETS if recommender in ("", one.method.name)]
    if as_json:
        told = [
            {"recommender": one.method.name, "preset": one.name,
             "keywords": dict(one.keywords), "source": one.source}
            for one in chosen
        ]  # fmt: skip
        print_json(told)
        return
    rows = [
        [one.method.name, one.name, ", ".join(f"{k}={v!r}" for k, v in one.keywords.items())]
        for one in chosen
    ]
    sources = {one.source: f"{one.source}:" for one in chosen}
    for one in chosen:
        sources[one.source] += f" {one.method.name} {one.name};"
    note = "\n".join(words.removesuffix(";") for words in sources.values())
    print_table("Published settings", ["recommender", "preset", "keywords"], rows, note=note)
