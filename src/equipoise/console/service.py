"""What the pages need of the running service."""

from __future__ import annotations

from typing import Protocol

from equipoise.engine import Engine
from equipoise.types import Decision, Query


class Service(Protocol):
    """A running shop."""

    @property
    def engine(self) -> Engine: ...

    def decide(self, query: Query) -> Decision:
        """Recommend, and put the decision on its way to the log."""
