"""Profiles and views: what the events say about a shopper."""

from __future__ import annotations

import json
from itertools import permutations
from typing import Any

import numpy as np
import pytest

from equipoise.clock import DAY
from equipoise.state import Catalogue, Shoppers
from equipoise.types import Consent, Event, Item, Kind, Line, Query, Shopper, User

NOW = 1_700_000_000_000


class Shop:
    """A catalogue of ten items in two departments, and shoppers."""

    def __init__(self, **keywords: Any) -> None:
        self.catalogue = Catalogue()
        self.shoppers = Shoppers(self.catalogue, **keywords)
        self.seq = 0
        for n in range(10):
            path = f"Dept {n % 2}/Shelf {n}"
            item = Item(item_id=f"i{n}", categories=(path,), price=float(2**n))
            self.catalogue.apply(n, NOW, Kind.ITEM, item)

    def event(self, name: str, *items: str, ts: int = NOW, **fields: Any) -> Event:
        lines = tuple(Line(item_id=item_id) for item_id in items)
        who = {} if "user_id" in fields or "anonymous_id" in fields else {"anonymous_id": "a"}
        fields = {"event_id": f"{name}-{ts}", "items": lines, **who, **fields}
        return Event(event=name, ts=ts, **fields)

    def tell(self, *events: Event, arrived: int = NOW + 100 * DAY) -> Shop:
        for event in events:
            self.seq += 1
            self.catalogue.apply(self.seq, arrived, Kind.EVENT, event)
            self.shoppers.apply(self.seq, arrived, Kind.EVENT, event)
        return self

    def view(self, user_id: str | None = None, anonymous_id: str | None = "a") -> Shopper:
        query = Query(placement="home", user_id=user_id, anonymous_id=anonymous_id)
        return self.shoppers.view(query, self.catalogue)


def test_a_stranger_is_unknown() -> None:
    """Of somebody never met a view is empty, and asking leaves no profile."""
    shop = Shop()
    stranger = shop.view("u9", None)

    assert stranger.key == "u:u9"
    assert len(stranger.history) == len(stranger.weights) == len(stranger.bought) == 0
    assert (stranger.categories, stranger.price, stranger.events) == ({}, None, 0)
    assert stranger.personalised
    assert len(shop.shoppers) == 0
    assert shop.view(None, None).key == ""


def test_history_is_by_the_newest_meeting() -> None:
    """Each item once, newest last, by the events' own times."""
    shop = Shop()
    shop.tell(
        shop.event("view_item", "i1", ts=NOW + 1),
        shop.event("view_item", "i2", ts=NOW + 2),
        shop.event("view_item", "i1", ts=NOW + 3),
        shop.event("view_item", "i3", ts=NOW),
    )
    view = shop.view()

    assert view.history.tolist() == [3, 2, 1]
    assert view.history.dtype == np.int32
    assert view.weights.tolist() == [1.0, 1.0, 2.0]
    assert view.weights.dtype == np.float32
    assert view.events == 4


def test_a_view_counts_less_than_a_cart_and_a_cart_less_than_a_purchase() -> None:
    """The order of interest, and dislike below nothing."""
    shop = Shop()
    shop.tell(
        shop.event("dislike", "i0", ts=NOW),
        shop.event("view_item", "i1", ts=NOW + 1),
        shop.event("add_to_cart", "i2", ts=NOW + 2),
        shop.event("purchase", "i3", ts=NOW + 3),
    )
    weights = shop.view().weights.tolist()

    assert weights == sorted(weights)
    assert weights[0] < 0 < weights[1] < weights[2] < weights[3]


