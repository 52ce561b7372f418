"""The skeleton that newcomers copy, and the page that explains it, run as they stand."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

from equipoise.recommenders import ALL
from equipoise.testing.recommenders import LAWS

DOCS = Path(__file__).parents[2] / "docs"
SKELETON = DOCS / "skeletons" / "recommender.py"


def test_skeleton_runs(capsys):
    """Run as a script it obeys every law and lists milk, and then bread, after tea."""
    runpy.run_path(str(SKELETON), run_name="__main__")

    assert capsys.readouterr().out == "{'milk': 1.0, 'bread': 0.0}\n"


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_skeleton_law(law):
    """Its default settings obey the laws too."""
    law(runpy.run_path(str(SKELETON))["Together"])


def test_page_runs(capsys):
    """Every Python block of docs/recommenders.md runs, one after the other, with what it says."""
    page = (DOCS / "recommenders.md").read_text(encoding="utf-8")
    said = {}
    for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL):
        exec(compile(block, "recommenders.md", "exec"), said)

    assert said["model"].recommend(["tea"], n=2)[0].tolist() == ["milk"]
    assert said["ids"].shape == (2, 2)
    assert "personal_frequency" in capsys.readouterr().out


def test_page_names_every_recommender():
    """The table of the page has a row for each of ``ALL``."""
    page = (DOCS / "recommenders.md").read_text(encoding="utf-8")

    assert [cls.name for cls in ALL if f"| `{cls.name}` |" not in page] == []
