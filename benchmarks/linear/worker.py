"""One fit in a process of its own: a job as JSON from standard input, what came of it as JSON out.

Run as a script by the Python of whichever environment the library lives in. Of this package only
the ways that are ours import anything.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix

PROBES = 50
SHARE = 40
"""Of scikit-learn's columns one in so many is fitted."""

Fitted = tuple[Callable[[], Any], Callable[[Any], np.ndarray], float]
"""(the fit, scores of the first histories, by how much its seconds are multiplied)."""


def ours_ease(matrix: csr_matrix, threads: int, settings: dict[str, Any]) -> Fitted:
    from equipoise.recommenders.ease import EASE

    return _ours(EASE(threads=threads, **settings), matrix)


def ours_slim(matrix: csr_matrix, threads: int, settings: dict[str, Any]) -> Fitted:
    from equipoise.recommenders.slim import SLIM

    return _ours(SLIM(threads=threads, **settings), matrix)


def _ours(model: Any, matrix: csr_matrix) -> Fitted:
    from equipoise.data import Interactions

    def rows(part: csr_matrix) -> Any:
        return Interactions.from_columns(*part.nonzero())

    # Compiled code is loaded once a process, whatever is fitted.
    type(model)(**model.parameters()).fit(rows(matrix[:20]))
    interactions = rows(matrix)

    def scores(fitted: Any) -> np.ndarray:
        place = {int(id_): at for at, id_ in enumerate(fitted.item_ids_)}
        out = np.zeros((PROBES, matrix.shape[1]))
        for row, history in enumerate(matrix[:PROBES]):
            found = fitted.score([[int(code) for code in history.indices]])[0]
            for id_, at in place.items():
                out[row, id_] = np.nan_to_num(found[at])
        return out

    return lambda: model.fit(interactions), scores, 1.0


def numpy_ease(matrix: csr_matrix, threads: int, settings: dict[str, Any]) -> Fitted:
    def fit() -> np.ndarray:
        gram = (matrix.T @ matrix).toarray().astype(np.float64)
        gram[np.diag_indices_from(gram)] += settings["regularization"]
        inverse = np.linalg.inv(gram)
        weights = inverse / -np.diag(inverse)
        np.fill_diagonal(weights, 0)
        return weights

    return fit, lambda weights: matrix[:PROBES] @ weights, 1.0


def irspack_ease(matrix: csr_matrix, threads: int, settings: dict[str, Any]) -> Fitted:
    from irspack import DenseSLIMRecommender  # type: ignore[import-not-found]

    model = DenseSLIMRecommender(matrix, reg=settings["regularization"])
    return model.learn, lambda fitted: matrix[:PROBES] @ np.asarray(fitted.W), 1.0


def irspack_slim(matrix: csr_matrix, threads: int, settings: dict[str, Any]) -> Fitted:
    from irspack import SLIMRecommender

    model = SLIMRecommender(matrix, n_threads=threads, n_iter=100, tol=1e-4, **settings)
    return model.learn, lambda fitted: np.asarray((matrix[:PROBES] @ fitted.W).todense()), 1.0


def sklearn_slim(matrix: csr_matrix, threads: int, settings: dict[str, Any]) -> Fitted:
    from sklearn.linear_model import ElasticNet

    columns = matrix.tocsc().astype(np.float64)
    chosen = np.arange(0, matrix.shape[1], SHARE)

    def fit() -> np.ndarray:
        found = np.full((len(chosen), matrix.shape[1]), np.nan)
        for row, j in enumerate(chosen):
            net = ElasticNet(positive=True, fit_intercept=False, copy_X=False, tol=1e-4, **settings)
            others, own = columns.copy(), slice(columns.indptr[j], columns.indptr[j + 1])
            target = columns[:, [j]].toarray().ravel()
            others.data[own] = 0
            found[row] = net.fit(others, target).coef_
        return found

    def scores(found: np.ndarray) -> np.ndarray:
        out = np.full((PROBES, matrix.shape[1]), np.nan)
        out[:, chosen] = matrix[:PROBES] @ found.T
        return out

    return fit, scores, SHARE


WAYS = {
    way.__name__: way
    for way in (ours_ease, ours_slim, numpy_ease, irspack_ease, irspack_slim, sklearn_slim)
}


def rate(n: int = 2_000) -> float:
    """Operations a second of core time of a float32 matrix product, the best of five."""
    square = np.ones((n, n), np.float32)
    took = []
    for _ in range(5):
        started = time.process_time()
        square @ square
        took.append(time.process_time() - started)
    return float(2 * n**3 / min(took))


def peak() -> float:
    """MB that this process has held at most (Linux; getrusage would count the parent's too)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1_024


def main() -> None:
    job = json.load(sys.stdin)
    with np.load(job["log"]) as stored:
        pairs = (stored["user"], stored["item"])
        ones = np.ones(len(pairs[0]), np.float32)
        matrix = csr_matrix((ones, pairs), shape=tuple(stored["shape"]))
    fit, scores, times = WAYS[job["way"]](matrix, job["threads"], job["settings"])
    before = peak()
    started, core = time.perf_counter(), time.process_time()
    fitted = fit()
    seconds, core = time.perf_counter() - started, time.process_time() - core
    held, speed = peak() - before, rate()
    outcome = {
        "seconds": times * seconds,
        "core seconds": times * core,
        "GFLOP/s a core": speed / 1e9,
        "times the bound": times * core / (matrix.shape[1] ** 3 / speed),
        "peak MB": held,
    }
    np.save(job["scores"], scores(fitted))
    print(json.dumps(outcome))


if __name__ == "__main__":
    main()
