"""Token buckets."""

from __future__ import annotations

import pytest

from equipoise.server.limits import Limits, prefix
from equipoise.server.problems import Refused


class Time:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def passes(limits: Limits, key: str, client: str) -> bool:
    try:
        limits.take(key, client)
    except Refused:
        return False
    return True


def test_burst_then_rate() -> None:
    """A rested bucket gives its burst, then what flows in, and never more than its burst."""
    time = Time()
    limits = Limits(2.0, 5, time=time)
    at_once = sum(passes(limits, "k", "10.0.0.1") for _ in range(20))
    time.now += 1.5
    later = sum(passes(limits, "k", "10.0.0.1") for _ in range(20))
    time.now += 1e6
    rested = sum(passes(limits, "k", "10.0.0.1") for _ in range(20))

    assert (at_once, later, rested) == (5, 3, 5)


def test_refusal_says_when_to_come_back() -> None:
    """429 with Retry-After, in whole seconds, upwards."""
    limits = Limits(0.25, 1, time=Time())
    limits.take("k", "10.0.0.1")

    with pytest.raises(Refused, match="go on in 4 s") as caught:
        limits.take("k", "10.0.0.1")
    assert caught.value.status == 429
    assert caught.value.headers == {"retry-after": "4"}


def test_keys_and_networks_do_not_share() -> None:
    """One bucket a key and network; neighbours of one network share."""
    limits = Limits(1.0, 1, time=Time())

    assert passes(limits, "a", "10.0.0.1")
    assert passes(limits, "b", "10.0.0.1")
    assert passes(limits, "a", "10.0.1.1")
    assert not passes(limits, "a", "10.0.0.200")


def test_clock_that_goes_back_takes_nothing() -> None:
    """Also a frozen clock never makes tokens."""
    time = Time()
    limits = Limits(1.0, 2, time=time)
    assert passes(limits, "a", "x")
    assert passes(limits, "a", "x")

    assert not passes(limits, "a", "x")


def test_table_is_bounded() -> None:
    """Addresses that never repeat cost a fixed amount of memory; the oldest are forgotten."""
    limits = Limits(1.0, 1, kept=100, time=Time())
    for number in range(1_000):
        limits.take("", f"10.{number // 250}.{number % 250}.1")

    assert len(limits) == 100


def test_zero_is_off() -> None:
    """No rate, no limit, no table."""
    limits = Limits(0.0, 1)

    assert all(passes(limits, "k", "x") for _ in range(1_000))
    assert len(limits) == 0


def test_prefixes() -> None:
    """/24, /48, IPv4 inside IPv6 as IPv4, and anything else as it is."""
    assert prefix("10.1.2.3") == prefix("10.1.2.99") != prefix("10.1.3.3")
    assert prefix("2001:db8:1::1") == prefix("2001:db8:1:ffff::2") != prefix("2001:db8:2::1")
    assert prefix("::ffff:10.1.2.3") == prefix("10.1.2.3")
    assert prefix("testclient") == "testclient"
