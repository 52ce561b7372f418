"""Every recommender, every law; and what the base class gives and refuses."""

from __future__ import annotations

import numpy as np
import pytest

from equipoise import recommenders
from equipoise.data import Interactions
from equipoise.errors import InvalidInput, NotFitted, SnapshotError
from equipoise.randomness import derive
from equipoise.recommenders import (
    ALL,
    EASE,
    Content,
    ImplicitALS,
    ItemKNN,
    Popularity,
    Recommender,
)
from equipoise.recommenders.base import seen
from equipoise.testing.recommenders import LAWS, PERSONAL, check_recommender, toy

# As many neighbours, and as many factors, as items: no ties at the edge, and one optimum only.
MAKERS = {
    "popularity": lambda: Popularity(half_life_days=30),
    "item_knn": lambda: ItemKNN(k=40, shrinkage=1),
    "item_knn bm25": lambda: ItemKNN(k=40, weighting="bm25", threads=2),
    "item_knn jaccard": lambda: ItemKNN(k=40, similarity="jaccard"),
    "als": lambda: ImplicitALS(factors=40, epochs=100, regularization=0.02, threads=2),
    "als cholesky": lambda: ImplicitALS(
        factors=40, epochs=100, regularization=0.02, solver="cholesky"
    ),
    "ease": lambda: EASE(regularization=5),
    "ease truncated": lambda: EASE(regularization=5, top=20),
    "content": lambda: Content(),
}


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
@pytest.mark.parametrize("name", MAKERS)
def test_law(name, law):
    """The law holds for the recommender."""
    if law in PERSONAL and name == "popularity":
        pytest.skip("popularity ignores the history")
    law(MAKERS[name])


def test_all_lists_each_method_once():
    """``ALL`` is what is exported, names differ, and every method can be made without keywords."""
    exported = {
        one
        for one in vars(recommenders).values()
        if isinstance(one, type) and issubclass(one, Recommender) and hasattr(one, "learned")
    }

    assert set(ALL) == exported
    assert len({cls().name for cls in ALL}) == len(ALL)
    assert [cls.name for cls in (Popularity, ItemKNN, ImplicitALS)] == [
        "popularity", "item_knn", "als",
    ]  # fmt: skip


def test_a_broken_recommender_is_found_out():
    """The laws are able to fail: one that ranks by code breaks the order and the checkerboard."""

    class ByCode(Popularity):
        def score_codes(self, codes, weights=None):
            return np.arange(len(self.item_ids_), dtype=np.float32)

    with pytest.raises(AssertionError, match="items permuted: scores differ by up to 24"):
        check_recommender(ByCode, personal=False)
    with pytest.raises(AssertionError, match=r"user 1: .* not item-01"):
        check_recommender(Popularity)
    check_recommender(Popularity, personal=False)


def test_a_history_is_taken_once_at_its_latest():
    """Repeats in a history collapse to the newest place; other ids vanish."""
    model = Popularity().fit(toy()[0])

    codes, weights = model.encode(["item-03", "item-01", "?", "item-03"])

    assert codes.tolist() == [1, 3]
    assert weights is None


def test_not_fitted_says_so():
    """Asking before ``fit``, or for an attribute that no fit sets."""
    with pytest.raises(NotFitted, match="ItemKNN has learnt nothing yet: call fit first"):
        ItemKNN().recommend(["a"])
    with pytest.raises(AttributeError, match="'ItemKNN' object has no attribute 'nonsense'"):
        ItemKNN().nonsense  # noqa: B018


def test_refusals_of_the_base():
    """A list of nothing; ids that no array holds; a snapshot with a part missing."""
    model = Popularity().fit(toy()[0])
    mixed = Popularity().fit(Interactions.from_columns([1, 1], ["a", 2]))
    arrays = model.arrays()
    del arrays["counts"]

    with pytest.raises(InvalidInput, match="n is 0; at least 1 item"):
        model.recommend([], 0)
    with pytest.raises(InvalidInput, match="item ids are int, str; to be stored"):
        mixed.arrays()
    with pytest.raises(SnapshotError, match="popularity: the snapshot lacks counts"):
        Popularity.from_arrays(arrays)


def test_integer_ids_and_generators_are_stored():
    """Integers come back as integers; a generator, which no array holds, as None."""
    rows = Interactions.from_columns([1, 1, 2], [7, 9, 9])
    rng = derive(0, "test")
    model = ImplicitALS(factors=2, epochs=1, random_state=rng).fit(rows)
    loaded = ImplicitALS.from_arrays(model.arrays())

    assert loaded.random_state is None
    assert loaded.recommend([9])[0].tolist() == [7]


def test_negative_values_are_not_met():
    """A purchase sent back leaves nothing to learn from."""
    rows = Interactions.from_columns([1, 1, 2, 2], ["a", "b", "a", "b"], [1, -1, 1, 1])

    assert seen(rows, use_values=False).toarray().tolist() == [[1, 0], [1, 1]]
    assert seen(rows, use_values=True).nnz == 3
