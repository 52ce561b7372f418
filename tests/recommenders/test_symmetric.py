"""The inverse in panels: the inverse, in place, whatever the width of the panels."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from equipoise.randomness import derive
from equipoise.recommenders import gramian
from equipoise.recommenders.gramian import Columns, frequencies, panels, whole
from equipoise.recommenders.symmetric import add_to_diagonal, column_block, diagonal, invert


def users_of(n: int = 23) -> csr_matrix:
    rng = derive(0, "test.symmetric")
    values = rng.integers(1, 4, (40, n)) * (rng.random((40, n)) < 0.3)
    return csr_matrix(values.astype(np.float32))


@pytest.fixture(params=[1, 5, 8, 100])
def width(request, monkeypatch):
    monkeypatch.setattr(gramian, "PANEL", request.param)
    return request.param


def unfold(parts):
    """(n, n) from the panels, both triangles."""
    return np.hstack([column_block(parts, k) for k in range(len(parts))])


@pytest.mark.parametrize("threads", [1, 3])
def test_panels_hold_the_products(width, threads):
    """Unfolded they are XᵀX, as is the Gramian in one piece."""
    users = users_of()
    products = (users.T @ users).toarray()
    parts = panels(Columns.of(users), np.float64, threads)

    assert np.array_equal(unfold(parts), products)
    assert np.array_equal(diagonal(parts), np.diag(products))
    assert np.array_equal(whole(Columns.of(users), threads), products)
    assert sum(part.size for part in parts) <= 23 * (23 + width) / 2 + width**2


@pytest.mark.parametrize(("dtype", "error"), [(np.float32, 1e-5), (np.float64, 1e-13)])
def test_inverse(width, dtype, error):
    """P(XᵀX + λ) = 1 to rounding, in the panels' own memory."""
    parts = panels(Columns.of(users_of()), dtype, 1)
    ridge = np.linspace(1, 2, 23)
    add_to_diagonal(parts, ridge)
    matrix, places = unfold(parts).astype(np.float64), [part.ctypes.data for part in parts]
    invert(parts)

    assert [part.ctypes.data for part in parts] == places
    assert np.abs(unfold(parts) @ matrix - np.eye(23)).max() < error
    assert parts[0].dtype == dtype


def test_not_positive_definite_is_refused(width):
    """A direction in which the form is negative is found, in whatever block it lies."""
    parts = panels(Columns.of(users_of()), np.float64, 1)
    add_to_diagonal(parts, np.where(np.arange(23) == 17, -100.0, 1.0))

    with pytest.raises(np.linalg.LinAlgError, match="a pivot is lost in the rounding of float64"):
        invert(parts)


def test_frequencies_are_relative():
    """Mean 1; what nobody met counts as the rarest that somebody did; nothing met at all, alike."""
    users = csr_matrix(np.array([[1, 0, 1], [1, 0, 0], [2, 0, 0]], np.float32))

    assert frequencies(users).tolist() == [6 / (8 / 3), 1 / (8 / 3), 1 / (8 / 3)]
    assert frequencies(csr_matrix((2, 3), dtype=np.float32)).tolist() == [1, 1, 1]
