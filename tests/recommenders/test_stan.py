"""STAN: the laws, and its formula in plain Python."""

from __future__ import annotations

from math import exp, log, sqrt

import numpy as np
import pytest

from equipoise.clock import DAY
from equipoise.data import Interactions
from equipoise.errors import InvalidInput, InvalidInteractions
from equipoise.randomness import derive
from equipoise.recommenders.stan import STAN
from equipoise.testing.recommenders import LAWS

PUBLISHED = {
    "k": 500, "history_places": 1.02, "recency_days": 5.0, "neighbour_places": 2.05,
    "idf_weighting": 0.0, "match_places": None,
}  # fmt: skip
MAKERS = {
    "defaults": lambda: STAN(),
    "by age": lambda: STAN(recency_days=30.0),
    "published": lambda: STAN(**PUBLISHED),
    "nothing fades": lambda: STAN(history_places=None, neighbour_places=None, match_places=None),
}


def some_sessions(n: int = 60, items: int = 12) -> list[list[int]]:
    rng = derive(0, "test.stan")
    return [rng.integers(0, items, rng.integers(1, 8)).tolist() for _ in range(n)]


SESSIONS = some_sessions()
DAYS = np.cumsum(derive(0, "test.stan.days").random(len(SESSIONS)))


def rows() -> Interactions:
    """Each session has a day, and its rows follow one another within it."""
    users = [n for n, session in enumerate(SESSIONS) for _ in session]
    items = [item for session in SESSIONS for item in session]
    times = [
        int(DAYS[n] * DAY) + at for n, session in enumerate(SESSIONS) for at in range(len(session))
    ]
    return Interactions.from_columns(users, items, None, times)


def plain(history, *, k, history_places, recency_days, neighbour_places, idf, match_places):
    """STAN and VSTAN word by word, the items of a session each at their latest place."""

    def fade(distance, reach):
        return 1.0 if reach is None else exp(-distance / reach)

    kept = [list(dict.fromkeys(reversed(session)))[::-1] for session in SESSIONS]
    length = len(history)
    weight = {item: fade(length - 1 - at, history_places) for at, item in enumerate(history)}
    norm = sqrt(sum(fade(back, history_places) ** 2 for back in range(length)))
    sharing = [n for n in range(len(kept) - 1, -1, -1) if set(kept[n]) & set(history)]

    def alike(n):
        both = sum(w for item, w in weight.items() if item in kept[n])
        return both / norm / sqrt(len(kept[n])) * fade(DAYS[sharing[0]] - DAYS[n], recency_days)

    scores: dict[int, float] = {}
    for n in sorted(sharing, key=lambda n: -alike(n))[:k]:
        last = max(at for at, item in enumerate(kept[n]) if item in weight)
        back = next(b for b, item in enumerate(reversed(history)) if item in kept[n])
        for at, item in enumerate(kept[n]):
            rarity = log(len(kept) / sum(item in other for other in kept))
            value = alike(n) * fade(abs(at - last), neighbour_places) * (1 + idf * rarity)
            scores[item] = scores.get(item, 0) + value * fade(back, match_places)
    return scores


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
@pytest.mark.parametrize("name", MAKERS)
def test_law(name, law):
    """The law holds for the recommender."""
    law(MAKERS[name])


@pytest.mark.parametrize("history_places", [None, 1.02])
@pytest.mark.parametrize("recency_days", [None, 4.0])
@pytest.mark.parametrize("neighbour_places", [None, 2.05])
@pytest.mark.parametrize(("idf", "match_places"), [(0, None), (5, 3.0)])
def test_scores_are_the_formula(history_places, recency_days, neighbour_places, idf, match_places):
    """With any factor left out or not, the scores equal the formula in plain Python."""
    settings = {
        "k": 20,
        "history_places": history_places,
        "recency_days": recency_days,
        "neighbour_places": neighbour_places,
        "match_places": match_places,
    }
    model = STAN(idf_weighting=idf, **settings).fit(rows())

    for history in ([3], [5, 1], [2, 7, 2, 4], [0, 1, 2, 3, 4, 5]):
        expected = plain(history, idf=idf, **settings)
        told = dict(zip(model.item_ids_.tolist(), model.score([history])[0], strict=True))

        assert {item for item, value in told.items() if value == value} == set(expected)
        for item, value in expected.items():
            assert told[item] == pytest.approx(value, rel=2e-3)


def test_old_sessions_still_speak():
    """A hundred years and a decay of a day leave the order of the old ones as it was."""
    old = np.array([0, 1, 2, 3, 4, 5]) * DAY
    early = Interactions.from_columns([1, 1, 2, 2, 3, 3], list("abacad"), None, old)
    both = Interactions.from_columns(
        [1, 1, 2, 2, 3, 3, 4], [*list("abacad"), "z"], None, [*old, 36_500 * DAY]
    )

    lists = [STAN(recency_days=1.0).fit(one).recommend(["a"])[0].tolist() for one in (early, both)]

    assert lists[0] == lists[1] == ["d", "c", "b"]


def test_refusals():
    """Age needs times; a decay is a positive number or none."""
    timeless = Interactions.from_columns([1, 1], ["a", "b"])

    with pytest.raises(InvalidInteractions, match=r"needs timestamps, .* None leaves age aside"):
        STAN(recency_days=5.0).fit(timeless)
    assert STAN(recency_days=None).fit(timeless).recommend(["a"])[0].tolist() == ["b"]
    for keyword in ("history_places", "recency_days", "neighbour_places", "match_places"):
        with pytest.raises(InvalidInput, match=rf"{keyword}=0\): a positive number or None"):
            STAN(**{keyword: 0}).fit(timeless)
    with pytest.raises(InvalidInput, match=r"k=0\): at least one neighbour"):
        STAN(k=0).fit(timeless)
    with pytest.raises(InvalidInput, match=r"sample=0\): at least one session"):
        STAN(sample=0).fit(timeless)
    with pytest.raises(InvalidInput, match=r"idf_weighting=-1\): zero or more"):
        STAN(idf_weighting=-1).fit(timeless)


def test_odd_input_has_an_answer():
    """One user with one item twice, and an empty history."""
    model = STAN().fit(Interactions.from_columns(["u", "u"], [10**9, 10**9]))

    assert model.recommend([10**9], repeats=True)[0].tolist() == [10**9]
    assert len(model.recommend([])[0]) == 0
