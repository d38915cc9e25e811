"""What is being written under names that ds01d reserved: said to it again and again, until it is over.

ds01d holds a reservation for some minutes only, so that one whose gateway died blocks nobody for long. A ds01d that was
started anew first asks what goes on; and what was over while it was away it is told when it is back.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

import structlog

from ds01.domain.dockerpolicy.verdict import RefusedError
from ds01.wire.door import DoorHeld

RENEW_SECONDS = 20.0
ANEW = "door.anew"
"""The rule by which ds01d refuses what it cannot judge before it has heard what goes on."""
FULL = "disk.full"
"""The rule by which it refuses what the ledger has no room for: that is over for the engine all the same."""
UNWRITTEN = "ds01d does not answer or cannot write. What was made here is yours as soon as it has written it down"
LATER = f"DS01: {UNWRITTEN}. Try again in a moment."
"""What the client is told at the end of a writing whose end ds01d has not heard yet."""

_LOG = structlog.get_logger("ds01.gateway.held")

Post = Callable[[str, object], Awaitable[Any]]


class DoorDownError(Exception):
    """ds01d does not answer, or cannot write: nothing may be granted."""


class UnreadableError(DoorDownError):
    """ds01d answers, in words that this gateway does not know: which ``field`` is missing or wrong."""

    def __init__(self, field: str) -> None:
        super().__init__(
            f"ds01d's answer cannot be read: {field}. "
            "ds01d and the gateway are probably of different versions: restart both"
        )


class UnwrittenError(DoorDownError):
    """ds01d could not be told of what the engine did: it is told later."""


class Held:
    """The reservations in this gateway's hands, by their tickets."""

    def __init__(self, post: Post) -> None:
        self._post = post
        self._held: dict[str, DoorHeld] = {}
        self._late: dict[str, tuple[str, object]] = {}

    def take(self, held: DoorHeld | None) -> None:
        """ds01d made a reservation."""
        if held is not None:
            self._held[held.ticket] = held

    async def ask(self, target: str, value: object) -> Any:
        """Ask ds01d for something that depends on what is reserved."""
        try:
            return await self._post(target, value)
        except RefusedError as error:
            if error.rule != ANEW:
                raise
        await self.renew()
        return await self._post(target, value)

    async def over(self, ticket: str, target: str, value: object) -> Any:
        """A writing is over. What ds01d cannot be told now it is told later."""
        try:
            answer = await _written(self.ask(target, value))
        except RefusedError:
            self._held.pop(ticket, None)
            raise
        except BaseException:
            self._late[ticket] = (target, value)
            raise
        self._held.pop(ticket, None)
        return answer

    async def renew(self) -> None:
        """Say what goes on, and what was over meanwhile. Raises DoorDownError."""
        await self._post("/v1/door/held", list(self._held.values()))
        for ticket, (target, value) in list(self._late.items()):
            with contextlib.suppress(RefusedError):
                await _written(self._post(target, value))
            self._held.pop(ticket, None)
            self._late.pop(ticket, None)

    async def keep(self) -> None:
        """Say it for as long as the gateway runs."""
        while True:
            try:
                await self.renew()
            except (DoorDownError, RefusedError) as error:
                _LOG.warning("held.unsaid", reason=str(error))
            await asyncio.sleep(RENEW_SECONDS)


async def _written(said: Awaitable[Any]) -> Any:
    """Its answer to the end of a writing. A full disk is none: that is said again."""
    try:
        return await said
    except RefusedError as error:
        if error.rule != FULL:
            raise
        raise DoorDownError(error.what) from error
