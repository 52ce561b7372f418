"""What a placement's exploring is held to, what somebody switches, how a list is to be drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec
from msgspec import UNSET, Struct, UnsetType

from equipoise.exploration.apprentice import Apprentice
from equipoise.exploration.balance import Balance
from equipoise.exploration.guarantee import Guarantee
from equipoise.exploration.limits import Limit

WHOLE = ""
"""The placement itself, among the names of what may be stopped."""


@dataclass(frozen=True, slots=True)
class Part:
    """What the lists of a segment are held to."""

    stopped: bool = False
    balance: Balance | None = None
    limit: Limit = field(default_factory=Limit)


@dataclass(frozen=True, slots=True)
class Group:
    """Items that are explored less than others, or not at all."""

    filter: Mapping[str, Any]
    stopped: bool = False
    balance: Balance | None = None
    """Of the group's looks among all that exploring gave; None: as many as may be."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a placement is held to, beside its balance. Nothing, by default."""

    stopped: bool = False
    limit: Limit = field(default_factory=Limit)
    segments: Mapping[str, Part] = field(default_factory=dict)
    groups: Mapping[str, Group] = field(default_factory=dict)
    guarantee: Guarantee | None = None
    apprentice: Apprentice | None = None

    @property
    def compared(self) -> bool:
        """Whether lists are compared with a baseline's."""
        return self.guarantee is not None or self.apprentice is not None


class GroupSwitch(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A group's switch, and what it holds if the settings do not name it."""

    stopped: bool | None = None
    filter: dict[str, Any] | None = None


class Switch(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What somebody switched, by hand. What is left out stays; null: as the settings have it."""

    placement: str
    stopped: bool | UnsetType | None = UNSET
    segments: dict[str, bool | None] = msgspec.field(default_factory=dict)
    groups: dict[str, GroupSwitch] = msgspec.field(default_factory=dict)
    reason: str = ""


class Plan(NamedTuple):
    """How the next list is to be drawn."""

    level: float
    ours: float | None
    """Chance that it is ours rather than the baseline's; None: there is no baseline."""
    held: tuple[tuple[Mapping[str, Any], float], ...]
    """(filter, what remains of the spread) of item groups that are held back."""
    why: str
    """Why nothing is explored; empty where something may be."""