def test_nothing_depends_on_the_order_of_arrival() -> None:
    """Late and shuffled events give the same profile, up to the rounding of sums."""
    plain = Shop()
    events = [
        plain.event("view_item", "i1", ts=NOW, session_id="s1"),
        plain.event("add_to_cart", "i2", ts=NOW + 9 * DAY, session_id="s2", user_id="u"),
        plain.event("purchase", "i1", "i4", ts=NOW + 30 * DAY, anonymous_id="a", user_id="u"),
        plain.event("refund", "i4", ts=NOW + 31 * DAY, user_id="u"),
        plain.event("search", ts=NOW + 2, search_term="mug", context={"locale": "de"}),
    ]
    seen = set()
    for order in permutations(events):
        shop = Shop().tell(*order)
        view = shop.view()
        shares = tuple(sorted((path, round(share, 9)) for path, share in view.categories.items()))
        values = (view.history.tolist(), view.weights.tolist(), view.bought.tolist())
        price = round(view.price or 0.0, 9)
        seen.add((str(values), shares, price, view.locale, view.key, view.events))

    assert len(seen) == 1


def test_category_interest_halves_with_each_half_life() -> None:
    """Two equal views two half-lives apart stand as 1 to 4; parents hold what their leaves hold."""
    shop = Shop(half_life_days=14.0)
    shop.tell(
        shop.event("view_item", "i1", ts=NOW),
        shop.event("view_item", "i2", ts=NOW + 28 * DAY),
        shop.event("view_item", "i4", ts=NOW + 28 * DAY),
    )
    shares = shop.view().categories

    assert shares["Dept 1/Shelf 1"] == pytest.approx(1 / 9)
    assert shares["Dept 0/Shelf 2"] == pytest.approx(4 / 9)
    assert shares["Dept 0"] == pytest.approx(8 / 9)
    assert shares["Dept 0"] + shares["Dept 1"] == pytest.approx(1.0)


def test_interest_survives_decades() -> None:
    """Units are counted afresh before they overflow; what is old fades, what is new stands."""
    shop = Shop(half_life_days=1.0)
    for year in range(20):
        ts = NOW + 365 * DAY * year
        shop.tell(shop.event("view_item", f"i{year % 2 + 1}", ts=ts), arrived=ts)

    assert shop.view().categories["Dept 0"] == pytest.approx(1.0)


def test_a_sender_cannot_speak_of_the_future() -> None:
    """A time later than the arrival counts as the arrival."""
    shop = Shop()
    shop.tell(shop.event("view_item", "i1", ts=NOW + 9_000 * DAY), arrived=NOW)
    shop.tell(shop.event("view_item", "i2", ts=NOW + DAY), arrived=NOW + DAY)

    assert shop.view().history.tolist() == [1, 2]


def test_price_is_the_geometric_mean() -> None:
    """Prices of 4 and 16 make 8; a line's own price counts where the catalogue has none."""
    shop = Shop()
    shop.tell(shop.event("view_item", "i2"), shop.event("view_item", "i4"))

    assert shop.view().price == pytest.approx(8.0)

    unlisted = (Line(item_id="new", price=8.0**4),)
    shop.tell(shop.event("view_item", items=unlisted))

    assert shop.view().price == pytest.approx(64.0)


def test_a_refund_undoes_a_purchase() -> None:
    """Bought less given back: pieces, weight and interest all return to what they were."""
    shop = Shop()
    shop.tell(shop.event("view_item", "i1"))
    before = shop.view()
    shop.tell(shop.event("purchase", "i1", "i2", ts=NOW + 1, transaction_id="o"))

    assert shop.view().bought.tolist() == [1, 2]

    shop.tell(shop.event("refund", "i1", ts=NOW + 1))

    assert shop.view().bought.tolist() == [2]

    shop.tell(shop.event("refund", "i2", ts=NOW + 1))
    after = shop.view()

    assert after.bought.tolist() == []
    assert after.categories.keys() == before.categories.keys()
    assert after.weights.tolist() == [1.0, 0.0]


