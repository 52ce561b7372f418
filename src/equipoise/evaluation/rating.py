"""The protocol for stars: fit on the training ratings, foretell the test's, measure the error."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from equipoise.clock import elapsed
from equipoise.data import Interactions
from equipoise.errors import InvalidInput
from equipoise.evaluation import metrics
from equipoise.evaluation.baselines import MeanRating
from equipoise.evaluation.intervals import bootstrap
from equipoise.evaluation.rows import fit_seconds, named
from equipoise.evaluation.table import Table
from equipoise.randomness import RandomState
from equipoise.types import Bools, Floats, Floats32, Item


class Rates(Protocol):
    """Whatever fits interactions and rates pairs, as ``RatingRecommender`` does."""

    @property
    def name(self) -> str: ...

    def fit(self, interactions: Interactions) -> Any: ...

    def predict_pairs(self, users: Sequence[Hashable], items: Sequence[Hashable]) -> Floats32: ...


def evaluate_ratings(
    train: Interactions,
    test: Interactions,
    recommenders: Mapping[str, Rates] | Sequence[Rates],
    *,
    baselines: Sequence[Rates] | None = None,
    items: Iterable[Item] | None = None,
    confidence: float | None = None,
    random_state: RandomState = None,
) -> Table:
    """RMSE and MAE of each recommender over the test rows, one row of the table each; lower is
    better. ``baselines`` stand above, by default ``MeanRating``.

    Every test row is rated, those of users and items unknown to training too; the note counts them.
    ``confidence`` adds intervals of a bootstrap over users. ``table.compare(…, "mse")`` and
    ``"mae"`` keep a user's rows together; below 0, ours errs less.

    Raises:
        InvalidInput: no test rows, or a prediction that is not finite.
    """
    if not len(test):
        raise InvalidInput("the test part has no ratings", pointer="/test")
    users, pairs = test.user_ids[test.user].tolist(), test.item_ids[test.item].tolist()
    extra = {} if items is None else {"items": list(items)}
    rows, errors = [], {}
    for name, recommender, baseline in named(
        [MeanRating()] if baselines is None else baselines, recommenders
    ):
        seconds = fit_seconds(recommender, train, {} if baseline else extra)
        started = elapsed()
        foretold = np.asarray(recommender.predict_pairs(users, pairs), np.float64)
        spent = 1e6 * (elapsed() - started) / len(test)
        _refuse_unsound(name, foretold, test)
        errors[name] = {
            "mse": (foretold - test.value) ** 2,
            "mae": np.abs(foretold - test.value),
        }
        row: dict[str, Any] = {"recommender": name, "baseline": baseline}
        row |= _summary(foretold, test, errors[name], confidence, random_state)
        rows.append(row | {"fit_seconds": seconds, "pair_microseconds": spent})
    return Table(rows, _note(train, test), errors, clusters=test.user)


def _summary(
    foretold: Floats,
    test: Interactions,
    errors: dict[str, Floats],
    confidence: float | None,
    random_state: RandomState,
) -> dict[str, Any]:
    row: dict[str, Any] = {
        "rmse": metrics.rmse(foretold, test.value),
        "mae": metrics.mae(foretold, test.value),
    }
    if confidence is not None:
        options: dict[str, Any] = {"confidence": confidence, "random_state": random_state}
        square = bootstrap(errors["mse"], test.user, **options)
        # A root keeps the order, so it may be taken of the ends.
        row["rmse_interval"] = [math.sqrt(end) for end in square]
        row["mae_interval"] = list(bootstrap(errors["mae"], test.user, **options))
    return row


def _refuse_unsound(name: str, foretold: Floats, test: Interactions) -> None:
    if foretold.shape != (len(test),):
        raise InvalidInput(
            f"{name} foretold shape {foretold.shape}; ({len(test)},) is wanted", pointer=f"/{name}"
        )
    bad = np.flatnonzero(~np.isfinite(foretold))
    if len(bad):
        pair = test.user_ids[test.user[bad[0]]], test.item_ids[test.item[bad[0]]]
        raise InvalidInput(
            f"{name} foretold {foretold[bad[0]]} for user {pair[0]!r} and item {pair[1]!r};"
            " every pair needs a finite rating",
            pointer=f"/{name}",
        )


def _note(train: Interactions, test: Interactions) -> str:
    strange = ~_met(test.user, test.user_ids, train.user, train.user_ids)
    unmet = ~_met(test.item, test.item_ids, train.item, train.item_ids)
    return (
        f"{len(test):,} ratings of {len(np.unique(test.user)):,} users judged, each counting alike;"
        f" {strange.mean():.1%} of users without a training row, {unmet.mean():.1%} of items"
    )


def _met(
    codes: NDArray[Any], ids: NDArray[Any], known: NDArray[Any], known_ids: NDArray[Any]
) -> Bools:
    """(n,) whether the row's id has a row in training."""
    met = set(known_ids[np.unique(known)].tolist())
    known_too: Bools = np.fromiter(map(met.__contains__, ids.tolist()), np.bool_, len(ids))[codes]
    return known_too
