"""The laws of a recommender, importable: whoever writes one may check it here.

::

    from equipoise.testing.recommenders import check_recommender

    check_recommender(lambda: SlopeOne(shrinkage=1.0))

Each law is a function of ``make``, which must return a new, unfitted recommender at every call; a
broken law raises AssertionError and says how. ``LAWS`` names them for parametrised tests.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

from equipoise.clock import DAY
from equipoise.data import Interactions
from equipoise.randomness import derive
from equipoise.recommenders.base import Recommender
from equipoise.types import Floats32, Item

Make: TypeAlias = Callable[[], Recommender]

USERS, ITEMS, SIDE = 40, 31, 10
TOLERANCE = 1e-3
"""Relative to the largest score: what a change of the order of items may do to float32 sums."""


def check_recommender(make: Make, *, personal: bool = True) -> None:
    """Hold a recommender to every law; ``personal=False`` for one that ignores the history."""
    for law in LAWS:
        if personal or law not in PERSONAL:
            law(make)


# ---------------------------------------------------------------- toy data with known answers


def toy(names: Sequence[Any] | None = None) -> tuple[Interactions, list[Item]]:
    """(interactions, items): two tastes that hardly mix, the last item never met. ``names`` by
    item.
    """
    rng = derive(0, "testing.recommenders")
    names = [f"item-{number:02}" for number in range(ITEMS)] if names is None else names
    users = np.repeat(np.arange(USERS), 8)
    slips = rng.random(len(users)) < 0.1
    rank = np.minimum(rng.geometric(0.2, len(users)) - 1, (ITEMS - 1) // 2 - 1)
    codes = 2 * rank + (users + slips) % 2
    times = DAY * 20_000 + rng.integers(0, 100, len(users)) * DAY + np.arange(len(users))
    rows = ([f"user-{user:02}" for user in users], [names[code] for code in codes])
    return Interactions.from_columns(*rows, timestamps=times), _items(names)


def checkerboard() -> tuple[Interactions, list[Item]]:
    """User u met the items of u's parity but item u itself, which is therefore the answer."""
    pairs = [(u, i) for u in range(SIDE) for i in range(SIDE) if (u + i) % 2 == 0 and u != i]
    users, items = zip(*pairs, strict=True)
    names = [f"item-{number:02}" for number in range(SIDE)]
    times = np.full(len(pairs), DAY * 20_000)
    columns = (users, [names[item] for item in items])
    return Interactions.from_columns(*columns, timestamps=times), _items(names)


def _items(names: Sequence[Any]) -> list[Item]:
    return [
        Item(item_id=name, title={"en": f"thing {number}"}, categories=(f"Taste/{number % 2}",))
        for number, name in enumerate(names)
    ]


def _fitted(make: Make, names: Sequence[Any] | None = None) -> tuple[Recommender, Interactions]:
    interactions, items = toy(names)
    return make().fit(interactions, items=items), interactions


def _histories(interactions: Interactions) -> list[list[Any]]:
    return [*interactions.histories(unique=True)[:6], list(interactions.item_ids[:1]), []]


def _same(left: Floats32, right: Floats32, what: str, tolerance: float = 0.0) -> None:
    margin = tolerance * float(np.nanmax(np.abs(left), initial=0.0))
    near = np.isclose(left, right, rtol=0.0, atol=margin, equal_nan=True)
    assert near.all(), f"{what}: scores differ by up to {np.nanmax(np.abs(left - right)):.3g}"


# ---------------------------------------------------------------- the laws


def batch_equals_single(make: Make) -> None:
    """``recommend_batch`` and ``score`` answer row by row what single calls do, padded."""
    model, interactions = _fitted(make)
    histories = _histories(interactions)
    ids, scores = model.recommend_batch(histories, 7)
    assert ids.shape == scores.shape == (len(histories), 7), "recommend_batch: shape is not (B, n)"
    for history, row, values in zip(histories, ids, scores, strict=True):
        alone, alone_scores = model.recommend(history, 7)
        n = len(alone)
        assert list(row) == [*alone, *[None] * (7 - n)], f"batch {row}, single {alone}"
        _same(values[:n], alone_scores, "batch and single")
        assert np.isnan(values[n:]).all(), "a padded place must score NaN"
    each = np.concatenate([model.score([history]) for history in histories])
    _same(model.score(histories), each, "score of many and of one")


