"""How good are the lists, against published numbers and against baselines?

``python -m benchmarks quality [--study NAME …] [--threads 2] [--keep FILE] [--page FILE] [--json]``

*Environment*: real public data, from their raw files: a study each in ``equipoise.quality``. An
archive that is missing leaves its study out, and that is said.

*Settings*: those published with the figure, or chosen on a validation part, as each row says.

*Score*: our figure beside theirs, row by row, with a verdict; exit 1 where a row is below and no
cause is known. The same as ``equipoise evaluate --suite quality``.
"""

from __future__ import annotations

from collections.abc import Sequence

from equipoise.cli.main import app


def main(arguments: Sequence[str]) -> int:
    app(["evaluate", "--suite", "quality", *arguments], standalone_mode=False)
    return 0
