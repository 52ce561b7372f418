"""Orders come days after the click: how much of a click has been heard, and how much is to come.

To count a click at once, as a click that earned nothing so far, takes every new item for a bad one;
to wait until its window has closed loses that much time. Here a click counts by degrees: at age a
as ``F(a)`` of a click, F being the share of its orders that come within a. What a click earned by
then has mean ``F(a) · worth``, so that

    Σ earned by age a  /  Σ F(a)

is unbiased at *every* age, and when the window has closed it is the plain mean (Vernade, Cappé and
Perchet, UAI 2017, who weigh feedback of delay a bandit in this way; Chapelle, KDD 2014, has the
likelihood). Carts come sooner than orders. A click therefore counts as the share c of the slowest
outcome, and what it earned by an outcome of share F enters as ``c / F`` of itself; what it earned
at once, as c.

F is the distribution of delays by placement and outcome. Fresh clicks tell only of short delays, so
that a histogram of what has come in would be short too. A click tells of delays up to its own age;
with n_b outcomes in the span that ends at age b, and R_b in all spans up to it, both among clicks
that have reached b, the chance that an outcome of those R_b came in the last span is n_b / R_b, and

    F(b) = Π over later spans of (1 − n / R)

which is Kaplan and Meier's product in reversed time (Lynden-Bell, MNRAS 1971; Lagakos, Barraj and
De Gruttola, Biometrika 1988, for delays that can be seen only once they are over). n and R are
plain sums.

A fold has no clock: spans end at fractions of the window, each twice the one before, and a click is
looked at again when a record arrives after such an end. So an order counts by the time its age has
doubled, at the latest, and a click costs a dozen small steps in all.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping, Sequence
from math import ceil
from typing import NamedTuple

import msgspec
import numpy as np
from msgspec import Struct, field
from numba import njit

from equipoise.types import Arrays, Floats, Milliseconds

ENDS = tuple(2.0**-n for n in range(10, -1, -1))
"""Where spans end, in windows: 84 seconds to 24 hours where the window is a day."""
LATE = ("add_to_cart", "purchase")
"""Outcomes that come after the click they are credited to."""
GRAIN = 2.0**16
"""Shares are whole multiples of 1 / GRAIN: sums of them are exact in any order, so that a click
that is heard in full has counted as 1 and not as 0.9999."""


class Heard(NamedTuple):
    """What has been heard since the last time of one click."""

    arm: int
    clicks: float
    """By how much more of a click it counts."""
    worth: float
    """What it earned, of the share that it counts."""


class _Click(Struct, array_like=True, gc=False):
    """A click whose window is open."""

    placement: str
    arm: int
    at: Milliseconds
    span: int = 0
    """The next that it will reach the end of."""
    clicks: float = 0.0
    worth: float = 0.0
    """Credited so far, both."""
    earned: dict[str, float] = field(default_factory=dict)
    came: dict[str, int] = field(default_factory=dict)
    """Outcome → the span it came in."""


class _Due(Struct, array_like=True, order=True, gc=False):
    ts: Milliseconds
    decision_id: str
    place: int


class Delay:
    """The clicks whose windows are open, and how long outcomes take. A fold of verdicts.

    Args:
        window_ms: how long a click may earn (``Attribution``'s purchase window).
        windows: the same by placement, where it is another.
        outcomes: what is waited for. One that is worth nothing need not be.
        strength: outcomes after which a placement's own delays weigh as much as the shop's, and the
            shop's as much as the first guess, which has equal shares in all spans.
        memory: outcomes after which one counts half, placement by placement.

    Raises:
        ValueError: a window, the strength or the memory is not above 0.
    """

    def __init__(
        self,
        *,
        window_ms: Milliseconds = 86_400_000,
        windows: Mapping[str, Milliseconds] | None = None,
        outcomes: Sequence[str] = LATE,
        strength: float = 20.0,
        memory: float = 2_000.0,
    ) -> None:
        self._window = window_ms
        self._windows = dict(windows or {})
        for name, value in {
            "window_ms": min([window_ms, *self._windows.values()]),
            "strength": strength,
            "memory": memory,
        }.items():
            if not value > 0:
                raise ValueError(f"{name} is {value}; it must be above 0")
        self._outcomes = tuple(outcomes)
        self._strength = strength
        self._kept = 0.5 ** (1.0 / memory)
        self._open: dict[tuple[str, int], _Click] = {}
        self._due: list[_Due] = []
        self._spans: dict[tuple[str, str], Floats] = {}
        """(placement, outcome) → (2, spans) outcomes in a span, and in all up to it. The placement
        "" is the whole shop."""

    # ------------------------------------------------------------ what is asked

    def arrived(self, placement: str, outcome: str) -> Floats:
        """(spans,) F: the share of a placement's outcomes that have come by the end of each span.

        Above 0, rising; 1 at the last.
        """
        sums = self._sums(placement, outcome)
        return np.array([_share(*sums, span) for span in range(len(ENDS))])

    def still(self, placement: str, outcome: str, rate: float, age_ms: float) -> float:
        """Chance that a click of this age without the outcome will have it yet.

        ``r (1 − F) / (1 − r F)``, r the chance that a click ever has it (Chapelle 2014). Between
        the ends of spans F is taken as straight in log age.
        """
        age = age_ms / self._windows.get(placement, self._window)
        share = self.arrived(placement, outcome)
        come = float(np.interp(np.log2(max(age, 1e-12)), np.log2(ENDS), share))
        return rate * (1.0 - come) / (1.0 - rate * come) if age < 1.0 else 0.0

    def __len__(self) -> int:
        """Clicks whose window is open."""
        return len(self._open)

    # ------------------------------------------------------------ the fold

    def click(
        self, key: tuple[str, int], placement: str, arm: int, outcome: str, worth: float,
        now: Milliseconds,
    ) -> None:  # fmt: skip
        """A slot (decision, place) had its first click, which earned ``worth`` by ``outcome``."""
        self._open[key] = _Click(placement, arm, now)
        self._wait(key)
        self._note(self._open[key], outcome, worth)

    def earn(self, key: tuple[str, int], arm: int, outcome: str, worth: float) -> Heard | None:
        """A clicked slot earned ``worth`` more; below 0, it was taken back.

        It counts from the end of this span on. A click whose window has closed counts in full
        already: then, and only then, the answer is a credit.
        """
        click = self._open.get(key)
        if click is None:
            return Heard(arm, 0.0, worth)
        self._note(click, outcome, worth)
        return None

    def stop(self, key: tuple[str, int]) -> float:
        """Nothing more will be heard of a click: it stays counted as it is.

        Returns what is left of it, 0 where its window had closed. Its delays are forgotten from
        here on: it was seen until its present age and no longer.
        """
        click = self._open.pop(key, None)
        return 0.0 if click is None else 1.0 - click.clicks

    def until(self, now: Milliseconds) -> Iterator[Heard]:
        """What the time up to now has told of open clicks, in its order. Consume it whole."""
        while self._due and self._due[0].ts <= now:
            due = heapq.heappop(self._due)
            click = self._open.get((due.decision_id, due.place))
            if click is not None:
                yield self._grow((due.decision_id, due.place), click)

    def _note(self, click: _Click, outcome: str, worth: float) -> None:
        click.earned[outcome] = click.earned.get(outcome, 0.0) + worth
        click.came[outcome] = click.span

    def _wait(self, key: tuple[str, int]) -> None:
        click = self._open[key]
        window = self._windows.get(click.placement, self._window)
        # Rounded up: an outcome that comes at an end of the window's is one of the next span.
        heapq.heappush(self._due, _Due(click.at + ceil(window * ENDS[click.span]), *key))

    def _grow(self, key: tuple[str, int], click: _Click) -> Heard:
        """The end of a span: tell the distribution, then take what it says of this age."""
        self._tell(click)
        clicks, worth = self._counted(click)
        credit = Heard(click.arm, clicks - click.clicks, worth - click.worth)
        click.clicks, click.worth = clicks, worth
        click.span += 1
        if click.span < len(ENDS):
            self._wait(key)
        else:
            del self._open[key]
        return credit

    def _tell(self, click: _Click) -> None:
        for outcome in self._outcomes:
            if click.earned.get(outcome, 0.0) > 0.0:
                for where in ("", click.placement):
                    spans = self._spans.setdefault((where, outcome), np.zeros((2, len(ENDS))))
                    spans[:, click.span] *= self._kept
                    spans[:, click.span] += click.came[outcome] == click.span, 1.0

    def _counted(self, click: _Click) -> tuple[float, float]:
        """As how much of a click it counts at the end of this span, and what that much earned."""
        if click.span == len(ENDS) - 1:
            return 1.0, sum(click.earned.values())
        shares = {
            outcome: _grained(_share(*self._sums(click.placement, outcome), click.span))
            for outcome in self._outcomes
        }
        # It never counts less than it did, though F may have moved.
        clicks = max([click.clicks, min(shares.values(), default=1.0)])
        worth = sum(
            amount * min(clicks / shares[outcome], 1.0) if outcome in shares else amount * clicks
            for outcome, amount in click.earned.items()
        )
        return clicks, worth

    def _sums(self, placement: str, outcome: str) -> tuple[Floats, Floats, float]:
        shop = self._spans.get(("", outcome), _NOTHING)
        return shop, self._spans.get((placement, outcome), _NOTHING), self._strength

    # ------------------------------------------------------------ dump and load

    def dump(self) -> Arrays:
        """The open clicks, and the sums."""
        names = sorted(self._spans)
        state = (list(self._open.items()), sorted(self._due), names)
        spans = np.array([self._spans[name] for name in names]).reshape(-1, 2, len(ENDS))
        return {"open": np.frombuffer(msgspec.msgpack.encode(state), np.uint8), "spans": spans}

    def load(self, arrays: Arrays) -> None:
        """Become what ``dump`` described."""
        kind = tuple[list[tuple[tuple[str, int], _Click]], list[_Due], list[tuple[str, str]]]
        opens, self._due, names = msgspec.msgpack.decode(arrays["open"].tobytes(), type=kind)
        self._open = dict(opens)
        self._spans = {
            name: spans.astype(float) for name, spans in zip(names, arrays["spans"], strict=True)
        }


_NOTHING: Floats = np.zeros((2, len(ENDS)))


@njit(cache=True)
def _share(shop: Floats, own: Floats, strength: float, span: int) -> float:
    """F at the end of a span: the product of 1 − n / R over those that come after it."""
    share = 1.0
    for later in range(span + 1, shop.shape[1]):
        first = strength / (later + 1.0)
        told = (first + shop[0, later]) / (strength + shop[1, later])
        share *= 1.0 - (strength * told + own[0, later]) / (strength + own[1, later])
    return share


def _grained(share: float) -> float:
    return max(round(share * GRAIN), 1) / GRAIN
