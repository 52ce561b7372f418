"""SessionKNN: the laws, the papers' formulas in plain Python, and Diginetica."""

from __future__ import annotations

from math import log, log10, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.data import Interactions
from equipoise.errors import InvalidInput
from equipoise.evaluation.sessions import NextClicks, next_click
from equipoise.intake.data_sets import locate
from equipoise.randomness import derive
from equipoise.recommenders.session_knn import SessionKNN
from equipoise.testing.recommenders import LAWS

VSKNN = {"similarity": "dot", "weighting": "quadratic"}
MAKERS = {
    "defaults": lambda: SessionKNN(),
    "v-sknn": lambda: SessionKNN(**VSKNN),
    "sknn": lambda: SessionKNN(weighting="same", score_weighting="same", idf_weighting=0),
    "jaccard": lambda: SessionKNN(similarity="jaccard", weighting="log", score_weighting="log"),
}


def rows_of(sessions: list[list[int]]) -> Interactions:
    """The oldest session first; all items named, met or not."""
    users = [n for n, session in enumerate(sessions) for _ in session]
    return Interactions.from_columns(users, [item for session in sessions for item in session])


def some_sessions(n: int = 60, items: int = 12) -> list[list[int]]:
    rng = derive(0, "test.sessions")
    return [rng.integers(0, items, rng.integers(1, 8)).tolist() for _ in range(n)]


SESSIONS = some_sessions()


def plain(sessions, history, *, k, sample, similarity, weighting, score_weighting, idf):
    """V-SKNN word by word: dictionaries and sets, nothing shared with what is tested."""
    met = [set(session) for session in sessions]
    length = len(history)
    place = {item: at for at, item in enumerate(history, start=1)}
    weigh = {
        "same": lambda at: 1.0,
        "div": lambda at: at / length,
        "linear": lambda at: max(1 - 0.1 * (length - at), 0),
        "log": lambda at: 1 / log10(length - at + 1.7),
        "quadratic": lambda at: (at / length) ** 2,
    }[weighting]
    damp = {
        "same": lambda step: 1.0,
        "div": lambda step: 1 / step,
        "linear": lambda step: max(1 - 0.1 * step, 0),
        "log": lambda step: 1 / log10(step + 1.7),
        "quadratic": lambda step: 1 / step**2,
    }[score_weighting]
    recent = [n for n in range(len(sessions) - 1, -1, -1) if met[n] & set(history)][:sample]
    every = [weigh(at) for at in range(1, length + 1)]

    def alike(n):
        both = sum(weigh(at) for item, at in place.items() if item in met[n])
        if similarity == "dot":
            return both / length
        if similarity == "cosine":
            return both / sqrt(sum(w * w for w in every)) / sqrt(len(met[n]))
        return len(met[n] & set(history)) / (length + len(met[n]) - len(met[n] & set(history)))

    nearest = sorted((n for n in recent if alike(n) > 0), key=lambda n: -alike(n))[:k]
    scores: dict[int, float] = {}
    for n in nearest:
        step = next(s for s, item in enumerate(reversed(history), start=1) if item in met[n])
        for item in met[n]:
            rarity = log(len(sessions) / sum(item in other for other in met))
            value = alike(n) * damp(step) * (1 + idf * rarity)
            scores[item] = scores.get(item, 0) + value
    return scores


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
@pytest.mark.parametrize("name", MAKERS)
def test_law(name, law):
    """The law holds for the recommender."""
    law(MAKERS[name])


@pytest.mark.parametrize("similarity", ["dot", "cosine", "jaccard"])
@pytest.mark.parametrize("weighting", ["same", "div", "linear", "log", "quadratic"])
@pytest.mark.parametrize("k", [4, 100])
def test_scores_are_the_formula(similarity, weighting, k):
    """Every similarity and weighting equals the formula in plain Python, repeats in it too."""
    settings = {"k": k, "sample": 25, "similarity": similarity, "weighting": weighting}
    model = SessionKNN(score_weighting=weighting, idf_weighting=3, **settings)
    model.fit(rows_of(SESSIONS))

    for history in ([3], [5, 1], [2, 7, 2, 4], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 3]):
        expected = plain(SESSIONS, history, score_weighting=weighting, idf=3, **settings)
        scores = model.score([history])[0]
        told = dict(zip(model.item_ids_.tolist(), scores.tolist(), strict=True))

        assert {item for item, value in told.items() if value == value} == set(expected)
        for item, value in expected.items():
            assert told[item] == pytest.approx(value, rel=1e-4, abs=1e-6)


@given(st.lists(st.integers(0, 11), min_size=1, max_size=9), st.integers(1, 70))
def test_only_the_newest_sample_is_looked_at(history, sample):
    """Sessions older than the sample could as well not be there (but for the rarity of items)."""
    met = [n for n, session in enumerate(SESSIONS) if set(session) & set(history)]
    older = set(met[:-sample])
    cut = [session for n, session in enumerate(SESSIONS) if n not in older]
    # One session of everything, the oldest, so that items keep their place.
    full, less = (
        SessionKNN(k=100, sample=sample, idf_weighting=0).fit(rows_of([list(range(12)), *kept]))
        for kept in (SESSIONS, cut)
    )

    scores, others = full.score([history]), less.score([history])

    assert np.allclose(scores, others, equal_nan=True, atol=1e-6)


