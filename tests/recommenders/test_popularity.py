"""Popularity by hand."""

from __future__ import annotations

import numpy as np
import pytest

from equipoise.clock import DAY
from equipoise.data import Interactions
from equipoise.errors import InvalidInput, InvalidInteractions
from equipoise.randomness import derive
from equipoise.recommenders import Popularity
from equipoise.recommenders.popularity import CategoryPopularity, CohortPopularity, Trending
from equipoise.testing.recommenders import LAWS, PERSONAL
from equipoise.types import Item

AGES = np.array([0, 7, 14, 14])
ROWS = Interactions.from_columns(
    ["u", "v", "u", "w"], ["a", "b", "b", "c"], [1, 2, 4, 1], (100 - AGES) * DAY
)


def test_age_halves():
    """Half a life of 7 days: 1, 1/2 + 1/4, 1/4 for ages 0; 7 and 14; 14."""
    model = Popularity(half_life_days=7).fit(ROWS)

    assert dict(zip(model.item_ids_, model.counts_, strict=True)) == {"a": 1, "b": 0.75, "c": 0.25}


def test_values_count_when_asked():
    """With use_values b is worth 2/2 + 4/4; without decay and values rows are counted."""
    assert Popularity(half_life_days=7, use_values=True).fit(ROWS).counts_.tolist() == [1, 2, 0.25]
    assert Popularity().fit(ROWS).counts_.tolist() == [1, 2, 1]


def test_strangers_get_what_is_popular():
    """An empty history is answered; the history's items are left out of a known one's."""
    model = Popularity().fit(ROWS)

    assert model.recommend([], 2)[0].tolist() == ["b", "a"]
    assert model.recommend(["b"], 2)[0].tolist() == ["a", "c"]


def test_refusals():
    """Decay needs times, and a positive half-life."""
    timeless = Interactions.from_columns(["u"], ["a"])

    with pytest.raises(InvalidInteractions, match="needs timestamps"):
        Popularity(half_life_days=7).fit(timeless)
    with pytest.raises(InvalidInput, match=r"half_life_days=0\): a positive number of days"):
        Popularity(half_life_days=0).fit(ROWS)


# ---------------------------------------------------------------- by category, by cohort, rising

MAKERS = {
    "by category": lambda: CategoryPopularity(half_life_days=30),
    "by cohort": lambda: CohortPopularity(),
    "trending": lambda: Trending(),
}
DRINKS = [
    Item(item_id="tea", categories=("Drinks/Hot",)),
    Item(item_id="cocoa", categories=("Drinks/Hot", "Sweets")),
    Item(item_id="beer", categories=("Drinks/Cold",)),
    Item(item_id="nougat", categories=("Sweets",)),
    Item(item_id="string"),
]
SOLD = {"tea": 1, "cocoa": 2, "beer": 3, "nougat": 4, "string": 5}
SALES = Interactions.from_columns(
    *zip(*((n, item) for item, count in SOLD.items() for n in range(count)), strict=True)
)


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
@pytest.mark.parametrize("name", MAKERS)
def test_law(name, law):
    """The law holds; only the form by category looks at the history."""
    if law in PERSONAL and name != "by category":
        pytest.skip("this form ignores the history")
    law(MAKERS[name])


def told(model, history):
    """The scores that are not NaN, by id."""
    scores = model.score([history])[0]
    return {
        id_: value
        for id_, value in zip(model.item_ids_.tolist(), scores.tolist(), strict=True)
        if value == value
    }


def test_the_history_names_the_categories():
    """Counts times the share of the history in the item's category; others cannot be said."""
    model = CategoryPopularity().fit(SALES, items=DRINKS)

    assert told(model, ["tea"]) == pytest.approx({"tea": 1, "cocoa": 2})
    assert told(model, ["tea", "nougat"]) == pytest.approx({"tea": 0.5, "cocoa": 1, "nougat": 2})
    # Two of three are hot, one is sweet: of cocoa's two categories the larger share holds.
    history = ["tea", "cocoa", "beer"]
    expected = {"tea": 2 / 3, "cocoa": 4 / 3, "beer": 1, "nougat": 4 / 3}
    assert told(model, history) == pytest.approx(expected)


def test_weights_are_shares():
    """An item of the history that counts three times as much has three quarters of the say."""
    model = CategoryPopularity().fit(SALES, items=DRINKS)
    codes, _ = model.encode(["tea", "nougat"])

    scores = model.score_codes(codes, np.array([3.0, 1.0], np.float32))

    assert scores[model.encode(["tea"])[0]].tolist() == pytest.approx([0.75])
    assert scores[model.encode(["nougat"])[0]].tolist() == pytest.approx([1.0])


def test_paths_are_compared_to_a_depth():
    """With depth 1 hot and cold drinks are one category."""
    model = CategoryPopularity(depth=1).fit(SALES, items=DRINKS)

    assert told(model, ["tea"]) == pytest.approx({"tea": 1, "cocoa": 2, "beer": 3})


def test_without_a_category_all_are_popular():
    """An empty history, and one of items in no category."""
    model = CategoryPopularity().fit(SALES, items=DRINKS)

    assert told(model, []) == told(model, ["string"]) == SOLD