def permuting_items_permutes_scores(make: Make) -> None:
    """The order of the item codes means nothing."""
    model, interactions = _fitted(make)
    order = derive(0, "testing.permutation").permutation(ITEMS)
    renamed = [f"item-{place:02}" for place in order]
    other, _ = _fitted(make, renamed)
    names = {f"item-{number:02}": new for number, new in enumerate(renamed)}
    histories = _histories(interactions)
    moved = other.score([[names[i] for i in history] for history in histories])
    code = {id_: place for place, id_ in enumerate(other.item_ids_)}
    back = moved[:, [code[names[i]] for i in model.item_ids_]]
    _same(model.score(histories), back, "items permuted", TOLERANCE)


def relabelling_keeps_the_list(make: Make) -> None:
    """Other names in the same order, of another type, give the same list under the new names."""
    model, interactions = _fitted(make)
    names = [f"{number:03}-é" for number in range(ITEMS)]
    other, _ = _fitted(make, names)
    for history in _histories(interactions):
        new = [names[int(id_[-2:])] for id_ in history]
        expected = [names[int(id_[-2:])] for id_ in model.recommend(history, 9)[0]]
        assert list(other.recommend(new, 9)[0]) == expected, "ids relabelled give another list"


def row_order_is_meaningless(make: Make) -> None:
    """Rows with times, shuffled, teach the same."""
    interactions, items = toy()
    assert interactions.timestamp is not None
    order = derive(0, "testing.rows").permutation(len(interactions))
    shuffled = Interactions.from_columns(
        interactions.user_ids[interactions.user[order]],
        interactions.item_ids[interactions.item[order]],
        timestamps=interactions.timestamp[order],
    )
    histories = _histories(interactions)
    first = make().fit(interactions, items=items).score(histories)
    _same(first, make().fit(shuffled, items=items).score(histories), "rows shuffled")


def unknown_items_are_ignored(make: Make) -> None:
    """An id never heard of changes nothing; a history of such is an empty one."""
    model, interactions = _fitted(make)
    history = _histories(interactions)[0]
    unknown = ["never heard of", 17, ("a", "tuple")]
    _same(model.score([history]), model.score([[unknown[0], *history, *unknown]]), "unknown ids")
    _same(model.score([[]]), model.score([unknown]), "only unknown ids")


def empty_history_answers(make: Make) -> None:
    """Somebody unknown gets scores, or NaN, and a list, or an empty one: never an error."""
    model, _ = _fitted(make)
    ids, scores = model.recommend([], 5)
    assert len(ids) == len(scores) <= 5, "an empty history: ids and scores differ in length"
    expected = int(np.isfinite(model.score([[]])).sum())
    assert len(ids) == min(5, expected), "an empty history: the list is not what the scores say"


def fitting_twice_is_fitting_once(make: Make) -> None:
    """``fit`` forgets what it learnt before and returns the model itself."""
    (interactions, items), (others, other_items) = toy(), checkerboard()
    model, histories = make(), _histories(interactions)
    assert model.fit(others, items=other_items) is model, "fit must return self"
    model.fit(interactions, items=items)
    once = make().fit(interactions, items=items)
    _same(once.score(histories), model.score(histories), "fitted twice")


def arrays_make_the_same_model(make: Make) -> None:
    """``from_arrays(arrays())`` through a file without pickle: same scores, lists and keywords."""
    model, interactions = _fitted(make)
    file = io.BytesIO()
    np.savez(file, **model.arrays())  # type: ignore[arg-type]
    file.seek(0)
    with np.load(file, allow_pickle=False) as stored:
        loaded = type(model).from_arrays(dict(stored))
    histories = _histories(interactions)
    assert loaded.parameters() == model.parameters(), "keywords lost in arrays()"
    _same(model.score(histories), loaded.score(histories), "stored and loaded")
    same = model.recommend_batch(histories, 9)[0] == loaded.recommend_batch(histories, 9)[0]
    assert same.all(), "stored and loaded: lists differ"


