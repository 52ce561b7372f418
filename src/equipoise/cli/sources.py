"""The real data sets that ``import``, ``evaluate`` and ``demo`` know by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

from equipoise.intake.canonical import Refusal
from equipoise.intake.data_sets import locate, movielens_100k, retailrocket
from equipoise.intake.online_retail import online_retail
from equipoise.types import Event, Item

Noun: TypeAlias = Event | Item | Refusal

DATA_SETS: Mapping[str, tuple[str, Callable[[Path], Iterator[Noun]]]] = {
    "online-retail": ("online-retail", online_retail),
    "retailrocket": ("retailrocket-mb", retailrocket),
    "movielens-100k": ("ml-100k", movielens_100k),
}
"""Name → its archive in the folder that EQUIPOISE_DATA_SETS names, and its reader."""


def open_data_set(name: str) -> Iterator[Noun]:
    """Items and events in time order. Raises InvalidInput where the archive is not there."""
    archive, reader = DATA_SETS[name]
    return reader(locate(archive))
