"""Content: terms, and their cosine against scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from equipoise.data import Interactions
from equipoise.errors import InvalidInput
from equipoise.recommenders import Content
from equipoise.recommenders.content import READERS
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
    with pytest.raises(
        InvalidInput, match="a mapping of categories, tags, brand, title to weights"
    ):
        Content(fields={"colour": 1}).fit(sold, items=ITEMS)


def test_an_empty_catalogue_is_a_catalogue():
    """No item at all: fitted, and with nothing to say."""
    model = Content().fit(items=[])

    assert len(model.recommend(["boot"], 3)[0]) == 0
