"""What people like you met, and what your friends met: collaborative filtering with links."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import Any, Self

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from equipoise.data import Interactions
from equipoise.errors import InvalidInput, NotFitted
from equipoise.recommenders.base import History, Recommender, ones_unless, seen
from equipoise.recommenders.session_index import add, nearest
from equipoise.recommenders.top import masked_top
from equipoise.types import Floats32, Item, Positions

Link = tuple[Hashable, Hashable] | tuple[Hashable, Hashable, float]
Rows = tuple[NDArray[np.int64], Positions, Floats32]
"""CSR: where each row starts, the item codes, the values."""


class Social(Recommender):
    """Score of item i = Σ over the ``k`` nearest users v of s(h, v) x_vi + Σ over the friends f of
    t_f (``friend_weight`` + ``friend_boost`` · s(h, f)) x_fi.

    User-based filtering whose friends count more than their likeness alone would let them, and
    count even without any: the trust-weighted mean of Massa, Avesani, "Trust-aware Recommender
    Systems", RecSys 2007, mixed with the like-minded as in Ma, King, Lyu, "Learning to Recommend
    with Social Trust Ensemble", SIGIR 2009. t_f is the trust of the link, 1 unless told. s is the
    cosine of rows in which an item that many met weighs less, by ln(U / (1 + users who met it)). x
    is 1 for an item met, with ``use_values`` ln(1 + its summed value).

    **Who asks?** A history says nothing of friends, so there are three ways to ask:

    - ``recommend_for(user)``: a user of the training data or of its links, by id;
    - ``recommend_among(history, friends)``: anybody, who brings the friends' histories along;
    - ``recommend(history)`` and ``score_codes``: a stranger; the second sum is empty.

    The first two agree where the histories are those of training. The training rows are stored
    without ids, and the links not at all: a model that was loaded answers the last two.

    An item that nobody asked met scores NaN; an empty history without friends gets an empty list,
    and one with friends theirs. Fit O(nnz); memory 16·nnz bytes. A score costs the users of each
    item of the history, k rows and the friends' rows, and a float for every user and item to clear.
    """

    name = "social"
    learned = ("indptr", "items", "values")

    indptr_: NDArray[np.int64]
    items_: Positions
    values_: Floats32
    """CSR (users, I): x."""
    user_ids_: NDArray[np.object_]
    """(users,) the caller's ids; set by ``fit``, not stored."""

    def __init__(
        self,
        *,
        k: int = 35,
        friend_weight: float = 0.02,
        friend_boost: float = 1.0,
        use_values: bool = False,
    ) -> None:
        self.k = k
        self.friend_weight = friend_weight
        self.friend_boost = friend_boost
        self.use_values = use_values

    def fit(
        self,
        interactions: Interactions,
        *,
        items: Iterable[Item] | None = None,
        friends: Iterable[Link] = (),
    ) -> Self:
        """``friends``: (user, friend) or (user, friend, trust), one way only; of one link told
        twice the last holds. Friends who met nothing, and oneself, say nothing and are left out.

        Raises InvalidInput for a keyword out of range, and for a link of another form or with a
        trust that is not positive.
        """
        self.require("k", self.k >= 1, "at least one neighbour")
        self.require("friend_weight", self.friend_weight >= 0, "zero or more")
        self.require("friend_boost", self.friend_boost >= 0, "zero or more")
        rows = seen(interactions, self.use_values)
        values = np.log1p(rows.data) if self.use_values else rows.data
        self.indptr_, self.items_ = rows.indptr.astype(np.int64), rows.indices
        self.values_ = values.astype(np.float32)
        self.item_ids_, self.user_ids_ = interactions.item_ids, interactions.user_ids
        self._friends = self._links(friends)
        self.prepare()
        return self

    def prepare(self) -> None:
        users, n = len(self.indptr_) - 1, len(self.item_ids_)
        met = np.bincount(self.items_, minlength=n)
        # What everybody met says nothing of anybody, and never a negative amount.
        self._rarity = np.maximum(np.log(max(1, users) / (1 + met)), 0).astype(np.float32)
        rows = (self.values_, self.items_, self.indptr_)
        unit = csr_matrix(rows, shape=(users, n), copy=True)
        unit.data = _units((self.indptr_, self.items_, self.values_), self._rarity)
        by_item = unit.tocsc()
        self._by_item = (by_item.indptr, by_item.indices, by_item.data)

    def score_codes(self, codes: Positions, weights: Floats32 | None = None) -> Floats32:
        return self._score(codes, ones_unless(weights, codes), _no_rows(), _no_rows()[2])

    def recommend_for(
        self, user: Hashable, n: int = 20, *, repeats: bool = False
    ) -> tuple[NDArray[np.object_], Floats32]:
        """``recommend`` for a user known by id, whose history is that of training.

        Raises:
            InvalidInput: the user is neither in the training data nor in a link.
            NotFitted: ``fit`` was not called, or the model came from arrays.
        """
        row = self._row(user)
        theirs = self._friends.get(user, {})
        codes = self.items_[row]
        circle = [self._row(friend) for friend in theirs]
        lengths = [len(self.items_[one]) for one in circle]
        rows = (
            np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
            np.concatenate([self.items_[:0], *(self.items_[one] for one in circle)]),
            np.concatenate([self.values_[:0], *(self.values_[one] for one in circle)]),
        )
        trust = np.array(list(theirs.values()), np.float32)
        return self._list(self._score(codes, self.values_[row], rows, trust), codes, n, repeats)

    def recommend_among(
        self,
        history: History,
        friends: Sequence[History],
        n: int = 20,
        *,
        trust: Sequence[float] | None = None,
        repeats: bool = False,
    ) -> tuple[NDArray[np.object_], Floats32]:
        """``recommend`` for anybody, given the histories of those they trust, and how much each.

        Raises InvalidInput where ``trust`` is not one positive number a friend.
        """
        trusted = np.ones(len(friends)) if trust is None else np.asarray(trust, float)
        if trusted.shape != (len(friends),) or not _positive(trusted):
            raise InvalidInput(
                f"trust is {trust}; one positive number for each of {len(friends)} friends is"
                " wanted",
                pointer="/trust",
            )
        told = [self.encode(friend) for friend in friends]
        rows = (
            np.concatenate([[0], np.cumsum([len(codes) for codes, _ in told])]).astype(np.int64),
            np.concatenate([np.empty(0, np.int32), *(codes for codes, _ in told)]),
            np.concatenate([np.empty(0, np.float32), *(ones_unless(w, c) for c, w in told)]),
        )
        codes, weights = self.encode(history)
        mine = ones_unless(weights, codes)
        scores = self._score(codes, mine, rows, trusted.astype(np.float32))
        return self._list(scores, codes, n, repeats)

    def _score(self, codes: Positions, mine: Floats32, rows: Rows, trust: Floats32) -> Floats32:
        alone = (np.array([0, len(codes)]), codes, mine)
        unit = _units(alone, self._rarity)
        out = np.full(len(self.item_ids_), np.nan, np.float32)
        users = (self.indptr_, self.items_, self.values_)
        _add_alike(self._by_item, users, codes, unit, self.k, out)
        likeness = np.zeros(len(out), np.float32)
        likeness[codes] = unit
        weights = (np.float32(self.friend_weight), np.float32(self.friend_boost))
        _add_friends(rows, _units(rows, self._rarity), likeness, trust, weights, out)
        return out

    def _list(
        self, scores: Floats32, codes: Positions, n: int, repeats: bool
    ) -> tuple[NDArray[np.object_], Floats32]:
        if n < 1:
            raise InvalidInput(f"n is {n}; at least 1 item must be asked for", pointer="/n")
        allowed = np.ones(len(scores), np.bool_)
        if not repeats:
            allowed[codes] = False
        best, values = masked_top(scores, allowed, n)
        return self.item_ids_[best], values

    def _row(self, user: Hashable) -> slice:
        """Where a user's entries stand; nowhere for one who has links and no row."""
        if "_user_rows" not in self.__dict__:
            raise NotFitted(
                f"this {type(self).__name__} was loaded or not fitted, and no user ids are stored"
                " with a model: fit it, or ask recommend_among"
            )
        if user in self._user_rows:
            row = self._user_rows[user]
            return slice(self.indptr_[row], self.indptr_[row + 1])
        if user in self._friends:
            return slice(0, 0)
        raise InvalidInput(
            f"user {user!r} is neither in the training data nor in a link: ask recommend with a"
            " history, or recommend_among",
            pointer="/user",
        )

    def _links(self, friends: Iterable[Link]) -> dict[Hashable, dict[Hashable, float]]:
        """User → friend → trust, for friends who met something."""
        self._user_rows = {user: row for row, user in enumerate(self.user_ids_.tolist())}
        lengths = np.diff(self.indptr_)
        table: dict[Hashable, dict[Hashable, float]] = {}
        for place, link in enumerate(friends):
            user, friend, trust = _link(link, place)
            theirs = table.setdefault(user, {})
            row = self._user_rows.get(friend)
            if row is not None and lengths[row] and friend != user:
                theirs[friend] = trust
        return table


