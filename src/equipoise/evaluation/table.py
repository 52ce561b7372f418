"""The accuracy table: rows of numbers that print themselves, and can be compared."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from io import StringIO
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from equipoise.errors import InvalidInput
from equipoise.evaluation.metrics.groups import Group, by_group
from equipoise.evaluation.significance import Comparison, compare, holm
from equipoise.types import Floats

if TYPE_CHECKING:
    from rich.console import RenderableType

DIGITS = {"list_microseconds": 0, "pair_microseconds": 1, "fit_seconds": 2}
"""Behind the point, where it is not four."""
WIDE = 12
"""Characters a column of printed text may take, so that no figure is cut off."""


@dataclass(frozen=True)
class Table:
    """What ``evaluate`` found. ``print`` and rich show it; ``to_dicts()`` is for programs."""

    rows: list[dict[str, Any]]
    """One a recommender: name, baseline, metrics, seconds to fit, microseconds a list."""
    note: str
    """Who was judged and who was left out, in words."""
    per_user: dict[str, dict[str, Floats]] = field(repr=False)
    """(users,) values by recommender and metric, users in one order: for paired comparisons. Where
    ``clusters`` is set, one a row instead."""
    users: Sequence[Hashable] = field(default=(), repr=False)
    """The users of ``per_user``, where they have ids."""
    clusters: NDArray[Any] | None = field(default=None, repr=False)
    """Whose each row of ``per_user`` is, where somebody has several."""

    def to_dicts(self) -> list[dict[str, Any]]:
        """The rows as plain dictionaries, JSON-ready (an interval is a list of two)."""
        return [dict(row) for row in self.rows]

    def compare(self, ours: str, theirs: str, metric: str, **options: Any) -> Comparison:
        """Ours less theirs on the same users (``significance.compare``, which has the options).

        Raises:
            InvalidInput: a name that no row has, or a metric that is not of single users.
        """
        left, right = self._values(ours, metric), self._values(theirs, metric)
        return compare(left, right, self.clusters, **options)

    def against(self, theirs: str, metric: str, **options: Any) -> dict[str, Comparison]:
        """Every other row less this one; p-values are Holm's, over all of them."""
        others = [name for name in self.per_user if name != theirs]
        found = {name: self.compare(name, theirs, metric, **options) for name in others}
        adjusted = holm([one.p_value for one in found.values()]).tolist()
        pairs = zip(found.items(), adjusted, strict=True)
        return {name: replace(one, p_value=p) for (name, one), p in pairs}

    def by_group(
        self, metric: str, groups: Mapping[Hashable, Hashable]
    ) -> dict[str, dict[Hashable, Group]]:
        """Recommender → group of users → mean and number (``metrics.by_group``).

        ``groups`` gives each user of ``users`` a label. InvalidInput names one without.
        """
        missing = [user for user in self.users if user not in groups]
        if missing or not self.users:
            who = f"user {missing[0]!r} has no group" if missing else "this table knows no users"
            raise InvalidInput(f"{who}; groups give each judged user a label", pointer="/groups")
        labels = [groups[user] for user in self.users]
        return {name: by_group(self._values(name, metric), labels) for name in self.per_user}

    def _values(self, name: str, metric: str) -> Floats:
        for wanted, known in ((name, self.per_user), (metric, self.per_user.get(name, {}))):
            if wanted not in known:
                raise InvalidInput(
                    f"{wanted!r} is none of {', '.join(known)}", code="missing", pointer="/name"
                )
        return self.per_user[name][metric]

    def __rich__(self) -> RenderableType:
        from rich.table import Table as Grid

        columns = [key for key in self.rows[0] if key != "baseline" and "interval" not in key]
        grid = Grid(caption=self.note, caption_justify="left")
        for place, column in enumerate(columns):
            grid.add_column(column.replace("_", " "), justify="right" if place else "left")
        for row in self.rows:
            cells = [_cell(column, row) for column in columns]
            grid.add_row(*cells, style="dim" if row["baseline"] else "")
        return grid

    def __str__(self) -> str:
        from rich.console import Console

        console = Console(file=StringIO(), width=max(160, WIDE * len(self.rows[0])))
        console.print(self)
        text: str = console.file.getvalue()  # type: ignore[attr-defined]
        return text


def _cell(column: str, row: dict[str, Any]) -> str:
    value = row[column]
    if isinstance(value, str):
        return value
    interval = row.get(f"{column}_interval")
    spread = f" ±{(interval[1] - interval[0]) / 2:.4f}" if interval else ""
    return f"{value:,.{DIGITS.get(column, 4)}f}{spread}"
