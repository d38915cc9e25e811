"""Stops that were written down and never came about.

The reason of a stop is in the ledger before the engine is asked, so that it survives whatever happens then. When ds01d
ended or lost the engine in between, the stop may go on there, or may never have been asked for. A container that still
runs long after any grace was not asked, and what ends it one day is something else.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ds01.domain.container import Container, ContainerId, ContainerState
from ds01.ports.ledger import Books
from ds01.services.world import World

PATIENCE_SECONDS = 900.0
"""Longer than the grace of any stop."""


class Intents:
    """Looked at in every round, with a clock that no administrator sets."""

    def __init__(self) -> None:
        self._since: dict[ContainerId, float] = {}

    async def forget(self, world: World, running: Iterable[Container]) -> None:
        """Take back the reasons of those that were to be stopped and still run."""
        now = world.clock.monotonic()
        meant = {c.id for c in running if c.reason is not None and not world.locks.busy(c.uid, c.name)}
        self._since = {one: self._since.get(one, now) for one in meant}
        late = [one for one, since in self._since.items() if now - since >= PATIENCE_SECONDS]
        if late:
            await world.ledger.write(lambda books: _take_back(books, late))


def _take_back(books: Books, late: Iterable[ContainerId]) -> None:
    for one in late:
        found = books.container(one)
        if found is not None and found.state in (ContainerState.RUNNING, ContainerState.PAUSED):
            books.put_container(replace(found, reason=None, reason_detail=""))
