"""Every error class has an answer, and none says too much."""

from __future__ import annotations

import inspect
import logging
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from equipoise import errors
from equipoise.server.live import Live
from equipoise.server.problems import Refused, describe, not_found

Client = TestClient[Litestar]
CLASSES = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, errors.EquipoiseError)
]
SECRET = "/srv/data/log.sqlite: token abc"


@pytest.mark.parametrize("kind", CLASSES)
def test_every_class_is_answered(kind: type[errors.EquipoiseError]) -> None:
    """The caller's fault is a 4xx in its own words; ours is a 5xx that keeps them."""
    problem, headers, _ = describe(kind(SECRET))
    theirs = issubclass(kind, errors.InvalidInput) or kind in (
        errors.NotFitted,
        errors.TokenError,
        errors.UnknownDecision,
    )

    assert (problem.status < 500) == theirs
    assert (SECRET in problem.detail) == theirs
    assert (problem.status == 503) == ("retry-after" in headers)
    assert problem.type == f"urn:equipoise:problem:{problem.code}"


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (errors.InvalidInput("x", code="too_large"), 413, "too_large"),
        (errors.InvalidInput("x", code="range", pointer="/n"), 400, "range"),
        (errors.LogFull("x"), 503, "log_full"),
        (errors.UnknownDecision("x"), 404, "unknown_decision"),
        (RecursionError(), 400, "too_deep"),
        (ZeroDivisionError("x"), 500, "internal"),
        (Refused(418, "teapot", "x"), 418, "teapot"),
        (not_found("item", "a"), 404, "not_found"),
    ],
)
def test_statuses(error: Exception, status: int, code: str) -> None:
    """What a program decides by."""
    problem, _, _ = describe(error)

    assert (problem.status, problem.code) == (status, code)


def test_what_breaks_inside_stays_inside(
    client: Client, live: Live, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """500 without internals for the caller, a traceback for the operator."""

    def broken(*_: Any) -> Any:
        raise RuntimeError(SECRET)

    monkeypatch.setattr(live.engine, "recommend", broken)
    with caplog.at_level(logging.ERROR, "equipoise.server"):
        answer = client.get("/v1/recommendations?placement=home")

    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert SECRET not in answer.text
    assert "RuntimeError" in caplog.text


def test_unknown_paths_and_methods(client: Client) -> None:
    """As problem documents, too; 405 names what would be right."""
    nowhere, wrong = client.get("/v2/items"), client.patch("/v1/events", json={})

    assert (nowhere.status_code, nowhere.json()["code"]) == (404, "no_such_route")
    assert (wrong.status_code, wrong.json()["code"]) == (405, "method_not_allowed")
    assert "POST" in wrong.headers["allow"]
    assert wrong.headers["content-type"] == "application/problem+json"
