"""What an outcome is worth, in the shop's own currency."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import isfinite

from equipoise.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Worth:
    """Money a shop would pay for one outcome of a slot; a slot that earned nothing is worth 0.

    One amount an outcome, whatever the basket holds: the reward stays bounded, so one large order
    cannot carry an item to the top for weeks.
    """

    click: float = 0.05
    add_to_cart: float = 0.50
    purchase: float = 2.00

    def __post_init__(self) -> None:
        for outcome, worth in asdict(self).items():
            if not (isfinite(worth) and worth >= 0):
                raise InvalidInput(
                    f"worth.{outcome} is {worth}; an outcome is worth 0 or more",
                    code="bad_worth",
                    pointer=f"/worth/{outcome}",
                )

    def by_outcome(self) -> dict[str, float]:
        """Every outcome of a slot (``Reward.outcome``) with its worth."""
        return {"none": 0.0, **asdict(self)}

    def of(self, outcome: str) -> float:
        """Raises InvalidInput for an outcome that no slot has."""
        known = self.by_outcome()
        if outcome not in known:
            raise InvalidInput(
                f"{outcome!r} is no outcome of a slot; the outcomes are {', '.join(known)}",
                code="unknown_outcome",
                pointer="/outcome",
            )
        return known[outcome]
