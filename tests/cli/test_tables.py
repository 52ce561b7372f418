"""Tables that can be read at any width."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from equipoise.cli import tables
from equipoise.cli.tables import GAP, parts, print_table

Capture = pytest.CaptureFixture[str]

NAMES = ["recommender", "recall@10", "nDCG@10", "recall@20", "nDCG@20", "a list (µs)"]
ROWS = [["item_knn", "0.1234", "0.0567", "0.2345", "0.0678", "1,234"]] * 2


@given(widths=st.lists(st.integers(1, 40), min_size=1, max_size=12), width=st.integers(20, 200))
def test_parts_hold_every_column_once(widths: list[int], width: int) -> None:
    """Each begins with the first column and fits, unless one column alone is too wide."""
    found = list(parts(widths, width))
    others = [place for part in found for place in part[1:]]

    assert others == list(range(1, len(widths)))
    assert all(part[0] == 0 for part in found)
    for part in found:
        needed = sum(widths[place] for place in part) + GAP * (len(part) - 1)
        assert needed <= width or len(part) <= 2


def test_a_pipe_gets_the_whole_table(capsys: Capture) -> None:
    """One line a row, nothing folded, nothing cut."""
    print_table("Accuracy", NAMES, ROWS, note="so " * 60)
    lines = capsys.readouterr().out.splitlines()

    assert lines[0] == "Accuracy"
    assert [line.split() for line in lines[2:4]] == ROWS
    assert lines[4].strip() == ("so " * 60).strip()
    assert len(lines) == 5


def test_a_narrow_terminal_gets_the_columns_below(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Numbers whole, the first column again in each part."""
    monkeypatch.setattr(tables, "out", lambda: Console(width=44))
    print_table("Accuracy", NAMES, ROWS)
    text = capsys.readouterr().out

    assert text.count("item_knn") == 4
    assert all(text.count(number) == 2 for number in ROWS[0][1:])
    assert max(map(len, text.splitlines())) <= 44


def test_text_folds_before_numbers_move(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    """A long reason goes on below itself, and is whole."""
    monkeypatch.setattr(tables, "out", lambda: Console(width=40))
    print_table("", ["#", "why", "p"], [["1", "seen together with what you looked at", "0.25"]])
    words = capsys.readouterr().out.split()

    assert " ".join(words) == "# why p 1 seen together with what you 0.25 looked at"


def test_numbers_stand_right_and_brackets_are_text(capsys: Capture) -> None:
    """No cell is read as markup."""
    print_table("[x]", ["name", "n"], [["[bold]", "7"], ["b", "1,000"]])

    assert capsys.readouterr().out == "[x]\nname        n\n[bold]      7\nb       1,000\n"
