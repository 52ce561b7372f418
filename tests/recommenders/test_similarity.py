"""Similarities and weightings against their formulas, pair by pair."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from scipy.spatial.distance import cdist, jaccard

from equipoise.data import Interactions
from equipoise.randomness import derive
from equipoise.recommenders.neighbours import nearest
from equipoise.recommenders.similarity import (
    OF_RATINGS,
    SIMILARITIES,
    less_column_means,
    ratings_of,
    space_of,
    weighed,
)

H = 3.0


def table(rows: int = 14, columns: int = 9, share: float = 0.6) -> csr_matrix:
    """Half stars, some cells empty, one row alone in its column and one empty."""
    rng = derive(1, "test.similarity")
    stars = rng.integers(1, 11, (rows, columns)) / 2
    stars[rng.random((rows, columns)) > share] = 0
    stars[-2:] = 0
    stars[:, -1] = 0
    stars[-2, -1] = 4
    return csr_matrix(stars.astype(np.float32))


def similarities(rows: csr_matrix, similarity: str, **keywords: float) -> np.ndarray:
    """(R, R) all of them, negative ones too."""
    space = space_of(rows, similarity, **keywords)
    return nearest(space, rows.shape[0], -1.0, threads=1).toarray()


def by_formula(x: np.ndarray, y: np.ndarray, similarity: str, alpha: float) -> float:
    """The module's docstring, for two dense rows whose zeros are empty cells."""
    both = (x > 0) & (y > 0)
    n, a, b = both.sum(), x[both], y[both]
    if n == 0:
        return 0.0
    match similarity:
        case "cosine":
            return x @ y / (np.linalg.norm(x) * np.linalg.norm(y) + H)
        case "asymmetric_cosine":
            return x @ y / ((x @ x) ** alpha * (y @ y) ** (1 - alpha) + H)
        case "jaccard":
            return n / (((x > 0) | (y > 0)).sum() + H)
        case "euclidean":
            return 1 / (1 + np.sqrt(((a - b) ** 2).sum())) * n / (n + H)
        case "msd":
            return 1 / (1 + ((a - b) ** 2).mean()) * n / (n + H)
        case _:
            a, b = a - a.mean(), b - b.mean()
            norms = np.linalg.norm(a) * np.linalg.norm(b)
            return a @ b / norms * n / (n + H) if norms > 1e-9 else 0.0


@pytest.mark.parametrize("similarity", [s for s in SIMILARITIES if s != "adjusted_cosine"])
def test_is_its_formula(similarity):
    """Every pair of rows, from dense rows and NumPy alone."""
    rows = table()
    given = csr_matrix(rows > 0, dtype=np.float32) if similarity == "jaccard" else rows
    dense = rows.toarray().astype(np.float64)
    expected = np.array([[by_formula(x, y, similarity, 0.3) for y in dense] for x in dense])
    np.fill_diagonal(expected, 0)

    found = similarities(given, similarity, shrinkage=H, alpha=0.3)

    assert np.allclose(found, expected, atol=1e-6)
    assert (found != 0).any(axis=1).sum() == 12


def test_adjusted_cosine_is_its_formula():
    """Less the means of columns; both norms over what both rows hold."""
    rows = table()
    dense = rows.toarray().astype(np.float64)
    held = dense > 0
    centred = np.where(held, dense - dense.sum(axis=0) / np.maximum(held.sum(axis=0), 1), 0)
    expected = np.zeros((len(dense), len(dense)))
    for i, j in zip(*np.nonzero(~np.eye(len(dense), dtype=bool)), strict=True):
        both = held[i] & held[j]
        a, b = centred[i][both], centred[j][both]
        norms = np.linalg.norm(a) * np.linalg.norm(b)
        expected[i, j] = a @ b / norms * both.sum() / (both.sum() + H) if norms > 1e-6 else 0

    centred_rows, means = less_column_means(rows)

    assert np.allclose(similarities(centred_rows, "adjusted_cosine", shrinkage=H), expected)
    assert means[-1] == 4


