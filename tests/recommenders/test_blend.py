"""Blend: weights that held-out histories teach, and the standings that they weigh."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.data import Interactions
from equipoise.errors import InvalidInput
from equipoise.evaluation import evaluate
from equipoise.intake.data_sets import DATA_SETS
from equipoise.randomness import derive
from equipoise.recommenders.als import ImplicitALS
from equipoise.recommenders.base import Recommender
from equipoise.recommenders.blend import Blend
from equipoise.recommenders.blend_lessons import Lessons, latest_of, lessons, parts_of
from equipoise.recommenders.blend_weights import LUCK, _around, judge, learnt_weights
from equipoise.recommenders.content import Content
from equipoise.recommenders.ease import EASE
from equipoise.recommenders.item_knn import ItemKNN
from equipoise.recommenders.methods import METHODS
from equipoise.recommenders.popularity import Popularity
from equipoise.recommenders.standings import stand, weighted
from equipoise.testing.recommenders import LAWS, toy
from equipoise.types import Event, Item

MAKERS = {
    "by mappings": lambda: Blend(
        [{"name": "ease", "regularization": 5}, {"name": "item_knn", "k": 40, "shrinkage": 1}]
    ),
    "other ids, latest": lambda: Blend([ItemKNN(k=40, shrinkage=1), Content()], latest=True),
    "other ids, random": lambda: Blend(
        [EASE(regularization=5), Popularity(), Content()], latest=False, folds=3
    ),
}


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
@pytest.mark.parametrize("name", MAKERS)
def test_law(name, law):
    """The law holds for a blend."""
    law(MAKERS[name])


# ---------------------------------------------------------------- standings


def standing(scores, met=()):
    out = np.empty(len(scores), np.float32)
    stand(np.array(scores, np.float32), np.array(met, np.int32), out)
    return out


@given(
    st.lists(st.integers(-100, 100), min_size=3, max_size=9), st.floats(0.1, 50), st.floats(-9, 9)
)
def test_standings_know_no_scale(scores, times, more):
    """A positive factor and a constant change nothing; the order of scores is kept."""
    plain = standing(scores)

    assert np.allclose(plain, standing([times * s + more for s in scores]), atol=2e-3)
    assert (np.argsort(plain, kind="stable") == np.argsort(scores, kind="stable")).all()


def test_standings_by_hand():
    """z = ±1 and 0 over those that have a score and were not met; the met are measured too."""
    out = standing([1.0, 3.0, np.nan, 9.0], met=[3])

    assert np.allclose(out[:2], [1 - np.sqrt(3), np.sqrt(3) - 1], atol=1e-6)
    assert np.isnan(out[2])
    assert out[3] == pytest.approx(np.sqrt(1 + 2 * 7) - 1)
    assert standing([4.0, 4.0, np.nan]).tolist()[:2] == [0, 0]
    assert np.isnan(standing([np.nan, np.nan])).all()


def test_weighted_by_hand():
    """Silence on an item adds nothing; silence throughout, or no weight, is not counted at all."""
    rows = np.array([[1, 2, np.nan], [3, np.nan, np.nan], [np.nan] * 3], np.float32)

    assert weighted(rows, np.array([0.5, 0.25, 0.25]))[:2] == pytest.approx([1.25 / 0.75, 1 / 0.75])
    assert np.isnan(weighted(rows, np.array([0.5, 0.25, 0.25]))[2])
    assert np.isnan(weighted(rows, np.array([0, 1, 0]))[1])
    assert np.isnan(weighted(rows, np.array([0, 0, 1]))).all()


# ---------------------------------------------------------------- what is held out


def crowd(users=60, items=25, rows=600):
    rng = derive(3, "test.blend")
    columns = (rng.integers(0, users, rows), rng.integers(0, items, rows))
    return Interactions.from_columns(*columns, timestamps=np.arange(rows) * 1_000 + 1)


def test_parts_are_dealt_evenly():
    """A pair is in one part with all its rows; a user's parts differ by one pair at most."""
    rows = crowd()
    part = parts_of(rows, 4, derive(0, "test"))
    pairs = {(u, i, p) for u, i, p in zip(rows.user, rows.item, part, strict=True)}
    counts = np.zeros((rows.n_users, 4), int)
    for user, _, number in pairs:
        counts[user, number] += 1

    assert len({(u, i) for u, i, _ in pairs}) == len(pairs) < len(rows)
    assert (counts.max(axis=1) - counts.min(axis=1)).max() == 1
    assert counts.sum(axis=0).max() < 1.2 * counts.sum(axis=0).min()


