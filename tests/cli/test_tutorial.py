"""The tutorial's own commands, in the page's order, on a sample of its data set."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "tutorial.md"
MARK = "@@@ command "


def commands() -> list[str]:
    """What the page's reader types, in order."""
    blocks = re.findall(r"^```console\n(.*?)^```", PAGE.read_text(), re.S | re.M)
    return [line for block in blocks for line in re.findall(r"^\$ (.*)$", block, re.M)]


@pytest.fixture(scope="module")
def session(
    sample: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, list[tuple[str, str]]]:
    """The folder that a reader who typed it all is left with, and each command with its output."""
    home = tmp_path_factory.mktemp("reader")
    (home / "data-sets").symlink_to(sample)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    typed = [command.replace("8765", port) for command in commands()]
    marked = "".join(f"echo '{MARK}{place}'\n{command}\n" for place, command in enumerate(typed))
    answer = subprocess.run(
        ["bash"],
        input=marked + "kill $(jobs -p) 2> /dev/null\n",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=home,
        env=_environment(home, port),
        timeout=240,
    )
    said = re.split(rf"{MARK}\d+\n", answer.stdout)[1:]
    return home, list(zip(commands(), said, strict=True))


def _environment(home: Path, port: str) -> dict[str, str]:
    kept = {name: text for name, text in os.environ.items() if not name.startswith("EQUIPOISE_")}
    return kept | {
        "HOME": str(home),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "EQUIPOISE_CACHE": str(home / "cache"),
        "EQUIPOISE_SERVER__PORT": port,
    }


Session = tuple[Path, list[tuple[str, str]]]


def said(session: Session, start: str) -> list[str]:
    """What the commands that begin so printed."""
    found = [output for command, output in session[1] if command.startswith(start)]
    assert found, f"the tutorial has no command {start!r}"
    return found


def ids(text: str) -> list[str]:
    return re.findall(r'"item_id":"([^"]*)"', text)


def test_it_goes_through(session: Session) -> None:
    """No command of the page fails in a way that anybody could see."""
    everything = "".join(output for _, output in session[1])

    assert len(session[1]) > 20
    assert not re.search("Traceback|error:|Usage:|command not found|No such file", everything)


def test_the_log_comes_in_once(session: Session) -> None:
    """The first import has it all, the second nothing."""
    first, second = said(session, "equipoise import online-retail")

    assert re.search(r"^items +120$", first, re.M)
    assert re.search(r"^items +0$", second, re.M)
    assert re.search(r"^events +0$", second, re.M)


def test_it_is_judged_twice(session: Session) -> None:
    """With and without repeats, against popularity and each customer's own most bought."""
    fresh, again = said(session, "equipoise evaluate")
    rows = ["personal_frequency", "popularity", "item_knn", "als", "ease", "content"]

    for table in (fresh, again):
        assert [line.split()[0] for line in table.splitlines()[2:8]] == rows
    assert "repeats excluded" in fresh
    assert "repeats allowed" in again


def test_it_is_trained_and_explained(session: Session) -> None:
    """A snapshot is published, and a known customer's list stands on what they bought."""
    (trained,) = said(session, "equipoise train")
    known = said(session, "equipoise recommend")[0]

    assert "Published popularity, item_knn, als, ease, content as snapshot" in trained
    assert re.match(r"home for 13089 \((personalised|session)\)\n", known)
    assert "Fits what you looked at lately" in known


def test_a_view_changes_the_next_list(session: Session) -> None:
    """A stranger's list knows nothing; after one view it is personalised, and of other items."""
    home, _ = session
    before, after = (
        json.loads((home / f"{name}.json").read_text()) for name in ("before", "after")
    )
    visitor, other = said(session, "equipoise recommend --data shop --anonymous")

    assert len(before["items"]) == len(after["items"]) == 6
    assert before["fallback_level"] in ("popular", "catalogue")
    assert after["fallback_level"] == "personalised"
    assert ids(json.dumps(before, separators=(",", ":"))) != ids(
        json.dumps(after, separators=(",", ":"))
    )
    assert "home for visitor-1 (personalised)" in visitor
    assert re.match(r"home for visitor-2 \((popular|catalogue)\)\n", other)
    assert '"item_id":"22423"' in said(session, "curl -s localhost:8765/v1/items/22423")[0]


def test_the_click_is_one_look(session: Session) -> None:
    """Two events were taken; the one with the token taught."""
    taken = said(session, "curl -s localhost:8765/v1/events")

    assert [json.loads(one)["accepted"] for one in taken] == [1, 1]
    assert said(session, "curl -s localhost:8765/v1/models") == ['"Looks learnt from","1"\n']


def test_the_decision_replays(session: Session) -> None:
    """The page compares the two answers byte for byte."""
    home, _ = session
    stored = json.loads((home / "stored.json").read_text())
    after = json.loads((home / "after.json").read_text())

    assert said(session, "cmp stored.json replayed.json") == ["the same, byte for byte\n"]
    assert stored["recommendation_id"] == after["recommendation_id"]


def test_it_ends_well(session: Session) -> None:
    """The export is this customer's, and the doctor finds nothing to mend."""
    (export,) = said(session, "curl -s localhost:8765/v1/users/13089/export")
    (doctor,) = said(session, "equipoise doctor")

    assert '"user_id":"13089"' in export
    assert doctor.count(" ok ") == 9
    assert "MEND" not in doctor


def test_the_page_shows_what_a_reader_would_see() -> None:
    """Every command that prints something has its real output below it, of no one's machine."""
    text = PAGE.read_text()

    for figure in ("23,198", "3,818", "29,485", "personal_frequency", "the same, byte for byte"):
        assert figure in text
    assert not re.search(r"/(work|tmp|home|root)/", text)
