"""The suite of published figures: verdicts, what is kept, what is left out, the page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from equipoise.data import Interactions
from equipoise.errors import InvalidInput
from equipoise.quality import STUDIES, Measured, Row, Study, verdict
from equipoise.quality.suite import chosen, failing, figure, measure_all, page, read
from equipoise.recommenders import EASE, Popularity


def toy(rows: tuple[Row[Any], ...], *, load: Any = None, lower: bool = False) -> Study[Any]:
    """Four users, three items; the figure is how many rows a recommender's popularity counts."""
    table = Interactions.from_columns(["a", "a", "b", "c"], ["x", "y", "x", "x"])
    return Study(
        name="toy",
        protocol="As said.",
        metrics=("rows",),
        lower_is_better=lower,
        load=load or (lambda: table),
        measure=lambda parts, model: {"rows": model.fit(parts).counts_.sum()},
        rows=rows,
    )


@pytest.mark.parametrize(
    ("figure", "said"), [(0.5, "above"), (0.497, "reproduced"), (0.49, "below"), (0.49996, "above")]
)
def test_verdicts(figure: float, said: str) -> None:
    """At the printed places; within one per cent; lower, for errors, is better."""
    row = Row("it", Popularity, {"m": 0.5})
    study = toy((row,))
    mirrored = Row("it", Popularity, {"m": -0.5})

    assert verdict(study, row, {"m": figure}) == said
    assert verdict(toy((row,), lower=True), mirrored, {"m": -figure}) == said
    assert verdict(study, Row("it", Popularity), {"m": figure}) == ""


def test_an_absolute_tolerance_is_absolute() -> None:
    """As where a source says ± .003."""
    row = Row("it", Popularity, {"rmse": 0.934}, absolute=0.003)
    study = toy((row,), lower=True)

    assert verdict(study, row, {"rmse": 0.9368}) == "reproduced"
    assert verdict(study, row, {"rmse": 0.9372}) == "below"


def test_the_worst_of_several_metrics_decides() -> None:
    """One above and one below is below."""
    row = Row("it", Popularity, {"a": 0.5, "b": 0.5})

    assert verdict(toy((row,)), row, {"a": 0.9, "b": 0.4}) == "below"


def test_rows_are_kept_and_not_run_again(tmp_path: Path) -> None:
    """What stands in the file is taken from there; a new row is added to it."""
    keep = tmp_path / "kept.jsonl"
    made: list[str] = []

    def making(name: str) -> Row[Any]:
        return Row(name, lambda: made.append(name) or Popularity())  # type: ignore[func-returns-value]

    first = list(measure_all([toy((making("one"),))], keep=keep))
    again = list(measure_all([toy((making("one"), making("two")))], keep=keep))

    assert made == ["one", "two"]
    assert again[0] == first[0]
    assert [one.method for one in read(keep)] == ["one", "two"]
    assert again[1].figures == {"rows": 4.0}


def test_a_study_without_its_archive_is_left_out_and_said() -> None:
    """The others go on."""

    def missing() -> None:
        raise InvalidInput("no data set 'toy'", code="missing")

    said: list[str] = []
    row = Row("it", Popularity)
    measured = list(measure_all([toy((row,), load=missing), toy((row,))], say=said.append))

    assert len(measured) == 1
    assert "toy is left out: no data set 'toy'" in said


def test_the_page() -> None:
    """A section a study, a line a row, causes and sources below."""
    row = Row("it", Popularity, {"rows": 5.0}, "a paper, table 1", note="The toy is small.")
    study = toy((row,))
    measured = list(measure_all([study]))
    text = page([study], measured)

    assert text.startswith("## toy\n\nAs said.\n")
    assert "| it | 4.0000 | 5.0000 | below |" in text
    assert "- *it*: The toy is small." in text
    assert text.rstrip().endswith("Sources: a paper, table 1.")
    assert failing(measured) == []
    assert [one.method for one in failing([Measured("s", "m", {}, {}, 0, "below", "", "")])] == [
        "m"
    ]


def test_figures_are_printed_as_in_papers() -> None:
    """Without the zero."""

    assert (figure(0.71923), figure(1.2), figure(-0.05)) == (".7192", "1.2000", "-.0500")


def test_studies_are_chosen_by_name() -> None:
    """All without any; one that is not there is refused with those that are."""

    assert chosen(STUDIES, []) == list(STUDIES)
    assert [study.name for study in chosen(STUDIES, ["gowalla"])] == ["gowalla"]
    with pytest.raises(InvalidInput, match="there is no study 'netflix'; there are ml-1m-ncf, "):
        chosen(STUDIES, ["netflix"])


def test_every_row_can_be_made_and_is_named_once() -> None:
    """Names differ within a study; keywords are accepted; what is published is a metric of it."""
    for study in STUDIES:
        names = [row.method for row in study.rows]
        assert len(set(names)) == len(names), study.name
        for row in study.rows:
            row.make()
            assert set(row.published) <= set(study.metrics), (study.name, row.method)
            assert bool(row.published) <= bool(row.source), (study.name, row.method)


def test_threads_change_the_time_only() -> None:
    """A method that has threads is given them."""
    seen: list[int] = []
    study = Study(
        "toy", "", ("n",), False, lambda: None,
        lambda parts, model: {"n": seen.append(model.threads) or 0.0},  # type: ignore[func-returns-value]
        (Row("it", EASE),),
    )  # fmt: skip
    list(measure_all([study], threads=3))

    assert seen == [3]
