"""One library, one log: train so many epochs, answer in lines of JSON on standard output.

Run as a script by the Python of the library's own environment; numpy, scipy and that library are
all it needs. Each library is given what it takes (a sparse matrix, a table, Interactions) and times
its epochs with its own hook; a line comes after every epoch, so that a run cut short is still told.
"""

from __future__ import annotations

import json
import logging
import os
import resource
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix

LIST = 20
"""Length of the lists judged."""
Job = dict[str, Any]
Lister = Callable[[np.ndarray, csr_matrix], np.ndarray]
"""(users, their training rows) → scores (users, items)"""


def main() -> None:
    job = json.loads(sys.argv[1])
    logging.disable(logging.WARNING)
    if job["library"] == "machine":
        print(json.dumps({"flops": flops(), "reading": reading()}))
        return
    train, test = load(job["log"])
    clock = Clock(megabytes("VmRSS"))
    scores = LIBRARIES[job["library"]](train, job, clock)
    lists = {"added": round(clock.peak() - clock.before), "peak": round(clock.peak())}
    users = judged(test)
    lists |= judge(scores, users, train, test)
    print(json.dumps(lists), flush=True)


def load(path: str) -> tuple[csr_matrix, csr_matrix]:
    """(train, test), each (users, items) of ones."""
    with np.load(path, allow_pickle=False) as stored:
        shape = tuple(int(side) for side in stored["shape"])
        parts = [(stored[f"{p}_indices"], stored[f"{p}_indptr"]) for p in ("train", "test")]
    matrices = [csr_matrix((np.ones(len(i), np.float32), i, p), shape=shape) for i, p in parts]
    return matrices[0], matrices[1]


class Clock:
    """Tells of each epoch as it ends: wall seconds, and seconds of all cores together."""

    def __init__(self, before: float) -> None:
        self.before = before
        """Megabytes in use before the fit, the log included."""
        self.start()

    def start(self) -> None:
        self.wall, self.cpu = time.perf_counter(), time.process_time()

    def lap(self, *_: Any) -> None:
        wall, cpu = time.perf_counter(), time.process_time()
        print(json.dumps({"wall": wall - self.wall, "cpu": cpu - self.cpu}), flush=True)
        self.start()

    def peak(self) -> float:
        """Megabytes at most so far."""
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def megabytes(field: str) -> float:
    with open("/proc/self/status") as lines:
        found = next(line for line in lines if line.startswith(field))
    return int(found.split()[1]) / 1024


# ---------------------------------------------------------------- the libraries


def ours(train: csr_matrix, job: Job, clock: Clock) -> Lister:
    from equipoise.data import Interactions
    from equipoise.recommenders import ImplicitALS

    class Timed(ImplicitALS):
        """Tells of each epoch: two half-steps, the first of them starting the clock."""

        halves = 0

        def half_step(self, *arguments: Any) -> None:
            if not self.halves:
                clock.start()
            super().half_step(*arguments)
            self.halves += 1
            if self.halves % 2 == 0:
                clock.lap()

    user = np.repeat(np.arange(train.shape[0], dtype=np.int32), np.diff(train.indptr))
    ids = [np.arange(side).astype(object) for side in train.shape]
    rows = Interactions(user, train.indices, train.data, None, *ids)
    clock.before = megabytes("VmRSS")
    model = Timed(epochs=job["epochs"], threads=job["threads"], **job["settings"]).fit(rows)

    def scores(users: np.ndarray, known: csr_matrix) -> np.ndarray:
        pairs = zip(known.indptr[:-1], known.indptr[1:], strict=True)
        vectors = np.stack([model.fold_in(known.indices[a:b]) for a, b in pairs])
        return vectors @ model.item_factors_.T

    return scores


def implicit(train: csr_matrix, job: Job, clock: Clock) -> Lister:
    from implicit.cpu.als import AlternatingLeastSquares

    model = AlternatingLeastSquares(
        iterations=job["epochs"], num_threads=job["threads"], random_state=0, **job["settings"]
    )
    model.fit_callback = clock.lap
    matrix = train.tocsr()
    clock.start()
    model.fit(matrix, show_progress=False)
    return by_factors(model.user_factors, model.item_factors)


def rectools(train: csr_matrix, job: Job, clock: Clock) -> Lister:
    import pandas as pd
    from implicit.cpu.als import AlternatingLeastSquares
    from rectools import Columns
    from rectools.dataset import Dataset
    from rectools.models import ImplicitALSWrapperModel

    user = np.repeat(np.arange(train.shape[0], dtype=np.int32), np.diff(train.indptr))
    columns = {Columns.User: user, Columns.Item: train.indices}
    frame = pd.DataFrame(columns | {Columns.Weight: train.data, Columns.Datetime: "2020-01-01"})
    inner = AlternatingLeastSquares(
        iterations=job["epochs"], num_threads=job["threads"], random_state=0, **job["settings"]
    )
    data = Dataset.construct(frame)
    model = ImplicitALSWrapperModel(inner)
    model._model.fit_callback = clock.lap
    clock.before = megabytes("VmRSS")
    clock.start()
    model.fit(data)
    vectors = model.get_vectors()
    placed = (data.user_id_map.external_ids, data.item_id_map.external_ids)
    return by_factors(*(spread(*two) for two in zip(vectors, placed, train.shape, strict=True)))


