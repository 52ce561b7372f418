"""Sessions: every prefix of a test session predicts its next click (SR-GNN's protocol)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from equipoise.data import Interactions, readers
from equipoise.evaluation.sessions import NextClicks, next_click
from equipoise.intake.data_sets import locate
from equipoise.quality.study import Row, Study
from equipoise.recommenders.popularity import Popularity
from equipoise.recommenders.session_knn import SessionKNN
from equipoise.recommenders.stan import STAN
from equipoise.recommenders.transitions import Transitions

LISTED = 20


class Parts(NamedTuple):
    train: Interactions
    clicks: NextClicks


def loading(name: str, test: str) -> Callable[[], Parts]:
    def load() -> Parts:
        folder = locate(name)
        found = readers.prefixes(folder / test)
        clicks = NextClicks(found.histories, found.targets, np.array(found.sessions))
        return Parts(readers.sessions(folder / "train_sessions.txt"), clicks)

    return load


def measure(parts: Parts, model: Any) -> Mapping[str, float]:
    """HR and MRR at 20; what was clicked may be clicked again."""
    answers = next_click(model.fit(parts.train), parts.clicks, n=LISTED)
    return {"hr@20": answers.hit_rate, "mrr@20": answers.mrr}


def figures(hr: float, mrr: float) -> dict[str, float]:
    return {"hr@20": hr, "mrr@20": mrr}


def study(name: str, test: str, protocol: str, rows: Sequence[Row[Parts]]) -> Study[Parts]:
    return Study(
        name=name,
        protocol=protocol,
        metrics=("hr@20", "mrr@20"),
        lower_is_better=False,
        load=loading(name, test),
        measure=measure,
        rows=tuple(rows),
    )


SESSION_REC = "Ludewig, Jannach, UMUAI 2018, and the session-rec framework"
RECOMPUTED = "recomputed from the files"
CHOSEN = "Settings were chosen on the last 15,000 training sessions."
DIGINETICA = study(
    "diginetica",
    "test_prefix_target.txt",
    "Diginetica, SR-GNN's cut: every prefix of a session of the last week predicts its next click"
    " among all items, repeats allowed; HR@20 and MRR@20. For the record: GRU4Rec .5098 / .1750,"
    " NARM .4979 / .1586.",
    [
        Row("Transitions, Markov", lambda: Transitions(rule="markov"), figures(0.3441, 0.1307),
            SESSION_REC),
        Row("Transitions, association rules", lambda: Transitions(rule="association"),
            figures(0.4394, 0.1465), SESSION_REC),
        Row("Transitions, sequential rules", lambda: Transitions(rule="sequential"),
            figures(0.4041, 0.1418), RECOMPUTED),
        Row(
            "SessionKNN as published (SKNN), k 100, sample 500",
            lambda: SessionKNN(
                k=100, sample=500, weighting="same", score_weighting="same", idf_weighting=0
            ),
            figures(0.4846, 0.1736), SESSION_REC,
        ),
        Row(
            "SessionKNN as published (V-SKNN), quadratic",
            lambda: SessionKNN(similarity="dot", weighting="quadratic"),
            figures(0.5203, 0.1841), SESSION_REC,
            note="A plain version with dictionaries gives the same figures, so it is not the"
            " arithmetic; their cut of the data and their order of ties are not known.",
        ),
        Row("SessionKNN, defaults", SessionKNN, figures(0.5203, 0.1841),
            f"{SESSION_REC} (V-SKNN)", note=CHOSEN),
        Row("STAN, defaults", STAN, figures(0.5203, 0.1841), f"{SESSION_REC} (V-SKNN)",
            note=CHOSEN),
    ],
)  # fmt: skip
RETAILROCKET = study(
    "retailrocket-session",
    "test_sid_prefix_target_ts.txt",
    "RetailRocket, views cut into sessions at 30 minutes; the same questions. Nobody published this"
    " cut.",
    [
        Row("Popularity", Popularity, figures(0.0238, 0.0050), RECOMPUTED),
        Row("Transitions, Markov", lambda: Transitions(rule="markov"), figures(0.3510, 0.1837),
            RECOMPUTED),
        Row("Transitions, sequential rules", Transitions),
        Row("SessionKNN, defaults", SessionKNN),
        Row("STAN, defaults", STAN),
    ],
)  # fmt: skip
