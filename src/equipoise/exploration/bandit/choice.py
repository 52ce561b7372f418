"""What a bandit chose, with all that learning from it needs: keep it, send it, bring it back."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Choice:
    """One action, or a slate of them, and how likely each was.

    Plain values: ``json.dumps(choice.to_dict())`` keeps it for as long as the reward may take,
    ``Choice.from_dict`` brings it back.
    """

    number: int
    """Of the decision; the luck of its draw was derived from it."""
    actions: tuple[Hashable, ...]
    propensities: tuple[float, ...]
    """P(this action at this slot | the slots before)."""
    explored: bool
    """Greedy would have chosen otherwise, at one slot at least."""
    context: tuple[float, ...]
    features: tuple[tuple[float, ...], ...] | None
    """Of each action, where actions came with features."""
    advice: tuple[tuple[float, ...], ...]
    """For each slot the chance that each level of the policy alone gave to its action."""

    @property
    def action(self) -> Hashable:
        """What was chosen; of a slate the first."""
        return self.actions[0]

    @property
    def propensity(self) -> float:
        """With what probability; of a slate all its slots together."""
        whole = 1.0
        for share in self.propensities:
            whole *= share
        return whole

    def to_dict(self) -> dict[str, Any]:
        """Everything, in JSON's types if the actions' ids are."""
        return asdict(self)

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Self:
        """What ``to_dict`` gave, from JSON too: there a tuple comes back as a list.

        Raises:
            ValueError: a field is missing or unknown.
        """
        names = tuple(cls.__dataclass_fields__)
        if set(fields) != set(names):
            raise ValueError(f"a choice has the fields {', '.join(names)}, not {', '.join(fields)}")
        return cls(**{name: frozen(value) for name, value in fields.items()})


def frozen(value: Any) -> Any:
    """Lists as tuples, all the way down."""
    return tuple(map(frozen, value)) if isinstance(value, list | tuple) else value
