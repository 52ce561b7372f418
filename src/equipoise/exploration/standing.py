"""Where a limit stands, as plain data for people."""

from __future__ import annotations

from typing import Any

from equipoise.exploration.apprentice import Apprentice, ApprenticeState
from equipoise.exploration.guarantee import Guarantee, GuaranteeState
from equipoise.exploration.limits import Limit, LimitState
from equipoise.types import Milliseconds


def money(limit: Limit, state: LimitState, ts: Milliseconds) -> dict[str, Any]:
    """A day's money and what is left of it, money in all and what is spent."""
    return {
        "day": limit.day,
        "left": limit.tokens(state, ts) if limit.day else None,
        "total": limit.total,
        "spent": state.spent,
    }


def guarantee(held: Guarantee | None, state: GuaranteeState | None) -> dict[str, Any] | None:
    """Whether it allows exploring, and by what credit."""
    if held is None:
        return None
    now = state or held.init()
    return {
        "alpha": held.alpha,
        "error": held.error,
        "allows": held.allows(now),
        "credit": held.lower(now),
        "lists": now.credit.n,
        "under_way": now.under_way,
    }


def apprentice(held: Apprentice | None, state: ApprenticeState | None) -> dict[str, Any] | None:
    """Its share of the lists, and the lead that it has earned."""
    if held is None:
        return None
    now = state or held.init()
    lead, least = held.lead(now)
    return {
        "share": held.share(now),
        "lists": now.ahead.n,
        "lead": lead,
        "lead_at_least": least,
        "proved": now.proved,
    }
