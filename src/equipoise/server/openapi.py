"""The OpenAPI 3.1 document, made from the routes themselves and the shapes they answer with.

A handler carries its documentation in ``opt`` (``about(...)``); who may call it is read off the
same table that the guard reads, so the document cannot say something else than the server does.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute
from msgspec import Struct

from equipoise import __version__
from equipoise.server.access import allowed
from equipoise.server.problems import MEDIA_TYPE, Problem

REF = "#/components/schemas/{name}"
DESCRIPTION = """\
One write endpoint for all events, one list endpoint for all placements. Names are GA4's. An event
is acknowledged only when it is durable. Every list carries a `recommendation_id`, and every item of
it its propensity and whether it was explored. Errors are RFC 9457 problem details with a JSON
pointer.
"""

PROBLEMS = {
    400: "The caller's data is not acceptable; `pointer` names the field.",
    401: "A key is needed, or this one is unknown.",
    403: "This kind of key does not open it.",
    404: "There is no such thing.",
    408: "The body did not arrive in time.",
    413: "The body is too large, before or after it was inflated.",
    415: "The content-encoding is not read.",
    429: "Too many requests for this key and network; see `Retry-After`.",
    500: "Something broke in the service; its own log has the details.",
    503: "Nothing was stored; send it again after `Retry-After` seconds.",
}


class Parameter(Struct, frozen=True, kw_only=True):
    """A query parameter."""

    name: str
    description: str
    schema: dict[str, Any]
    required: bool = False


class About(Struct, frozen=True, kw_only=True):
    """What the document says about a route."""

    tag: str
    summary: str
    description: str = ""
    body: tuple[Any, ...] = ()
    """Shapes of which the request's body is one."""
    body_example: Any = None
    body_media_type: str = "application/json"
    body_required: bool = True
    answer: Any = None
    answer_example: Any = None
    answer_media_type: str = "application/json"
    status: int = 200
    parameters: tuple[Parameter, ...] = ()
    problems: tuple[int, ...] = ()


def about(**members: Any) -> dict[str, About]:
    """For a handler's ``opt``."""
    return {"about": About(**members)}


def parameter(
    name: str, description: str, kind: str = "string", *, required: bool = False, **more: Any
) -> Parameter:
    return Parameter(
        name=name, description=description, required=required, schema={"type": kind, **more}
    )


def document(app: Litestar) -> dict[str, Any]:
    """The whole document as plain data."""
    found = list(documented(app))
    shapes = [shape for *_, said in found for shape in (*said.body, said.answer) if shape]
    _, components = msgspec.json.schema_components([*shapes, Problem], ref_template=REF)
    paths: dict[str, dict[str, Any]] = {}
    for path, method, said in sorted(found, key=lambda row: row[:2]):
        paths.setdefault(path, {})[method.lower()] = operation(path, method, said)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Equipoise",
            "version": __version__,
            "description": DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": components,
            "responses": {f"Problem{status}": _problem(status) for status in PROBLEMS},
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
    }


def documented(app: Litestar) -> Iterator[tuple[str, str, About]]:
    """(path, method, what is said of it) of every documented route."""
    for path, method, handler in handlers(app):
        said = handler.opt.get("about")
        if said is not None:
            yield path, method, said


def handlers(app: Litestar) -> Iterator[tuple[str, str, HTTPRouteHandler]]:
    """Every route and method of the application, but for automatic OPTIONS."""
    for route in app.routes:
        if isinstance(route, HTTPRoute):
            for handler in route.route_handlers:
                for method in sorted(handler.http_methods):
                    if method != "OPTIONS":
                        yield route.path_format, str(method), handler


def operation(path: str, method: str, said: About) -> dict[str, Any]:
    """One operation object."""
    kinds = allowed(method, path) or frozenset()
    entry: dict[str, Any] = {
        "tags": [said.tag],
        "summary": said.summary,
        "operationId": _name(path, method),
        "parameters": [*_path_parameters(path), *map(_query_parameter, said.parameters)],
        "responses": _responses(said, public=None in kinds),
        "security": [] if None in kinds else [{"key": []}],
        "x-key-kinds": sorted(str(kind) for kind in kinds if kind),
    }
    if said.description:
        entry["description"] = said.description
    if said.body:
        entry["requestBody"] = _body(said)
    return entry


def _body(said: About) -> dict[str, Any]:
    refs = [_ref(shape) for shape in said.body]
    content: dict[str, Any] = {"schema": refs[0] if len(refs) == 1 else {"oneOf": refs}}
    if said.body_example is not None:
        content["example"] = said.body_example
    return {"required": said.body_required, "content": {said.body_media_type: content}}


def _responses(said: About, *, public: bool) -> dict[str, Any]:
    good: dict[str, Any] = {"description": said.summary}
    if said.answer is not None:
        content: dict[str, Any] = {"schema": _ref(said.answer)}
        if said.answer_example is not None:
            content["example"] = said.answer_example
        good["content"] = {said.answer_media_type: content}
    statuses = {*said.problems, 500}
    if said.body:
        statuses |= {400, 408, 413, 415}
    if said.parameters:
        statuses |= {400}
    if not public:
        statuses |= {401, 403, 429}
    refs = {str(s): {"$ref": f"#/components/responses/Problem{s}"} for s in sorted(statuses)}
    return {str(said.status): good, **refs}


def _problem(status: int) -> dict[str, Any]:
    response: dict[str, Any] = {
        "description": PROBLEMS[status],
        "content": {MEDIA_TYPE: {"schema": _ref(Problem)}},
    }
    if status in (429, 503):
        response["headers"] = {
            "Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}
        }
    return response


def _ref(shape: Any) -> dict[str, Any]:
    if shape is str:
        return {"type": "string"}
    return {"$ref": REF.format(name=shape.__name__)}


def _path_parameters(path: str) -> Iterator[dict[str, Any]]:
    for part in path.split("/"):
        if part.startswith("{"):
            yield {
                "name": part.strip("{}"),
                "in": "path",
                "required": True,
                "schema": {"type": "string", "minLength": 1, "maxLength": 128},
            }


def _query_parameter(one: Parameter) -> dict[str, Any]:
    return {
        "name": one.name,
        "in": "query",
        "required": one.required,
        "description": one.description,
        "schema": one.schema,
    }


def _name(path: str, method: str) -> str:
    words = path.replace(":", "/").replace(".", "/").split("/")
    kept = [word.strip("{}") for word in words if word and word != "v1"]
    return "_".join([method.lower(), *kept])
