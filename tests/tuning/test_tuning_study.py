"""The search: the same seed tries the same, one left goes on, and it finds what is there."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

from equipoise.data import Interactions
from equipoise.errors import InvalidInput
from equipoise.randomness import derive
from equipoise.recommenders import Content, ItemKNN, Popularity
from equipoise.recommenders.explicit_als import ExplicitALS
from equipoise.testing.recommenders import toy
from equipoise.tuning import Goal, OneOf, Real, Search, Whole, by_time, by_user, tune
from equipoise.tuning import study as study_of

GOAL = Goal("ndcg@5")


class Hill(Popularity):
    """As good as its keyword is near 0.3: the toy's scores, with so much noise added."""

    name = "hill"
    fits = 0

    def __init__(self, *, x=0.9, flat=False, refused=False, threads=1):
        super().__init__()
        self.x, self.flat, self.refused, self.threads = x, flat, refused, threads

    def fit(self, interactions, *, items=None):
        Hill.fits += 1
        self.require("x", not self.refused, "another x")
        super().fit(interactions)
        noise = derive(0, "hill").permutation(len(self.counts_)).astype(np.float32)
        far = 0.0 if self.flat else abs(self.x - 0.3) * 20
        self.counts_ = self.counts_ + np.float32(far) * noise
        return self


SPACE = {"x": Real(0.0, 1.0, log=False)}


def hill(cuts=1, space=SPACE, **keywords):
    return Search(Hill, by_user(toy()[0], share=0.4, cuts=cuts), GOAL, space, **keywords)


def told(found):
    return [(one.number, dict(one.keywords), one.value, one.reason) for one in found.trials]


def test_the_same_seed_tries_the_same():
    """Trial for trial, value for value; another seed tries something else."""
    first, again, other = (tune(hill(seed=seed), trials=12) for seed in (4, 4, 5))

    assert told(first) == told(again)
    assert told(first) != told(other)


def test_a_search_goes_on_where_it_was_left(tmp_path):
    """In three sittings, on more threads in the last, what one gives; a full one tries no more."""
    file = tmp_path / "tune.db"
    for trials in (3, 11):
        tune(hill(), trials=trials, storage=file)
    last = tune(hill(fixed={"threads": 2}), trials=14, storage=file)
    fits = Hill.fits
    full = tune(hill(), trials=14, storage=file)

    assert told(last) == told(tune(hill(), trials=14)) == told(full)
    assert Hill.fits == fits + 1 + 14
    assert full.defaults == last.defaults


def test_other_data_is_another_study(tmp_path):
    """One file holds the searches of several questions apart."""
    file = tmp_path / "tune.db"
    tune(hill(), trials=4, storage=file)
    others = [hill(seed=1), hill(space={"x": Real(0.0, 2.0, log=False)}), hill(cuts=2)]

    assert [len(tune(one, trials=1, storage=file).trials) for one in others] == [1, 1, 1]
    assert len({hill().name, *(one.name for one in others)}) == 4


def test_a_killed_trial_is_failed(tmp_path):
    """What was running when its process died is not waited for."""
    file, search = tmp_path / "tune.db", hill()
    study_of._study(search, file).ask()
    found = tune(search, trials=3, storage=file)

    assert [one.value is None for one in found.trials] == [True, False, False]


def test_it_finds_the_hill():
    """Better than the defaults, near the top, and the keyword explains all."""
    found = tune(hill(), trials=25)

    assert found.best is not None
    assert found.best.value > found.defaults
    assert abs(found.best.keywords["x"] - 0.3) < 0.1
    assert found.ranked()[0] == found.best
    assert found.importance == {"x": pytest.approx(1.0)}


def test_what_does_not_matter_has_no_share():
    """Beside a keyword that does nothing, the other has nearly all of the variance."""
    found = tune(hill(space={**SPACE, "threads": Whole(1, 64)}), trials=25)

    assert found.importance["x"] > 0.6
    assert sum(found.importance.values()) == pytest.approx(1)
    assert list(found.importance) == ["x", "threads"]


