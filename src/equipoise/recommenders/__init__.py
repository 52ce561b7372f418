"""History → a score per item; one file a method.

``ALL`` is read by people, type checkers, settings, the command line, the laws and the tables: a new
method is one file and one line here (``docs/recommenders.md``).
"""

from collections.abc import Mapping

from equipoise.recommenders.als import ImplicitALS
from equipoise.recommenders.base import Recommender
from equipoise.recommenders.content import Content
from equipoise.recommenders.ease import EASE
from equipoise.recommenders.item_knn import ItemKNN
from equipoise.recommenders.popularity import Popularity
from equipoise.types import Arrays

ALL: tuple[type[Recommender], ...] = (Popularity, ItemKNN, ImplicitALS, EASE, Content)

__all__ = [
    "ALL",
    "EASE",
    "Content",
    "ImplicitALS",
    "ItemKNN",
    "Popularity",
    "Recommender",
    "recommenders_from",
]


def recommenders_from(arrays: Mapping[str, Arrays]) -> list[Recommender]:
    """The fitted recommenders of a snapshot; tables of names that are no longer known are left."""
    return [cls.from_arrays(arrays[cls.name]) for cls in ALL if cls.name in arrays]
