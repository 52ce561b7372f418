"""Does the balance of exploring and exploiting hold what it says? A row a question.

``python -m benchmarks exploration [ROW [options]]``; without a row, what there is.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from pathlib import Path

PARTS = frozenset({"__init__", "worlds", "play", "vowpal", "context_world"})
"""Modules that rows share."""


def rows() -> list[str]:
    found = (path.stem for path in Path(__file__).parent.glob("*.py"))
    return sorted(name for name in found if name not in PARTS)


def main(arguments: Sequence[str]) -> int | None:
    if not arguments or arguments[0] not in rows():
        print(f"python -m benchmarks exploration ROW [options]; the rows are {', '.join(rows())}")
        return 0 if not arguments else 2
    module = importlib.import_module(f"benchmarks.exploration.{arguments[0]}")
    result: int | None = module.main(arguments[1:])
    return result
