"""The console: what exploring costs, what it finds, what the learner believes."""

from __future__ import annotations

import asyncio
from typing import Any

from litestar import Response, get
from litestar.handlers import HTTPRouteHandler

from equipoise.clock import rfc3339
from equipoise.console import decisions as told
from equipoise.console.asked import Asked, text_of, whole_of
from equipoise.console.balances import cards, outlook
from equipoise.console.figures import Terms, charts, smoothing, tiles
from equipoise.console.history import SPANS, History, history, nearest_span
from equipoise.console.learner import learner
from equipoise.console.render import HEADERS, page
from equipoise.console.service import Service
from equipoise.console.words import duration, moment, span
from equipoise.engine import Engine
from equipoise.errors import InvalidInput, UnknownDecision
from equipoise.exploration.ahead import look_ahead
from equipoise.settings import clickable_ms

ROWS = 50
QUIET_MS = 60_000
"""A shop from which nothing has come for this long is called quiet."""


def console(service: Service) -> list[HTTPRouteHandler]:
    """The handlers under ``/console``."""
    return [*_control_room(service), *_balances(service), *_decisions(service)]


def _control_room(service: Service) -> list[HTTPRouteHandler]:
    """The page, and the parts of it that are asked for again and again."""

    @get("/console", include_in_schema=False, sync_to_thread=False)
    def overview(request: Asked) -> Response[str]:
        engine = service.engine
        try:
            placement, minutes = _scope(engine, request)
        except InvalidInput as error:
            return _missing(engine, "overview", str(error))
        return page(
            "console_overview.html",
            here="overview",
            minutes=minutes,
            spans=[(value, span(value)) for value in SPANS],
            placements=sorted(engine.settings.placements),
            smoothing=smoothing(minutes),
            click_window=duration(_terms(engine).click_window_ms),
            news=_status(service),
            **_tiles(engine, placement, minutes),
            **learner(engine, placement),
            **_frame(engine),
        )

    @get("/console/tiles", include_in_schema=False, sync_to_thread=False)
    def tile_row(request: Asked) -> Response[str]:
        placement, minutes = _scope(service.engine, request)
        return page("console_tiles.html", **_tiles(service.engine, placement, minutes))

    @get("/console/learner", include_in_schema=False, sync_to_thread=False)
    def learnt(request: Asked) -> Response[str]:
        placement, _ = _scope(service.engine, request)
        return page("console_learner.html", **learner(service.engine, placement))

    @get("/console/series", include_in_schema=False, sync_to_thread=False)
    def series(request: Asked) -> Response[dict[str, Any]]:
        engine = service.engine
        placement, minutes = _scope(engine, request)
        columns = charts(_history(engine, placement), minutes=minutes, terms=_terms(engine))
        return Response(columns | {"status": _status(service)}, headers=HEADERS)

    return [overview, tile_row, learnt, series]


def _balances(service: Service) -> list[HTTPRouteHandler]:
    """A card for each, and the caps that could be."""
    turn = asyncio.Lock()

    @get("/console/balances", include_in_schema=False, sync_to_thread=False)
    def balances(request: Asked) -> Response[str]:
        engine = service.engine
        try:
            placement, _ = _scope(engine, request)
        except InvalidInput as error:
            return _missing(engine, "balances", str(error))
        return page(
            "console_balances.html",
            here="balances",
            placement=placement,
            placements=sorted(engine.settings.placements),
            cards=cards(engine, placement),
            **_frame(engine),
        )

    @get("/console/ahead", include_in_schema=False)
    async def ahead(request: Asked) -> Response[str]:
        engine, placement = service.engine, text_of(request, "placement")
        try:
            known = engine.walk.outlook(placement)
        except InvalidInput as error:
            return page("console_quiet.html", words=str(error))
        async with turn:
            told = await asyncio.to_thread(look_ahead, known)
        return page("console_ahead.html", **outlook(engine, placement, told, known.days))

    return [balances, ahead]


def _decisions(service: Service) -> list[HTTPRouteHandler]:
    """The newest decisions, and any one of the log."""

    @get("/console/decisions", include_in_schema=False, sync_to_thread=False)
    def decisions() -> Response[str]:
        engine = service.engine
        rows = [told.row(one) for one in engine.newest_decisions(ROWS)]
        return page("console_decisions.html", here="decisions", rows=rows, **_frame(engine))

    @get("/console/decisions/{decision_id:str}", include_in_schema=False, sync_to_thread=False)
    def decision(request: Asked) -> Response[str]:
        engine, decision_id = service.engine, str(request.path_params["decision_id"])
        try:
            stored = engine.decision(decision_id)
        except UnknownDecision:
            return _missing(engine, "decisions", f"No decision {decision_id} is on the log.")
        return page(
            "console_decision.html",
            here="decisions",
            decision=told.row(stored),
            reason=stored.reason,
            same=engine.replay(decision_id) == stored,
            facts=told.facts(stored, engine.settings.shop.currency),
            slots=told.slots(engine, stored),
            **_frame(engine),
        )

    return [decisions, decision]


def _scope(engine: Engine, request: Asked) -> tuple[str, int]:
    """Placement, empty for all of them, and minutes, among those on offer.

    Raises:
        InvalidInput: the shop has no such placement, or the minutes are no number.
    """
    placement, known = text_of(request, "placement"), engine.settings.placements
    if placement and placement not in known:
        raise InvalidInput(
            f"{placement!r} is no placement of this shop; "
            f"its placements are {', '.join(sorted(known))}",
            code="unknown_placement",
            pointer="/placement",
        )
    return placement, nearest_span(whole_of(request, "minutes", 60))


def _tiles(engine: Engine, placement: str, minutes: int) -> dict[str, Any]:
    past = _history(engine, placement)
    return {
        "tiles": tiles(past, minutes=minutes, terms=_terms(engine)),
        "span": span(minutes),
        "placement": placement,
    }


def _history(engine: Engine, placement: str) -> History:
    return history(engine.knowledge.tallies, engine.clock(), placement, _budgets(engine))


def _terms(engine: Engine) -> Terms:
    settings = engine.settings
    return Terms(
        currency=settings.shop.currency,
        # The longest of all placements: nothing on these pages is settled before.
        click_window_ms=clickable_ms(settings) // 2,
    )


def _budgets(engine: Engine) -> dict[str, float | None]:
    placements = engine.settings.placements.items()
    return {name: one.budget if one.fixed_level is None else None for name, one in placements}


def _status(service: Service) -> dict[str, Any]:
    """Whether news keeps coming, and when the last came."""
    fresh, now = service.fresh, service.engine.clock()
    if service.failing:
        state, words = "failing", "the log refuses what is written"
    elif fresh is None:
        state, words = "waiting", "nothing has arrived yet"
    elif now - fresh > QUIET_MS:
        state, words = "quiet", "nothing has arrived since"
    else:
        state, words = "live", "last record folded in at"
    return {
        "state": state,
        "words": words,
        "at": "" if fresh is None else moment(fresh),
        "ts": "" if fresh is None else rfc3339(fresh),
    }


def _missing(engine: Engine, here: str, words: str) -> Response[str]:
    return page("console_missing.html", status=404, here=here, words=words, **_frame(engine))


def _frame(engine: Engine) -> dict[str, Any]:
    shop = engine.settings.shop
    return {"shop": shop.name, "language": "en", "currency": shop.currency}
