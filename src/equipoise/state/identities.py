"""Who is who: anonymous ids that belong to a user.

A person's events stay under the id they came with, and are put together when read. So a link that
arrives late changes nothing but itself, and taking it back leaves no trace.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from equipoise.state.packing import pack, unpack
from equipoise.types import Arrays, Event, Kind, User

UNLINK = "unlink"
"""The event that takes a link back; every other event with both ids makes one."""
NOBODY = ""


def own_key(user_id: str | None, anonymous_id: str | None) -> str:
    """The key that a person's event is kept under: ``u:…``, else ``a:…``; empty without both."""
    if user_id:
        return f"u:{user_id}"
    return f"a:{anonymous_id}" if anonymous_id else NOBODY


class Identities:
    """A ``Fold``: which user an anonymous id belongs to.

    An anonymous id (a browser) has one user at a time: the newest word by the event's own time
    holds, whatever the order of arrival (of two at the same time, an undone link before a made one,
    then the larger user id). A user keeps the ``devices`` newest links; beyond ``most`` links in
    all, the oldest made is dropped.
    """

    def __init__(self, *, devices: int = 16, most: int = 1_000_000) -> None:
        self._devices = devices
        self._most = most
        self._links: OrderedDict[str, tuple[str, int]] = OrderedDict()
        """anonymous id → (user, since when); user empty: unlinked."""
        self._people: dict[str, tuple[str, ...]] = {}
        """user → anonymous ids, sorted, so that their order does not depend on when they came."""
        self.forgotten: tuple[str, ...] = ()
        """The parts of whoever was forgotten last, for the folds that come after. Not state."""

    def key(self, user_id: str | None, anonymous_id: str | None) -> str:
        """Whose it is: ``u:…`` where a user is named or linked, else ``a:…``, else empty."""
        return own_key(user_id or self.user(anonymous_id), anonymous_id)

    def user(self, anonymous_id: str | None) -> str | None:
        """The user that an anonymous id belongs to."""
        link = self._links.get(anonymous_id) if anonymous_id else None
        return link[0] or None if link else None

    def anonymous_ids(self, user_id: str) -> tuple[str, ...]:
        """The anonymous ids that belong to a user."""
        return self._people.get(user_id, ())

    def parts(self, user_id: str | None, anonymous_id: str | None) -> tuple[str, ...]:
        """All keys under which this person's events are kept, the user's first."""
        user = user_id or self.user(anonymous_id)
        if user:
            return (f"u:{user}", *[f"a:{one}" for one in self._people.get(user, ())])
        return (f"a:{anonymous_id}",) if anonymous_id else ()

    def parts_of(self, key: str) -> tuple[str, ...]:
        """``parts`` of whoever has this key."""
        return self.parts(*ids_of(key))

    # ------------------------------------------------------------ the fold

    def apply(self, seq: int, arrived: int, kind: Kind, noun: Any) -> None:
        if kind is Kind.EVENT:
            if noun.user_id and noun.anonymous_id:
                self._hear(noun, min(noun.ts, arrived))
        elif kind is Kind.USER:
            self._listed(noun, arrived)
        elif kind is Kind.USER_REMOVED:
            self.forget(f"u:{noun}")

    def link(self, user_id: str, anonymous_id: str, ts: int) -> None:
        """From ``ts`` on the anonymous id is this user's, unless a later word says otherwise."""
        held = self._links.get(anonymous_id)
        if held is None or held[1] < ts or (held[1] == ts and NOBODY < held[0] < user_id):
            self._links[anonymous_id] = (user_id, ts)
            if held is None or held[0] != user_id:
                self._move(anonymous_id, held[0] if held else NOBODY, user_id)

    def unlink(self, user_id: str, anonymous_id: str, ts: int) -> None:
        """Take the link back. The anonymous id is its own again, with all that it did by itself."""
        held = self._links.get(anonymous_id, (user_id, ts))
        if held[0] == user_id and held[1] <= ts:
            # Kept even where no link was known: an older link may still be on its way.
            self._links[anonymous_id] = (NOBODY, ts)
            self._move(anonymous_id, user_id, NOBODY)
            self._bound()

    def forget(self, key: str) -> None:
        """Drop the links of this person."""
        self.forgotten = self.parts_of(key)
        for part in self.forgotten:
            link = self._links.pop(part[2:], None) if part.startswith("a:") else None
            if link:
                self._move(part[2:], link[0], NOBODY)

    def _hear(self, event: Event, ts: int) -> None:
        user_id, anonymous_id = event.user_id or NOBODY, event.anonymous_id or NOBODY
        if event.event == UNLINK:
            self.unlink(user_id, anonymous_id, ts)
        else:
            self.link(user_id, anonymous_id, ts)

    def _listed(self, user: User, ts: int) -> None:
        for anonymous_id in user.linked_ids:
            self.link(user.user_id, anonymous_id, ts)

    def _move(self, anonymous_id: str, before: str, after: str) -> None:
        if before:
            left = tuple(one for one in self._people.get(before, ()) if one != anonymous_id)
            if left:
                self._people[before] = left
            else:
                self._people.pop(before, None)
        if after:
            held = self._people[after] = (*self._people.get(after, ()), anonymous_id)
            self._people[after] = tuple(sorted(held))
            if len(held) > self._devices:
                self._drop(min(held, key=lambda one: (self._links[one][1], one)))
            self._bound()

    def _bound(self) -> None:
        if len(self._links) > self._most:
            self._drop(next(iter(self._links)))

    def _drop(self, anonymous_id: str) -> None:
        user_id, _ = self._links.pop(anonymous_id)
        self._move(anonymous_id, user_id, NOBODY)

    def dump(self) -> Arrays:
        return {"links": pack(self._links)}

    def load(self, arrays: Arrays) -> None:
        self._links = OrderedDict(unpack(arrays["links"], dict[str, tuple[str, int]]))
        people: dict[str, list[str]] = {}
        for anonymous_id, (user_id, _) in self._links.items():
            if user_id:
                people.setdefault(user_id, []).append(anonymous_id)
        self._people = {user_id: tuple(sorted(held)) for user_id, held in people.items()}


def ids_of(key: str) -> tuple[str | None, str | None]:
    """(user id, anonymous id) of a key, one of them None."""
    return (None, key[2:]) if key.startswith("a:") else (key[2:] or None, None)
