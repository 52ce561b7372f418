"""Numbers as people read them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.console import words


@pytest.mark.parametrize(
    ("share", "said"),
    [(0.137, "13.7 %"), (0.0, "0.0 %"), (-0.0004, "0.0 %"), (-0.0006, "−0.1 %"), (1.0, "100.0 %"),
     (12.5, "1,250.0 %")],
)  # fmt: skip
def test_percent(share: float, said: str) -> None:
    """A rounded zero has no sign, and a minus is a minus sign."""
    assert words.percent(share) == said


@pytest.mark.parametrize(
    ("probability", "said"),
    [(0.0, "0 %"), (0.0003, "<1 %"), (0.005, "<1 %"), (0.01, "1 %"), (0.46, "46 %"),
     (0.9987, ">99 %"), (1.0, "100 %")],
)  # fmt: skip
def test_chance_is_neither_never_nor_always_unless_it_is(probability: float, said: str) -> None:
    """Rounding turns no chance into an impossibility, nor into a certainty."""
    assert words.chance(probability) == said


@pytest.mark.parametrize(
    ("amount", "said"),
    [(0.0, "0.00"), (26.517, "26.52"), (-3.5, "−3.50"), (1_041.7, "1,041.70"), (0.0532, "0.053"),
     (-0.00001, "−1e-05"), (123_456.78, "123,457"), (0.1, "0.10")],
)  # fmt: skip
def test_number(amount: float, said: str) -> None:
    """Small amounts keep digits that say something, large ones lose their cents."""
    assert words.number(amount) == said
    assert words.money(amount, "EUR") == f"{said} EUR"


def test_ratio_without_a_population() -> None:
    """Nothing by nothing is no rate."""
    assert words.ratio(0, 0) == "none yet"
    assert words.ratio(196, 5_633) == "3.5 %"


@pytest.mark.parametrize(
    ("minutes", "said"), [(10, "10 minutes"), (60, "hour"), (360, "6 hours"), (1_440, "day"),
                          (2_880, "2 days")]
)  # fmt: skip
def test_span(minutes: int, said: str) -> None:
    assert words.span(minutes) == said


@pytest.mark.parametrize(
    ("ms", "said"), [(15_000, "15 seconds"), (1_000, "1 second"), (90_000, "90 seconds"),
                     (1_800_000, "30 minutes"), (86_400_000, "1 day")]
)  # fmt: skip
def test_duration(ms: int, said: str) -> None:
    """In the largest unit that keeps it whole."""
    assert words.duration(ms) == said


@given(st.integers(0, 10_000))
@settings(derandomize=True, max_examples=50)
def test_counted_agrees_with_its_number(n: int) -> None:
    """One has no plural, all else has."""
    assert words.counted(n, "click").endswith("click") == (n == 1)


def test_times() -> None:
    """Days are named where they are not today's; months are never numbers."""
    noon = 1_700_049_600_000

    assert words.clock(noon, noon + 60_000) == "12:00:00 UTC"
    assert words.clock(noon, noon + 86_400_000) == "15 Nov 2023 12:00:00 UTC"
    assert words.moment(noon) == "15 Nov 2023 12:00:00 UTC"


@pytest.mark.parametrize(
    ("key", "said"),
    [("u:17", "customer 17"), ("a:c:9", "visitor c:9"), ("", "nobody in particular")],
)
def test_shopper(key: str, said: str) -> None:
    assert words.shopper(key) == said