def _link(link: Any, place: int) -> tuple[Hashable, Hashable, float]:
    user, friend, trust = (*link, 1.0)[:3] if len(link) in (2, 3) else (None, None, np.nan)
    if not _positive(np.array([trust], float)):
        raise InvalidInput(
            f"link {place} is {link!r}; (user, friend) or (user, friend, positive trust) is wanted",
            pointer=f"/friends/{place}",
        )
    return user, friend, float(trust)


def _positive(numbers: NDArray[np.float64]) -> bool:
    return bool((np.isfinite(numbers) & (numbers > 0)).all())


def _no_rows() -> Rows:
    return np.zeros(1, np.int64), np.empty(0, np.int32), np.empty(0, np.float32)


def _units(rows: Rows, rarity: Floats32) -> Floats32:
    """The values of ``rows`` times ``rarity``, each row scaled to length 1 or all 0."""
    indptr, items, values = rows
    weighed = values * rarity[items]
    row = np.repeat(np.arange(len(indptr) - 1), np.diff(indptr))
    lengths = np.sqrt(np.bincount(row, weighed.astype(np.float64) ** 2, len(indptr) - 1))
    unit: Floats32 = (weighed / np.where(lengths > 0, lengths, 1)[row]).astype(np.float32)
    return unit


@njit(cache=True, nogil=True)
def _add_alike(by_item, users, codes, unit, k, out):  # type: ignore[no-untyped-def]
    item_ptr, who, strengths = by_item
    indptr, items, values = users
    cosine = np.zeros(len(indptr) - 1, np.float32)
    for h in range(len(codes)):
        for at in range(item_ptr[codes[h]], item_ptr[codes[h] + 1]):
            cosine[who[at]] += unit[h] * strengths[at]
    alike = np.flatnonzero(cosine).astype(np.int32)
    for user in alike[nearest(cosine[alike], k)]:
        for at in range(indptr[user], indptr[user + 1]):
            add(out, items[at], cosine[user] * values[at])


@njit(cache=True, nogil=True)
def _add_friends(rows, units, likeness, trust, weights, out):  # type: ignore[no-untyped-def]
    indptr, items, values = rows
    weight, boost = weights
    for f in range(len(trust)):
        cosine = np.float32(0)
        for at in range(indptr[f], indptr[f + 1]):
            cosine += units[at] * likeness[items[at]]
        counts = trust[f] * (weight + boost * cosine)
        for at in range(indptr[f], indptr[f + 1]):
            add(out, items[at], counts * values[at])
