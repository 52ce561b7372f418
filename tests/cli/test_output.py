"""What is said where: results to standard output, remarks to standard error, progress to people."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from rich.console import Console

from equipoise.cli import output
from equipoise.cli.output import PIPED_WIDTH, complain, out, print_json, progress, remark, say

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """Standard error is a terminal of 80 columns."""
    screen = io.StringIO()
    made: Callable[[], Any] = lambda: Console(  # noqa: E731
        file=screen, force_terminal=True, width=80, color_system=None
    )
    monkeypatch.setattr(output, "err", made)
    return screen


def test_progress_passes_everything_on(capsys: Capture) -> None:
    """In order, and in silence where nobody watches."""

    assert list(progress(range(5), "Counting")) == [0, 1, 2, 3, 4]
    assert capsys.readouterr() == ("", "")


def test_progress_shows_a_bar_to_people(terminal: io.StringIO) -> None:
    """What is done, and how many so far."""

    assert list(progress(range(5), "Counting", total=5)) == [0, 1, 2, 3, 4]
    assert "Counting" in terminal.getvalue()
    assert "100%" in terminal.getvalue()


def test_remarks_are_for_people(terminal: io.StringIO) -> None:
    """What long work is at."""
    remark("Fitting als [on everything]")

    assert "Fitting als [on everything]" in terminal.getvalue()


def test_remarks_are_silent_without_a_terminal(capsys: Capture) -> None:
    """A log file is spared them; what matters is said in any case, and is no markup."""
    remark("Fitting")
    say("Made [bold]shop[/bold].")

    assert capsys.readouterr() == ("", "Made [bold]shop[/bold].\n")


def test_a_complaint_is_one_line(capsys: Capture) -> None:
    """However many lines its reason had, and however long it is."""
    complain("settings: this\n  cannot be " + "x" * 200)

    assert capsys.readouterr().err == "error: settings: this cannot be " + "x" * 200 + "\n"


def test_a_pipe_is_as_wide_as_the_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal is as wide as it is."""
    piped = out().width
    monkeypatch.setenv("COLUMNS", "72")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)

    assert piped == PIPED_WIDTH
    assert out().width == 72


def test_json_keeps_letters(capsys: Capture) -> None:
    """As people write them, for programs to read."""
    print_json({"title": "Glühwein"})

    assert capsys.readouterr().out == '{\n  "title": "Glühwein"\n}\n'
