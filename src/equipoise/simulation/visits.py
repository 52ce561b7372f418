"""A visit, page by page: what is asked of the recommender, what is looked at, and the events sent.

Events are GA4's, with the fields that a real tracker sends: one ``view_item_list`` with the tokens
of what came into view, ``select_item`` with the token of what was clicked, ``view_item`` with the
time spent, carts, checkouts and orders without tokens, since a shop's checkout knows of none.

======================  =========================================================================
number                  reason
======================  =========================================================================
rows of 4, SCROLLS .8   a grid on a desktop; each further row comes into view for 4 of 5. Only what
                        was in view is reported, as by an ``IntersectionObserver``
ATTENTION (k+1)^−½      in view is not looked at: together the third row gets .28 of the first's
                        clicks, between the flat curves of grids and the steep ones of text
SEARCHES .2             share of visits that start at the search box; the shop's own, which knows
                        words and not quality
COMES_BACK .35          from a product page back to the home page, where the list is asked for again
CHECKOUT 8 min, σ 1.5   delay from cart to order, log-normal: most within the hour, a tail of days
REVIEWS .08             of orders, some days later; stars follow how good the item really is
======================  =========================================================================
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from equipoise.clock import DAY, rfc3339
from equipoise.randomness import derive
from equipoise.ranking.value import Worth
from equipoise.simulation.agenda import Agenda
from equipoise.simulation.client import Body, Shopfront
from equipoise.simulation.meter import Meter
from equipoise.simulation.shop import Shop
from equipoise.simulation.shoppers import Shopper, Shoppers, Visit, bought, saw
from equipoise.types import Bools, Floats

COLUMNS, SCROLLS, ATTENTION = 4, 0.8, 0.5
SEARCHES, COMES_BACK, HOME_PAGES = 0.2, 0.35, 3
READS_MS, DWELL_MS, DWELL_SPREAD, WANTS_DWELL = 4_000.0, 14_000.0, 0.7, 3.0
CHECKOUT_MS, CHECKOUT_SPREAD = 8 * 60_000.0, 1.5
REVIEWS, DISLIKES, FOLLOWS = 0.08, 0.01, 0.01
RESTOCK_MS = 3.0 * DAY
SIMILAR_N = 8
SIMILAR_PAGES = 6
"""Product pages that a visit reaches through similar items, at most."""


def attention(slots: int) -> Floats:
    """(slots,) P(looked at | in view)."""
    return np.asarray((np.arange(slots) + 1.0) ** -ATTENTION)


def look(slots: int) -> Floats:
    """(slots,) P(looked at): in view, and then looked at."""
    return np.asarray(SCROLLS ** (np.arange(slots) // COLUMNS) * attention(slots))


@dataclass(frozen=True, kw_only=True)
class Scene:
    """All that the visits of one run share."""

    seed: int
    shop: Shop
    shoppers: Shoppers
    shopfront: Shopfront
    agenda: Agenda
    meter: Meter
    stamp: Callable[[float], int]
    """World milliseconds → the clock's."""
    opening: int
    worth: Worth
    stock: Floats
    """(items,) pieces left; changes."""
    prefix: str
    """Of event, session and order ids, so that two runs into one log do not clash."""
    n: int
    similar: bool
    """Whether product pages ask for similar items."""
    checkout_ms: float = CHECKOUT_MS
    """Median time from a cart to its order."""

    def available(self, ms: float) -> Bools:
        return np.asarray(self.shop.launched(ms) & (self.stock > 0))

    def send(self, events: list[Body]) -> None:
        """POST them; the few refusals that are kept let a run be checked afterwards."""
        reply = self.shopfront.send(events)
        outcome = self.meter.outcome
        outcome.events += len(events)
        outcome.rejected += reply["rejected"][: max(0, 5 - len(outcome.rejected))]

    def sell(self, item: int, quantity: float, ms: float) -> None:
        """Take pieces off the shelf. An empty shelf is reported, and filled again after some days.

        An order for more than is left goes through: it was in the cart before.
        """
        left = self.stock[item]
        self.stock[item] = max(0.0, left - quantity)
        if left > 0 >= self.stock[item]:
            self._report(item)
            self.agenda.at(ms + RESTOCK_MS, lambda _: self._restock(item))

    def _restock(self, item: int) -> None:
        self.stock[item] = self.shop.labels.stock[item]
        self._report(item)

    def _report(self, item: int) -> None:
        body = self.shop.body(item, self.opening, stock=float(self.stock[item]))
        self.shopfront.put_items([body])


class Step(NamedTuple):
    """A product page to be opened."""

    item: int
    line: Body | None
    """The line of the ``select_item`` that leads there."""
    placement: str | None
    """Whose list it was found in; None for the search box."""
    recommendation_id: str | None
    depth: int = 0