def test_a_refund_that_names_only_the_order_undoes_all_of_it() -> None:
    """GA4: a full refund has no items."""
    shop = Shop()
    shop.tell(
        shop.event("purchase", "i1", "i2", transaction_id="o"),
        shop.event("purchase", "i3", transaction_id="p"),
        shop.event("refund", transaction_id="o", ts=NOW + 1),
        shop.event("refund", transaction_id="unheard of", ts=NOW + 1),
    )

    assert shop.view().bought.tolist() == [3]


def test_a_partial_return_leaves_the_rest_bought() -> None:
    """Three pieces less two is still bought."""
    shop = Shop()
    lines = [(Line(item_id="i1", quantity=quantity),) for quantity in (3.0, 2.0)]
    shop.tell(
        shop.event("purchase", items=lines[0], transaction_id="o"),
        shop.event("refund", items=lines[1], transaction_id="o"),
    )

    assert shop.view().bought.tolist() == [1]


def test_a_link_brings_what_the_browser_did_before() -> None:
    """After login the user's view holds the anonymous past; after unlink it does not."""
    shop = Shop()
    shop.tell(
        shop.event("view_item", "i1", ts=NOW, anonymous_id="a"),
        shop.event("view_item", "i1", ts=NOW + 5, anonymous_id="b"),
        shop.event("view_item", "i2", ts=NOW + 1, user_id="u", anonymous_id="a"),
    )

    assert shop.view("u", None).history.tolist() == [1, 2]
    assert shop.view(None, "a").key == "u:u"
    assert shop.view(None, "a").history.tolist() == [1, 2]

    shop.tell(shop.event("identify", ts=NOW + 6, user_id="u", anonymous_id="b"))

    assert shop.view("u", None).history.tolist() == [2, 1]
    assert shop.view("u", None).weights.tolist() == [1.0, 2.0]

    shop.tell(shop.event("unlink", ts=NOW + 7, user_id="u", anonymous_id="b"))

    assert shop.view("u", None).history.tolist() == [1, 2]
    assert shop.view(None, "b").history.tolist() == [1]


def test_two_parts_make_what_one_would_have_been() -> None:
    """A linked person's view equals that of somebody who had one id all along."""
    one, two = Shop(), Shop()
    user, browser = {"user_id": "u"}, {"anonymous_id": "a"}
    for n in range(8):
        name = ("view_item", "add_to_cart", "purchase", "search")[n % 4]
        items = () if name == "search" else (f"i{n // 2}",)
        rest = {"ts": NOW + n * 7 * DAY, "search_term": "mug", "session_id": "s"}
        one.tell(one.event(name, *items, **rest, **user))
        two.tell(two.event(name, *items, **rest, **(user if n % 2 else browser)))
    two.tell(two.event("identify", ts=NOW, user_id="u", anonymous_id="a"))
    one.tell(one.event("identify", ts=NOW, user_id="u"))
    left, right = one.view("u", None), two.view("u", None)

    assert left.history.tolist() == right.history.tolist()
    assert left.weights.tolist() == right.weights.tolist()
    assert left.bought.tolist() == right.bought.tolist()
    assert left.categories == pytest.approx(right.categories)
    assert left.price == pytest.approx(right.price)
    known, put_together = one.shoppers.profile("u:u"), two.shoppers.profile("u:u")
    for name in ("events", "first_seen", "last_seen", "sessions", "by_event", "searches"):
        assert known[name] == put_together[name]


def test_without_consent_a_view_is_empty() -> None:
    """A refusal closes the profile at once; what happens meanwhile is not learnt at all."""
    shop = Shop()
    no, yes = Consent(personalization=False), Consent(personalization=True)
    shop.tell(
        shop.event("view_item", "i1", ts=NOW),
        shop.event("view_item", "i2", ts=NOW + 1, consent=no),
        shop.event("view_item", "i3", ts=NOW + 2),
    )
    refused = shop.view()

    assert not refused.personalised
    assert len(refused.history) == len(refused.bought) == 0
    assert (refused.categories, refused.price) == ({}, None)
    assert refused.events == 3
    assert "history" not in shop.shoppers.profile("a:a")

    shop.tell(shop.event("view_item", "i4", ts=NOW + 3, consent=yes))

    assert shop.view().history.tolist() == [1, 4]


