"""One way of searching, one set of vectors: build, find the setting, time; lines of JSON.

Run as a script by the Python of the contender's own environment; numpy and that library are all it
needs. Options are one JSON text: ``vectors`` (an ``.npz`` of ``items`` and ``queries``),
``contender`` and ``masks``, the shares of items that are not allowed.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

K, TUNED_ON, WANTED = 100, 50, 0.99
"""Length of the lists; queries that a setting is chosen on, and the recall it has to reach."""
LOADING = 5_000
"""Items of a first build that is not measured."""


class Contender:
    """A library's search. ``ladder`` lists the settings of an approximate one, fastest first."""

    ladder: Sequence[Any] = ()

    def build(self, items: np.ndarray) -> None:
        raise NotImplementedError

    def set(self, setting: Any) -> None:
        """Take a setting of the ladder."""

    def search(self, query: np.ndarray, allowed: np.ndarray | None) -> np.ndarray:
        """Codes of the best K; ``allowed`` None means all. NotImplementedError: no masks here."""
        raise NotImplementedError


class Equipoise(Contender):
    recall: float | None = None

    def build(self, items: np.ndarray) -> None:
        from equipoise.recommenders.inner_product import InnerProducts

        self.index = InnerProducts.of(items, recall=self.recall)
        self.all = np.ones(len(items), np.bool_)

    def search(self, query: np.ndarray, allowed: np.ndarray | None) -> np.ndarray:
        return self.index.top(query, self.all if allowed is None else allowed, K)[0]


class EquipoiseApproximate(Equipoise):
    recall = WANTED


class Numpy(Contender):
    def build(self, items: np.ndarray) -> None:
        self.items = items

    def search(self, query: np.ndarray, allowed: np.ndarray | None) -> np.ndarray:
        scores = self.items @ query
        if allowed is not None:
            scores[~allowed] = -np.inf
        best = np.argpartition(-scores, K)[:K]
        return best[np.argsort(-scores[best])]


class Implicit(Contender):
    def build(self, items: np.ndarray) -> None:
        from implicit.cpu.topk import topk

        self.items, self.topk = items, topk

    def search(self, query: np.ndarray, allowed: np.ndarray | None) -> np.ndarray:
        closed = None if allowed is None else np.flatnonzero(~allowed).astype(np.int32)
        return self.topk(self.items, query[None], K, filter_items=closed, num_threads=1)[0][0]


class FaissFlat(Contender):
    def build(self, items: np.ndarray) -> None:
        import faiss

        faiss.omp_set_num_threads(1)
        self.faiss, self.index = faiss, self.make(faiss, items)
        self.index.train(items)
        self.index.add(items)

    def make(self, faiss: Any, items: np.ndarray) -> Any:
        return faiss.IndexFlatIP(items.shape[1])

    def parameters(self, **options: Any) -> Any:
        return self.faiss.SearchParameters(**options)

    def search(self, query: np.ndarray, allowed: np.ndarray | None) -> np.ndarray:
        if allowed is None:
            return self.index.search(query[None], K)[1][0]
        bits = np.packbits(allowed, bitorder="little")
        options = self.parameters(sel=self.faiss.IDSelectorBitmap(bits))
        return self.index.search(query[None], K, params=options)[1][0]


class FaissSQ8(FaissFlat):
    def make(self, faiss: Any, items: np.ndarray) -> Any:
        kind = faiss.ScalarQuantizer.QT_8bit
        return faiss.IndexScalarQuantizer(items.shape[1], kind, faiss.METRIC_INNER_PRODUCT)


class FaissIVF(FaissFlat):
    ladder = (8, 16, 32, 64, 128, 256, 512)

    def make(self, faiss: Any, items: np.ndarray) -> Any:
        d, lists = items.shape[1], round(len(items) ** 0.5)
        self.coarse = faiss.IndexFlatIP(d)
        return faiss.IndexIVFFlat(self.coarse, d, lists, faiss.METRIC_INNER_PRODUCT)

    def set(self, setting: Any) -> None:
        self.index.nprobe = setting

    def parameters(self, **options: Any) -> Any:
        return self.faiss.SearchParametersIVF(nprobe=self.index.nprobe, **options)


