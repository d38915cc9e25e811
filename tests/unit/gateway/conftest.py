"""The gateway's tests run on the event loop that the gateway runs on: what a lost connection does there is its own."""

from __future__ import annotations

import asyncio
from asyncio import AbstractEventLoop
from collections.abc import Callable, Mapping
from typing import Literal

import pytest
import uvloop


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], AbstractEventLoop]]:
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture
def wakes(monkeypatch: pytest.MonkeyPatch) -> list[asyncio.Event]:
    """The events for which somebody waited, each time one came."""
    found, wait = list[asyncio.Event](), asyncio.Event.wait

    async def noted(event: asyncio.Event) -> Literal[True]:
        came = await wait(event)
        found.append(event)
        return came

    monkeypatch.setattr(asyncio.Event, "wait", noted)
    return found
