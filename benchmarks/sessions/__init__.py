"""What is clicked next, how well is it foretold, and how long does a list take?

``python -m benchmarks sessions [diginetica] [retailrocket-session] [--clicks 2000] [--json]``

*Environment*: Diginetica (CIKM Cup 2016, SR-GNN's cut: 186,670 sessions, 60,858 clicks to foretell)
and RetailRocket's views cut at 30 minutes (126,168 sessions, 15,132 clicks), found by
``equipoise.intake.data_sets.locate``.

*Settings*: those published with a figure, or defaults, which were chosen on a validation week of
Diginetica. All items are ranked, and what was clicked may be clicked again. Every list is asked for
alone, from ids to ids, on one thread.

*Score*: HR@20 and MRR@20 over all clicks beside the published figures, and microseconds a list.

The framework that the published figures come from, session-rec, is on no package index, and the
packages that are there have no session neighbours. So the other side is a plain V-SKNN in
dictionaries and sets (``plain.py``): on the first ``--clicks`` both must be equally good, and the
ratio of their times is what the flat arrays are worth.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table as Grid

from benchmarks.sessions.plain import PlainVSKNN
from equipoise.clock import elapsed
from equipoise.data import Interactions, readers
from equipoise.evaluation.sessions import Answers, NextClicks, next_click
from equipoise.intake.data_sets import locate
from equipoise.recommenders import Popularity, Recommender
from equipoise.recommenders.session_knn import SessionKNN
from equipoise.recommenders.stan import STAN
from equipoise.recommenders.transitions import Transitions

TESTS: Mapping[str, str] = {
    "diginetica": "test_prefix_target.txt",
    "retailrocket-session": "test_sid_prefix_target_ts.txt",
}
VSKNN: dict[str, Any] = {"similarity": "dot", "weighting": "quadratic"}
SKNN: dict[str, Any] = {
    "k": 100, "sample": 500, "weighting": "same", "score_weighting": "same", "idf_weighting": 0,
}  # fmt: skip
PUBLISHED: Mapping[tuple[str, str], str] = {
    ("diginetica", "Markov"): ".3441 / .1307",
    ("diginetica", "AR"): ".4394 / .1465",
    ("diginetica", "SKNN"): ".4846 / .1736",
    ("diginetica", "V-SKNN"): ".5203 / .1841",
    ("diginetica", "STAN, defaults"): "GRU4Rec .5098 / .1750, SR-GNN .5137",
}
"""HR@20 / MRR@20: Ludewig, Mauro, Latifi, Jannach; SR-GNN's on this very file by PaddleRec."""


def methods() -> dict[str, Recommender]:
    return {
        "popularity": Popularity(),
        "Markov": Transitions(rule="markov"),
        "SR": Transitions(rule="sequential"),
        "AR": Transitions(rule="association"),
        "SKNN": SessionKNN(**SKNN),
        "V-SKNN": SessionKNN(**VSKNN),
        "V-SKNN, defaults": SessionKNN(),
        "STAN, defaults": STAN(),
    }


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks sessions")
    parser.add_argument("sets", nargs="*", metavar="SET", help=", ".join(TESTS))
    parser.add_argument("--clicks", type=int, default=2_000, help="for the plain V-SKNN")
    parser.add_argument("--json", action="store_true")
    settings = parser.parse_args(arguments)
    unknown = set(settings.sets) - set(TESTS)
    if unknown:
        parser.error(f"no set {', '.join(sorted(unknown))}; there are {', '.join(TESTS)}")
    for name in settings.sets or TESTS:
        train, clicks = load(name)
        found = rows(name, train, clicks) + beside(train, clicks, settings.clicks)
        print(json.dumps({name: found}, indent=1)) if settings.json else show(name, found)
    return 0


def load(name: str) -> tuple[Interactions, NextClicks]:
    folder = locate(name)
    found = readers.prefixes(folder / TESTS[name])
    clicks = NextClicks(found.histories, found.targets, np.array(found.sessions))
    return readers.sessions(folder / "train_sessions.txt"), clicks


def rows(name: str, train: Interactions, clicks: NextClicks) -> list[dict[str, Any]]:
    """A row a method, over all clicks."""
    answers = []
    for method, model in methods().items():
        started = elapsed()
        model.fit(train)
        seconds = elapsed() - started
        # The first call compiles, and is not what a shopper waits for.
        model.recommend_batch(clicks.prefixes[:1], 20, repeats=True)
        answers.append(row(method, next_click(model, clicks), seconds, (name, method)))
    return answers


def beside(train: Interactions, clicks: NextClicks, n: int) -> list[dict[str, Any]]:
    """Ours and the plain V-SKNN on the first ``n`` clicks."""
    some = NextClicks(clicks.prefixes[:n], clicks.targets[:n], clicks.session[:n])
    started = elapsed()
    plain = PlainVSKNN(train.histories())
    seconds = elapsed() - started
    theirs = next_click(plain, some)
    ours = next_click(SessionKNN(**VSKNN).fit(train), some)
    found = [
        row(f"V-SKNN, {n:,} clicks", ours, float("nan"), None),
        row(f"plain V-SKNN, {n:,} clicks", theirs, seconds, None),
    ]
    found[0]["published"] = f"{theirs.microseconds / ours.microseconds:.1f} × the plain one's speed"
    return found


def row(
    method: str, answers: Answers, seconds: float, published: tuple[str, str] | None
) -> dict[str, Any]:
    return {
        "method": method,
        "HR@20": answers.hit_rate,
        "MRR@20": answers.mrr,
        "published": PUBLISHED.get(published, "") if published else "",
        "µs a list": answers.microseconds,
        "fit s": seconds,
    }


def show(name: str, found: list[dict[str, Any]]) -> None:
    grid = Grid(title=name, title_justify="left")
    for column in found[0]:
        grid.add_column(column, justify="left" if column in ("method", "published") else "right")
    for one in found:
        grid.add_row(
            one["method"],
            f"{one['HR@20']:.4f}",
            f"{one['MRR@20']:.4f}",
            one["published"],
            f"{one['µs a list']:,.0f}",
            "" if np.isnan(one["fit s"]) else f"{one['fit s']:.2f}",
        )
    Console(width=150).print(grid)
