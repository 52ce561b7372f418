"""equipoise.data.readers: research formats."""

from __future__ import annotations

from pathlib import Path

import pytest

from equipoise.data import readers
from equipoise.errors import InvalidInteractions


def written(folder: Path, text: str) -> Path:
    path = folder / "set.txt"
    path.write_text(text)
    return path


def test_adjacency_is_one_user_a_line(tmp_path: Path) -> None:
    """Order of the line is kept, a user with no items passed over, ids are integers."""
    data = readers.adjacency(written(tmp_path, "7 3 1 2\n8\n9 1\n"))

    assert data.user_ids.tolist() == [7, 9]
    assert data.histories() == [[3, 1, 2], [1]]


def test_pairs_are_one_interaction_a_line(tmp_path: Path) -> None:
    """Texts stay texts; the order of the file is the order of time."""
    data = readers.pairs(written(tmp_path, "u b\nv a\n\nu a\n"))

    assert data.user_ids.tolist() == ["u", "v"]
    assert data.histories() == [["b", "a"], ["a"]]


def test_a_broken_line_is_named(tmp_path: Path) -> None:
    """Counted from one, as editors do."""
    with pytest.raises(
        InvalidInteractions, match=r"line 2 of set.txt holds 3 fields; two are wanted"
    ):
        readers.pairs(written(tmp_path, "1 2\n1 2 3\n"))


def test_a_file_without_interactions_is_refused(tmp_path: Path) -> None:
    """Users alone are no interactions."""
    with pytest.raises(InvalidInteractions, match=r"set.txt holds no interactions"):
        readers.adjacency(written(tmp_path, "1\n2\n"))
