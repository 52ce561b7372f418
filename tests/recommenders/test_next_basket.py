"""NextBasket: the laws, the paper's formula in plain NumPy, and a shop's last month."""

from __future__ import annotations

import numpy as np
import pytest

from equipoise.data import Interactions
from equipoise.errors import InvalidInput
from equipoise.evaluation import evaluate
from equipoise.intake.data_sets import locate, online_retail
from equipoise.randomness import derive
from equipoise.recommenders.next_basket import NextBasket
from equipoise.testing.recommenders import LAWS
from equipoise.types import Event

MAKERS = {
    "defaults": lambda: NextBasket(),
    "neighbours alone": lambda: NextBasket(own=0.0, k=7),
    "without decay": lambda: NextBasket(groups=1, basket_decay=1.0, group_decay=1.0),
}
ITEMS = 12


def some_baskets(customers: int = 25) -> list[list[tuple[int, ...]]]:
    """Of each customer, the oldest basket first; nobody has none."""
    rng = derive(0, "test.baskets")
    return [
        [
            tuple(sorted(rng.choice(ITEMS, rng.integers(1, 5), replace=False).tolist()))
            for _ in range(rng.integers(1, 9))
        ]
        for _ in range(customers)
    ]


BASKETS = some_baskets()


def rows_of(customers: list[list[tuple[int, ...]]]) -> Interactions:
    rows = [
        (customer, item, time)
        for customer, baskets in enumerate(customers)
        for time, basket in enumerate(baskets)
        for item in basket
    ]
    users, items, times = zip(*rows, strict=True)
    return Interactions.from_columns(users, items, None, times)


def vector(baskets, groups, basket_decay, group_decay) -> np.ndarray:
    """v of a customer, before it is scaled: runs of like size, the newer ones the longer."""
    count = min(groups, len(baskets))
    runs = [part[::-1] for part in np.array_split(np.arange(len(baskets))[::-1], count)]
    v = np.zeros(ITEMS)
    for g, run in enumerate(runs):
        for b, at in enumerate(reversed(run)):
            for item in baskets[at]:
                v[item] += basket_decay**b * group_decay**g / (count * len(run))
    return v


def plain(history, *, k, own, **decays) -> np.ndarray:
    v = vector(history, **decays)
    v /= np.linalg.norm(v)
    others = np.array([vector(baskets, **decays) for baskets in BASKETS])
    others /= np.linalg.norm(others, axis=1, keepdims=True)
    cosine = others @ v
    nearest = [n for n in np.argsort(-cosine, kind="stable")[:k] if cosine[n] > 0]
    return own * v + (1 - own) * others[nearest].mean(axis=0)


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
@pytest.mark.parametrize("name", MAKERS)
def test_law(name, law):
    """The law holds for the recommender."""
    law(MAKERS[name])


@pytest.mark.parametrize("groups", [1, 3, 100])
@pytest.mark.parametrize("own", [0.0, 0.4, 1.0])
def test_scores_are_the_formula(groups, own):
    """For histories that tell their baskets the scores equal the formula."""
    settings = {"groups": groups, "basket_decay": 0.8, "group_decay": 0.6}
    model = NextBasket(k=5, own=own, **settings).fit(rows_of(BASKETS))

    for history in BASKETS[:8]:
        scores = np.nan_to_num(model.score([history])[0])

        assert np.allclose(scores, plain(history, k=5, own=own, **settings), atol=1e-5)


def test_own_alone_and_without_decay_is_personal_frequency():
    """The order is that of how many of one's baskets hold an item."""
    settings = {"groups": 1, "basket_decay": 1.0, "group_decay": 1.0}
    model = NextBasket(own=1.0, **settings).fit(rows_of(BASKETS))
    history = BASKETS[3]
    held = np.array([sum(item in basket for basket in history) for item in range(ITEMS)])

    scores = np.nan_to_num(model.score([history])[0])

    assert np.allclose(scores, held / np.linalg.norm(held))


