"""Everything that goes wrong, as RFC 9457 problem details.

A document has ``type`` (a URN of the code), ``title``, ``status``, ``detail``, ``code`` (stable,
meant for programs) and, where a field is to blame, ``pointer`` (RFC 6901). What broke inside the
service is written to its own log and never to the caller.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException
from msgspec import Struct, field

from equipoise import errors

log = logging.getLogger("equipoise.server")

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 1
"""A full disk or a locked log is looked at again this soon."""


class Problem(Struct, kw_only=True, omit_defaults=True):
    """An RFC 9457 problem document."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    pointer: str | None = None


class Refused(errors.EquipoiseError):
    """A request that HTTP itself has a status for: not found, too large, not allowed."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        pointer: str | None = None,
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.pointer = pointer
        self.headers = dict(headers or {})
        self.extra = dict(extra or {})


def not_found(kind: str, identifier: str) -> Refused:
    return Refused(404, "not_found", f"there is no {kind} {identifier!r}")


class Answered(Struct, frozen=True):
    """How a kind of error is answered."""

    status: int
    code: str
    detail: str = ""
    """Said instead of the error's own words, where those are not for strangers."""
    headers: dict[str, str] = field(default_factory=dict)


_LATER = {"retry-after": str(RETRY_AFTER_S)}
ANSWERS: dict[type[Exception], Answered] = {
    errors.NotFitted: Answered(409, "not_fitted"),
    errors.SettingsError: Answered(
        500, "settings", "a setting of this server cannot be; its own log says which"
    ),
    errors.LogFull: Answered(
        503, "log_full", "the disk has no space left; nothing was stored, send it again", _LATER
    ),
    errors.LogLocked: Answered(
        503, "log_locked", "another process writes to the log; nothing was stored", _LATER
    ),
    errors.LogCorrupt: Answered(
        503, "log_corrupt", "stored bytes are damaged; an operator has to look", _LATER
    ),
    errors.LogError: Answered(
        503, "log_error", "the log could not be written; nothing was stored, send it again", _LATER
    ),
    errors.SnapshotError: Answered(503, "snapshot", "a published model is damaged", _LATER),
    errors.TokenError: Answered(400, "token"),
    errors.UnknownDecision: Answered(404, "unknown_decision"),
    RecursionError: Answered(400, "too_deep", "the body is nested too deeply; 16 levels are read"),
    Exception: Answered(
        500, "internal", "something broke in this service; its log has the details"
    ),
}
"""Every class of errors.py that needs more than its own code; the nearest ancestor answers."""

_INVALID_STATUS = {"too_large": 413}
"""Codes of the intake that HTTP has a better status for than 400."""


def describe(error: Exception) -> tuple[Problem, dict[str, str], dict[str, Any]]:
    """The document, its headers and its extension members."""
    if isinstance(error, Refused):
        found = _problem(error.status, error.code, str(error), error.pointer)
        return found, error.headers, error.extra
    if isinstance(error, errors.InvalidInput):
        status = _INVALID_STATUS.get(error.code, 400)
        return _problem(status, error.code, error.message, error.pointer), {}, {}
    if isinstance(error, HTTPException):
        return _of_litestar(error), dict(error.headers or {}), {}
    answered = next(ANSWERS[kind] for kind in type(error).__mro__ if kind in ANSWERS)
    detail = answered.detail or str(error)
    return _problem(answered.status, answered.code, detail), dict(answered.headers), {}


def respond(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """The exception handler of the whole application."""
    problem, headers, extra = describe(error)
    if problem.status >= 500:
        log.error("%s %s: %s", request.method, request.url.path, error, exc_info=error)
    document = {**msgspec.to_builtins(problem), **extra}
    return Response(
        msgspec.json.encode(document),
        status_code=problem.status,
        media_type=MEDIA_TYPE,
        headers=headers,
    )


def _problem(status: int, code: str, detail: str, pointer: str | None = None) -> Problem:
    return Problem(
        type=f"urn:equipoise:problem:{code}",
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        code=code,
        pointer=pointer,
    )


_OF_LITESTAR = {
    404: ("no_such_route", "there is no such path; /docs lists all"),
    405: ("method_not_allowed", "the path exists, but not for this method"),
}


def _of_litestar(error: HTTPException) -> Problem:
    code, detail = _OF_LITESTAR.get(error.status_code, ("bad_request", error.detail))
    return _problem(error.status_code, code, detail)