def test_a_cohort_has_its_own_list():
    """Counts of the cohort's users, and the prior spread as all have bought."""
    model = CohortPopularity(prior=2.0).fit(ROWS, cohorts={"u": "young", "v": "old", "x": "old"})
    ids, scores = model.recommend_for("young")
    shares = {"a": 1 / 4, "b": 2 / 4, "c": 1 / 4}

    assert dict(zip(ids, scores.tolist(), strict=True)) == pytest.approx(
        {id_: (id_ in "ab") + 2 * share for id_, share in shares.items()}
    )
    assert model.recommend_for("young", ["b"], 1)[0].tolist() == ["a"]
    assert model.recommend_for("young", ["b"], 1, repeats=True)[0].tolist() == ["b"]
    assert told(model, []) == {"a": 1, "b": 2, "c": 1}


def test_a_cohort_of_nobody_follows_all():
    """A cohort whose users never came has the order of all of them."""
    model = CohortPopularity().fit(SALES, cohorts={99: 7})

    assert model.recommend_for(7)[0].tolist() == ["string", "nougat", "beer", "cocoa", "tea"]


def test_a_stored_model_knows_cohorts():
    """Names, text or integers, come back with the lists."""
    for names in ({"u": "a", "v": "b"}, {"u": 1, "v": 2}):
        model = CohortPopularity().fit(ROWS, cohorts=names)
        loaded = CohortPopularity.from_arrays(model.arrays())

        for name in names.values():
            before, after = (one.recommend_for(name)[0].tolist() for one in (model, loaded))
            assert before == after


def test_what_rises_leads():
    """Three items of eight sales each, in 80 days: spread out, then the last week, or the first."""
    days = {
        "steady": range(0, 80, 10),
        "rising": range(72, 80),
        "falling": range(8),
    }
    rows = [(day, item) for item, when in days.items() for day in when]
    times, items = zip(*rows, strict=True)
    rows = Interactions.from_columns(range(len(items)), items, None, np.array(times) * DAY)
    model = Trending().fit(rows)
    trends = told(model, [])

    assert model.recommend([])[0].tolist() == ["rising", "steady", "falling"]
    assert trends["rising"] > 2
    assert abs(trends["steady"]) < 1
    assert trends["falling"] < 0


def test_a_steady_rate_is_no_trend():
    """The score of Poisson sales at one rate has mean 0 and a standard deviation of about 1."""
    rng = derive(7, "test.trending")
    counts = rng.poisson(200, 400)
    items = np.repeat(np.arange(400), counts)
    times = (rng.random(len(items)) * 200 * DAY).astype(np.int64)
    trends = Trending().fit(Interactions.from_columns(items, items, None, times)).trends_

    assert abs(trends.mean()) < 0.15
    assert 0.9 < trends.std() < 1.1


def test_a_trend_in_values():
    """A row of value 3 counts as three; one below 0 as none."""
    times = np.array([0, 50, 80, 80]) * DAY
    columns = ([1, 2, 3, 4], ["a", "b", "b", "a"])
    three = Trending(use_values=True).fit(Interactions.from_columns(*columns, [1, 1, 3, -5], times))
    columns = ([1, 2, 3, 3, 3], ["a", "b", "b", "b", "b"])
    thrice = Trending().fit(Interactions.from_columns(*columns, None, np.append(times, 80 * DAY)))

    assert three.trends_.tolist() == pytest.approx(thrice.trends_.tolist())


def test_one_moment_and_no_rows():
    """All at one time is a day's worth; an item without rows has no score."""
    rows = Interactions.from_columns([1, 2], ["a", "b"], None, [5, 5])
    without = rows.take(rows.item == 0)

    assert np.isfinite(Trending().fit(rows).trends_).all()
    assert list(told(Trending().fit(without), [])) == ["a"]
    assert told(Trending().fit(rows.take(np.zeros(2, np.bool_))), []) == {}


def test_refusals_of_the_forms():
    """What each form needs, and names of cohorts that are not of one kind."""
    timeless = Interactions.from_columns(["u"], ["a"])

    with pytest.raises(InvalidInput, match="reads categories from items"):
        CategoryPopularity().fit(SALES)
    with pytest.raises(InvalidInput, match=r"depth=0\): at least 1, or None for all,"):
        CategoryPopularity(depth=0).fit(SALES, items=DRINKS)
    with pytest.raises(InvalidInput, match=r"prior=-1\): zero or more"):
        CohortPopularity(prior=-1).fit(SALES)
    with pytest.raises(InvalidInput, match="cohorts are named by int, str; all text or all int"):
        CohortPopularity().fit(ROWS, cohorts={"u": 1, "v": "b"})
    with pytest.raises(InvalidInput, match="no cohort 'x'; fit was told of 'a'"):
        CohortPopularity().fit(ROWS, cohorts={"u": "a"}).recommend_for("x")
    with pytest.raises(InvalidInput, match="no cohort 'x'; fit was told of no cohort"):
        CohortPopularity().fit(ROWS).recommend_for("x")
    with pytest.raises(InvalidInput, match="n is 0; at least 1 item"):
        CohortPopularity().fit(ROWS, cohorts={"u": "a"}).recommend_for("a", n=0)
    with pytest.raises(InvalidInteractions, match="Trending needs timestamps"):
        Trending().fit(timeless)
    with pytest.raises(InvalidInput, match=r"half_life_days=0\): a positive number of days"):
        Trending(half_life_days=0).fit(ROWS)
    with pytest.raises(InvalidInput, match=r"past_half_life_days=7\): more days than half_life"):
        Trending(half_life_days=7, past_half_life_days=7).fit(ROWS)