def test_a_basket_is_a_tuple_a_frozenset_or_a_bare_id_beside_one():
    """Three ways to write the same history; one item twice in a basket counts once."""
    model = NextBasket().fit(rows_of(BASKETS))
    first = model.score([[(1, 2), (3,)]])

    assert np.array_equal(first, model.score([[frozenset({1, 2}), 3]]))
    assert np.array_equal(first, model.score([[(2, 1, 2), ("?",), (3, "?")]]))


def test_a_flat_history_is_cut_from_its_newest_end():
    """Baskets of the mean size, which is 2 here; the oldest takes what is left."""
    model = NextBasket().fit(rows_of([[(0, 1), (2, 3)], [(1, 2)]]))

    assert model.basket_size_.tolist() == [2.0]
    assert np.array_equal(model.score([[0, 1, 2, 3, 1]]), model.score([[(0,), (1, 2), (3, 1)]]))


def test_ids_that_are_tuples_are_ids():
    """An id of the training data is never taken for a basket."""
    rows = Interactions.from_columns([1, 1, 2], [("a", 1), ("b", 2), ("a", 1)])
    model = NextBasket().fit(rows)

    assert model.recommend([("a", 1)])[0].tolist() == [("b", 2)]
    assert model.recommend([(("a", 1), "?")])[0].tolist() == [("b", 2)]


def test_newer_baskets_count_more():
    """What was bought last comes before what was bought first, all else alike."""
    model = NextBasket(own=1.0).fit(rows_of(BASKETS))

    assert model.recommend([(4,), (5,), (6,)], repeats=True)[0].tolist() == [6, 5, 4]


def test_the_scale_of_weights_means_nothing():
    """``score_codes`` takes v at any scale, as a service's profile gives it."""
    model = NextBasket().fit(rows_of(BASKETS))
    codes, v = model.encode(BASKETS[0])

    assert np.allclose(model.score_codes(codes, v), model.score_codes(codes, 7 * v), equal_nan=True)


def test_nobody_gets_the_mean_customer():
    """An empty history is answered; items that nobody bought are not in it."""
    rows = Interactions.from_columns([1, 1, 2, 2], ["a", "b", "a", "c"], [1, 1, 1, -1])
    model = NextBasket().fit(rows)

    assert model.recommend([])[0].tolist() == ["a", "b"]


def test_odd_input_has_an_answer():
    """One customer, one item twice, an id of 10⁹; and nothing left at all."""
    rows = Interactions.from_columns(["u", "u"], [10**9, 10**9])
    model = NextBasket().fit(rows)
    empty = NextBasket().fit(rows.take(np.zeros(2, np.bool_)))

    assert model.recommend([10**9], repeats=True)[0].tolist() == [10**9]
    assert len(empty.recommend([])[0]) == 0
    assert empty.recommend([10**9], repeats=True)[0].tolist() == [10**9]


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"k": 0}, r"k=0\): at least one neighbour"),
        ({"groups": 0}, r"groups=0\): at least one"),
        ({"basket_decay": 0}, r"basket_decay=0\): a number above 0, up to 1,"),
        ({"group_decay": 1.1}, r"group_decay=1.1\): a number above 0, up to 1,"),
        ({"own": -0.1}, r"own=-0.1\): a number in 0..1"),
    ],
)
def test_refusals(keywords, message):
    """A keyword out of range is named, with what would be right."""
    with pytest.raises(InvalidInput, match=message):
        NextBasket(**keywords).fit(rows_of(BASKETS))


def test_online_retail():
    """A wholesaler's last 28 days: above each customer's own most frequent items."""
    try:
        nouns = online_retail(locate("online-retail"))
    except InvalidInput as missing:
        pytest.skip(str(missing))
    bought = (n for n in nouns if isinstance(n, Event) and n.user_id and n.event == "purchase")
    train, test = Interactions.from_events(bought).split_temporal(last_days=28)

    table = evaluate(train, test, [NextBasket()], n=(10,), repeats=True).to_dicts()
    ndcg = {row["recommender"]: row["ndcg@10"] for row in table}

    assert ndcg["personal_frequency"] == pytest.approx(0.2756, abs=0.0005)
    assert ndcg["next_basket"] > 0.29
