"""Which segments a shopper is in, by what the shop says of its users."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np

from equipoise.types import Arrays, Kind, Milliseconds, Query

SEGMENTS = "segments"


class Segments:
    """A ``Fold`` over users: the newest word on each. Only those with a segment take memory."""

    def __init__(self) -> None:
        self._of: dict[str, tuple[str, ...]] = {}

    def of(self, query: Query, shopper: str) -> tuple[str, ...]:
        """Names, each once: of whoever asks (``shopper`` is the key of the profile), and what the
        query itself says under ``context.segments``, a name or a list of them."""
        said = query.context.get(SEGMENTS, ())
        named = [said] if isinstance(said, str) else said if isinstance(said, list | tuple) else ()
        words = [name for name in named if isinstance(name, str)]
        return tuple(dict.fromkeys((*self._of.get(shopper, ()), *words)))

    def apply(self, seq: int, arrived: Milliseconds, kind: Kind, noun: Any) -> None:
        """Take one record in."""
        if kind is Kind.USER_REMOVED:
            self._of.pop(f"u:{noun}", None)
        elif kind is Kind.USER:
            self._of.pop(f"u:{noun.user_id}", None)
            if noun.segments:
                self._of[f"u:{noun.user_id}"] = noun.segments

    def dump(self) -> Arrays:
        """The whole state."""
        return {"json": np.frombuffer(msgspec.json.encode(self._of), dtype=np.uint8)}

    def load(self, arrays: Arrays) -> None:
        """Become what ``dump`` described."""
        self._of = msgspec.json.decode(arrays["json"].tobytes(), type=dict[str, tuple[str, ...]])
