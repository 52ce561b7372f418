"""A referee's side of the talk: one JSON line out, one JSON line in."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

# What a library prints must not come between the lines.
_SAID = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)


def ask(**question: Any) -> Any:
    """Put a question; the answer."""
    say(**question)
    return json.loads(sys.stdin.readline())


def say(**line: Any) -> None:
    _SAID.write(json.dumps(line) + "\n")
    _SAID.flush()
