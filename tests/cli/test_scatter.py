"""The chart of what each setting did: one SVG, readable by an XML parser."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from equipoise.cli.scatter import HEAD, HEIGHT, WIDTH, Panel, scatter

SVG = "{http://www.w3.org/2000/svg}"


def drawn(*panels: Panel, best: int = 0) -> ElementTree.Element:
    return ElementTree.fromstring(scatter("a < b", panels, best=best))


def centres(panel: ElementTree.Element) -> list[tuple[float, float]]:
    return [
        (float(dot.get("cx", 0)), float(dot.get("cy", 0))) for dot in panel.iter(f"{SVG}circle")
    ]


def test_a_dot_a_trial_in_each_panel() -> None:
    """Higher is further up; left and right by the scale; the best one has a ring."""
    even = Panel("k", "9%", [1, 10, 100], [0.1, 0.3, 0.2])
    root = drawn(even, Panel("λ", "", [1, 10, 100], [0.1, 0.3, 0.2], log=True), best=1)
    first, second = root.iter(f"{SVG}g")
    (x1, y1), (x2, y2), (x3, y3) = centres(first)
    log = [x for x, _ in centres(second)]

    assert y2 < y3 < y1
    assert x2 - x1 < (x3 - x1) / 5
    assert log[1] - log[0] == pytest.approx(log[2] - log[1], abs=0.2)
    ringed = [dot.get("stroke") is not None for dot in root.iter(f"{SVG}circle")]
    assert ringed == [False, True, False] * 2


def test_names_stand_side_by_side() -> None:
    """Values that are no numbers, in order, with their names; None and truth among them."""
    root = drawn(Panel("weighting", "", [None, "bm25", True, "bm25"], [1, 2, 3, 4]))
    words = [text.text for text in root.iter(f"{SVG}text")]
    xs = [x for x, _ in centres(root)]

    assert {"None", "True", "bm25"} <= set(words)
    assert xs[1] == xs[3]
    assert len(set(xs)) == 3


def test_panels_fill_rows() -> None:
    """Three across; the fourth begins a row; dots stay within their panel."""
    panel = Panel("k", "", [5, 7], [0.0, 1.0])
    root = drawn(*[panel] * 4)
    places = [group.get("transform") for group in root.iter(f"{SVG}g")]

    assert places[2:] == [f"translate({2 * WIDTH} {HEAD})", f"translate(0 {HEAD + HEIGHT})"]
    assert root.get("viewBox") == f"0 0 {3 * WIDTH} {HEAD + 2 * HEIGHT}"
    assert all(0 < x < WIDTH and 0 < y < HEIGHT for x, y in centres(root))


def test_all_alike() -> None:
    """One trial, or equal ones, stand in the middle."""
    root = drawn(Panel("k", "", [5, 5], [0.2, 0.2], log=True))

    assert len(set(centres(root))) == 1


def test_nothing_to_draw() -> None:
    """Refused, since an empty frame would look like a finding."""
    with pytest.raises(ValueError, match="at least one panel, and each panel a trial"):
        scatter("x", [], best=0)
    with pytest.raises(ValueError, match="at least one panel"):
        scatter("x", [Panel("k", "", [], [])], best=0)