class Hnswlib(Contender):
    ladder = (100, 200, 400, 800, 1600)

    def build(self, items: np.ndarray) -> None:
        import hnswlib

        self.index = hnswlib.Index(space="ip", dim=items.shape[1])
        self.index.init_index(max_elements=len(items), ef_construction=200, M=16)
        self.index.add_items(items, num_threads=1)

    def set(self, setting: Any) -> None:
        self.index.set_ef(setting)

    def search(self, query: np.ndarray, allowed: np.ndarray | None) -> np.ndarray:
        if allowed is not None:
            raise NotImplementedError
        return self.index.knn_query(query, K, num_threads=1)[0][0]


class Usearch(Contender):
    ladder = (100, 200, 400, 800, 1600)

    def build(self, items: np.ndarray) -> None:
        from usearch.index import Index

        self.index = Index(
            ndim=items.shape[1], metric="ip", dtype="f32", connectivity=16, expansion_add=200
        )
        self.index.add(np.arange(len(items)), items, threads=1)

    def set(self, setting: Any) -> None:
        self.index.expansion_search = setting

    def search(self, query: np.ndarray, allowed: np.ndarray | None) -> np.ndarray:
        if allowed is not None:
            raise NotImplementedError
        return self.index.search(query, K, threads=1).keys


CONTENDERS: dict[str, type[Contender]] = {
    "equipoise": Equipoise,
    "equipoise, recall .99": EquipoiseApproximate,
    "numpy": Numpy,
    "implicit": Implicit,
    "faiss Flat": FaissFlat,
    "faiss SQ8": FaissSQ8,
    "faiss IVF": FaissIVF,
    "hnswlib": Hnswlib,
    "usearch": Usearch,
}


def main() -> None:
    job = json.loads(sys.argv[1])
    with np.load(job["vectors"]) as stored:
        items, queries = stored["items"], stored["queries"]
    contender = CONTENDERS[job["contender"]]()
    contender.build(items[:LOADING])  # loads and compiles what the library needs
    before, start = megabytes(), time.perf_counter()
    contender.build(items)
    row = {
        "contender": job["contender"],
        "build_s": round(time.perf_counter() - start, 2),
        "megabytes": max(0, round(megabytes() - before)),
        "setting": tune(contender, items, queries[:TUNED_ON]),
    }
    for mask in job["masks"]:
        allowed = None if mask == 0 else np.random.default_rng(0).random(len(items)) >= mask
        try:
            timed = measure(contender, items, queries, allowed)
        except NotImplementedError:
            continue
        print(json.dumps(row | {"mask": mask} | timed), flush=True)


def tune(contender: Contender, items: np.ndarray, queries: np.ndarray) -> Any:
    """Take the first setting of the ladder that reaches the recall wanted, else the last."""
    setting = None
    for setting in contender.ladder:
        contender.set(setting)
        found = [contender.search(query, None) for query in queries]
        if recall(found, items, queries, None) >= WANTED:
            break
    return setting


def measure(
    contender: Contender, items: np.ndarray, queries: np.ndarray, allowed: np.ndarray | None
) -> dict[str, float]:
    """Milliseconds of single searches, by the clock and of the processor, and their recall."""
    for query in queries[:3]:
        contender.search(query, allowed)
    found, wall, busy = [], [], []
    for query in queries:
        start, worked = time.perf_counter(), time.process_time()
        found.append(np.array(contender.search(query, allowed)))
        busy.append(time.process_time() - worked)
        wall.append(time.perf_counter() - start)
    timed = {"recall": round(recall(found, items, queries, allowed), 4)}
    for name, seconds in (("wall", wall), ("cpu", busy)):
        for share in (50, 99):
            timed[f"{name}_p{share}"] = round(float(np.percentile(seconds, share)) * 1e3, 3)
    return timed


def recall(
    found: list[np.ndarray], items: np.ndarray, queries: np.ndarray, allowed: np.ndarray | None
) -> float:
    """The mean share of the K best, by products in float32, that was found."""
    shares = []
    for codes, query in zip(found, queries, strict=True):
        scores = items @ query
        if allowed is not None:
            scores[~allowed] = -np.inf
        shares.append(len(np.intersect1d(codes, np.argpartition(-scores, K)[:K])) / K)
    return float(np.mean(shares))


def megabytes() -> float:
    """Resident memory of this process."""
    with open("/proc/self/status") as status:
        line = next(line for line in status if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    main()
