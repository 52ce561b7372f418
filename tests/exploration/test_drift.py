"""Page and Hinkley, and ADWIN: they find a shift, soon, and few that are not there."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.exploration.drift import Adwin, Bucket, Cut, PageHinkley, PageState, Window
from equipoise.randomness import derive
from equipoise.types import Floats


def clicks(seed: int, before: float, after: float, at: int = 1_200, n: int = 2_000) -> Floats:
    """Zeros and ones whose rate changes once."""
    rate = np.where(np.arange(n) < at, before, after)
    return (derive(seed, "test drift").random(n) < rate).astype(float)


def first_page(values: Floats, detector: PageHinkley | None = None) -> tuple[int, int] | None:
    """(when, direction) of the first alarm."""
    detector = detector or PageHinkley()
    state = detector.init()
    for t, value in enumerate(values.tolist()):
        state, moved = detector.update(state, value)
        if moved:
            assert state == detector.init()
            return t, moved
    return None


def first_cut(values: Floats) -> tuple[int, Adwin, Cut] | None:
    """(when, what is kept, the cut)."""
    window = Adwin()
    for t, value in enumerate(values.tolist()):
        cut = window.update(value, ts=t)
        if cut is not None:
            return t, window, cut
    return None


@pytest.mark.parametrize("after", [0.1, 0.6])
def test_a_shift_is_found_soon_and_its_direction(after: float) -> None:
    """A click rate of 0.3 falls to 0.1 or doubles: within 300 values, by both."""
    values = clicks(1, 0.3, after)
    when, direction = first_page(values, PageHinkley(threshold=30.0)) or (0, 0)
    found = first_cut(values)

    assert 1_200 <= when < 1_500
    assert direction == (1 if after > 0.3 else -1)
    assert found is not None
    assert 1_200 <= found[0] < 1_500
    assert found[2].before.mean == pytest.approx(0.3, abs=0.1)
    assert found[2].after.mean == pytest.approx(after, abs=0.2)


def test_nothing_is_found_where_nothing_moves() -> None:
    """Twenty streams of 2,000 values: no alarm by ADWIN at δ = 0.002, none by Page and Hinkley
    where a twentieth is not worth one."""
    streams = [clicks(seed, 0.3, 0.3) for seed in range(20)]

    assert [first_cut(values) for values in streams] == [None] * 20
    assert [first_page(values, PageHinkley(delta=0.05)) for values in streams] == [None] * 20


def test_a_cut_says_what_was_before_and_when_it_changed() -> None:
    """Parts of a shift from 0 to 1, with their sums and times."""
    window, cut = Adwin(), None
    for t in range(400):
        value = float(t >= 256)
        cut = cut or window.update(value, ts=1_000 + t, sums=(value, 1.0))

    assert cut is not None
    assert (cut.before.mean, cut.before.since) == (0.0, 1_000)
    assert cut.after.since == pytest.approx(1_256, abs=32)
    assert cut.before.sums == (0.0, cut.before.n)
    assert cut.after.mean > 0.6


@settings(max_examples=40, derandomize=True, deadline=None)
@given(st.lists(st.floats(-10, 10), min_size=1, max_size=300))
def test_the_window_holds_its_values(values: list[float]) -> None:
    """Sum, count and scatter of the window are those of its newest values, in O(log n) buckets."""
    window = Adwin(reach=20.0)
    for value in values:
        window.update(value)
    kept = np.array(values[-int(window.whole.n) :])

    assert window.whole.total == pytest.approx(kept.sum(), abs=1e-6)
    assert window.whole.scatter == pytest.approx(kept.var() * len(kept), abs=1e-6)
    assert len(list(buckets(window))) <= 6 * math.log2(len(values) + 2)
    assert sum(bucket.n for bucket in buckets(window)) == window.whole.n


def buckets(window: Adwin) -> Iterator[Bucket]:
    for row in window.window.rows:
        yield from row


def test_the_threshold_is_met_where_the_sum_says() -> None:
    """Twenty zeros, then ones: the first alarm is where the sum of deviations, by hand, passes."""
    detector = PageHinkley(delta=0.0, threshold=3.0, keep=1.0, least=1)
    values = [0.0] * 20 + [1.0] * 10
    summed, mean = 0.0, 0.0
    for n, value in enumerate(values, start=1):
        mean += (value - mean) / n
        summed += value - mean
        if summed > 3.0:
            break

    assert first_page(np.array(values), detector) == (n - 1, 1)


def test_told_in_json() -> None:
    """Both go on from what was written in the midst, to the bit."""
    values = clicks(3, 0.3, 0.5)
    half, whole = Adwin(), Adwin()
    for value in values[:700].tolist():
        half.update(value)
    again = Adwin()
    again.load(msgspec.json.decode(msgspec.json.encode(half.window), type=Window))
    for value in values[700:].tolist():
        again.update(value)
    for value in values.tolist():
        whole.update(value)
    page = PageHinkley()
    state, _ = page.update(page.init(), 0.5)

    assert msgspec.json.encode(again.window) == msgspec.json.encode(whole.window)
    assert msgspec.json.decode(msgspec.json.encode(state), type=PageState) == state


@pytest.mark.parametrize("after", [0.3, 0.35, 0.4, 0.5, 0.7])
def test_river_finds_the_same(after: float) -> None:
    """River, where it is installed: the first alarm of both, and what ADWIN then holds."""
    drift = pytest.importorskip("river.drift", reason="river is a referee, not a dependency")
    values = clicks(7, 0.3, after)
    adwin, page = drift.ADWIN(), drift.PageHinkley()
    cut = alarm = None
    for t, value in enumerate(values.tolist()):
        if cut is None:
            adwin.update(value)
            cut = (t, adwin.width, adwin.total) if adwin.drift_detected else None
        if alarm is None:
            page.update(value)
            alarm = t if page.drift_detected else None
    found, ours = first_cut(values), first_page(values)
    held = (found[0], found[1].whole.n, found[1].whole.total) if found else None

    assert held == (None if cut is None else pytest.approx(cut))
    assert (ours and ours[0]) == alarm


@pytest.mark.parametrize(
    ("attempt", "message"),
    [
        (lambda: PageHinkley(threshold=0.0), "threshold 0.0; delta must be 0 or more"),
        (lambda: PageHinkley(keep=0.0), "keep is 0.0; it is a share above 0"),
        (
            lambda: PageHinkley().update(PageState(), math.nan),
            "the value is nan; it must be finite",
        ),
        (lambda: Adwin(delta=0.0), "delta is 0.0; it lies between 0 and 1"),
        (lambda: Adwin(clock=0), "clock 0, most 5 and least 5 must be 1 or more"),
        (lambda: Adwin().update(math.inf), "the value is inf; it must be finite"),
    ],
)
def test_refusals(attempt: Callable[[], object], message: str) -> None:
    """What cannot be is refused, with the value and what would be right."""
    with pytest.raises(ValueError) as refusal:
        attempt()

    assert message in str(refusal.value)
