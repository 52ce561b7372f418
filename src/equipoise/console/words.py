"""Numbers, money and times as people read them."""

from __future__ import annotations

from equipoise.clock import rfc3339
from equipoise.types import Milliseconds

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
CENTS_UP_TO = 100_000.0
"""Amounts from here on are written without decimals."""


def percent(share: float, digits: int = 1) -> str:
    """A share as ``13.7 %``; never a minus before nothing but zeros."""
    text = f"{100 * share:,.{digits}f}"
    return f"{_signed(text)} %"


def chance(probability: float) -> str:
    """A probability in whole percent, told apart from never and from always."""
    if 0 < probability < 0.01:
        return "<1 %"
    if 0.99 < probability < 1:
        return ">99 %"
    return percent(probability, 0)


def ratio(above: float, below: float) -> str:
    """One by the other in percent; ``none yet`` where there is nothing to divide by."""
    return percent(above / below) if below > 0 else "none yet"


def number(amount: float) -> str:
    """``1,234.50``; small amounts keep two digits that say something, large ones no cents."""
    if amount and abs(amount) < 0.1:
        return _signed(f"{amount:.2g}" if abs(amount) >= 1e-4 else f"{amount:.0e}")
    return _signed(f"{amount:,.{0 if abs(amount) >= CENTS_UP_TO else 2}f}")


def money(amount: float, currency: str) -> str:
    """``1,234.50 EUR``."""
    return f"{number(amount)} {currency}"


def counted(n: float, noun: str) -> str:
    """``1 click``, ``482 clicks``."""
    return f"{n:,.0f} {noun}{'' if n == 1 else 's'}"


def span(minutes: float) -> str:
    """A span after *last*: ``10 minutes``, ``hour``, ``2 days``."""
    words = duration(60_000 * minutes)
    return words.removeprefix("1 ")


def duration(ms: float) -> str:
    """``15 seconds``, ``30 minutes``, ``1 day``: in the largest unit that keeps it whole."""
    for unit, size in (("day", 86_400_000), ("hour", 3_600_000), ("minute", 60_000)):
        if ms >= size and ms % size == 0:
            return counted(ms // size, unit)
    return counted(ms / 1_000, "second")


def clock(ts: Milliseconds, now: Milliseconds) -> str:
    """The time of day in UTC, with the date where that is another than today's."""
    time = f"{rfc3339(ts)[11:19]} UTC"
    return time if ts // 86_400_000 == now // 86_400_000 else f"{date(ts)} {time}"


def moment(ts: Milliseconds) -> str:
    """``24 Nov 2026 18:44:05 UTC``."""
    return f"{date(ts)} {rfc3339(ts)[11:19]} UTC"


def date(ts: Milliseconds) -> str:
    """``24 Nov 2026``."""
    year, month, day = rfc3339(ts)[:10].split("-")
    return f"{int(day)} {MONTHS[int(month) - 1]} {year}"


def shopper(key: str) -> str:
    """A shopper's key in words: ``customer u-17``, ``visitor c-99``."""
    kind, _, name = key.partition(":")
    return {"u": f"customer {name}", "a": f"visitor {name}"}.get(kind, "nobody in particular")


def _signed(text: str) -> str:
    """With a true minus sign, and none before a rounded zero."""
    if text.startswith("-") and not text.strip("-0.,"):
        return text[1:]
    return text.replace("-", "−", 1) if text.startswith("-") else text