def test_of_two_words_at_one_time_the_refusal_holds() -> None:
    """Consent is never won by a tie, whichever came first."""
    words = [Consent(personalization=False), Consent(personalization=True)]
    for order in (words, words[::-1]):
        shop = Shop()
        shop.tell(*(shop.event("view_item", "i1", consent=word) for word in order))

        assert not shop.view().personalised


def test_the_default_holds_for_whoever_was_never_asked() -> None:
    """A shop may personalise by consent alone."""
    shop = Shop(personalised_by_default=False)
    shop.tell(shop.event("view_item", "i1"))

    assert not shop.view().personalised
    assert not shop.view("stranger", None).personalised

    shop.tell(shop.event("view_item", "i2", consent=Consent(personalization=True)))

    assert shop.view().history.tolist() == [1, 2]


def test_the_shop_may_state_consent_and_locale() -> None:
    """A user record speaks at the time it arrives, and the newest word holds."""
    shop = Shop()
    user = User(user_id="u", locale="sv", consent=Consent(personalization=False, analytics=False))
    shop.tell(shop.event("view_item", "i1", user_id="u", context={"locale": "de"}))
    shop.shoppers.apply(50, NOW + 200 * DAY, Kind.USER, user)

    assert shop.view("u", None).locale == "sv"
    assert not shop.view("u", None).personalised
    assert not shop.shoppers.analytics("u", None)
    assert shop.shoppers.analytics("v", None)


def test_memory_is_bounded() -> None:
    """Whatever a shopper does, the profile does not grow: items, searches, sessions, categories."""
    shop = Shop(history_length=20)
    for n in range(2_000):
        ts = NOW + n
        shop.tell(
            shop.event("view_item", f"x{n}", ts=ts, session_id=f"s{n}"),
            shop.event("search", ts=ts, search_term=f"t{n}" * 100),
            shop.event("purchase", f"x{n}", ts=ts, transaction_id=f"o{n}"),
            shop.event(f"custom {n}", ts=ts),
        )
    view = shop.view()
    size = len(shop.shoppers.dump()["bodies"])

    assert view.history.tolist() == [shop.catalogue.find(f"x{n}") for n in range(1_980, 2_000)]
    assert len(view.bought) <= 25
    assert shop.shoppers.profile("a:a")["sessions"] == 2_000
    assert size < 12_000


def test_many_categories_keep_the_strongest() -> None:
    """Interest is bounded too, and the strongest stays."""
    shop = Shop()
    for n in range(300):
        item = Item(item_id=f"c{n}", categories=(f"Leaf {n}",))
        shop.catalogue.apply(n, NOW, Kind.ITEM, item)
    shop.tell(*(shop.event("add_to_cart", "c5") for _ in range(3)))
    shop.tell(*(shop.event("view_item", f"c{n}") for n in range(300)))
    shares = shop.view().categories

    assert len(shares) <= 64
    assert max(shares, key=lambda path: shares[path]) == "Leaf 5"


def test_reviews_and_dwell_count() -> None:
    """Five stars and no more speak for an item, one against it; seconds spent are summed."""
    shop = Shop()
    shop.tell(
        shop.event("review", "i1", ts=NOW, attributes={"rating": 1e308}),
        shop.event("review", "i2", ts=NOW + 1, value=1.0),
        shop.event("review", "i3", ts=NOW + 2),
        shop.event("view_portion", "i1", ts=NOW, attributes={"seconds": 2.5}),
        shop.event("view_portion", "i1", ts=NOW, attributes={"seconds": "long"}),
    )

    assert shop.view().weights.tolist() == [3.0, -1.0, 1.0]
    assert shop.shoppers.profile("a:a")["dwell"] == {"ms": 2_500.0, "from": {"events": 1}}


