"""What the pages need of the running service."""

from __future__ import annotations

from typing import Protocol

from equipoise.engine import Engine
from equipoise.types import Decision, Milliseconds, Query


class Service(Protocol):
    """A running shop."""

    @property
    def engine(self) -> Engine: ...
    @property
    def fresh(self) -> Milliseconds | None:
        """When the newest record that is folded in arrived; None before the first."""

    @property
    def failing(self) -> bool:
        """Whether the log refuses what is written."""

    def decide(self, query: Query) -> Decision:
        """Recommend, and put the decision on its way to the log."""
