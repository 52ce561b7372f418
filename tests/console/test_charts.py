"""Small charts: points where numbers are."""

from __future__ import annotations

import pytest

from equipoise.console.charts import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, fan, spark


def test_a_fan_is_drawn_to_scale() -> None:
    """Least at the foot, most at the top, evenly from side to side; the band goes round."""
    drawn = fan(["a", "b", "c"], [1, 2, 3], [0, 1, 2], [2, 3, 4], [(2, "two")], marked=1)

    assert [x for x, _ in drawn.points] == [LEFT, (LEFT + WIDTH - RIGHT) / 2, WIDTH - RIGHT]
    assert drawn.band.startswith(f"M{LEFT:g} ")
    assert drawn.band.endswith("Z")
    assert drawn.band.count("L") == 5
    assert drawn.rows[0].at == drawn.points[1][1] == round((HEIGHT - BOTTOM + TOP) / 2, 1)
    assert [column.says for column in drawn.columns] == ["a", "b", "c"]
    assert drawn.marked == 1


def test_where_all_are_equal_the_line_is_level() -> None:
    """In the middle, and finite."""
    drawn = fan(["a", "b"], [1, 1], [1, 1], [1, 1], [])

    assert {y for _, y in drawn.points} == {round((HEIGHT - BOTTOM + TOP) / 2, 1)}


def test_a_fan_refuses_what_it_cannot_draw() -> None:
    """Columns that differ, or a single point."""
    with pytest.raises(ValueError, match="2 names, 1 points and a band of 2 and 2; all must be"):
        fan(["a", "b"], [1], [1, 1], [1, 1], [])
    with pytest.raises(ValueError, match="two at least"):
        fan(["a"], [1], [1], [1], [])


def test_a_spark_steps() -> None:
    """From 0 at its foot to the highest at its top; nothing moved, nothing drawn."""

    assert spark([0.0, 2.0], width=100.0, height=20.0) == "M0 19L50 19L50 1L100 1"
    assert spark([0.0], width=10.0, height=20.0) == "M0 19L10 19"
    assert spark([]) == ""
