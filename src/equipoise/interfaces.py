"""The six protocols, on one page. Structural: a class fits by its methods; nothing registers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Protocol, TypeAlias

from equipoise.types import (
    Arrays,
    Bools,
    Candidates,
    Floats,
    Floats32,
    Kind,
    Query,
    Receipt,
    Record,
    Scored,
    Shopper,
    Stored,
)


class Log(Protocol):
    """Durable, ordered, read again. The truth; everything else is a fold over it."""

    def append(self, records: Sequence[Record]) -> list[Receipt]:
        """Make all records durable in one commit, in order, or raise and keep none.

        A record one of whose ``ids`` is already on the log (or earlier in this call) is not
        written: its receipt says ``duplicate`` and gives the seq of the one that stands.
        """

    def read(self, after: int = 0, *, kinds: Iterable[Kind] = ()) -> Iterator[Stored]:
        """Everything with ``seq > after``, in order; only ``kinds`` if any are named."""

    def find(self, kind: Kind, key: str) -> Stored | None:
        """The newest record of this kind and key, or None."""

    def of_shopper(self, shopper: str) -> Iterator[Stored]:
        """All records that name this shopper, in order."""

    @property
    def last(self) -> int:
        """The newest seq; 0 for an empty log."""


class Fold(Protocol):
    """State that is a pure function of the log: replaying it gives the same bytes."""

    def apply(self, seq: int, arrived: int, kind: Kind, noun: Any) -> None:
        """Take one record in; ``noun`` is its decoded body. No clock, no luck, no other input."""

    def dump(self) -> Arrays:
        """The whole state as arrays, in an order that depends on the log alone."""

    def load(self, arrays: Arrays) -> None:
        """Become what ``dump`` described."""


class Source(Protocol):
    """Proposes candidates for a query."""

    @property
    def name(self) -> str: ...

    def propose(self, query: Query, shopper: Shopper, eligible: Bools, k: int) -> Candidates:
        """At most ``k`` positions where ``eligible``, best first. Never raises for a stranger."""


class Recommender(Protocol):
    """Learns from interactions, scores items for a history."""

    def fit(self, interactions: Any) -> Any:
        """Learn from ``equipoise.data.Interactions``; returns itself."""

    def score(self, histories: Sequence[Sequence[Any]]) -> Floats32:
        """(histories, items) of float32; NaN where the method cannot say."""


class Belief(Protocol):
    """How good, and how sure."""

    def predict(self, x: Floats) -> tuple[Floats, Floats]:
        """Mean and variance of the expected reward, each (n,), for x (n, d)."""

    def update(self, x: Floats, reward: Floats, weight: Floats | None = None) -> Belief:
        """The belief after rewards (n,) at x (n, d), as a new value; the order does not matter."""


Conditional: TypeAlias = Callable[[Bools], Floats]
"""open (n,) → probabilities (n,): sum 1 over what is open, 0 elsewhere."""


class Policy(Protocol):
    """A pure function from beliefs to the probability of the next item.

    In two steps, because what all slots of a slate share (the quadrature rows of Thompson, the
    weights of Plackett–Luce) is worth computing once: ``bind`` a decision, then one call a slot.
    """

    @property
    def name(self) -> str: ...

    @property
    def parameters(self) -> dict[str, float]:
        """What, with the name, makes the policy again."""

    def bind(self, scored: Scored, level: float) -> Conditional:
        """The conditional probabilities of this decision. Level 0 is greedy, 1 the natural amount.

        Among exact ties greedy is uniform. Something must be open, else ValueError.
        """
