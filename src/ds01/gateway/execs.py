"""Commands in containers: in which one each was asked for, and which were made and not started.

An id never means another command, so the engine is not asked again whose it is. It keeps a command that is not started
for as long as its container runs, with all its variables: so there are a few of these and no more.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Collection
from typing import TypeVar

T = TypeVar("T")

REMEMBERED = 4096
"""Of more than that, the engine is asked about the oldest."""

WAITING = 64
"""Commands of one container that are made and not started."""


class Execs:
    """The latest commands by their ids, with the container of each. Whose that is, is looked up every time."""

    def __init__(self) -> None:
        self._containers: OrderedDict[str, str] = OrderedDict()
        self._making: dict[str, int] = {}
        self._waiting: OrderedDict[str, set[str]] = OrderedDict()

    def learn(self, exec_id: str, container_id: str) -> None:
        """The engine has made it."""
        self._containers[exec_id] = container_id
        if len(self._containers) > REMEMBERED:
            self._containers.popitem(last=False)
        self._waiting.setdefault(container_id, set()).add(exec_id)
        if len(self._waiting) > REMEMBERED:
            self._waiting.popitem(last=False)

    def container(self, exec_id: str) -> str:
        """The container's id; empty when it is not known."""
        return self._containers.get(exec_id, "")

    async def making(self, container_id: str, made: Awaitable[T]) -> T:
        """What the engine answers, counted while it makes one."""
        self._making[container_id] = self._making.get(container_id, 0) + 1
        try:
            return await made
        finally:
            left = self._making.pop(container_id) - 1
            if left:
                self._making[container_id] = left

    def many(self, container_id: str) -> bool:
        """Whether as many wait in this container as may."""
        return len(self._waiting.get(container_id, ())) + self._making.get(container_id, 0) >= WAITING

    def started(self, exec_id: str, container_id: str) -> None:
        """It waits no more."""
        self._left(container_id, self._waiting.get(container_id, set()) - {exec_id})

    def seen(self, container_id: str, there: Collection[str]) -> None:
        """The engine has none but these in this container, started or not."""
        self._left(container_id, self._waiting.get(container_id, set()).intersection(there))

    def _left(self, container_id: str, waiting: set[str]) -> None:
        if waiting:
            self._waiting[container_id] = waiting
        else:
            self._waiting.pop(container_id, None)
