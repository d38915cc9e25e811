"""The application: every router, and the one way errors leave it.

The interactive documentation is off, since the socket has no browser; the schema it would show is committed as
``docs/reference/openapi.json`` and a test keeps it true.
"""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.routing import APIRoute

import ds01
from ds01.api import errors, routers
from ds01.api.stream import Streams
from ds01.services.fairness import Fairness, InHand
from ds01.services.world import World


def create_app(world: World, *, gateway_uids: frozenset[int] = frozenset({0})) -> FastAPI:
    """The API of one server. ``gateway_uids`` may ask for grants on behalf of others."""
    return with_world(routed(), world, gateway_uids)


def with_world(app: FastAPI, world: World, gateway_uids: frozenset[int]) -> FastAPI:
    """Put a server behind the routes."""
    app.state.world = world
    app.state.gateway_uids = gateway_uids
    app.state.streams = Streams()
    app.state.fairness = Fairness()
    app.state.in_hand = InHand()
    return app


def routed() -> FastAPI:
    """The routes alone, without a server behind them."""
    app = FastAPI(
        title="DS01",
        version=ds01.__version__,
        description="The control API of ds01d. The caller is the Unix user at the other end of the socket.",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        responses=errors.RESPONSES,
        generate_unique_id_function=_id,
    )
    for router in routers.ALL:
        app.include_router(router, prefix="/v1")
    errors.install(app)
    return app


def _id(route: APIRoute) -> str:
    """The name of an operation: its noun and its verb."""
    return f"{route.tags[0]}_{route.name}"
