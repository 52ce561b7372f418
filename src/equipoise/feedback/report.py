"""What training did and why, for people and for programs."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import RenderableType


@dataclass(frozen=True)
class Row:
    """One recommender: how well it did, and what became of it."""

    name: str
    ndcg: float | None
    """nDCG@20 on the held-out next items; None where it was not judged."""
    recall: float | None
    seconds: float
    """To fit on the earlier part and to list."""
    kept: bool
    """Whether it is part of what was, or would have been, published."""
    note: str = ""


@dataclass(frozen=True)
class Report:
    """rich prints it; ``to_dict`` is for programs."""

    published: bool = False
    snapshot_id: str = ""
    """Empty where none was written."""
    reason: str = ""
    """The decision in words."""
    data: str = ""
    """What was learnt from, in words."""
    task: str = ""
    """Who was judged on what, in words; empty where nobody was."""
    rows: tuple[Row, ...] = ()
    popularity: float | None = None
    """nDCG@20 of the most met items: what the best recommender must not fall behind."""
    live_id: str = ""
    live: float | None = None
    """nDCG@20 of the best recommender of the live snapshot, on the same histories."""

    @property
    def best(self) -> float | None:
        """nDCG@20 of the best recommender that was judged."""
        return max((row.ndcg for row in self.rows if row.ndcg is not None), default=None)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {**asdict(self), "rows": [asdict(row) for row in self.rows], "best": self.best}

    def __rich__(self) -> RenderableType:
        from rich.console import Group
        from rich.table import Table

        grid = Table("recommender", caption=self.task or None, caption_justify="left")
        for column in ("nDCG@20", "recall@20", "seconds"):
            grid.add_column(column, justify="right")
        grid.add_column("")
        for row in self.rows:
            figures = (_figure(row.ndcg), _figure(row.recall), f"{row.seconds:.1f}")
            grid.add_row(row.name, *figures, row.note)
        if self.popularity is not None:
            grid.add_row("(most met items)", _figure(self.popularity), "", "", style="dim")
        if self.live_id:
            grid.add_row(f"(live: {self.live_id[:6]})", _figure(self.live), "", "", style="dim")
        return Group(self.data, *([grid] if self.rows else []), self.reason)


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"