def test_the_latest_are_the_latest():
    """No kept pair of a user began after a held-out one; an only pair is kept."""
    rows = crowd()
    part = latest_of(rows, 5)
    lone = Interactions.from_columns(["u", "u"], ["a", "a"], timestamps=[1, 2])

    for user in range(rows.n_users):
        mine = np.flatnonzero(rows.user == user)
        first = {item: place for place, item in reversed(list(enumerate(rows.item[mine])))}
        held = [place for item, place in first.items() if part[mine][place] == 0]
        kept = [place for item, place in first.items() if part[mine][place] == 1]
        assert len(held) == max(1, len(first) // 5)
        assert min(held) > max(kept)
    assert latest_of(lone, 5).tolist() == [1, 1]


def held_out(rows, members, **keywords):
    return lessons(
        rows,
        lambda kept: [type(m)(**m.parameters()).fit(kept) for m in members],
        members=len(members),
        rng=derive(0, "test"),
        **{"n": 5, "folds": 4, "latest": False, "users": 1_000, **keywords},
    )


def test_no_more_parts_than_users_ask_for():
    """Two parts for half as many users again as one part judges; all parts where it cannot be."""
    fits = []

    class Counted(Popularity):
        def fit(self, interactions, *, items=None):
            fits.append(len(interactions))
            return super().fit(interactions, items=items)

    found = [len(held_out(crowd(), [Counted()], users=users)) for users in (50, 90, 9_999)]

    assert found[:2] == [50, 90]
    assert len(fits) == 1 + 2 + 4


def test_judged_by_hand():
    """Found at ranks 1 and 4 of two wanted; not found; NaN never found, whatever the rivals."""
    nan = np.nan
    rows = [[3, nan], [1, nan], [2, nan], [1.5, nan], [0, 9], [1, nan], [nan, 5], [1, nan]]
    found = Lessons(np.array(rows, np.float32), np.array([0, 4, 6, 8]), np.array([2, 1, 1]))
    ideal = 1 + 1 / np.log2(3)

    first = judge(found, np.array([1.0, 0.0]), 3)
    both = judge(found, np.array([0.5, 0.5]), 4)

    assert first.tolist() == pytest.approx([1 / ideal, 1 / np.log2(3), 0])
    assert both.tolist() == pytest.approx([(1 + 1 / np.log2(5)) / ideal, 1, 1])


def test_ties_are_lost():
    """A member that scores all alike is judged as if each rival stood above."""
    found = held_out(crowd(), [Popularity(), Constant()])

    assert judge(found, np.array([0.0, 1.0]), 5).max() == 0
    assert judge(found, np.array([1.0, 0.0]), 5).mean() > 0.05


class Constant(Popularity):
    name = "constant"

    def score_codes(self, codes, weights=None):
        return np.ones(len(self.item_ids_), np.float32)


# ---------------------------------------------------------------- weights


def test_no_member_alone_is_better_where_it_was_learned():
    """Nor equal weights; weights are a distribution; no step around gains more than luck."""
    members = [EASE(regularization=5), ItemKNN(k=40), Popularity()]
    found = held_out(toy()[0], members)
    weights = learnt_weights(found, 5).astype(float)
    marks = judge(found, weights, 5)
    gains = [judge(found, other, 5) - marks for other in _around(weights)]

    assert weights.sum() == pytest.approx(1)
    assert (weights >= 0).all()
    for other in (*np.eye(3), np.full(3, 1 / 3)):
        assert marks.mean() >= judge(found, other, 5).mean() - 1e-9
    assert all(g.mean() <= LUCK * g.std() / np.sqrt(len(g)) + 1e-6 for g in gains)


def test_a_useless_member_gets_nothing():
    """Noise beside a good method is left alone, and the lists are those of the method."""

    class Noise(Popularity):
        name = "noise"

        def score_codes(self, codes, weights=None):
            rng = derive(int(codes.sum()), "noise")
            return rng.normal(size=len(self.item_ids_)).astype(np.float32)

    rows, _ = toy()
    blend = Blend([EASE(regularization=5), Noise()], latest=False).fit(rows)
    alone = EASE(regularization=5).fit(rows)
    histories = rows.histories(unique=True)[:10]

    assert blend.weights_[0] > 0.75
    same = blend.recommend_batch(histories, 3)[0] == alone.recommend_batch(histories, 3)[0]
    assert same.mean() > 0.8


def two_worlds():
    """Two departments: in one the customers tell what goes together, in the other the catalogue.

    Of the first, things bought by the same people have nothing in common by their tags. Of the
    second each thing is bought by one or two, and people keep to one of many kinds.
    """
    rng = derive(1, "two worlds")
    pairs = []
    for user in range(150):
        pairs += [(user, f"p{user % 5}-{thing}") for thing in rng.choice(8, 4, replace=False)]
        pairs += [(user, f"q{user % 75}-{thing}") for thing in rng.choice(8, 4, replace=False)]
    names = [f"p{k}-{n}" for k in range(5) for n in range(8)]
    catalogue = [Item(item_id=name, tags=(f"tag {name[-1]}",)) for name in names]
    names = [f"q{k}-{n}" for k in range(75) for n in range(8)]
    catalogue += [Item(item_id=name, tags=(name.partition("-")[0],)) for name in names]
    users, items = zip(*(pairs[place] for place in rng.permutation(len(pairs))), strict=True)
    times = np.arange(len(pairs)) * 1_000
    return Interactions.from_columns(users, items, timestamps=times), catalogue


def test_members_that_complement_one_another():
    """Each knows half of what is bought: together they are better than either, by far."""
    rows, catalogue = two_worlds()
    train, test = rows.split_last(2)
    members = {"item_knn": ItemKNN(k=20), "content": Content(fields={"tags": 1})}
    judged = {**members, "blend": Blend([*members.values()])}
    table = evaluate(train, test, judged, n=(10,), baselines=[], items=catalogue)
    found = {row["recommender"]: row["ndcg@10"] for row in table.to_dicts()}

    assert found["blend"] > 1.15 * max(found["item_knn"], found["content"])


def test_as_good_as_the_best_on_a_real_set():
    """MovieLens 100K, the last five of each: the blend is not behind its best member."""
    try:
        nouns = list(DATA_SETS["ml-100k"]())
    except InvalidInput as missing:
        pytest.skip(str(missing))
    events = [noun for noun in nouns if isinstance(noun, Event)]
    train, test = Interactions.from_events(events).split_last(5)
    members = {"knn": ItemKNN(weighting="tfidf"), "ease": EASE(regularization=300),
               "popular": Popularity(half_life_days=30)}  # fmt: skip
    judged = {**members, "blend": Blend([*members.values()])}
    table = evaluate(train, test, judged, n=(20,), baselines=[])
    each = {name: values["ndcg@20"] for name, values in table.per_user.items()}
    best = max(members, key=lambda name: each[name].mean())
    gain = each["blend"] - each[best]

    assert gain.mean() > -gain.std() / np.sqrt(len(gain))


# ---------------------------------------------------------------- as a recommender


def test_other_weights_without_a_fit():
    """All weight on one member ranks as it does; ``score_codes`` is the same function."""
    rows, _ = toy()
    blend = Blend([EASE(regularization=5), Popularity()]).fit(rows)
    codes, _ = blend.encode(rows.histories()[0])
    standings = blend.standings(codes)
    alone = Popularity().fit(rows).score_codes(codes)

    assert (blend.score_codes(codes) == weighted(standings, blend.weights_)).all()
    only = weighted(standings, np.array([0, 1]))
    assert (np.argsort(-only, kind="stable") == np.argsort(-alone, kind="stable")).all()


def test_members_stay_as_they_were():
    """What was handed in is not fitted; the same keywords are, generators with them."""
    handed = [ImplicitALS(factors=4, epochs=2, random_state=derive(0, "test")), Popularity()]
    blend = Blend(handed).fit(toy()[0])

    assert "item_ids_" not in handed[0].__dict__
    assert blend.members_[0].random_state is handed[0].random_state
    assert blend.parameters()["recommenders"][0]["name"] == "als"
    assert blend.parameters()["recommenders"][0]["random_state"] is None


def test_blends_of_blends_are_stored():
    """Arrays nest under the place of the member, to any depth; ids stand once."""
    rows, items = toy()
    inner = Blend([EASE(regularization=5), Popularity()])
    blend = Blend([inner, Content()]).fit(rows, items=items)
    arrays = blend.arrays()
    loaded = Blend.from_arrays(arrays)
    histories = rows.histories()[:5]

    assert {"0.weights", "0.0.indptr", "0.1.counts", "1.terms"} <= set(arrays)
    assert "0.0.item_ids" not in arrays
    assert np.array_equal(loaded.score(histories), blend.score(histories), equal_nan=True)


def test_methods_of_ones_own():
    """A class that names them loads a blend of them; ``Blend`` says what it knows."""

    class Mine(Blend):
        methods = (*METHODS, Constant)

    arrays = Blend([Constant(), Popularity()]).fit(toy()[0]).arrays()

    with pytest.raises(InvalidInput, match="there is no recommender 'constant'; there are popul"):
        Blend.from_arrays(arrays)
    assert isinstance(Mine.from_arrays(arrays).members_[0], Constant)


def test_default_members():
    """Without keywords, as settings make it."""
    blend = Blend().fit(toy()[0])

    assert [m.name for m in blend.members_] == ["als", "item_knn", "rp3beta"]
    assert isinstance(blend, Recommender)


@pytest.mark.parametrize(
    "rows",
    [
        Interactions.from_columns(["u"], ["a"]),
        Interactions.from_columns(["u", "u", "u"], ["a", "a", "b"], [1, 1, -1]),
        Interactions.from_columns([1, 2, 3], [10**9, 7, 8]),
    ],
    ids=["one row", "duplicates, sent back", "a user a row"],
)
def test_too_little_to_learn_weights(rows):
    """Nothing can be held out and found: a recommender all the same."""
    blend = Blend([Popularity(), ItemKNN()]).fit(rows)

    assert blend.weights_.sum() == pytest.approx(1)
    assert blend.score([[], ["?"]]).shape == (2, len(rows.item_ids))


def test_equal_weights_where_nobody_can_be_judged():
    """Everybody has one item."""
    rows = Interactions.from_columns([1, 2, 3], ["a", "a", "b"])

    assert Blend([Popularity(), ItemKNN()]).fit(rows).weights_.tolist() == [0.5, 0.5]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"recommenders": []}, "at least one, each a recommender or its keywords, is wanted"),
        ({"recommenders": ["ease"]}, "each a recommender or its keywords"),
        ({"recommenders": [{"name": "eese"}]}, "there is no recommender 'eese'; there are popul"),
        ({"recommenders": [{"name": "ease", "regularisation": 1}]}, "'regularisation'; its keyw"),
        ({"recommenders": [{"name": "ease", "regularization": -1}]}, "a positive number is wan"),
        ({"n": 0}, "Blend\\(n=0\\): at least one is wanted"),
        ({"folds": 1}, "at least two is wanted"),
        ({"users": 0}, "at least one is wanted"),
    ],
)
def test_refusals(given, words):
    """What is wrong, and what would be right."""
    with pytest.raises(InvalidInput, match=words):
        Blend(**{"recommenders": [Popularity()], **given}).fit(toy()[0])
