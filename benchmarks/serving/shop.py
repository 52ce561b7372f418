"""The shop that is served: its catalogue, its shoppers' past, its process, and what it is asked."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import numpy as np
from numpy.random import Generator

from equipoise.engine import Engine
from equipoise.home import Home
from equipoise.randomness import derive
from equipoise.types import Event, Item, Line

CATEGORIES = 200
EVENTS_EACH = 12
CHUNK = 5_000
TRAINED = '[training]\nrecommenders = ["popularity", "item_knn", "als", "content"]\n'
"""EASE inverts a dense items × items matrix: not at 100,000."""


def build(folder: Path, *, items: int, shoppers: int, train: bool, seed: int) -> None:
    """A data directory with a catalogue and a past; trained if asked."""
    home = Home(folder).create()
    if train:
        home.settings_file.write_text(TRAINED)
    engine = Engine.open(folder)
    luck = derive(seed, "serving shop")
    for start in range(0, items, CHUNK):
        end = min(start + CHUNK, items)
        engine.store([engine.item_record(_item(number, luck)) for number in range(start, end)])
    events = [event for number in range(shoppers) for event in _past(number, items, luck)]
    for start in range(0, len(events), CHUNK):
        engine.store(engine.event_records(events[start : start + CHUNK]))
    engine.close()
    if train:
        command = [sys.executable, "-m", "equipoise.cli.main", "train", "--data", str(folder)]
        subprocess.run(command, check=True)


@contextmanager
def served(folder: Path) -> Iterator[tuple[str, int]]:
    """The real server in a process of its own; its host and port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    code = "import sys; from pathlib import Path; from equipoise.server.run import serve; "
    code += "serve(Path(sys.argv[1]), port=int(sys.argv[2]))"
    process = subprocess.Popen([sys.executable, "-c", code, str(folder), str(port)])
    try:
        _wait(process, port)
        yield "127.0.0.1", port
    finally:
        process.terminate()
        process.wait()


class Lists:
    """Requests for lists by known shoppers in turn."""

    def __init__(self, shoppers: int, n: int, seed: int) -> None:
        order = derive(seed, "serving lists").integers(shoppers, size=65_536).tolist()
        self._bodies = [
            msgspec.json.encode({"placement": "home", "user_id": f"u-{who}", "n": n})
            for who in order
        ]

    def __call__(self, number: int) -> tuple[str, bytes]:
        return "/v1/recommendations", self._bodies[number % len(self._bodies)]


class Events:
    """Requests with ``size`` views each; every event has an id of its own."""

    def __init__(self, items: int, shoppers: int, size: int, seed: int) -> None:
        luck = derive(seed, "serving events")
        self._items = _popular(luck, items, 65_536).tolist()
        self._who = luck.integers(shoppers, size=65_537).tolist()
        self._size = size
        self._run = os.urandom(4).hex()

    def __call__(self, number: int) -> tuple[str, bytes]:
        first = number * self._size
        events = [self._event(one) for one in range(first, first + self._size)]
        body = events[0] if self._size == 1 else b'{"events":[' + b",".join(events) + b"]}"
        return "/v1/events", body

    def _event(self, number: int) -> bytes:
        item = self._items[number % len(self._items)]
        who = self._who[number % len(self._who)]
        return (
            f'{{"event_id":"e-{self._run}-{number}","event":"view_item","user_id":"u-{who}",'
            f'"session_id":"s-{who}","items":[{{"item_id":"i-{item}","price":9.5}}]}}'
        ).encode()


def _item(number: int, luck: Generator) -> Item:
    category = number % CATEGORIES
    return Item(
        item_id=f"i-{number}",
        title={"en": f"Thing {number}"},
        categories=(f"d{category % 20}/c{category}",),
        brand=f"b{number % 997}",
        price=round(float(np.exp(luck.normal(3.0, 1.0))), 2),
        stock=100.0,
    )


def _past(number: int, items: int, luck: Generator) -> Iterator[Event]:
    """Views, mostly within two categories that this shopper likes."""
    liked = luck.integers(CATEGORIES, size=2)
    for place, item in enumerate(_popular(luck, items // CATEGORIES, EVENTS_EACH).tolist()):
        chosen = int(item) * CATEGORIES + int(liked[place % 2])
        yield Event(
            event_id=f"past-{number}-{place}",
            event="view_item" if place % 4 else "add_to_cart",
            ts=1_700_000_000_000 + number * 1_000 + place,
            user_id=f"u-{number}",
            items=(Line(item_id=f"i-{chosen}"),),
        )


def _popular(luck: Generator, items: int, size: int) -> np.ndarray:
    """Positions with a long tail: few are asked for often, most hardly ever."""
    return (items * luck.random(size) ** 3).astype(np.int64)


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    for _ in range(1_200):
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode}")
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except ConnectionRefusedError:
            time.sleep(0.1)
    raise RuntimeError("the server did not start")
