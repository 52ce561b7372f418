"""Token buckets: how many requests a key may make from one client network.

A bucket holds ``burst`` tokens and refills at ``rate`` a second. The
table of buckets is bounded; the least recently used goes first, and what it forgets is one refill.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address

from equipoise.clock import elapsed
from equipoise.server.problems import Refused

IPV4_PREFIX = 24
IPV6_PREFIX = 48
BUCKETS_KEPT = 65_536


class Limits:
    """One table of buckets.

    Args:
        rate: tokens a second; 0 switches the limit off.
        burst: tokens that a rested bucket holds.
        kept: buckets that are remembered.
        time: a monotonic count of seconds.
    """

    def __init__(
        self,
        rate: float,
        burst: int,
        *,
        kept: int = BUCKETS_KEPT,
        time: Callable[[], float] = elapsed,
    ) -> None:
        self.rate = rate
        self.burst = max(burst, 1)
        self._kept = kept
        self._time = time
        self._buckets: OrderedDict[tuple[str, str], tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, key: str, client: str) -> None:
        """One token of the bucket of this key and this client's network.

        Raises:
            Refused: 429 with ``Retry-After``, the seconds until there is a token again.
        """
        if self.rate <= 0:
            return
        bucket, now = (key, prefix(client)), self._time()
        tokens, since = self._buckets.pop(bucket, (float(self.burst), now))
        tokens = min(self.burst, tokens + (now - since) * self.rate)
        self._buckets[bucket] = (tokens - 1.0 if tokens >= 1.0 else tokens, now)
        if len(self._buckets) > self._kept:
            self._buckets.popitem(last=False)
        if tokens < 1.0:
            raise too_many((1.0 - tokens) / self.rate)


def too_many(wait_s: float) -> Refused:
    seconds = max(1, math.ceil(wait_s))
    return Refused(
        429,
        "too_many_requests",
        f"too many requests for this key and network; go on in {seconds} s",
        headers={"retry-after": str(seconds)},
    )


def prefix(client: str) -> str:
    """The client's network: /24 of IPv4, /48 of IPv6 (one subscriber holds at least that)."""
    try:
        address = ip_address(client)
    except ValueError:
        return client
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return prefix(str(address.ipv4_mapped))
        return f"{int(address) >> (128 - IPV6_PREFIX):x}/{IPV6_PREFIX}"
    return f"{int(address) >> (32 - IPV4_PREFIX):x}/{IPV4_PREFIX}"


def public_prefix(client: str) -> str:
    """The same for an address of the public internet; empty for every other."""
    try:
        address = ip_address(client)
    except ValueError:
        return ""
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return prefix(str(address)) if address.is_global else ""
