"""What the gateway knows of the engine itself: its version is part of the policy."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import structlog

from ds01.domain.dockerpolicy.verdict import RefusedError
from ds01.domain.engine_versions import NEWEST_API, numbers
from ds01.gateway.door import Door
from ds01.gateway.held import DoorDownError
from ds01.gateway.upstream import Ask, Upstream, UpstreamError, parsed_object

RENEWED_SECONDS = 2.0
"""How often the engine is asked at most because somebody is about to be refused."""

_LOG = structlog.get_logger("ds01.gateway.engine")


class EngineFacts:
    """Version of the engine and of its API; the oldest plausible until it has answered."""

    def __init__(self, upstream: Upstream, door: Door, clock: Callable[[], float] = time.monotonic) -> None:
        self._upstream = upstream
        self._door = door
        self._clock = clock
        self._asked: float | None = None
        self.architecture = "amd64"
        self.buildkit = False
        """Whether ds01d found the steps of BuildKit's builds guarded."""
        self.gpus = False
        """Whether ds01d has GPUs to lease."""
        self.api: tuple[int, int] = (1, 41)
        self.version: tuple[int, ...] = (0,)

    @property
    def platform(self) -> str:
        """What it runs, as ``os/arch``."""
        return f"linux/{self.architecture}"

    async def refresh(self) -> bool:
        """Ask the engine; False when it does not answer."""
        self._asked = self._clock()
        try:
            found = await self._told()
        except (UpstreamError, ConnectionError) as error:
            _LOG.warning("engine.unreachable", reason=str(error))
            return False
        api = numbers(str(found.get("ApiVersion")))
        if len(api) > 1:
            self.api = min((api[0], api[1]), NEWEST_API)
        self.version = numbers(str(found.get("Version"))) or self.version
        self.architecture = str(found.get("Arch") or self.architecture)
        return await self._guarded()

    async def _told(self) -> dict[str, Any]:
        """What the engine says of itself. Raises UpstreamError, ConnectionError."""
        head, body = await self._upstream.whole(Ask(method="GET", target="/version"), 10)
        if head.status != 200:
            raise UpstreamError(f"the engine answered {head.status} for its version")
        return parsed_object(body)

    async def renew(self) -> None:
        """Ask before somebody is refused because of what is known: the engine or ds01d may have begun, or be another
        one, since.
        """
        if self._asked is None or self._clock() - self._asked >= RENEWED_SECONDS:
            await self.refresh()

    async def _guarded(self) -> bool:
        try:
            known = await self._door.engine()
        except (DoorDownError, RefusedError) as error:
            _LOG.warning("ds01d.unreachable", reason=str(error))
            return False
        self.buildkit, self.gpus = known.buildkit, known.gpus
        return True

    async def keep(self) -> None:
        """Ask now and then: engines are upgraded under a running gateway."""
        pause = 2
        while True:
            await asyncio.sleep(pause)
            pause = 30 if await self.refresh() else 2
