"""What can be set of a placement: a place in the shop where lists are shown.

Read as part of the tree (``settings``), which holds one a name.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from msgspec import Struct, field

from equipoise.candidates.eligibility import check
from equipoise.errors import InvalidInput, SettingsError
from equipoise.exploration.limits import RESUME


class Table(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the settings file."""


class Segment(Table, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Limits of the lists of one segment of shoppers, beside those of the placement."""

    stopped: bool = False
    budget: float | None = None
    day_budget: float = 0.0
    saved_days: float = 3.0
    loss_budget: float = 0.0


class ItemGroup(Table, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Items that are explored less than others, or not at all."""

    filter: dict[str, Any]
    stopped: bool = False
    share: float = 1.0
    """Of the looks that exploring gives."""


class PlacementAttribution(Table, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What of ``[attribution]`` is another for one placement."""

    click_window_s: float | None = None
    purchase_window_s: float | None = None
    rule: str | None = None


class Placement(Table, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One place in the shop where lists are shown."""

    sources: tuple[str, ...]
    """Where candidates come from, in order of precedence."""
    policy: str = "gittins"
    """How a slate is drawn from beliefs (``docs/exploration.md``)."""
    parameters: dict[str, float] = field(default_factory=dict)
    """Keywords of the policy."""
    n: int = 12
    """Length of a list that does not say its own."""
    budget: float = 0.08
    """Share of the expected reward that exploring may cost, by our own estimate; 0 never explores.

    A cap: ``gittins`` by itself mostly spends less."""
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
    stopped: bool = False
    """True: nothing is explored. ``PUT /v1/balances/NAME`` switches it in the running service."""
    least: float = 0.0
    """Share of the expected reward that exploring costs at least, where the policy can spend it."""
    day_budget: float = 0.0
    """Money a day that exploring may cost, by our own estimate; 0: no such limit."""
    saved_days: float = 3.0
    """Days' worth of it that may be saved up, and are there at first."""
    loss_budget: float = 0.0
    """Money that exploring may cost in all; 0: no such limit."""
    segments: dict[str, Segment] = field(default_factory=dict)
    """``[placements.NAME.segments.SEGMENT]``: ``stopped``, ``budget``, ``day_budget``,
    ``saved_days`` and ``loss_budget`` for the lists of shoppers of a segment
    (``docs/limits.md``)."""
    groups: dict[str, ItemGroup] = field(default_factory=dict)
    """``[placements.NAME.groups.GROUP]``: items by ``filter`` that are not explored (``stopped``),
    or have at most a ``share`` of the looks that exploring gives."""
    baseline: str = ""
    """Source whose order is the shop's own: for the apprentice to follow and for the guarantee;
    empty: the guarantee's is greedy."""
    apprentice: bool = False
    """True: lists are in the order of ``baseline`` at first, and become ours as ours are proved to
    earn more."""
    guarantee: float = 0.0
    """Share of the baseline's reward that may be lost, at any time; 0: no guarantee."""
    guarantee_error: float = 0.05
    """Chance that it is lost all the same."""
    attribution: PlacementAttribution | None = None
    """``[placements.NAME.attribution]``: ``click_window_s``, ``purchase_window_s`` and ``rule`` of
    this placement; what is not named is the shop's (``[attribution]``)."""


EXAMINATION = ("auto", "position", "cascade")
UNDIRECTED = ("greedy", "epsilon_greedy", "plackett_luce", "square_cb")
"""Policies that go by means alone."""
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
    _check_limits(f"placements.{name}", placement)
    for segment, limits in placement.segments.items():
        _check_segment(f"placements.{name}.segments.{segment}", limits)
    for group, items in placement.groups.items():
        _check_group(f"placements.{name}.groups.{group}", items, placement.policy)


def _check_limits(path: str, placement: Placement) -> None:
    _check_money(path, placement)
    if not 0 <= placement.least <= placement.budget:
        raise SettingsError(
            f"{path}.least is {placement.least}; it is a share from 0 to the budget, "
            f"{placement.budget}"
        )
    if placement.baseline and placement.baseline not in placement.sources:
        raise SettingsError(
            f"{path}.baseline: {placement.baseline!r} is none of its sources; "
            f"they are {', '.join(placement.sources)}"
        )
    if placement.apprentice and not placement.baseline:
        raise SettingsError(
            f"{path}.apprentice follows the order of a source; name it: {path}.baseline"
        )
    if not 0 <= placement.guarantee < 1 or not 0 < placement.guarantee_error < 1:
        raise SettingsError(
            f"{path}.guarantee is {placement.guarantee} and guarantee_error "
            f"{placement.guarantee_error}; the first is a share from 0 to below 1, the second a "
            "chance above 0 and below 1"
        )


def _check_money(path: str, limits: Placement | Segment) -> None:
    for name in ("day_budget", "loss_budget"):
        value = getattr(limits, name)
        if not 0 <= value < math.inf:
            raise SettingsError(f"{path}.{name} is {value}; it is an amount of money, 0: no limit")
    if not RESUME <= limits.saved_days < math.inf:
        raise SettingsError(
            f"{path}.saved_days is {limits.saved_days}; it is a number of days, {RESUME} or more"
        )


def _check_segment(path: str, segment: Segment) -> None:
    _check_money(path, segment)
    if segment.budget is not None and not 0 <= segment.budget < 1:
        raise SettingsError(f"{path}.budget is {segment.budget}; it is a share from 0 to below 1")


def _check_group(path: str, group: ItemGroup, policy: str) -> None:
    try:
        check(group.filter)
    except InvalidInput as error:
        raise SettingsError(f"{path}.filter: {error.message}") from error
    if not 0 <= group.share <= 1:
        raise SettingsError(f"{path}.share is {group.share}; it is a share from 0 to 1")
    if 0 < group.share < 1 and policy in UNDIRECTED:
        raise SettingsError(
            f"{path}.share: {policy} does not explore by how little is known of an item, so it "
            "cannot explore some items less than others; stop the group, or choose another policy"
        )


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
    """The leaves of a tree by their dotted paths; an empty table is a leaf."""
    if not isinstance(tree, dict) or not tree:
        return {prefix: tree}
    leaves: dict[str, Any] = {}
    for key, value in tree.items():
        leaves |= flat(value, f"{prefix}.{key}" if prefix else str(key))
    return leaves
