"""What goes into the next basket: one's own frequent items, and those of customers alike."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Self

import numpy as np
from numba import njit
from numpy.typing import NDArray

from equipoise.data import Interactions
from equipoise.recommenders.base import History, Recommender, ones_unless
from equipoise.recommenders.session_index import add, nearest
from equipoise.types import Floats, Floats32, Item, Positions

Codes = NDArray[np.int64]


class NextBasket(Recommender):
    """Score of item i = ``own`` · v(i) + (1 − ``own``) · mean of v_n(i) over the ``k`` nearest
    customers n.

    TIFU-KNN of Hu, He, Gao, Zhang, "Modeling Personalized Item Frequency Information for
    Next-basket Recommendation", SIGIR 2020. v(i) is how often i was bought, older baskets counting
    less: a customer's B baskets are cut into G = min(``groups``, B) runs of like size, and one that
    stands b places before the end of a run that stands g before the last counts ``basket_decay``^b
    · ``group_decay``^g / (G · baskets of the run). Without decay that is the share of the baskets
    that hold i; with ``own=1`` besides, one's own most frequent items and no others (P-TopFreq).
    Unlike the paper's, vectors are scaled to length 1, and the nearest are those of the largest
    cosine: a wholesaler and a household that buy the same are alike. Who shares no item is no
    neighbour.

    In training, rows of one customer and one time are a basket; without times each row is one. In
    a history a tuple or frozenset of ids is a basket, and a bare id beside one a basket of its own.
    A history of nothing but ids does not say where a basket ends: it is cut, from its
    newest end, into baskets of the mean size in training. Ask with ``repeats``: people buy the same
    again. The weights of ``score_codes`` are v, at any scale. Nobody's history gets the mean v of
    all customers.

    An item that is neither one's own nor a neighbour's scores NaN. Customers are kept as rows
    without ids. Fit O(nnz log nnz); memory 16 bytes for each item of a customer. A score costs the
    customers of each item of the history, and a float for every customer and item to clear.
    """

    name = "next_basket"
    learned = ("customer_ptr", "bought", "frequencies", "basket_size")

    customer_ptr_: NDArray[np.int64]
    bought_: Positions
    frequencies_: Floats32
    """CSR (customers, I): v of each customer who bought anything, of length 1."""
    basket_size_: Floats32
    """(1,) the mean number of different items in a basket."""

    def __init__(
        self,
        *,
        k: int = 100,
        groups: int = 10,
        basket_decay: float = 0.95,
        group_decay: float = 0.9,
        own: float = 0.5,
    ) -> None:
        self.k = k
        self.groups = groups
        self.basket_decay = basket_decay
        self.group_decay = group_decay
        self.own = own

    def fit(self, interactions: Interactions, *, items: Iterable[Item] | None = None) -> Self:
        """Raises InvalidInput for a keyword out of range, naming it."""
        self._check()
        n = interactions.n_items
        customer, basket, item = _purchases(interactions)
        self.basket_size_ = np.array([len(item) / max(1, len(np.unique(basket)))], np.float32)
        pair, place = np.unique(customer * n + item, return_inverse=True)
        values = np.bincount(place, self._weights(customer, basket), minlength=len(pair))
        row = np.unique(pair // n, return_inverse=True)[1]
        lengths = np.sqrt(np.bincount(row, values**2))
        self.customer_ptr_ = np.concatenate([[0], np.cumsum(np.bincount(row))]).astype(np.int64)
        self.bought_ = (pair % n).astype(np.int32)
        self.frequencies_ = (values / lengths[row]).astype(np.float32)
        self.item_ids_ = interactions.item_ids
        self.prepare()
        return self

    def prepare(self) -> None:
        customers = len(self.customer_ptr_) - 1
        row = np.repeat(np.arange(customers, dtype=np.int32), np.diff(self.customer_ptr_))
        order = np.argsort(self.bought_, kind="stable")
        counts = np.bincount(self.bought_, minlength=len(self.item_ids_))
        item_ptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        self._by_item = (item_ptr, row[order], self.frequencies_[order])
        self._by_customer = (self.customer_ptr_, self.bought_, self.frequencies_)
        totals = np.bincount(self.bought_, self.frequencies_, minlength=len(counts))
        mean = np.where(counts > 0, totals / max(1, customers), np.nan)
        self._mean: Floats32 = mean.astype(np.float32)

    def score_codes(self, codes: Positions, weights: Floats32 | None = None) -> Floats32:
        if not len(codes):
            return self._mean.copy()
        mine = ones_unless(weights, codes)
        mine = (mine / np.sqrt(np.square(mine, dtype=np.float64).sum())).astype(np.float32)
        out = np.full(len(self.item_ids_), np.nan, np.float32)
        _score(self._by_item, self._by_customer, codes, mine, (self.k, self.own), out)
        return out

    def encode(self, history: History) -> tuple[Positions, Floats32 | None]:
        """The items of all baskets, in the order in which they were last bought, and v of each."""
        baskets = self._cut(history)
        basket = np.repeat(np.arange(len(baskets)), [len(one) for one in baskets])
        codes = np.fromiter((code for one in baskets for code in one), np.int64, len(basket))
        if not len(codes):
            return codes.astype(np.int32), None
        # Turned round, so that the first place found of each is the latest.
        known, first, place = np.unique(codes[::-1], return_index=True, return_inverse=True)
        v = np.bincount(place, self._weights(np.zeros_like(codes), basket)[::-1])
        order = np.argsort(-first)
        return known[order].astype(np.int32), v[order].astype(np.float32)

    def _cut(self, history: History) -> list[list[int]]:
        """Baskets of codes, each item once a basket; none empty."""
        code = self._code_of
        told = [_basket(entry, code) for entry in history]
        if any(entry and whole for entry, whole in told):
            return [entry for entry, _ in told if entry]
        bare = [entry[0] for entry, _ in told if entry]
        size = max(1, round(float(self.basket_size_[0])))
        ends = range(len(bare), 0, -size)
        return [list(dict.fromkeys(bare[max(0, end - size) : end])) for end in reversed(ends)]

    def _weights(self, customer: Codes, basket: Codes) -> Floats:
        """(n,) what each row's basket counts. Rows stand by customer, then by basket, rising."""
        starts = np.flatnonzero(np.diff(basket, prepend=-1) | np.diff(customer, prepend=-1))
        owner = np.unique(customer[starts], return_inverse=True)[1]
        counts = np.bincount(owner)
        # Places before each customer's last basket.
        back = np.cumsum(counts)[owner] - 1 - np.arange(len(starts))
        groups = np.minimum(self.groups, counts)[owner]
        group = back * groups // counts[owner]
        first = -(-group * counts[owner] // groups)
        size = -(-(group + 1) * counts[owner] // groups) - first
        decay = self.basket_decay ** (back - first) * self.group_decay**group
        lengths = np.diff(starts, append=len(basket))
        weights: Floats = np.repeat(decay / (groups * size), lengths)
        return weights

    def _check(self) -> None:
        self.require("k", self.k >= 1, "at least one neighbour")
        self.require("groups", self.groups >= 1, "at least one")
        for keyword in ("basket_decay", "group_decay"):
            self.require(keyword, 0 < getattr(self, keyword) <= 1, "a number above 0, up to 1,")
        self.require("own", 0 <= self.own <= 1, "a number in 0..1")


def _basket(entry: Hashable, code: dict[Hashable, int]) -> tuple[list[int], bool]:
    """The codes of an entry of a history, each once, and whether it is a whole basket."""
    if entry in code:
        return [code[entry]], False
    if not isinstance(entry, tuple | frozenset):
        return [], False
    return sorted({code[id_] for id_ in entry if id_ in code}), True


def _purchases(interactions: Interactions) -> tuple[Codes, Codes, Codes]:
    """(customer, basket, item) of what was bought, by customer, then in time; an item once a
    basket."""
    order = np.argsort(interactions.user, kind="stable")
    order = order[interactions.value[order] > 0]
    customer, item = (
        code[order].astype(np.int64) for code in (interactions.user, interactions.item)
    )
    time = order if interactions.timestamp is None else interactions.timestamp[order]
    new = (np.diff(customer, prepend=-1) != 0) | (np.diff(time, prepend=-1) != 0)
    pair = (np.cumsum(new) - 1) * interactions.n_items + item
    once, at = np.unique(pair, return_index=True)
    return customer[at], once // interactions.n_items, once % interactions.n_items


@njit(cache=True, nogil=True)
def _score(by_item, by_customer, codes, mine, settings, out):  # type: ignore[no-untyped-def]
    item_ptr, customers, strengths = by_item
    customer_ptr, bought, frequencies = by_customer
    k, own = settings
    cosine = np.zeros(len(customer_ptr) - 1, np.float32)
    for h in range(len(codes)):
        for at in range(item_ptr[codes[h]], item_ptr[codes[h] + 1]):
            cosine[customers[at]] += mine[h] * strengths[at]
        out[codes[h]] = own * mine[h]
    if own == 1:
        return
    alike = np.flatnonzero(cosine).astype(np.int32)
    chosen = alike[nearest(cosine[alike], k)]
    for customer in chosen:
        for at in range(customer_ptr[customer], customer_ptr[customer + 1]):
            add(out, bought[at], (1 - own) * frequencies[at] / len(chosen))
