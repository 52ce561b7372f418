"""Social: the laws, its formula in NumPy, who may ask and how, and Last.fm's friends."""

from __future__ import annotations

import numpy as np
import pytest

from equipoise.data import Interactions
from equipoise.errors import InvalidInput, NotFitted
from equipoise.evaluation import ndcg
from equipoise.evaluation.significance import compare
from equipoise.intake.data_sets import locate
from equipoise.randomness import derive
from equipoise.recommenders.social import Social
from equipoise.testing.recommenders import LAWS

USERS, ITEMS = 30, 20


def some_rows() -> Interactions:
    rng = derive(0, "test.social")
    users, items = rng.integers(0, USERS, 300), rng.integers(0, ITEMS, 300)
    return Interactions.from_columns(users, items, rng.integers(1, 6, 300).astype(float))


def some_links() -> list[tuple[int, int, float]]:
    rng = derive(1, "test.social")
    pairs = {(int(a), int(b)) for a, b in rng.integers(0, USERS, (60, 2)) if a != b}
    return [(a, b, 0.5 + (a + b) % 3) for a, b in sorted(pairs)]


ROWS, LINKS = some_rows(), some_links()


def plain(user: int, *, k: int, friend_weight: float, friend_boost: float, use_values: bool):
    """(I,) the formula; 0 where nobody asked met the item."""
    met = ROWS.matrix().toarray().astype(float)
    x = np.log1p(met) if use_values else (met > 0).astype(float)
    rarity = np.maximum(np.log(len(x) / (1 + (x > 0).sum(axis=0))), 0)
    unit = x * rarity / np.linalg.norm(x * rarity, axis=1, keepdims=True)
    cosine = unit @ unit[user]
    nearest = np.argsort(-cosine, kind="stable")[:k]
    scores = (cosine[nearest, None] * x[nearest]).sum(axis=0)
    for asker, friend, trust in LINKS:
        if asker == user:
            scores += trust * (friend_weight + friend_boost * cosine[friend]) * x[friend]
    return scores


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_law(law):
    """The law holds for a stranger, whose friends nobody knows."""
    law(lambda: Social())


@pytest.mark.parametrize("use_values", [False, True])
def test_scores_are_the_formula(use_values):
    """For users of the training data with their links."""
    settings = {"k": 7, "friend_weight": 0.3, "friend_boost": 2.0, "use_values": use_values}
    model = Social(**settings).fit(ROWS, friends=LINKS)

    for user in range(USERS):
        ids, scores = model.recommend_for(user, ITEMS, repeats=True)
        expected = plain(user, **settings)

        assert set(ids.tolist()) == set(np.flatnonzero(expected).tolist())
        assert scores.tolist() == pytest.approx(expected[ids.astype(int)].tolist(), rel=1e-4)


def test_bringing_friends_along_is_being_known():
    """The list of a user by id is the list of the same history with the same friends' histories."""
    model = Social().fit(ROWS, friends=LINKS)
    histories = ROWS.histories(unique=True)

    for user in range(USERS):
        theirs = [(friend, trust) for asker, friend, trust in LINKS if asker == user]
        by_id = model.recommend_for(user, 9)
        among = model.recommend_among(
            histories[user],
            [histories[friend] for friend, _ in theirs],
            9,
            trust=[trust for _, trust in theirs],
        )

        assert by_id[0].tolist() == among[0].tolist()
        assert np.allclose(by_id[1], among[1], rtol=1e-5)


def test_without_links_it_is_a_stranger():
    """Nobody's friend: by id, among none, and by history are one."""
    model = Social().fit(ROWS)
    history = ROWS.histories(unique=True)[4]
    lists = [
        model.recommend_for(4)[0],
        model.recommend_among(history, [])[0],
        model.recommend(history)[0],
    ]

    assert len({tuple(one.tolist()) for one in lists}) == 1


def test_friends_speak_for_a_newcomer():
    """Somebody who met nothing gets what the friends met; so does one without any row."""
    rows = Interactions.from_columns(["ann", "ann", "bob", "cy"], ["tea", "milk", "beer", "rice"])
    model = Social().fit(rows, friends=[("new", "ann"), ("new", "bob", 3.0), ("new", "ghost")])

    assert model.recommend_for("new")[0].tolist() == ["beer", "milk", "tea"]
    assert model.recommend_among([], [["rice"], ["?"]])[0].tolist() == ["rice"]
    assert len(model.recommend([])[0]) == 0


