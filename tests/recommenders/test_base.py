"""Every recommender, every law; and what the base class gives and refuses."""

from __future__ import annotations

import pytest

from equipoise.recommenders import ALL, EASE, Content, ImplicitALS, ItemKNN, Popularity
from equipoise.testing.recommenders import LAWS, PERSONAL

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
