"""Structs by key in bounded memory: those of late in the open, the others folded up as bytes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from typing import Generic, TypeVar

import msgspec
import numpy as np

from equipoise.state.packing import pack, unpack
from equipoise.types import Arrays

T = TypeVar("T", bound=msgspec.Struct)


class Shelf(Generic[T]):
    """A dictionary in the order of last use. Reading is no use.

    The ``open`` newest are plain objects; an older one is kept as msgpack, in a fraction of the
    memory, and opened again when used. Beyond ``most`` keys the one unused for longest is dropped.
    """

    def __init__(self, kind: type[T], *, open: int, most: int) -> None:
        self._kind = kind
        self._open_most = open
        self._most = most
        self._open: OrderedDict[str, T] = OrderedDict()
        self._folded: OrderedDict[str, bytes] = OrderedDict()
        """All older than any that is open."""
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder = msgspec.msgpack.Decoder(kind)

    def __len__(self) -> int:
        return len(self._open) + len(self._folded)

    def __iter__(self) -> Iterator[str]:
        yield from self._folded
        yield from self._open

    def use(self, key: str) -> T:
        """The struct of this key to write to, an empty one if there is none."""
        held = self._open.get(key)
        if held is not None:
            self._open.move_to_end(key)
            return held
        body = self._folded.pop(key, None)
        held = self._open[key] = self._kind() if body is None else self._decoder.decode(body)
        if len(self._open) > self._open_most:
            self._fold()
        return held

    def read(self, key: str) -> T | None:
        """The struct of this key, not to be written to."""
        held = self._open.get(key)
        if held is None and key in self._folded:
            held = self._decoder.decode(self._folded[key])
        return held

    def drop(self, key: str) -> None:
        self._open.pop(key, None)
        self._folded.pop(key, None)

    def _fold(self) -> None:
        key, oldest = self._open.popitem(last=False)
        self._folded[key] = self._encoder.encode(oldest)
        if len(self) > self._most:
            self._folded.popitem(last=False)

    def dump(self) -> Arrays:
        bodies = [*self._folded.values(), *map(self._encoder.encode, self._open.values())]
        return {
            "keys": pack(list(self)),
            "sizes": np.array([len(body) for body in bodies], dtype=np.int64),
            "bodies": np.frombuffer(b"".join(bodies), dtype=np.uint8),
        }

    def load(self, arrays: Arrays) -> None:
        bodies = arrays["bodies"].tobytes()
        ends = np.cumsum(arrays["sizes"]).tolist()
        keys = unpack(arrays["keys"], list[str])
        self._open.clear()
        self._folded = OrderedDict(
            (key, bodies[start:end])
            for key, start, end in zip(keys, [0, *ends], ends, strict=False)
        )
