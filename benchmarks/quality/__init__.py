"""How good are the lists, against published numbers and against baselines?

``python -m benchmarks quality [ncf] [gowalla] [online_retail] [--threads 2] [--json]``

*Environment*: real public data, found by ``equipoise.intake.data_sets.locate``:

- ``ncf``: MovieLens 1M under the protocol of He et al., WWW 2017: the last item of each user among
  99 published negatives, HR@10 and nDCG@10.
- ``gowalla``: LightGCN's split, all 40,981 items ranked, Recall@20 and nDCG@20. EASE is left out:
  its matrix would take 13 GB.
- ``online_retail``: UCI Online Retail, the last 28 days from what went before, once for what is new
  to the customer and once for what comes next; 95 % bootstrap intervals over customers.

*Settings*: those published with the number where there is one, else the defaults.

*Score*: the first column of figures of each table. A published figure stands beside ours.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table as Grid

from benchmarks.quality import gowalla, ncf, online_retail

PROTOCOLS: Mapping[str, Callable[[int], list[dict[str, Any]]]] = {
    "ncf": ncf.rows,
    "gowalla": gowalla.rows,
    "online_retail": online_retail.rows,
}


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks quality")
    parser.add_argument("protocols", nargs="*", metavar="PROTOCOL", help=", ".join(PROTOCOLS))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    settings = parser.parse_args(arguments)
    unknown = set(settings.protocols) - set(PROTOCOLS)
    if unknown:
        parser.error(f"no protocol {', '.join(unknown)}; there are {', '.join(PROTOCOLS)}")
    for name in settings.protocols or PROTOCOLS:
        rows = PROTOCOLS[name](settings.threads)
        print(json.dumps({name: rows}, indent=1)) if settings.json else show(name, rows)
    return 0


def show(name: str, rows: list[dict[str, Any]]) -> None:
    """One table; intervals are left to ``--json``."""
    columns = [key for key in rows[0] if not key.endswith("interval") and key != "baseline"]
    grid = Grid(title=name, title_justify="left")
    for column in columns:
        grid.add_column(column, justify="left" if isinstance(rows[0][column], str) else "right")
    for row in rows:
        grid.add_row(*(_cell(row[column]) for column in columns))
    Console(width=170).print(grid)


def _cell(value: Any) -> str:
    return f"{value:.4f}" if isinstance(value, float) else str(value)
