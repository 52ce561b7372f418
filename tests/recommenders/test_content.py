"""Content: terms, and their cosine against scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from equipoise.data import Interactions
from equipoise.errors import InvalidInput
from equipoise.randomness import derive
from equipoise.recommenders import Content
from equipoise.recommenders.content_terms import READERS, bag_of
from equipoise.testing.recommenders import LAWS
from equipoise.types import Item

SHOES = ("Women/Shoes/Boots", "Women/Shoes/Heels")
ITEMS = [
    Item(item_id="boot", title={"en": "Red leather boot"}, categories=SHOES[:1], brand="Lark"),
    Item(item_id="heel", title={"en": "Red evening heel"}, categories=SHOES[1:], tags=("party",)),
    Item(item_id="lamp", title={"en": "Green desk lamp"}, categories=("Home/Light",)),
    Item(item_id="lamp2", title={"de": "Grüne Lampe", "en": "lamp"}, categories=("Home/Light",)),
    Item(item_id="blank"),
]


def test_works_before_the_first_sale():
    """Without one interaction: the other shoe for a shoe, by a category's parent."""
    model = Content(fields={"categories": 1}).fit(items=ITEMS)

    assert model.recommend(["boot"], 1)[0].tolist() == ["heel"]
    assert model.recommend(["lamp"], 1)[0].tolist() == ["lamp2"]


def test_cosine_is_sklearns():
    """The title field alone equals scikit-learn's sublinear, smoothed TF-IDF."""
    titles = [" ".join(item.title.values()) for item in ITEMS]
    vectors = TfidfVectorizer(sublinear_tf=True, token_pattern=r"\w+").fit_transform(titles)
    profile = np.asarray((vectors[0] + 2 * vectors[2]).todense()).ravel()
    expected = vectors @ profile / np.linalg.norm(profile)

    model = Content(fields={"title": 1}).fit(items=ITEMS)
    scores = model.score_codes(np.array([0, 2], np.int32), np.array([1, 2], np.float32))

    assert np.allclose(scores[:4], expected[:4], atol=1e-6)


def test_nothing_known_is_no_score():
    """A blank item, or one only ever sold, scores NaN; so does everything for a blank history."""
    sold = Interactions.from_columns(["u"], ["only sold"])
    model = Content().fit(sold, items=ITEMS)
    scores = dict(zip(model.item_ids_, model.score([["boot"]])[0], strict=True))

    assert model.item_ids_[0] == "only sold"
    assert np.isnan(scores["blank"])
    assert np.isnan(scores["only sold"])
    assert scores["heel"] > scores["lamp"] >= 0
    assert np.isnan(model.score([["blank", "only sold"]])).all()


def test_terms_of_each_field():
    """Paths with parents, once each; words folded; pairs of characters without spaces."""
    both = Item(item_id="x", categories=SHOES, title={"en": "Big BOOT 42", "zh": "红色皮靴"})

    assert set(READERS["categories"](both)) == {"Women", "Women/Shoes", *SHOES}
    assert list(READERS["title"](both)) == ["big", "boot", "42", "红色", "色皮", "皮靴"]
    assert list(READERS["brand"](both)) == []


def test_refusals():
    """No items, or a field that items do not have."""
    sold = Interactions.from_columns(["u"], ["a"])

    with pytest.raises(InvalidInput, match=r"Content learns from items: fit\(interactions, items="):
        Content().fit(sold)
    wanted = "a mapping of categories, tags, brand, title, description, attributes.NAME to weights"
    with pytest.raises(InvalidInput, match=wanted):
        Content(fields={"colour": 1}).fit(sold, items=ITEMS)


def test_an_empty_catalogue_is_a_catalogue():
    """No item at all: fitted, and with nothing to say."""
    model = Content().fit(items=[])

    assert len(model.recommend(["boot"], 3)[0]) == 0


# ---------------------------------------------------------------- forms of content

WARES = [
    Item(item_id="a", tags=("x",), attributes={"colour": "Red", "sizes": ["S", "M"]},
         description={"en": "soft wool"}, embedding=(1.0, 0.0)),
    Item(item_id="b", tags=("x",), attributes={"colour": "red", "care": {"wash": 30}},
         embedding=(3.0, 4.0)),
    Item(item_id="c", tags=("y",), attributes={"sizes": ("M",), "vector": [0, 2]},
         description={"en": "wool"}),
    Item(item_id="d", tags=("y",), embedding=(0.0, -2.0)),
]  # fmt: skip


def scores_of(model, *history):
    return dict(zip(model.item_ids_, model.score([history])[0].tolist(), strict=True))


def test_by_one_form_alone():
    """By tag, by description, by an attribute: items that share a term, and NaN without any."""
    by_tag = scores_of(Content(fields={"tags": 1}).fit(items=WARES), "a")
    by_text = scores_of(Content(fields={"description": 1}).fit(items=WARES), "c")
    by_colour = scores_of(Content(fields={"attributes.colour": 1}).fit(items=WARES), "a")

    assert (by_tag["b"], by_tag["c"]) == (pytest.approx(1), 0)
    assert 0 < by_text["a"] < 1
    assert np.isnan([by_text["b"], by_text["d"], by_colour["c"], by_colour["d"]]).all()
    assert by_colour["b"] == pytest.approx(1)


