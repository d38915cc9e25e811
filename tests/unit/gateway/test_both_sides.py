"""Two connections of HTTP/2 that end together, whatever ended one of them."""

from __future__ import annotations

import asyncio

import pytest
from h2.events import Event
from structlog.testing import capture_logs

from ds01.gateway.h2.link import Call, Link
from ds01.gateway.handlers.session import both
from tests.unit.gateway.h2.test_link import pair, running


class Mistaken(Link):
    """A side that does not get over what it is told."""

    def _happened(self, event: Event) -> None:
        raise KeyError(type(event).__name__)


async def _never(_: Call) -> None:
    raise AssertionError("nothing was called")


@pytest.mark.parametrize(("side", "told"), [(Mistaken, ["internal"]), (Link, [])])
async def test_a_mistake_that_ends_a_connection_is_in_the_log(side: type[Link], told: list[str]) -> None:
    (client, gateway), (outward, engine) = await pair(), await pair()
    over = asyncio.Event()
    async with running(Link(client)):
        with capture_logs() as logs:
            if side is Link:
                over.set()
            async with asyncio.timeout(60):
                await both(side(gateway, _never), Link(outward), (gateway, outward), over)
    assert [entry["event"] for entry in logs] == told
    assert all(isinstance(entry["exc_info"], KeyError) for entry in logs)
    for stream in (client, engine):
        stream.abort()
    await asyncio.sleep(0)