def scores_are_float32_finite_or_nan(make: Make) -> None:
    """One float32 an item and history; infinity is no score."""
    model, interactions = _fitted(make)
    histories = _histories(interactions)
    scores = model.score(histories)
    assert scores.dtype == np.float32, f"scores are {scores.dtype}, not float32"
    assert scores.shape == (len(histories), len(model.item_ids_)), f"shape {scores.shape}"
    assert not np.isinf(scores).any(), "a score is infinite"


def inputs_stay_as_they_were(make: Make) -> None:
    """Neither fitting nor asking writes to what was handed in."""
    interactions, items = toy()
    table = (interactions.user, interactions.item, interactions.value, interactions.timestamp)
    codes, weights = np.array([3, 1], np.int32), np.array([1.0, 2.0], np.float32)
    # A method that reads ``items`` may know more of them than the interactions name.
    known = make().fit(interactions, items=items).item_ids_
    allowed = np.ones(len(known), np.bool_)
    handed = [column for column in (*table, codes, weights, allowed) if column is not None]
    copies = [column.copy() for column in handed]
    model = make().fit(interactions, items=items)
    model.score_codes(codes, weights)[:] = 0
    model.top_codes(codes, weights, allowed, 5)[1][:] = 0
    assert all(map(np.array_equal, handed, copies)), "an argument was written to"
    before, after = make().fit(interactions, items=items), model
    _same(before.score_codes(codes), after.score_codes(codes), "an answer was written to")


def top_codes_sort_score_codes(make: Make) -> None:
    """``top_codes`` = the allowed scores sorted, ties to the smaller code, NaN left out; any k."""
    model, interactions = _fitted(make)
    allowed = derive(0, "testing.allowed").random(len(model.item_ids_)) < 0.7
    for history in _histories(interactions):
        codes, weights = model.encode(history)
        scores = model.score_codes(codes, weights)
        open_ = np.flatnonzero(allowed & ~np.isnan(scores))
        ranked = open_[np.argsort(-scores[open_], kind="stable")]
        for k in (1, 5, len(scores) + 3, 0):
            best, best_scores = model.top_codes(codes, weights, allowed, k)
            assert list(best) == list(ranked[:k]), f"top {k} is {best}, sorted {ranked[:k]}"
            _same(best_scores, scores[ranked[:k]], "top_codes and score_codes")


def weights_of_one_are_none(make: Make) -> None:
    """No weights means a weight of 1 for each item of the history."""
    model, interactions = _fitted(make)
    codes, _ = model.encode(_histories(interactions)[0])
    ones = np.ones(len(codes), np.float32)
    _same(model.score_codes(codes), model.score_codes(codes, ones), "weights of 1")


def history_is_left_out_unless_asked_for(make: Make) -> None:
    """No item of the history in the list; with ``repeats`` the best of all items."""
    model, interactions = _fitted(make)
    history = _histories(interactions)[0]
    assert not set(history) & set(model.recommend(history, ITEMS)[0]), "the history came back"
    scores = model.score([history])[0]
    best = model.item_ids_[np.nanargmax(scores)]
    assert model.recommend(history, 1, repeats=True)[0][0] == best, "repeats: not the best of all"


def checkerboard_is_recovered(make: Make) -> None:
    """From the other squares of a colour follows the one held back."""
    interactions, items = checkerboard()
    model = make().fit(interactions, items=items)
    for user, history in enumerate(interactions.histories()):
        ids, _ = model.recommend(history, 1)
        assert list(ids) == [f"item-{user:02}"], f"user {user}: {ids}, not item-{user:02}"


PERSONAL: tuple[Callable[[Make], None], ...] = (checkerboard_is_recovered,)
"""Laws for recommenders that look at the history."""

LAWS: tuple[Callable[[Make], None], ...] = (
    batch_equals_single,
    permuting_items_permutes_scores,
    relabelling_keeps_the_list,
    row_order_is_meaningless,
    unknown_items_are_ignored,
    empty_history_answers,
    fitting_twice_is_fitting_once,
    arrays_make_the_same_model,
    scores_are_float32_finite_or_nan,
    inputs_stay_as_they_were,
    top_codes_sort_score_codes,
    weights_of_one_are_none,
    history_is_left_out_unless_asked_for,
    checkerboard_is_recovered,
)
