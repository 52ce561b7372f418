"""Structs, strings and dictionaries ↔ an array of bytes (msgpack), for the dumps of folds."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

T = TypeVar("T")


def pack(value: Any) -> NDArray[np.uint8]:
    """The value as bytes. Dictionaries keep their order, so equal histories give equal bytes."""
    return np.frombuffer(msgspec.msgpack.encode(value), dtype=np.uint8)


def unpack(array: NDArray[Any], kind: type[T]) -> T:
    """What ``pack`` took, as ``kind``."""
    return msgspec.msgpack.decode(array.tobytes(), type=kind)
