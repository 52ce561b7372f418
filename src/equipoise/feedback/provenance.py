"""Where a verdict comes from: what the door knew of a sender, which no body can be trusted with.

The server writes it under ``context["_door"]`` of events and queries that came with a browser's
key, over whatever the browser put there itself; so it stands on the log, and a fold may read it. Of
the sender's address only the network is kept (/24 or /48), as a keyed hash. It lies in the event's
own record, and is gone when that is.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Any, NamedTuple

from equipoise.types import Event, Query

DOOR = "_door"
HASH_BYTES = 8
"""Enough to tell the networks of a shop's visitors apart."""
MOST_EXCLUDED = 50
"""Exclusions that a list may have and still be the policy's choice: what a page shows already."""

_PURPOSE = b"equipoise network 1\0"


class Origin(NamedTuple):
    """Of a verdict: who made it, from where, and whether in a list of their own making."""

    person: str = ""
    """Key of the person (``u:…``, ``a:…``); empty where nobody is known."""
    network: str = ""
    """Hash of the network; empty for what the shop's own servers report."""
    steered: bool = False
    """The browser that asked for the list chose by filters, boosts or exclusions what it holds."""


def network_hash(secret: bytes, network: str) -> str:
    """HMAC-SHA256 (RFC 2104) of a network, cut to 16 hexadecimal digits; empty for none."""
    if not network:
        return ""
    return hmac.digest(secret, _PURPOSE + network.encode(), "sha256")[:HASH_BYTES].hex()


def stamped_event(context: Mapping[str, Any], network: str) -> dict[str, Any]:
    """The context of a browser's event, with the network (a hash) that it came from."""
    return _stamped(context, {"browser": True, **({"network": network} if network else {})})


def stamped_query(context: Mapping[str, Any]) -> dict[str, Any]:
    """The context of a query that came with a browser's key."""
    return _stamped(context, {"browser": True})


def is_of_browser(noun: Event | Query) -> bool:
    """Whether it came with a publishable key: anybody could have sent it."""
    return _known(noun.context).get("browser") is True


def network_of(event: Event) -> str:
    """The hash that the door wrote, or empty."""
    network = _known(event.context).get("network")
    return network if isinstance(network, str) else ""


def is_steered(query: Query) -> bool:
    """Whether a browser chose what this list would hold: then seeing an item there proves little.

    The shop's own servers may filter and boost as they like: nobody else speaks through them.
    """
    chosen = query.filter or query.boosts or len(query.exclude_item_ids) > MOST_EXCLUDED
    return bool(chosen) and is_of_browser(query)


def _stamped(context: Mapping[str, Any], known: dict[str, Any]) -> dict[str, Any]:
    return {**context, DOOR: known}


def _known(context: Mapping[str, Any]) -> Mapping[str, Any]:
    known = context.get(DOOR)
    return known if isinstance(known, dict) else {}