def test_links_are_one_way_and_the_last_holds():
    """A link back is another link; told twice, the later trust counts; a link to oneself says
    nothing."""
    rows = Interactions.from_columns(["ann", "bob", "cy"], ["tea", "beer", "rice"])
    links = [("ann", "bob", 1.0), ("ann", "cy", 2.0), ("ann", "bob", 3.0), ("ann", "ann", 9.0)]
    model = Social().fit(rows, friends=links)

    assert model.recommend_for("ann")[0].tolist() == ["beer", "rice"]
    assert len(model.recommend_for("bob")[0]) == 0


def test_neither_ids_nor_links_are_stored():
    """A loaded model answers histories and friends' histories, and knows nobody by id."""
    model = Social().fit(ROWS, friends=LINKS)
    arrays = model.arrays()
    loaded = Social.from_arrays(arrays)

    assert set(arrays) == {"item_ids", "parameters", "indptr", "items", "values"}
    for asked in ([1, 2], []):
        before, after = (one.recommend_among(asked, [[3, 4]])[0] for one in (model, loaded))
        assert before.tolist() == after.tolist()
    with pytest.raises(NotFitted, match="loaded or not fitted, and no user ids are stored"):
        loaded.recommend_for(1)


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"k": 0}, r"k=0\): at least one neighbour"),
        ({"friend_weight": -1}, r"friend_weight=-1\): zero or more"),
        ({"friend_boost": -1}, r"friend_boost=-1\): zero or more"),
    ],
)
def test_refusals(keywords, message):
    """A keyword out of range is named, with what would be right."""
    with pytest.raises(InvalidInput, match=message):
        Social(**keywords).fit(ROWS)


@pytest.mark.parametrize("link", [(1,), (1, 2, 3, 4), (1, 2, 0.0), (1, 2, -1.0), (1, 2, np.nan)])
def test_bad_links_are_refused(link):
    """A link of another form, or with a trust that is none, is named by its place."""
    with pytest.raises(InvalidInput, match=r"link 1 is .*; \(user, friend\) or"):
        Social().fit(ROWS, friends=[(1, 2), link])


def test_bad_questions_are_refused():
    """A user nobody heard of; no list; a trust for another number of friends, or a negative one."""
    model = Social().fit(ROWS)

    with pytest.raises(InvalidInput, match="user 'x' is neither in the training data nor in a lin"):
        model.recommend_for("x")
    with pytest.raises(InvalidInput, match="n is 0; at least 1 item"):
        model.recommend_for(1, 0)
    for trust in ([1.0, 2.0], [-1.0]):
        with pytest.raises(InvalidInput, match="one positive number for each of 1 friends"):
            model.recommend_among([1], [[2]], trust=trust)


def test_odd_input_has_an_answer():
    """One user with one item twice and an id of 10⁹; nothing left at all."""
    rows = Interactions.from_columns(["u", "u"], [10**9, 10**9])
    empty = rows.take(np.zeros(2, np.bool_))

    assert len(Social().fit(rows).recommend([10**9], repeats=True)[0]) == 0
    assert len(Social().fit(empty, friends=[("u", "v")]).recommend_for("u")[0]) == 0


def test_friends_help_on_lastfm():
    """Last.fm (HetRec 2011), a fifth of the plays held out: nDCG@10 with links against without."""
    try:
        folder = locate("lastfm-hetrec")
    except InvalidInput as missing:
        pytest.skip(str(missing))
    plays = np.loadtxt(folder / "ratings.txt", dtype=np.int64)
    links = [tuple(link) for link in np.loadtxt(folder / "trusts.txt", dtype=np.int64).tolist()]
    held = derive(0, "lastfm.test").random(len(plays)) < 0.2
    train = Interactions.from_columns(*plays[~held].T[:2], plays[~held, 2].astype(float))
    known = set(train.user_ids.tolist())
    wanted: dict[int, set[int]] = {}
    for user, artist, _ in plays[held].tolist():
        if user in known:
            wanted.setdefault(user, set()).add(artist)

    def judged(friends):
        model = Social(use_values=True).fit(train, friends=friends)
        lists = [model.recommend_for(user, 10)[0].tolist() for user in wanted]
        hits = np.zeros((len(lists), 10), np.bool_)
        for row, ids, artists in zip(hits, lists, wanted.values(), strict=True):
            row[: len(ids)] = [id_ in artists for id_ in ids]
        return ndcg(hits, np.array([len(artists) for artists in wanted.values()]))

    comparison = compare(judged(links), judged([]), samples=2_000)

    # .2279 without links.
    assert comparison.difference == pytest.approx(0.0060, abs=0.0005)
    assert comparison.p_value < 0.01