def test_a_profile_is_json_and_says_what_it_came_from() -> None:
    """Every value stands with counts or the event that last spoke of it."""
    shop = Shop()
    shop.tell(
        shop.event("view_item", "i1", ts=NOW, context={"locale": "en-GB"}, session_id="s"),
        shop.event("purchase", "i1", ts=NOW + 1, consent=Consent(personalization=True)),
        shop.event("search", search_term="red mug", ts=NOW + 2),
    )
    profile = json.loads(json.dumps(shop.shoppers.profile("a:a")))

    assert profile["ids"] == ["a:a"]
    assert profile["events"] == 3
    assert profile["sessions"] == 1
    assert profile["by_event"]["view_item"]["last_event_id"] == f"view_item-{NOW}"
    assert profile["consent"]["personalization"]["event_id"] == f"purchase-{NOW + 1}"
    assert profile["locale"]["value"] == "en-GB"
    assert profile["history"][0]["item_id"] == "i1"
    assert profile["bought"] == [{"item_id": "i1", "pieces": 1.0}]
    assert profile["categories"][0] == {"path": "Dept 1/Shelf 1", "share": 1.0}
    assert profile["price"] == {"value": 2.0, "from": {"prices": 2}}
    assert profile["searches"]["last"][0]["term"] == "red mug"
    assert shop.shoppers.profile("u:nobody")["events"] == 0


def test_forgetting_leaves_nothing() -> None:
    """A forgotten person's ids are in no byte of the dump; others keep theirs."""
    shop = Shop(open_profiles=2)
    for n in range(5):
        who = {"user_id": f"canary{n}", "anonymous_id": f"bird{n}"}
        shop.tell(shop.event("view_item", "i1", event_id=f"e{n}", anonymous_id=f"bird{n}"))
        shop.tell(shop.event("view_item", "i1", event_id=f"e{n}", **who))
    shop.shoppers.apply(99, NOW, Kind.USER_REMOVED, "canary3")
    shop.shoppers.forget("u:canary1")
    left = b"".join(array.tobytes() for array in shop.shoppers.dump().values())

    assert b"canary2" in left
    for trace in (b"canary3", b"bird3", b"canary1", b"bird1", b"e3", b"e1"):
        assert trace not in left
    assert shop.view("canary3", None).events == 0


def test_what_lists_showed_is_remembered_and_fades() -> None:
    """Each time counts one, half of it three days later; an impression is no interest."""
    shop = Shop()
    shop.tell(
        shop.event("view_item_list", "i1", "i4", ts=NOW),
        shop.event("view_item_list", "i4", ts=NOW + 3 * DAY),
    )
    view = shop.view()

    assert view.shown.tolist() == [1, 4]
    assert view.shown_times.tolist() == [1.0, 1.5]
    assert len(view.history) == 0
    assert view.categories == {}
    assert [row["item_id"] for row in shop.shoppers.profile("a:a")["shown"]] == ["i4", "i1"]


def test_what_lists_showed_does_not_depend_on_order() -> None:
    """Nor on which of a person's ids saw it, once they are linked; and it is bounded."""
    events = [
        Shop().event("view_item_list", "i1", "i2", ts=NOW + day * DAY, event_id=f"e{day}",
                     anonymous_id="ab"[day % 2])
        for day in range(4)
    ]  # fmt: skip
    views = []
    for order in (events, events[::-1]):
        shop = Shop().tell(*order)
        shop.shoppers.identities.link("u", "a", NOW)
        shop.shoppers.identities.link("u", "b", NOW)
        views.append(shop.view("u", None).shown_times)
    assert views[0] == pytest.approx(views[1])

    small = Shop(history_length=4)
    for n in range(10):
        small.tell(small.event("view_item_list", f"i{n}", ts=NOW + n))
    assert small.view().shown.tolist()[-4:] == [6, 7, 8, 9]
    assert len(small.view().shown) <= 5
