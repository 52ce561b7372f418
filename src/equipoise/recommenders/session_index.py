"""Past sessions, found by an item and newest first: what the session methods look in.

A session is a user of ``Interactions``; sessions are numbered from the newest (0) to the oldest, so
that a rising list of numbers is a list by recency, and ties between neighbours go to the newer.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numba import njit
from numpy.typing import NDArray

from equipoise.data import Interactions
from equipoise.recommenders.base import History, Recommender
from equipoise.recommenders.top import code_of, offer, pack
from equipoise.types import Floats32, Positions

DOT, COSINE, JACCARD = range(3)
_END = np.uint64(0xFFFFFFFFFFFFFFFF)


class SessionRecommender(Recommender):
    """A recommender that looks for past sessions like the running one.

    Two arrays hold them all, one entry for each item that a session met, and ``prepare`` turns them
    round to be found by item: 8 bytes an entry together. Rows whose values sum to zero or less are
    not met.
    """

    learned: ClassVar[tuple[str, ...]] = ("session_ptr", "session_items")

    session_ptr_: NDArray[np.int64]
    """(S + 1,) where each session starts, the newest first."""
    session_items_: Positions
    """Codes, each once a session, at its latest place."""

    def _index(self, interactions: Interactions) -> Positions:
        """Set the arrays; (S,) the user code of each session."""
        indptr, items, values = interactions.history_codes(unique=True)
        newest = np.full(interactions.n_users, -1)
        newest[interactions.user] = np.arange(len(interactions))
        user = np.repeat(np.arange(interactions.n_users), np.diff(indptr))[values > 0]
        counts = np.bincount(user, minlength=interactions.n_users)
        order = np.argsort(-newest, kind="stable")
        order = order[counts[order] > 0]
        starts = np.concatenate([[0], np.cumsum(counts)])[order]
        self.session_ptr_ = np.concatenate([[0], np.cumsum(counts[order])]).astype(np.int64)
        shift = np.repeat(starts - self.session_ptr_[:-1], counts[order])
        self.session_items_ = items[values > 0][shift + np.arange(len(shift))]
        self.item_ids_ = interactions.item_ids
        self.prepare()
        return order.astype(np.int32)

    def encode(self, history: History) -> tuple[Positions, Floats32 | None]:
        """Codes of all known items, those that come again too: they take up a place each time."""
        code = self._code_of
        known = [code[id_] for id_ in history if id_ in code]
        return np.array(known, np.int32), None

    def prepare(self) -> None:
        lengths = np.diff(self.session_ptr_)
        session = np.repeat(np.arange(len(lengths), dtype=np.int32), lengths)
        order = np.argsort(self.session_items_, kind="stable")
        counts = np.bincount(self.session_items_, minlength=len(self.item_ids_))
        self._item_ptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        self._item_sessions = session[order]
        # ln of sessions / sessions with the item: zero for an item of every session, as for none.
        rarity = np.log(max(1, len(lengths)) / np.maximum(counts, 1))
        self._rarity = np.where(counts > 0, rarity, 0).astype(np.float32)


@njit(cache=True, nogil=True)
def sharing(item_ptr, item_sessions, codes, weights, sample):  # type: ignore[no-untyped-def]
    """The at most ``sample`` newest sessions that share an item with the history ``codes`` (h,).

    Four arrays, newest session first: its number, how many items it shares, the sum of ``weights``
    of these, and the place in ``codes`` of the newest of them. An item that comes again counts
    once, at its latest place. The items' lists are merged, so older sessions than those wanted are
    never looked at.
    """
    heap, at, entries = _heads(item_ptr, item_sessions, codes)
    room, count = min(entries, sample), 0
    met, newest = np.empty(room, np.int32), np.empty(room, np.int32)
    shared, strength = np.zeros(room, np.int32), np.zeros(room, np.float32)
    while len(heap) and heap[0] != _END:
        session, place = heap[0] >> np.uint64(32), np.int64(heap[0] & np.uint64(0xFFFFFFFF))
        if count == 0 or met[count - 1] != session:
            if count == room:
                break
            met[count], newest[count] = session, place
            count += 1
        shared[count - 1] += 1
        strength[count - 1] += weights[place]
        newest[count - 1] = max(newest[count - 1], place)
        at[place] += 1
        more = at[place] < item_ptr[codes[place] + 1]
        # The heap is full, so the next entry of this list takes the place of the one just read.
        offer(heap, len(heap), _key(item_sessions[at[place]], place) if more else _END)
    return met[:count], shared[:count], strength[:count], newest[:count]


@njit(cache=True, nogil=True)
def _heads(item_ptr, item_sessions, codes):  # type: ignore[no-untyped-def]
    """The newest session of each item's list, as a heap of keys; where each list stands; the
    entries of all lists."""
    at, size, entries = np.empty(len(codes), np.int64), 0, 0
    heap, taken = np.empty(len(codes), np.uint64), np.zeros(len(item_ptr) - 1, np.bool_)
    for place in range(len(codes) - 1, -1, -1):
        item = codes[place]
        at[place] = item_ptr[item]
        if taken[item] or item_ptr[item] == item_ptr[item + 1]:
            continue
        taken[item] = True
        entries += int(item_ptr[item + 1] - item_ptr[item])
        size = offer(heap, size, _key(item_sessions[at[place]], place))
    return heap[:size], at, entries


@njit(cache=True, nogil=True)
def _key(session, place):  # type: ignore[no-untyped-def]
    return (np.uint64(session) << np.uint64(32)) | np.uint64(place)


@njit(cache=True, nogil=True)
def compare(session_ptr, met, shared, strength, weights, similarity):  # type: ignore[no-untyped-def]
    """Turn ``strength`` into the similarity of each session ``met`` to the history, in place."""
    square = np.float32(0)
    for weight in weights:
        square += weight * weight
    for n in range(len(met)):
        length = session_ptr[met[n] + 1] - session_ptr[met[n]]
        if similarity == COSINE:
            strength[n] /= np.sqrt(square * length)
        elif similarity == JACCARD:
            strength[n] = shared[n] / (len(weights) + length - shared[n])
        else:
            strength[n] /= len(weights)


@njit(cache=True, nogil=True)
def nearest(strength, k):  # type: ignore[no-untyped-def]
    """Places of the ``k`` largest of ``strength`` above 0, in any order; ties go to the earlier."""
    heap, size = np.empty(min(k, len(strength)), np.uint64), 0
    if len(heap):
        bits = strength.view(np.uint32)
        for place in range(len(strength)):
            if strength[place] > 0:
                size = offer(heap, size, pack(bits[place], place))
    places = np.empty(size, np.int64)
    for n in range(size):
        places[n] = code_of(heap[n])
    return places


@njit(cache=True, nogil=True)
def add(out, item, value):  # type: ignore[no-untyped-def]
    """out[item] += value, NaN being nothing yet."""
    out[item] = value if np.isnan(out[item]) else out[item] + value


def backwards(length: int) -> Floats32:
    """(length,) how many places each stands before the end: length − 1 … 0."""
    return np.arange(length - 1, -1, -1, dtype=np.float32)
