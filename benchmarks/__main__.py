"""Run one benchmark: ``python -m benchmarks NAME [options]``. Without a name, what there is."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

FOLDER = Path(__file__).parent


def names() -> list[str]:
    return sorted(path.parent.name for path in FOLDER.glob("*/__init__.py"))


def main(arguments: list[str]) -> int:
    if not arguments or arguments[0] not in names():
        print(f"python -m benchmarks NAME [options]; the names are {', '.join(names())}")
        return 0 if not arguments else 2
    module = importlib.import_module(f"benchmarks.{arguments[0]}")
    result: int | None = module.main(arguments[1:])
    return result or 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