def irspack(train: csr_matrix, job: Job, clock: Clock) -> Lister:
    from irspack.recommenders.ials import IALSRecommender

    model = IALSRecommender(train, n_threads=job["threads"], **job["settings"])
    trainer = model._create_trainer()
    for _ in epochs(job, clock):
        trainer.run_epoch()
    return by_factors(trainer.core_trainer.user, trainer.core_trainer.item)


def lenskit(train: csr_matrix, job: Job, clock: Clock) -> Lister:
    import pandas as pd
    from lenskit.als import ImplicitMFScorer
    from lenskit.data import from_interactions_df
    from lenskit.training import TrainingOptions

    user = np.repeat(np.arange(train.shape[0], dtype=np.int32), np.diff(train.indptr))
    frame = pd.DataFrame({"user_id": user, "item_id": train.indices})
    data = from_interactions_df(frame)
    model = ImplicitMFScorer(**job["settings"], epochs=job["epochs"])
    clock.before = megabytes("VmRSS")
    trainer = model.create_trainer(data, TrainingOptions(rng=0))
    for _ in epochs(job, clock):
        trainer.train_epoch()
    trainer.finalize()
    vectors = model.user_embeddings, model.item_embeddings
    placed = model.users.ids(), model.items.ids()
    return by_factors(*(spread(*two) for two in zip(vectors, placed, train.shape, strict=True)))


LIBRARIES = {
    "equipoise": ours,
    "implicit": implicit,
    "rectools": rectools,
    "irspack": irspack,
    "lenskit": lenskit,
}


def epochs(job: Job, clock: Clock) -> Iterator[None]:
    clock.start()
    for _ in range(job["epochs"]):
        yield
        clock.lap()


def spread(vectors: Any, ids: Any, n: int) -> np.ndarray:
    """Rows by number; zero for those that the library left out."""
    out = np.zeros((n, vectors.shape[1]), np.float32)
    out[np.asarray(ids, dtype=np.int64)] = vectors
    return out


def by_factors(users: Any, items: Any) -> Lister:
    return lambda chosen, _: np.asarray(users)[chosen] @ np.asarray(items).T


# ---------------------------------------------------------------- how fast at best


def flops(n: int = 2_048) -> float:
    """Operations a second of a product of matrices of float32."""
    left = np.ones((n, n), np.float32)
    return 2 * n**3 / best(lambda: left @ left)


def reading(n: int = 1 << 27) -> float:
    """Bytes a second of reading: a product of a tall matrix with a vector."""
    tall, vector = np.ones((n // 64, 64), np.float32), np.ones(64, np.float32)
    return tall.nbytes / best(lambda: tall @ vector)


def best(call: Callable[[], object], rounds: int = 9) -> float:
    """Seconds of the fastest of some calls."""
    seconds = []
    for _ in range(rounds):
        started = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - started)
    return min(seconds)


# ---------------------------------------------------------------- how good


def judged(test: csr_matrix, most: int = 10_000) -> np.ndarray:
    """At most so many users with a row in the test part, evenly spread."""
    users = np.flatnonzero(np.diff(test.indptr))
    return users[:: max(1, len(users) // most)][:most]


def judge(scores: Lister, users: np.ndarray, train: csr_matrix, test: csr_matrix) -> Job:
    """Recall and nDCG, means over users, of the best items that are not in training."""
    found = [_judge(scores, users[at : at + 500], train, test) for at in range(0, len(users), 500)]
    recall, ndcg = (float(np.concatenate(column).mean()) for column in zip(*found, strict=True))
    return {"recall": recall, "ndcg": ndcg, "judged": len(users)}


def _judge(
    scores: Lister, users: np.ndarray, train: csr_matrix, test: csr_matrix
) -> tuple[np.ndarray, np.ndarray]:
    known, wanted = train[users], test[users]
    table = np.array(scores(users, known), np.float32)
    table[np.repeat(np.arange(len(users)), np.diff(known.indptr)), known.indices] = -np.inf
    best = np.argpartition(-table, LIST, axis=1)[:, :LIST]
    best = np.take_along_axis(best, np.argsort(-np.take_along_axis(table, best, 1), axis=1), 1)
    hits = np.take_along_axis(wanted.toarray(), best, 1)
    many = np.diff(wanted.indptr)
    discount = 1 / np.log2(np.arange(2, LIST + 2))
    ideal = np.cumsum(discount)[np.minimum(many, LIST) - 1]
    return hits.sum(axis=1) / many, hits @ discount / ideal


if __name__ == "__main__":
    os.environ.setdefault("TQDM_DISABLE", "1")
    main()
