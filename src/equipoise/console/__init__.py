"""The storefront and the console: pages of the same process, no CDN, strict CSP."""

from __future__ import annotations

from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.response import Redirect
from litestar.router import Router
from litestar.static_files import create_static_files_router

from equipoise.console.control import console
from equipoise.console.render import STATIC
from equipoise.console.service import Service
from equipoise.console.storefront import storefront

__all__ = ["routes"]


@get("/", include_in_schema=False, sync_to_thread=False)
def root() -> Redirect:
    """The shop's front door."""
    return Redirect("/shop")


def routes(service: Service) -> list[HTTPRouteHandler | Router]:
    """Everything that a browser may open, for the server to mount."""
    static = create_static_files_router(
        path="/static", directories=[STATIC], include_in_schema=False, name="static"
    )
    return [root, *storefront(service), *console(service), static]
