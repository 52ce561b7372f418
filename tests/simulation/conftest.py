"""A recommender that knows nothing: shows items at random, and keeps every word that was said."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from equipoise.clock import ManualClock
from equipoise.intake.canonical import read_events
from equipoise.intake.catalogue import read_item
from equipoise.intake.queries import read_query
from equipoise.randomness import derive

Body = dict[str, Any]


class Stranger:
    """A shopfront of its own. What the door of a real service would refuse, it refuses."""

    def __init__(self, seed: int = 0, clock: ManualClock | None = None) -> None:
        self.clock = clock or ManualClock()
        self.items: dict[str, Body] = {}
        self.said: list[tuple[int, str, Any]] = []
        self.events: list[Body] = []
        self.answers: list[Body] = []
        self.arrived: list[int] = []
        self.rejected: list[Any] = []
        self._luck = derive(seed, "stranger")

    def put_items(self, items: Any) -> None:
        for body in items:
            read_item(body)
            self.items[body["item_id"]] = body
            self.said.append((self.clock(), "item", body))

    def send(self, events: Any) -> Body:
        batch = read_events(msgspec.json.encode({"events": list(events)}), now=self.clock())
        self.rejected += batch.rejected
        self.events += events
        self.arrived += [self.clock()] * len(events)
        self.said += [(self.clock(), "event", body) for body in events]
        return {"accepted": len(batch.events), "duplicated": 0, "rejected": batch.rejected}

    def recommend(self, query: Body) -> Body:
        read_query(query)
        there = [name for name, body in self.items.items() if body.get("stock", 1) > 0]
        names = [there[i] for i in self._luck.permutation(len(there))[: query["n"]]]
        answer = {
            "recommendation_id": f"r-{len(self.answers)}",
            "items": [
                {"item_id": name, "rank": k, "explored": True, "token": f"t{len(self.answers)}-{k}"}
                for k, name in enumerate(names)
            ],
        }
        self.answers.append(answer)
        self.said.append((self.clock(), "list", (query, answer)))
        return answer

    def tick(self) -> None:
        pass


@pytest.fixture
def stranger() -> Stranger:
    return Stranger()


@pytest.fixture
def strangers() -> type[Stranger]:
    return Stranger
