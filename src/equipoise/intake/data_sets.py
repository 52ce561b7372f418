"""Real public data sets as nouns: items first, then events in time order, with ids that are always
the same, so that a second import adds nothing.

None of their bytes comes with this package: ``locate`` says where it looks for the archives, and
each function names the official source.
"""

from __future__ import annotations

import os
import shutil
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

import polars as pl

from equipoise.errors import InvalidInput
from equipoise.intake.canonical import Refusal
from equipoise.intake.online_retail import online_retail
from equipoise.types import Event, Item, Line

__all__ = [
    "DATA_SETS",
    "locate",
    "movielens_100k",
    "online_retail",
    "retailrocket",
    "retailrocket_test",
]

BESIDE = Path("../shared/data")
"""Where the archives lie if nobody says otherwise; relative to the current folder."""
_BEHAVIOURS = {"view": "view_item", "cart": "add_to_cart", "buy": "purchase"}
_MOVIE = r"^(.*?)\s*\((\d{4})\)\s*$"


def locate(name: str, *, archives: Path | None = None, cache: Path | None = None) -> Path:
    """The folder of a set, unpacked once from ``NAME.tar.xz``.

    ``archives`` is by default the environment's EQUIPOISE_DATA_SETS, or else the folder
    ``../shared/data`` beside the current one, if it is there; ``cache`` its EQUIPOISE_CACHE
    or else ``~/.cache/equipoise/data-sets``. A folder appears whole or not at all, whoever unpacks
    beside us. InvalidInput names the place where the archive was looked for.
    """
    archive = _archives(archives) / f"{name}.tar.xz"
    if not archive.is_file():
        raise InvalidInput(
            f"no data set {name!r}: {archive} does not exist; EQUIPOISE_DATA_SETS names the folder"
            " of the archives",
            code="missing",
        )
    cache = cache or Path(
        os.environ.get("EQUIPOISE_CACHE") or Path.home() / ".cache/equipoise/data-sets"
    )
    # An archive of another size is another version.
    folder = cache / f"{name}-{archive.stat().st_size}"
    if not folder.is_dir():
        _unpack(archive, folder)
    inside = list(folder.iterdir())
    return inside[0] if len(inside) == 1 and inside[0].is_dir() else folder


def retailrocket(folder: Path) -> Iterator[Item | Event]:
    """RetailRocket buyers: views, carts and purchases of 2,174 shoppers, one item an event.

    Source: https://www.kaggle.com/retailrocket/ecommerce-dataset (CC BY-NC-SA), cut to buyers with
    one test purchase each (``retailrocket_test``). Items have no text. At one time views come
    before carts and carts before purchases.
    """
    tables = [
        _behaviour(folder, name, place, event)
        for place, (name, event) in enumerate(_BEHAVIOURS.items())
    ]
    rows = pl.concat(tables).sort("ts", "place", "user", "item")
    items = pl.concat([rows["item"], _pairs(folder)["item"]]).unique().sort()
    yield from (Item(item_id=str(item)) for item in items)
    for user, item, ts, _, event, row in rows.iter_rows():
        yield Event(
            event_id=f"retailrocket:{event}:{row}",
            event=event,
            ts=ts * 1_000,
            user_id=str(user),
            items=(Line(item_id=str(item)),),
        )


def retailrocket_test(folder: Path) -> list[tuple[str, str]]:
    """(user_id, item_id) of the purchase that is held out for each shopper; it has no time."""
    pairs = _pairs(folder)
    return [(str(user), str(item)) for user, item in pairs.iter_rows()]


def movielens_100k(folder: Path) -> Iterator[Item | Event]:
    """MovieLens 100K: 100,000 ratings as ``review`` events with ``attributes.rating`` (1 to 5).

    Source: https://grouplens.org/datasets/movielens/100k (no redistribution). Items have a title,
    genres as categories (the set's own "unknown" is none) and ``attributes.year``.
    """
    yield from _movies(folder)
    ratings = pl.read_csv(
        folder / "u.data",
        separator="\t",
        has_header=False,
        new_columns=["user", "item", "rating", "ts"],
    )
    for user, item, rating, ts in ratings.sort("ts", "user", "item").iter_rows():
        yield Event(
            event_id=f"ml-100k:{user}:{item}",
            event="review",
            ts=ts * 1_000,
            user_id=str(user),
            items=(Line(item_id=str(item)),),
            attributes={"rating": rating},
        )


DATA_SETS: Mapping[str, Callable[[], Iterator[Item | Event | Refusal]]] = MappingProxyType(
    {
        "online-retail": lambda: online_retail(locate("online-retail")),
        "retailrocket-mb": lambda: retailrocket(locate("retailrocket-mb")),
        "ml-100k": lambda: movielens_100k(locate("ml-100k")),
    }
)
"""The sets by the names of their archives."""


def _movies(folder: Path) -> Iterator[Item]:
    genres = [
        line.split("|")[0] for line in (folder / "u.genre").read_text().splitlines() if "|" in line
    ]
    movies = pl.read_csv(
        folder / "u.item",
        separator="|",
        has_header=False,
        infer_schema=False,
        quote_char=None,
        encoding="latin-1",
        new_columns=["item", "title", "released", "video", "url", *genres],
    ).with_columns(
        name=pl.col("title").str.extract(_MOVIE, 1), year=pl.col("title").str.extract(_MOVIE, 2)
    )
    for movie in movies.iter_rows(named=True):
        yield Item(
            item_id=movie["item"],
            title={"en": movie["name"] or movie["title"]},
            categories=tuple(genre for genre in genres[1:] if movie[genre] == "1"),
            attributes={"year": int(movie["year"])} if movie["year"] else {},
        )


def _behaviour(folder: Path, name: str, place: int, event: str) -> pl.DataFrame:
    return _tsv(folder / f"train_mat_{name}.tsv", "ts").with_columns(
        pl.lit(place).alias("place"),
        pl.lit(event).alias("event"),
        pl.int_range(pl.len()).alias("row"),
    )


def _pairs(folder: Path) -> pl.DataFrame:
    return _tsv(folder / "test_mat.tsv", "one").drop("one")


def _tsv(path: Path, third: str) -> pl.DataFrame:
    return pl.read_csv(path, separator="\t", has_header=False, new_columns=["user", "item", third])


def _archives(given: Path | None) -> Path:
    archives = given or os.environ.get("EQUIPOISE_DATA_SETS") or (BESIDE if BESIDE.is_dir() else "")
    if not archives:
        raise InvalidInput(
            "EQUIPOISE_DATA_SETS is not set; it names the folder of the data sets' archives, which"
            f" are not in {BESIDE} either",
            code="missing",
        )
    return Path(archives)


def _unpack(archive: Path, folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    unpacking = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        with tarfile.open(archive) as tar:
            tar.extractall(unpacking, filter="data")
        try:
            unpacking.rename(folder)
        except OSError:
            # Somebody else was first; theirs is as good as ours.
            if not folder.is_dir():
                raise
    finally:
        shutil.rmtree(unpacking, ignore_errors=True)
