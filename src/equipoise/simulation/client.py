"""A shopfront's view of the recommender: four calls, over HTTP or on an engine in this process.

Both take and give the public contract's own JSON bodies. The engine in process reads them by the
same ``intake`` functions as the server does, so that nothing that HTTP would check is skipped.
"""

from __future__ import annotations

import http.client
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

import msgspec

from equipoise.errors import EquipoiseError, InvalidInput
from equipoise.intake.canonical import Refusal, read_events
from equipoise.intake.catalogue import read_item
from equipoise.intake.queries import read_query
from equipoise.types import Decision

if TYPE_CHECKING:
    from equipoise.engine import Engine

Body = dict[str, Any]
TIMEOUT_S = 30.0


class ShopfrontRefused(EquipoiseError):
    """The recommender did not take a body that it should have taken."""


class Shopfront(Protocol):
    """What a shop's own code calls."""

    def put_items(self, items: Sequence[Body]) -> None:
        """Bodies of ``PUT /v1/items/{id}``. Raises ShopfrontRefused."""

    def send(self, events: Sequence[Body]) -> Body:
        """``POST /v1/events``; the reply's ``accepted``, ``duplicated`` and ``rejected``."""

    def recommend(self, query: Body) -> Body:
        """``POST /v1/recommendations``; its answer. Raises ShopfrontRefused."""

    def tick(self) -> None:
        """Time has passed. A server notices by itself; an engine in process is told so here."""


class InProcess:
    """A shopfront on an engine in this process: synchronous, in order, on the caller's thread.

    ``spent`` and ``expected`` add up what the engine says its lists cost and should earn.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.spent, self.expected = 0.0, 0.0

    def put_items(self, items: Sequence[Body]) -> None:
        self.engine.store([self.engine.item_record(_item(body)) for body in items])

    def send(self, events: Sequence[Body]) -> Body:
        body = msgspec.json.encode({"events": list(events)})
        batch = read_events(body, now=self.engine.clock(), source="events")
        receipts = self.engine.store(self.engine.event_records(batch.events))
        duplicated = sum(receipt.duplicate for receipt in receipts)
        return {
            "accepted": len(receipts) - duplicated,
            "duplicated": duplicated,
            "rejected": [_told(refusal) for refusal in batch.rejected],
        }

    def recommend(self, query: Body) -> Body:
        try:
            asked = read_query(_as_sent(query), now=self.engine.clock())
        except InvalidInput as error:
            raise ShopfrontRefused(f"recommendations: {error} at {error.pointer!r}") from error
        decision = self.engine.recommend(asked)
        self.engine.store([self.engine.decision_record(decision)])
        self.spent += decision.cost
        self.expected += decision.expected
        return self._answer(decision)

    def tick(self) -> None:
        record = self.engine.tick_record()
        if record is not None:
            self.engine.store([record])

    def _answer(self, decision: Decision) -> Body:
        return {
            "recommendation_id": decision.decision_id,
            "placement": decision.query.placement,
            "items": [
                {
                    "item_id": slot.item_id,
                    "rank": rank,
                    "propensity": slot.propensity,
                    "explored": slot.explored,
                    "token": self.engine.token(decision, rank),
                }
                for rank, slot in enumerate(decision.slots)
            ],
            "fallback_level": decision.fallback_level,
        }


class OverHTTP:
    """A shopfront over HTTP/1.1: one connection, kept alive; one caller at a time."""

    def __init__(self, url: str, *, key: str | None = None, timeout_s: float = TIMEOUT_S) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{url!r} is no address; one looks like http://127.0.0.1:8765")
        kind = (
            http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        )
        self._connection = kind(parts.hostname, parts.port, timeout=timeout_s)
        self._path = parts.path.rstrip("/")
        self._headers = {"content-type": "application/json"}
        if key is not None:
            self._headers["authorization"] = f"Bearer {key}"

    def put_items(self, items: Sequence[Body]) -> None:
        for start in range(0, len(items), 100):
            reply = self._post("/v1/items:batch", {"items": items[start : start + 100]})
            if reply.get("rejected"):
                raise ShopfrontRefused(f"items:batch refused {reply['rejected'][0]}")

    def send(self, events: Sequence[Body]) -> Body:
        return self._post("/v1/events", {"events": list(events)}, also=(400, 422))

    def recommend(self, query: Body) -> Body:
        return self._post("/v1/recommendations", query)

    def tick(self) -> None:
        """Nothing to do: the server looks at its clock about once a second."""

    def close(self) -> None:
        self._connection.close()

    def _post(self, path: str, body: Body, *, also: tuple[int, ...] = ()) -> Body:
        status, answer = self._exchange(path, msgspec.json.encode(body))
        if status >= 300 and not (status in also and b'"rejected"' in answer):
            raise ShopfrontRefused(f"POST {path} answered {status}: {answer[:300].decode()}")
        reply: Body = msgspec.json.decode(answer)
        return reply

    def _exchange(self, path: str, body: bytes) -> tuple[int, bytes]:
        # A kept connection may have been closed by the other side meanwhile; once more is safe,
        # since events carry ids and an unread list is only never shown.
        try:
            return self._once(path, body)
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
            self._connection.close()
            return self._once(path, body)

    def _once(self, path: str, body: bytes) -> tuple[int, bytes]:
        self._connection.request("POST", self._path + path, body, self._headers)
        response = self._connection.getresponse()
        return response.status, response.read()


def _item(body: Body) -> Any:
    try:
        return read_item(_as_sent(body))
    except InvalidInput as error:
        raise ShopfrontRefused(f"items: {error} at {error.pointer!r}") from error


def _as_sent(body: Body) -> Body:
    """The body after a trip through JSON, as a server would meet it."""
    sent: Body = msgspec.json.decode(msgspec.json.encode(body))
    return sent


def _told(refusal: Refusal) -> Body:
    return {
        "index": refusal.index,
        "event_id": refusal.event_id,
        "code": refusal.code,
        "pointer": refusal.pointer,
        "message": refusal.message,
    }
