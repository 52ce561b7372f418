"""Has the mean of a stream changed? Two detectors; ``alarms`` says what of a shop they watch.

``PageHinkley`` (Page 1954): the sum of deviations from the mean so far, less ``delta`` a step, has
risen (or fallen) by ``threshold`` since it was lowest (highest). Constant memory.

``Adwin`` (Bifet and Gavaldà 2007): the window of all values since the last change, in buckets of
1, 2, 4, … of them; it is cut where the means of its two parts differ by more than chance allows.
So it also knows *when*, and what was before. Memory O(log n).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

# ---------------------------------------------------------------- Page and Hinkley


class PageState(Struct, frozen=True, kw_only=True):
    """All that Page and Hinkley remember."""

    n: int = 0
    mean: float = 0.0
    rise: float = 0.0
    fall: float = 0.0
    lowest: float = math.inf
    highest: float = -1.0


@dataclass(frozen=True, slots=True)
class PageHinkley:
    """An alarm on the mean of a stream, in both directions. Pure: state in, state out.

    Args:
        delta: change of the mean that is not worth an alarm.
        threshold: sum of deviations that is: larger is later, and less often wrong.
        keep: what remains of both sums at each step.
        least: values before the first alarm.

    Raises:
        ValueError: an argument out of its range.
    """

    delta: float = 0.005
    threshold: float = 50.0
    keep: float = 1.0 - 1e-4
    least: int = 30

    def __post_init__(self) -> None:
        if not 0.0 <= self.delta < math.inf or not 0.0 < self.threshold < math.inf:
            raise ValueError(
                f"delta is {self.delta} and threshold {self.threshold}; delta must be 0 or more, "
                "threshold above 0"
            )
        if not 0.0 < self.keep <= 1.0:
            raise ValueError(f"keep is {self.keep}; it is a share above 0")

    def init(self) -> PageState:
        """Nothing seen yet."""
        return PageState()

    def update(self, state: PageState, value: float) -> tuple[PageState, int]:
        """Take a value in: 1 where the mean rose, −1 where it fell (and all starts anew), else 0.

        Raises:
            ValueError: the value is not finite.
        """
        if not math.isfinite(value):
            raise ValueError(f"the value is {value}; it must be finite")
        n = state.n + 1
        mean = state.mean + (value - state.mean) / n
        rise = self.keep * state.rise + value - mean - self.delta
        fall = self.keep * state.fall + value - mean + self.delta
        lowest, highest = min(state.lowest, rise), max(state.highest, fall)
        if n >= self.least and rise - lowest > self.threshold:
            return PageState(), 1
        if n >= self.least and highest - fall > self.threshold:
            return PageState(), -1
        return replace(
            state, n=n, mean=mean, rise=rise, fall=fall, lowest=lowest, highest=highest
        ), 0


# ---------------------------------------------------------------- ADWIN


class Cut(NamedTuple):
    """A window fell into two parts: before the change and after it, as far as buckets can tell.
    What is kept is what ADWIN keeps, which may begin a little earlier."""

    before: Bucket
    after: Bucket


class Bucket(Struct, array_like=True, gc=False):
    """Values that are remembered together."""

    n: float = 0.0
    total: float = 0.0
    scatter: float = 0.0
    """Sum of squared deviations from their mean."""
    since: int = 0
    """When the first of them came."""
    sums: tuple[float, ...] = ()
    """Of what came with the values."""

    @property
    def mean(self) -> float:
        return self.total / self.n

    def joined(self, later: Bucket) -> Bucket:
        """Both as one. The empty bucket joins with any."""
        if not self.n:
            return later
        if not later.n:
            return self
        gap = self.mean - later.mean
        return Bucket(
            self.n + later.n,
            self.total + later.total,
            self.scatter + later.scatter + self.n * later.n * gap * gap / (self.n + later.n),
            self.since,
            tuple(a + b for a, b in zip(self.sums, later.sums, strict=True)),
        )


class Adwin:
    """A window that shrinks when its mean has changed. Mutable; O(log n) memory.

    The buckets, the clock and the bound are those of the authors' own program (and of river's):
    ``|mean_0 − mean_1| > √(2 v d m) + ⅔ reach d m``, with v the variance of the window,
    ``d = ln(2 ln(n) / delta)`` and ``m = 1/(n_0 − least + 1) + 1/(n_1 − least + 1)``.

    Args:
        delta: chance of a false alarm, of each look at the window; in practice far fewer.
        clock: values between two looks.
        most: buckets of one size, before the two oldest become one of the next.
        least: values that a part must have.
        grace: values before the first look.
        reach: how far values lie apart at most; 1 for values of 0 to 1.

    Raises:
        ValueError: an argument out of its range.
    """

    def __init__(
        self,
        *,
        delta: float = 0.002,
        clock: int = 32,
        most: int = 5,
        least: int = 5,
        grace: int = 10,
        reach: float = 1.0,
    ) -> None:
        if not 0.0 < delta < 1.0:
            raise ValueError(f"delta is {delta}; it lies between 0 and 1")
        if min(clock, most, least) < 1 or not 0.0 <= reach < math.inf:
            raise ValueError(
                f"clock {clock}, most {most} and least {least} must be 1 or more, reach {reach} 0 "
                "or more"
            )
        self._delta = delta
        self._clock = clock
        self._most = most
        self._least = least
        self._grace = grace
        self._reach = reach
        self._seen = 0
        self._rows: list[list[Bucket]] = [[]]
        """By size, a power of two; the oldest of a row first."""
        self._whole = Bucket()

    @property
    def whole(self) -> Bucket:
        """The window as one."""
        return self._whole

    def update(self, value: float, ts: int = 0, sums: tuple[float, ...] = ()) -> Cut | None:
        """Take a value in, with what else is to be known of it; a ``Cut`` where the mean changed.

        Raises:
            ValueError: the value is not finite.
        """
        if not math.isfinite(value):
            raise ValueError(f"the value is {value}; it must be finite")
        one = Bucket(1.0, value, 0.0, ts, sums)
        self._rows[0].append(one)
        self._whole = self._whole.joined(one)
        self._compress()
        self._seen += 1
        if self._seen % self._clock or self._whole.n <= self._grace:
            return None
        return self._shrink()

    def _compress(self) -> None:
        for size, row in enumerate(self._rows):
            if len(row) <= self._most:
                return
            if size + 1 == len(self._rows):
                self._rows.append([])
            self._rows[size + 1].append(row.pop(0).joined(row.pop(0)))

    def _shrink(self) -> Cut | None:
        if not self._changed():
            return None
        cut = self._likeliest()
        while self._changed():
            oldest = max(size for size, row in enumerate(self._rows) if row)
            del self._rows[oldest][0]
            self._whole = _together(self._oldest_first())
        return cut

    def _likeliest(self) -> Cut:
        """Where the window falls apart best: the greatest likelihood of two means over one."""
        buckets = list(self._oldest_first())
        after = [Bucket()]
        for bucket in reversed(buckets):
            after.append(bucket.joined(after[-1]))
        before, cuts = Bucket(), []
        for bucket, rest in zip(buckets, after[-2:0:-1], strict=False):
            before = before.joined(bucket)
            cuts.append(Cut(before, rest))
        return max(cuts, key=lambda cut: _gain(*cut))

    def _changed(self) -> bool:
        before = Bucket()
        for bucket in self._oldest_first():
            before = before.joined(bucket)
            if self._apart(before):
                return True
        return False

    def _apart(self, before: Bucket) -> bool:
        """Whether what came before this point has another mean than what came after."""
        whole, n0 = self._whole, before.n
        n1 = whole.n - n0
        if n0 < self._least or n1 < self._least:
            return False
        gap = abs(before.mean - (whole.total - before.total) / n1)
        parts = 1.0 / (n0 - self._least + 1.0) + 1.0 / (n1 - self._least + 1.0)
        doubt = math.log(2.0 * math.log(whole.n) / self._delta)
        spread = math.sqrt(2.0 * parts * whole.scatter / whole.n * doubt)
        return gap > spread + 2.0 / 3.0 * self._reach * doubt * parts

    def _oldest_first(self) -> Iterator[Bucket]:
        for row in reversed(self._rows):
            yield from row

    @property
    def window(self) -> Window:
        """The whole state."""
        return Window(self._seen, self._rows, self._whole)

    def load(self, window: Window) -> None:
        """Become what ``window`` described, to the bit."""
        self._seen, self._rows, self._whole = window.seen, window.rows, window.whole


class Window(Struct, array_like=True):
    """All that an ``Adwin`` remembers. Plain numbers: as JSON it loses nothing."""

    seen: int
    rows: list[list[Bucket]]
    whole: Bucket


def _gain(before: Bucket, after: Bucket) -> float:
    """Scatter that two means explain beyond one."""
    return (before.mean - after.mean) ** 2 * before.n * after.n / (before.n + after.n)


def _together(buckets: Iterator[Bucket]) -> Bucket:
    whole = Bucket()
    for bucket in buckets:
        whole = whole.joined(bucket)
    return whole