def test_others_say_the_same():
    """SciPy's Jaccard distance and cosine distance are 1 less ours."""
    dense = table().toarray()[:-2, :-1]
    sets = dense > 0
    distances = np.array([[jaccard(x, y) for y in sets] for x in sets])
    found = similarities(csr_matrix(sets, dtype=np.float32), "jaccard")
    cosines = similarities(csr_matrix(dense), "cosine")

    off = ~np.eye(len(dense), dtype=bool)
    assert np.allclose(found[off], 1 - distances[off])
    assert np.allclose(cosines[off], 1 - cdist(dense, dense, "cosine")[off], atol=1e-6)


def test_the_worked_example():
    """A = (4, 3, 5), B = (5, 4, 3): Pearson is −1 / 2, whoever prints 0."""
    rows = csr_matrix(np.array([[4, 3, 5], [5, 4, 3]], np.float32))

    assert similarities(rows, "pearson")[0, 1] == -0.5


def test_half_is_the_cosine():
    """The asymmetric cosine with α = ½; with another α it is what its name says."""
    plain, half = similarities(table(), "cosine"), similarities(table(), "asymmetric_cosine")
    other = similarities(table(), "asymmetric_cosine", alpha=0.2)

    assert np.allclose(plain, half, atol=1e-6)
    assert np.allclose(plain, plain.T)
    assert not np.allclose(other, other.T)


@pytest.mark.parametrize("similarity", OF_RATINGS[:2])
def test_nothing_that_differs_is_no_similarity(similarity):
    """All values alike, one common column, or none: 0, so no neighbour."""
    flat = csr_matrix(np.array([[3, 3, 0, 0], [1, 5, 2, 0], [0, 0, 4, 1]], np.float32))
    rows = less_column_means(flat)[0] if similarity == "adjusted_cosine" else flat
    alike = csr_matrix(np.full((3, 4), 0 if similarity == "adjusted_cosine" else 4, np.float32))
    alike = csr_matrix((alike.data, alike.indices, alike.indptr), alike.shape)

    assert np.isfinite(similarities(rows, similarity)).all()
    assert similarities(rows, similarity)[0, 2] == 0
    assert not similarities(alike, similarity).any()


def test_vanishing_and_large_values_do_no_harm():
    """Entries whose products float32 cannot hold: no neighbour twice, none with an infinite or
    undefined similarity.
    """
    small = csr_matrix(np.full((5, 6), 1e-30, np.float32))
    large = csr_matrix(np.full((5, 6), 1e30, np.float32))
    with np.errstate(over="ignore"):
        lists = [nearest(space_of(rows, "cosine"), 9, 0.0, 1) for rows in (small, large)]

    assert np.allclose(lists[0].toarray(), 1 - np.eye(5))
    assert all(np.isfinite(found.data).all() for found in lists)
    assert all(np.diff(found.indptr).max() <= 4 for found in lists)


def test_ratings_are_means():
    """A rating given twice counts with its mean; zero and below are ratings."""
    rows = Interactions.from_columns(
        ["a", "a", "a", "b"], ["x", "x", "y", "y"], [5.0, 2.0, 0.0, -3.0]
    )

    matrix = ratings_of(rows)

    assert matrix.nnz == 3
    assert matrix.toarray().tolist() == [[3.5, 0], [0, -3]]


def test_documents_and_terms_change_places():
    """Weighing the transposed matrix weighs items by their rarity in place of users."""
    x = table()
    dense = x.toarray().astype(np.float64)
    rarity = np.maximum(np.log(dense.shape[0] / (1 + (dense > 0).sum(axis=0))), 0)

    found = weighed(x.T.tocsr(), "tfidf").T.toarray()

    assert weighed(x, None) is x
    assert np.allclose(found, np.sqrt(dense) * rarity, atol=1e-6)


def test_what_everybody_holds_weighs_nothing():
    """A user who met all items tells nothing, and never weighs less than that."""
    x = csr_matrix(np.array([[1, 1, 1], [1, 0, 0]], np.float32))

    assert np.allclose(weighed(x, "bm25").toarray()[0], 0)
    assert (weighed(x, "tfidf").data >= 0).all()