def test_attributes_become_terms():
    """One a value, folded: of a list each, of a mapping each with its key; nothing of nothing."""
    fields = {"attributes.colour": 1.0, "attributes.sizes": 1.0, "attributes.care": 1.0}

    assert set(bag_of(WARES[0], fields)) == {
        ("attributes.colour", "red"), ("attributes.sizes", "s"), ("attributes.sizes", "m"),
    }  # fmt: skip
    assert ("attributes.care", "wash=30") in bag_of(WARES[1], fields)
    assert not bag_of(Item(item_id="e", attributes={"colour": None, "sizes": [""]}), fields)


def test_the_description_is_not_read_unless_asked_for():
    """As before there were other fields: the default looks at four."""

    assert dict(Content().fields) == {"categories": 1.0, "tags": 1.0, "brand": 0.7, "title": 0.7}
    assert np.isnan(scores_of(Content().fit(items=[WARES[0], Item(item_id="z")]), "a")["z"])


def test_vectors_alone_by_their_cosine():
    """Of the history's directions; lengths mean nothing; without a vector nothing is said."""
    model = Content(fields={}, vectors="embedding").fit(items=WARES)
    one, two = scores_of(model, "a"), scores_of(model, "a", "b")

    assert (one["a"], one["b"], one["d"]) == pytest.approx((1, 0.6, 0))
    assert two["d"] == pytest.approx(-0.8 / np.sqrt(1.6**2 + 0.8**2))
    assert np.isnan(one["c"])
    assert np.isnan(list(scores_of(model, "c").values())).all()
    assert model.recommend(["a"], 9)[0].tolist() == ["b", "d"]


def test_vectors_from_elsewhere():
    """A mapping stands before what the items say, needs no items, and may know more of them."""
    sold = Interactions.from_columns(["u", "u"], ["a", "b"])
    alone = Content(fields={}).fit(sold, vectors={"a": [1, 0], "b": np.array([1, 1]), "z": (1, 0)})
    over = Content(fields={}, vectors="attributes.vector").fit(items=WARES, vectors={"a": [0, 1]})

    assert scores_of(alone, "a") == pytest.approx({"a": 1, "b": np.sqrt(0.5), "z": 1})
    assert scores_of(over, "a")["c"] == pytest.approx(1)


def test_terms_and_vectors_together():
    """The mean of both cosines by weight; of items or histories with one of them, that one."""
    model = Content(fields={"tags": 1}, vectors="embedding", vector_weight=3).fit(items=WARES)
    found = scores_of(model, "a")

    assert found["b"] == pytest.approx((1 + 3 * 0.6) / 4)
    assert found["c"] == 0
    assert found["d"] == pytest.approx(0)
    assert scores_of(model, "c")["d"] == pytest.approx(1)


def test_the_best_by_vectors_are_searched_exactly():
    """``top_codes`` is ``score_codes`` sorted, for many items and masks, stored and loaded too."""
    rng = derive(0, "test.content")
    table = rng.normal(size=(700, 24))
    table[::50] = 0
    model = Content(fields={}).fit(vectors=dict(enumerate(table)))
    loaded = Content.from_arrays(model.arrays())
    codes, allowed = np.array([3, 77, 50], np.int32), rng.random(700) < 0.5
    scores = model.score_codes(codes)
    open_ = np.flatnonzero(allowed & ~np.isnan(scores))
    expected = open_[np.argsort(-scores[open_], kind="stable")][:12]

    for one in (model, loaded):
        best, best_scores = one.top_codes(codes, None, allowed, 12)
        assert best.tolist() == expected.tolist()
        assert (best_scores == scores[best]).all()
    assert np.isnan(scores[::50]).all()
    assert len(model.top_codes(np.array([50], np.int32), None, allowed, 12)[0]) == 0


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_law_of_vectors(law):
    """The laws hold with vectors, alone and beside terms."""
    for fields in ({}, Content.FIELDS):
        law(lambda fields=fields: Embedded(fields=fields))


class Embedded(Content):
    """Content with vectors that tell the tastes of the laws' items apart."""

    def fit(self, interactions=None, *, items=None, vectors=None):
        # The mask of one law is as long as the interactions have items.
        met = [item for item in items if item.item_id in set(interactions.item_ids)]
        near = {item.item_id: self._vector(item) for item in met}
        return super().fit(interactions, items=met, vectors=near)

    @staticmethod
    def _vector(item):
        place = float(item.title["en"].removeprefix("thing "))
        return [place % 2, 1 - place % 2, 1 / (10 + place)]


@pytest.mark.parametrize(
    ("keywords", "vectors", "words"),
    [
        ({"fields": {"tags": -1}}, None, "weights of zero or more is wanted"),
        ({"fields": {"tags": float("nan")}}, None, "weights of zero or more is wanted"),
        ({"fields": {"attributes.": 1}}, None, "attributes.NAME to weights is wanted"),
        ({"vectors": "title"}, None, "embedding, attributes.NAME or None is wanted"),
        ({"vector_weight": 0}, None, "a positive number is wanted"),
        ({}, {"a": [1, 2], "b": [1, 2, 3]}, "of item 'b' has 3 numbers, those before it 2"),
        ({}, {"a": [1, np.nan]}, "vector of item 'a' is no list of finite numbers"),
        ({}, {"a": "red"}, "vector of item 'a' is no list of finite numbers"),
        ({}, {"a": []}, "vector of item 'a' is no list of finite numbers"),
        ({}, {"a": [[1.0]]}, "vector of item 'a' is no list of finite numbers"),
    ],
)
def test_refusals_of_forms(keywords, vectors, words):
    """A keyword out of range; vectors that are none."""
    with pytest.raises(InvalidInput, match=words):
        Content(**keywords).fit(items=WARES, vectors=vectors)