def test_of_equal_neighbours_the_newer_is_taken():
    """Two sessions alike in all but their age, and room for one."""
    rows = rows_of([["tea", "old"], ["tea", "new"]])

    model = SessionKNN(k=1).fit(rows)

    assert model.recommend(["tea"])[0].tolist() == ["new"]


def test_times_say_which_session_is_newest():
    """The newest row of a session dates it; without times the order of rows does."""
    users, items = ["b", "b", "a", "a"], ["tea", "old", "tea", "new"]

    timeless = SessionKNN(k=1).fit(Interactions.from_columns(users, items))
    turned = SessionKNN(k=1).fit(Interactions.from_columns(users, items, None, [3, 4, 1, 2]))

    assert timeless.recommend(["tea"])[0].tolist() == ["new"]
    assert turned.recommend(["tea"])[0].tolist() == ["old"]


def test_a_weight_says_how_much_an_item_counts():
    """By place milk counts more than tea; with ten times the weight tea does."""
    model = SessionKNN(score_weighting="same").fit(rows_of([["tea", "cup"], ["milk", "jug"]]))
    codes, _ = model.encode(["tea", "milk"])
    allowed = np.isin(model.item_ids_, ["cup", "jug"])

    plainly = model.top_codes(codes, None, allowed, 1)[0]
    weighted = model.top_codes(codes, np.array([10, 1], np.float32), allowed, 1)[0]

    assert model.item_ids_[plainly].tolist() == ["jug"]
    assert model.item_ids_[weighted].tolist() == ["cup"]


def test_what_was_seen_may_come_again():
    """A session that went back: with repeats the history's own item is listed."""
    model = SessionKNN().fit(rows_of([[1, 2, 1], [1, 3]]))

    assert 1 in model.recommend([1], repeats=True)[0]
    assert 1 not in model.recommend([1])[0]


def test_odd_input_has_an_answer():
    """One user, one item, the same row twice, an id of 10⁹, a row taken back, nobody left."""
    one = SessionKNN().fit(Interactions.from_columns(["u", "u"], [10**9, 10**9]))
    back = SessionKNN().fit(Interactions.from_columns([1, 1, 1], ["a", "b", "b"], [1, 2, -2]))
    none = Interactions.from_columns(["u"], ["a"], [-1])

    assert one.recommend([10**9], repeats=True)[0].tolist() == [10**9]
    assert len(one.recommend([10**9])[0]) == 0
    assert back.recommend(["a"], repeats=True)[0].tolist() == ["a"]
    assert np.isnan(SessionKNN().fit(none).score([["a"]])).all()
    assert np.isnan(SessionKNN().fit(none.take(np.array([False]))).score([["a"]])).all()


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"k": 0}, r"k=0\): at least one neighbour"),
        ({"sample": 0}, r"sample=0\): at least one session"),
        ({"idf_weighting": -1}, r"idf_weighting=-1\): zero or more"),
        ({"similarity": "vec"}, r"similarity='vec'\): one of \('dot', 'cosine', 'jaccard'\)"),
        ({"weighting": "cubic"}, r"weighting='cubic'\): one of \('same', 'div', 'linear'"),
        ({"score_weighting": "x"}, r"score_weighting='x'\): one of"),
    ],
)
def test_refusals(keywords, message):
    """A keyword out of range is named, with what would be right."""
    with pytest.raises(InvalidInput, match=message):
        SessionKNN(**keywords).fit(rows_of([[1, 2]]))


def test_diginetica():
    """On the first 2,000 test clicks V-SKNN stands where the literature has it, and plain kNN
    lower."""
    try:
        folder = locate("diginetica")
    except InvalidInput as missing:
        pytest.skip(str(missing))
    lines = (folder / "train_sessions.txt").read_text().splitlines()
    train = rows_of([list(map(int, line.split())) for line in lines])
    lines = (folder / "test_prefix_target.txt").read_text().splitlines()[:2_000]
    asked = [line.split("\t") for line in lines]
    prefixes = [list(map(int, prefix.split())) for prefix, _ in asked]
    targets = [int(target) for _, target in asked]
    clicks = NextClicks(prefixes, targets, np.arange(len(targets)))

    answers = next_click(SessionKNN(**VSKNN).fit(train), clicks)
    better = next_click(SessionKNN().fit(train), clicks)

    # All 60,858 give .5134 and .1827; the standard error here is .011.
    assert answers.hit_rate == pytest.approx(0.513, abs=0.035)
    assert better.hit_rate > answers.hit_rate
    assert better.mrr > answers.mrr
