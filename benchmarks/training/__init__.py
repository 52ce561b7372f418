"""How fast is implicit ALS, at what quality, and in how much memory?

``python -m benchmarks training [--data gowalla kgat-amazon-book generated] [--factors 64 128 256]
[--peers LIBRARY[:SOLVER] …] [--millions 20] [--threads 2] [--limit 600] [--fresh]``
``python -m benchmarks training --choose [--data …] [--factors 64]``
``python -m benchmarks training --curve [--sizes 1 3 10 30 100] [--factors 64]``

*Environment*: one log at a time, given as it is to each library, each in a process of its own and,
but for ours, in a virtual environment of its own under ``~/.cache/equipoise/peers``, made on first
use. Logs: LightGCN's Gowalla, KGAT's Amazon-book, and a generated one of 20 million interactions of
138,000 users and 27,000 items (``logs.generated``; deterministic). A library that pip cannot bring
is said so.

*Settings*: each with the same number of factors, epochs and threads, and with a weight and a
regularisation of its kind of loss (``CHOSEN`` says how they came about); the rest at its defaults:
implicit takes three steps of conjugate gradients in float32, as we do. A run of more than
``--limit`` seconds is stopped; its epochs count, its quality is missing.

*Score*: seconds of the second epoch, compiled and warm, and implicit's over it: how many times as
fast. Beside it the first epoch, the processor's seconds of an epoch (all cores together: what a
busy machine blurs least), Recall@20 and nDCG@20 over the test part (users' training items left
out), peak megabytes of the process, and how many of them the fit added to what stood before it.

Each row is printed as it comes and kept in ``training.csv`` in the cache; what stands there with
the same settings is not run again unless ``--fresh``. Compare rows of one run only: others may use
the machine.

``--choose`` finds the settings anew, on rows held out of the training part (``choose``).

``--curve`` trains our default on generated logs from 1 to 100 million interactions: seconds of the
second epoch and megabytes, and the roofline measured in the same run (``curve``).
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from benchmarks.training import choose, compare, curve
from benchmarks.training.peers import PEERS


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks training")
    parser.add_argument("--data", nargs="+", choices=compare.CHOSEN, default=list(compare.CHOSEN))
    parser.add_argument("--factors", nargs="+", type=int)
    names = sorted({name for one in PEERS for name in (one.package, one.key)})
    parser.add_argument("--peers", nargs="+", choices=names, metavar="NAME", help=", ".join(names))
    parser.add_argument("--millions", type=float, default=20)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--limit", type=float, default=600)
    parser.add_argument("--fresh", action="store_true")
    parser.add_argument("--choose", action="store_true")
    parser.add_argument("--curve", action="store_true")
    parser.add_argument("--sizes", nargs="+", type=float, default=[1, 3, 10, 30, 100])
    settings = parser.parse_args(arguments)
    if settings.curve:
        return curve.show(settings.sizes, (settings.factors or [64])[0], settings.threads)
    if settings.choose:
        choose.show(
            settings.data, settings.millions, (settings.factors or [64])[0], settings.threads
        )
        return 0
    settings.factors = settings.factors or [64, 128, 256]
    return compare.show(settings)
