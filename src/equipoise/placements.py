"""What can be set of a placement: a place in the shop where lists are shown.

Read as part of the tree (``settings``), which holds one a name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct, field

from equipoise.errors import SettingsError


class Table(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the settings file."""


class Placement(Table, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One place in the shop where lists are shown."""

    sources: tuple[str, ...]
    """Where candidates come from, in order of precedence."""
    policy: str = "optimism"
    """How a slate is drawn from beliefs (``docs/exploration.md``)."""
    parameters: dict[str, float] = field(default_factory=dict)
    """Keywords of the policy."""
    n: int = 12
    """Length of a list that does not say its own."""
    budget: float = 0.08
    """Share of the expected reward that exploring may cost, by our own estimate; 0 never explores.

    With Thompson 8 % earned more than 5 % and than 12 % in six simulated shops."""
    fixed_level: float | None = None
    """A constant level instead of a budget: for comparisons."""
    floor: float = 0.0
    """Smallest share of each draw that is uniform, so that the log can judge other policies."""
    max_per_group: int = 1
    """Variants of one product in one list."""
    exclude_bought: bool = False
    pool: int = 500
    """Candidates that are scored."""
    examination: str = "auto"
    """How its lists are read: ``position``, each place with its own chance of a look; ``cascade``,
    from the top until something is clicked; ``auto``, whichever foretells the clicks better."""
    balances: dict[str, str | dict[str, str]] = field(default_factory=dict)
    """``[placements.NAME.balances]``: what its lists are to give besides reward: ``margin``,
    ``tail`` and ``variety``, and in a table ``sellers`` their looks by ``seller_id``; each a bound
    such as ``">= 0.25"`` (``docs/balances.md``)."""


EXAMINATION = ("auto", "position", "cascade")
BALANCES = r"margin|tail|variety|sellers\..+"
SOURCES = ("als", "ease", "item_knn", "content", "popularity", "similar", "co_viewed",
           "favourites", "trending", "new", "anything")  # fmt: skip


def default_placements() -> dict[str, Placement]:
    """The placements every shop has."""
    learnt = ("als", "ease", "item_knn", "content", "popularity")
    online = ("co_viewed", "favourites", "trending", "new", "anything")
    return {
        "home": Placement(sources=learnt + online),
        "product": Placement(sources=("similar", *learnt, "co_viewed", "new", "anything"), n=8),
        "cart": Placement(sources=("similar", *learnt, "co_viewed", "anything"), n=6),
        "feed": Placement(sources=learnt + online, n=20),
        # What everybody likes: asked for as such, so nothing is tried on it.
        "trending": Placement(
            sources=("trending", "new", "anything"), policy="greedy", budget=0.0, n=20
        ),
    }


def check_placement(name: str, placement: Placement) -> None:
    """Refuse what no placement can be.

    Raises:
        SettingsError: the message names the place, the value and what would be right.
    """
    for source in placement.sources:
        if source not in SOURCES:
            raise SettingsError(
                f"placements.{name}.sources: {source!r} is no source; "
                f"the sources are {', '.join(SOURCES)}"
            )
    if not 0 <= placement.budget < 1:
        raise SettingsError(
            f"placements.{name}.budget is {placement.budget}; it is a share from 0 to below 1"
        )
    if placement.examination not in EXAMINATION:
        raise SettingsError(
            f"placements.{name}.examination is {placement.examination!r}; "
            f"it is one of {', '.join(EXAMINATION)}"
        )
    if not 1 <= placement.n <= 100:
        raise SettingsError(f"placements.{name}.n is {placement.n}; a list has 1 to 100 items")
    bounds(placement.balances, f"placements.{name}.balances")


def bounds(asked: Mapping[str, Any], path: str = "balances") -> dict[str, tuple[float, bool]]:
    """(share, whether it is the most) by ``margin``, ``tail``, ``variety`` and ``sellers.NAME``.

    Raises:
        SettingsError: there is no such balance, or a bound that cannot be read.
    """
    found = {}
    for name, words in (flat(dict(asked)) if asked else {}).items():
        if not re.fullmatch(BALANCES, name):
            raise SettingsError(f"{path}.{name}: there are margin, tail, variety, sellers.NAME")
        bound = re.fullmatch(r"([<>])=\s*(0?\.\d*[1-9]\d*)", str(words).strip())
        if bound is None:
            raise SettingsError(f'{path}.{name} is {words!r}; bounds are ">= 0.25" or "<= 0.4"')
        found[name] = (float(bound[2]), bound[1] == "<")
    return found


def flat(tree: Any, prefix: str = "") -> dict[str, Any]:
    if not isinstance(tree, dict) or not tree:
        return {prefix: tree}
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        flat |= flat(value, f"{prefix}.{key}" if prefix else str(key))
    return flat
