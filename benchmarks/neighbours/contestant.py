"""One fit, timed, in a process of its own; run as a script, by the Python that has the library.

It reads a matrix and writes one line of JSON: seconds, of the clock and of all cores together,
megabytes above what stood before the fit, and the sum of the similarities found, an item's with
itself left out.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix, diags

WARM_UP = 300
"""Users of the small matrix that is fitted first."""


def implicit(users: csr_matrix, weighting: str, k: int, threads: int) -> Callable[[], Any]:
    from implicit import nearest_neighbours  # type: ignore[import-not-found]

    kinds = {
        "cosine": nearest_neighbours.CosineRecommender,
        "bm25": nearest_neighbours.BM25Recommender,
    }

    def fit() -> Any:
        model = kinds[weighting](K=k + 1, num_threads=threads)
        model.fit(users, show_progress=False)
        return model.similarity

    return fit


def sparse_dot_topn(users: csr_matrix, weighting: str, k: int, threads: int) -> Callable[[], Any]:
    from sparse_dot_topn import sp_matmul_topn  # type: ignore[import-not-found]

    norms = np.sqrt(np.asarray(users.sum(axis=0)).ravel())
    items = (diags(1 / np.maximum(norms, 1)) @ users.T).tocsr().astype(np.float32)
    turned = items.T.tocsr()
    return lambda: sp_matmul_topn(
        items, turned, top_n=k + 1, n_threads=threads if threads > 1 else None
    )


def ours(users: csr_matrix, weighting: str, k: int, threads: int) -> Callable[[], Any]:
    from equipoise.data import Interactions
    from equipoise.recommenders import ItemKNN

    pairs = users.tocoo()
    rows = Interactions.from_columns(pairs.row, pairs.col)
    way = None if weighting == "cosine" else weighting
    model = ItemKNN(k=k, shrinkage=0, weighting=way, threads=threads)

    def fit() -> Any:
        model.fit(rows)
        n = len(model.item_ids_)
        return csr_matrix((model.strengths_, model.targets_, model.indptr_), shape=(n, n))

    return fit


LIBRARIES = {"ours": ours, "implicit": implicit, "sparse_dot_topn": sparse_dot_topn}


def memory(line: str) -> float:
    """Megabytes, now ("VmRSS") or at most since ``forget_peak`` ("VmHWM"). Linux only: getrusage
    would tell the peak of whoever started this process.
    """
    status = Path("/proc/self/status").read_text().splitlines()
    return next(int(text.split()[1]) for text in status if text.startswith(line)) / 1024


def forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def main(path: str, library: str, weighting: str, k: int, threads: int) -> None:
    with np.load(path) as stored:
        arrays = (stored["indices"], stored["indptr"])
        ones = np.ones(len(stored["indices"]), np.float32)
        users = csr_matrix((ones, *arrays), shape=stored["shape"])
    warnings.simplefilter("ignore")
    LIBRARIES[library](users[:WARM_UP], weighting, k, threads)()
    fit = LIBRARIES[library](users, weighting, k, threads)
    forget_peak()
    before, busy, started = memory("VmRSS"), time.process_time(), time.perf_counter()
    found = fit()
    told = {
        "seconds": time.perf_counter() - started,
        "core_seconds": time.process_time() - busy,
        "megabytes": memory("VmHWM") - before,
        "sum": float(found.sum() - found.diagonal().sum()),
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main(*sys.argv[1:4], *map(int, sys.argv[4:]))
