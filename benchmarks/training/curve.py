"""Our default on generated logs of growing size, beside what the machine could do at best.

The roofline of an epoch: its floating-point operations at the speed of BLAS's matrix product, or
its bytes at the speed of reading memory, whichever takes longer. Counted are the products of
``als_cg`` (each entry's vector is multiplied 2·``cg_steps`` + 1 times in each half-step), the
turning and the Gramians (8·(U + I)·d² and 2·(U + I)·d²); and as bytes one reading of each entry's
vector in each half-step, and of its code and weight. Caches serve some of these, so an epoch may
come below the second number.
"""

from __future__ import annotations

from typing import Any

from benchmarks.training import logs
from benchmarks.training.peers import PEERS, cache, run

STEPS = 3
OURS = PEERS[0]


def show(sizes: list[float], factors: int, threads: int) -> int:
    (machine,) = run(OURS, {"library": "machine", "threads": threads}, 600)
    product, reading = machine["flops"], machine["reading"]
    print(
        f"matrix product {product / 1e9:.0f} GFLOP/s, reading {reading / 1e9:.1f} GB/s (all cores)"
    )
    print(
        "interactions  first s  second s  core s  ns/interaction  flops s  bytes s  MB peak/added"
    )
    for millions in sizes:
        path = logs.kept("generated", millions, cache() / "training")
        log = logs.Log.load(path)
        nnz, rows = log.train.nnz, sum(log.train.shape)
        del log
        found = _measured(str(path), factors, threads)
        work = 2 * nnz * factors * 2 * (2 * STEPS + 1) + 10 * rows * factors**2
        moved = 2 * nnz * (4 * factors + 8)
        first, second = found["epochs"][0], found["epochs"][1]
        print(
            f"{nnz:12,} {first['wall']:8.2f} {second['wall']:9.2f} {second['cpu']:7.2f}"
            f" {second['wall'] / nnz * 1e9:15.1f} {work / product:8.2f} {moved / reading:8.2f}"
            f" {found['peak']:8,}/{found['added']:,}",
            flush=True,
        )
    return 0


def _measured(path: str, factors: int, threads: int) -> dict[str, Any]:
    settings = OURS.settings(factors, (0.15, 0.003))
    job = {
        "library": "equipoise",
        "log": path,
        "epochs": 2,
        "threads": threads,
        "settings": settings,
    }
    lines = list(run(OURS, job, 1_800))
    return {"epochs": [one for one in lines if "wall" in one], **lines[-1]}
