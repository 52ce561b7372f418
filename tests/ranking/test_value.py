"""Worth: what an outcome earns."""

from __future__ import annotations

import pytest

from equipoise.errors import InvalidInput
from equipoise.ranking.value import Worth


def test_outcomes() -> None:
    """Each outcome of a slot has its amount, nothing earns nothing, and both forms agree."""
    worth = Worth(click=0.1, add_to_cart=1.0, purchase=5.0)

    assert worth.by_outcome() == {"none": 0.0, "click": 0.1, "add_to_cart": 1.0, "purchase": 5.0}
    assert all(worth.of(outcome) == amount for outcome, amount in worth.by_outcome().items())


def test_an_unknown_outcome_is_named() -> None:
    """With those there are."""
    with pytest.raises(
        InvalidInput, match="'refund' is no outcome of a slot; the outcomes are none"
    ):
        Worth().of("refund")


@pytest.mark.parametrize("amount", [-1.0, float("nan"), float("inf")])
def test_an_amount_that_is_none(amount: float) -> None:
    """Worth is money, 0 or more."""
    with pytest.raises(InvalidInput, match=r"worth\.click is .*; an outcome is worth 0 or more"):
        Worth(click=amount)
