"""The skeleton that newcomers copy runs as it stands."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from equipoise.testing.recommenders import LAWS

SKELETON = Path(__file__).parents[2] / "docs" / "skeletons" / "recommender.py"


def test_skeleton_runs(capsys):
    """Run as a script it obeys every law and lists milk, and then bread, after tea."""
    runpy.run_path(str(SKELETON), run_name="__main__")

    assert capsys.readouterr().out == "{'milk': 1.0, 'bread': 0.0}\n"


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_skeleton_law(law):
    """Its default settings obey the laws too."""
    law(runpy.run_path(str(SKELETON))["Together"])