class Session:
    """One visit. Every method is a moment of it and schedules the next."""

    def __init__(self, scene: Scene, visit: Visit) -> None:
        self.scene, self.visit = scene, visit
        self.shopper: Shopper = scene.shoppers.arrive(visit)
        self._luck = derive(scene.seed, "simulation.visit", str(visit.number))
        self._unsent: list[tuple[float, Body]] = []
        self._todo: deque[Step] = deque()
        self._events, self._pages, self._homes = 0, 0, 0
        self._viewed = False

    def begin(self, ms: float) -> None:
        if self._luck.random() < SEARCHES:
            self._search(ms)
        else:
            self._home(ms)

    # ------------------------------------------------------------ pages

    def _home(self, ms: float) -> None:
        self._homes += 1
        answer = self._ask(ms, "home", self.scene.n, [])
        seen = self._list(ms, "home", answer)
        self.scene.agenda.at(ms + READS_MS + 600.0 * seen, self._leave)

    def _search(self, ms: float) -> None:
        """The shop's own search: what is on the shelf, in an order that knows no quality."""
        shelf = self.scene.shop.labels.shelf == self.shopper.intent
        found = np.flatnonzero(shelf & self.scene.available(ms))[: self.scene.n]
        if not len(found):
            self._home(ms)
            return
        term = self.scene.shop.noun(int(found[0]))
        self._note("search", ms, search_term=term)
        self._list(ms, None, {"items": [{"item_id": self.scene.shop.ids[i]} for i in found]})
        self.scene.agenda.at(ms + READS_MS, self._leave)

    def _product(self, ms: float, step: Step) -> None:
        """The page of an item; what is done there is decided as it opens."""
        item, scene, self._viewed = step.item, self.scene, True
        luck = self._page_luck()
        wants = luck.random() < scene.shoppers.cart(self.shopper)[item]
        dwell = DWELL_MS * np.exp(DWELL_SPREAD * luck.normal()) * (WANTS_DWELL if wants else 1.0)
        if step.line is not None:
            self._note("select_item", ms, [step.line], recommendation_id=step.recommendation_id)
        spent = {"engagement_time_msec": round(dwell)}
        self._note("view_item", ms + 400, [self._line(item)], attributes=spent)
        scene.meter.happened(step.placement, "clicks")
        if scene.similar and step.depth < SIMILAR_PAGES:
            answer = self._ask(ms, "product", SIMILAR_N, [item])
            self._list(ms + 800, "product", answer, depth=step.depth + 1)
        if wants:
            self._cart(ms + dwell, step, luck)
        self._say(ms + dwell, item, luck)
        scene.agenda.at(ms + dwell + 100, self._leave)

    def _leave(self, ms: float) -> None:
        """The page is left: the tracker flushes, and the next one is opened."""
        self._flush()
        if self._todo:
            self._product(ms, self._todo.popleft())
        elif self._viewed and self._homes < HOME_PAGES and self._luck.random() < COMES_BACK:
            self._viewed = False
            self._home(ms)

    # ------------------------------------------------------------ lists

    def _ask(self, ms: float, placement: str, n: int, seeds: list[int]) -> Body:
        query: Body = {
            **self._ids(),
            "placement": placement,
            "n": n,
            "context": {"device": "desktop", "locale": "en-GB"},
        }
        if seeds:
            query["item_ids"] = [self.scene.shop.ids[i] for i in seeds]
        return self.scene.shopfront.recommend(query)

    def _list(self, ms: float, placement: str | None, answer: Body, depth: int = 0) -> int:
        """Look at a list; returns how many slots came into view."""
        scene, index = self.scene, self.scene.shop.index
        shown = [index[slot["item_id"]] for slot in answer["items"]]
        chance = scene.shoppers.click(self.shopper, ms)
        if placement is not None:
            self._measure(ms, placement, answer, shown, chance)
        seen, clicked = self._eyes(shown, chance)
        lines = [self._line(shown[k], k, answer["items"][k].get("token")) for k in range(seen)]
        list_id = placement or "search_results"
        decision = answer.get("recommendation_id")
        if lines:
            where = {"item_list_id": list_id}
            self._note(
                "view_item_list", ms + 1_200, lines, recommendation_id=decision, attributes=where
            )
        for k in clicked:
            self._todo.append(Step(shown[k], lines[k], placement, decision, depth))
        return seen

    def _measure(
        self, ms: float, placement: str, answer: Body, shown: list[int], chance: Floats
    ) -> None:
        scene = self.scene
        scene.meter.list(
            placement,
            ms,
            shown,
            sum(bool(slot.get("explored")) for slot in answer["items"]),
            chance * click_worth(scene.worth, scene.shoppers, self.shopper),
            look(scene.n if placement == "home" else SIMILAR_N),
            scene.available(ms),
        )

    def _eyes(self, shown: list[int], chance: Floats) -> tuple[int, list[int]]:
        """Slots that came into view, and which of them were clicked.

        An item's luck is its own, whatever slot it is in: so two policies that show the same item
        to the same visit meet the same luck.
        """
        luck = self._page_luck()
        rows = 1 + int(np.log(1.0 - luck.random()) / np.log(SCROLLS))
        looks = luck.random(100)[: len(shown)] < attention(len(shown))
        likes = luck.random(len(chance)) < chance
        seen = min(len(shown), rows * COLUMNS)
        looked = [k for k in range(seen) if looks[k]]
        for k in looked:
            if not likes[shown[k]]:
                saw(self.shopper, shown[k])
        return seen, [k for k in looked if likes[shown[k]]]

    # ------------------------------------------------------------ what is done on a product page

    def _cart(self, ms: float, step: Step, luck: np.random.Generator) -> None:
        quantity = 1.0 + float(luck.poisson(0.15))
        line = self._line(step.item) | {"quantity": quantity}
        self._note("add_to_cart", ms, [line], value=line["price"] * quantity, currency="EUR")
        self.scene.meter.happened(step.placement, "carts")
        if luck.random() < self.scene.shoppers.purchase()[step.item]:
            delay = self.scene.checkout_ms * np.exp(CHECKOUT_SPREAD * luck.normal())
            review = luck.random() < REVIEWS
            self.scene.agenda.at(ms + delay, lambda then: self._order(then, step, line, review))

    def _order(self, ms: float, step: Step, line: Body, review: bool) -> None:
        """The shop's server reports the order."""
        total = round(line["price"] * line["quantity"], 2)
        order = f"{self.scene.prefix}o{self.visit.number}-{step.item}-{self._events}"
        fields = {"transaction_id": order, "value": total, "currency": "EUR"}
        checkout = self._event("begin_checkout", [line], value=total, currency="EUR")
        purchase = self._event("purchase", [line], **fields)
        self._send([(ms, checkout), (ms + 1, purchase)])
        bought(self.shopper, step.item)
        self.scene.sell(step.item, line["quantity"], ms)
        self.scene.meter.happened(step.placement, "orders", total)
        if review:
            days = 2.0 + 6.0 * derive(self.scene.seed, "simulation.review", order).random()
            self.scene.agenda.at(ms + days * DAY, lambda then: self._review(then, step.item))

    def _review(self, ms: float, item: int) -> None:
        stars = int(np.clip(round(4.0 + self.scene.shop.conversion[item] * 2.0), 1, 5))
        words = ("poor", "not what I hoped for", "all right", "good", "excellent")[stars - 1]
        said = {"rating": stars, "text": words}
        self._send([(ms, self._event("review", [self._line(item)], attributes=said))])

    def _say(self, ms: float, item: int, luck: np.random.Generator) -> None:
        """Now and then somebody says what they think."""
        draw = luck.random()
        if draw < DISLIKES:
            self._note("dislike", ms, [self._line(item)])
        elif draw < DISLIKES + FOLLOWS:
            self._note("follow", ms, [self._line(item)])

    # ------------------------------------------------------------ the tracker

    def _page_luck(self) -> np.random.Generator:
        """Luck by visit and page, so that one page's draws never shift another's."""
        self._pages += 1
        key = f"{self.visit.number}:{self._homes}:{self._pages}"
        return derive(self.scene.seed, "simulation.page", key)

    def _line(self, item: int, index: int | None = None, token: str | None = None) -> Body:
        line: Body = {
            "item_id": self.scene.shop.ids[item],
            "price": float(self.scene.shop.labels.price[item]),
        }
        if index is not None:
            line["index"] = index
        if token is not None:
            line["token"] = token
        return line

    def _ids(self) -> Body:
        ids = {"anonymous_id": self.shopper.anonymous_id}
        if self.shopper.user_id is not None:
            ids["user_id"] = self.shopper.user_id
        return ids

    def _note(self, event: str, ms: float, items: list[Body] | None = None, **fields: Any) -> None:
        """Keep an event until the page is left."""
        self._unsent.append((ms, self._event(event, items, **fields)))

    def _event(self, event: str, items: list[Body] | None = None, **fields: Any) -> Body:
        prefix, number = self.scene.prefix, self.visit.number
        body: Body = {
            "event_id": f"{prefix}e{number}-{self._events}",
            "event": event,
            **self._ids(),
            "session_id": f"{prefix}s{number}",
            "context": {"device": "desktop", "locale": "en-GB", "country": "GB"},
            **{name: value for name, value in fields.items() if value is not None},
        }
        if items:
            body["items"] = items
        if self._events == 0:
            allowed = not self.shopper.refuses
            body["consent"] = {"personalization": allowed, "analytics": True}
        self._events += 1
        return body

    def _flush(self) -> None:
        if self._unsent:
            unsent, self._unsent = self._unsent, []
            self._send(unsent)

    def _send(self, events: list[tuple[float, Body]]) -> None:
        stamp = self.scene.stamp
        self.scene.send([body | {"ts": rfc3339(stamp(ms))} for ms, body in events])


def click_worth(worth: Worth, shoppers: Shoppers, shopper: Shopper) -> Floats:
    """(items,) expected worth of a click: outcomes of a slot add up, each counted once."""
    further = worth.add_to_cart + shoppers.purchase() * worth.purchase
    return np.asarray(worth.click + shoppers.cart(shopper) * further)