def test_few_or_equal_trials_say_nothing_of_importance():
    """Under eight, or all with one value; and the defaults are as good as any of these."""
    few, flat = tune(hill(), trials=7), tune(hill(fixed={"flat": True}), trials=9)

    assert few.importance == flat.importance == {}
    assert flat.best is None
    assert flat.keywords() == {}
    assert flat.toml() == "[recommenders.hill]\n"


def test_with_several_cuts_the_hopeless_are_given_up():
    """After the first cut, so with fewer fits than cuts times trials; never the first five."""
    before = Hill.fits
    found = tune(hill(cuts=3), trials=20)
    given_up = [one.number for one in found.trials if one.reason == "given up"]

    assert given_up
    assert min(given_up) >= 5
    assert Hill.fits - before == 3 + sum(1 if one.reason else 3 for one in found.trials)
    assert all(one.value is None for one in found.trials if one.reason)


def test_a_refused_trial_fails_and_says_why():
    """The others go on; where all fail the reasons are the error."""
    space = {**SPACE, "refused": OneOf((False, True))}
    found = tune(hill(space=space), trials=12)
    reasons = {one.reason for one in found.trials if one.value is None}

    assert {one.keywords["refused"] for one in found.trials if one.value is not None} == {False}
    assert len(reasons) > 0
    assert all("another x is wanted" in reason for reason in reasons)
    with pytest.raises(InvalidInput, match=r"no trial could be judged: .*another x is wanted"):
        tune(hill(fixed={"refused": True}), trials=2)


def test_no_trial_begins_too_late():
    """Without a second to spend nothing is tried, and the defaults are told."""
    found = tune(hill(), trials=9, seconds=0)

    assert found.trials == ()
    assert found.best is None
    assert found.defaults > 0


def test_progress_is_said():
    """Which trial of how many, and the best so far."""
    said = []
    tune(hill(), trials=3, say=said.append)

    assert said[0] == "Trial 1 of 3"
    assert said[2].startswith("Trial 3 of 3, best 0.")


def test_errors_are_to_be_small():
    """RMSE is minimised."""
    rng = derive(0, "test.ratings")
    user, item = np.divmod(rng.permutation(600)[:300], 20)
    stars = 3 + 0.3 * (user % 5) - 0.5 * (item % 3) + rng.normal(0, 0.1, 300)
    rows = Interactions.from_columns(user, item, stars)
    search = Search(
        ExplicitALS, by_user(rows), Goal("rmse"), {"regularization": Real(1e-3, 10.0)},
        fixed={"factors": 2, "epochs": 4},
    )  # fmt: skip
    found = tune(search, trials=8)
    values = [one.value for one in found.ranked()]

    assert values == sorted(values)
    assert values[0] < 0.5
    with pytest.raises(InvalidInput, match="judged: Popularity predicts no ratings, which rmse"):
        tune(Search(Popularity, by_user(rows), Goal("rmse")), trials=1)


def test_nested_keywords_reach_the_method():
    """Content's weights of fields, with the items of the catalogue."""
    rows, items = toy()
    search = Search(Content, by_time(rows, days=20), GOAL, items=items)
    found = tune(search, trials=2)

    assert set(found.trials[0].keywords) >= {"fields.title", "fields.categories"}
    assert found.trials[0].value > 0


@pytest.mark.parametrize("module", ["optuna", "sklearn"])
def test_without_the_extra(module, monkeypatch):
    """The error names what is missing and how to get it."""
    there = importlib.util.find_spec
    monkeypatch.setattr(study_of, "find_spec", lambda name: None if name == module else there(name))

    with pytest.raises(InvalidInput, match=rf"needs {module}, .*pip install 'equipoise\[tune\]'"):
        tune(hill(), trials=1)


def test_refusals():
    """A method without a space; nothing to judge on; a metric that comes out as no number."""
    with pytest.raises(InvalidInput, match="Hill has no space to be tuned in; give one, or take"):
        Search(Hill, by_user(toy()[0]))
    with pytest.raises(InvalidInput, match="no cut to judge on"):
        Search(ItemKNN, [])


def test_a_value_must_be_a_number(monkeypatch):
    """A metric without one fails the trial."""
    monkeypatch.setattr(Goal, "measure", lambda *arguments: float("nan"))

    with pytest.raises(InvalidInput, match="no trial could be judged: ndcg@5 is nan"):
        tune(hill(), trials=1)
