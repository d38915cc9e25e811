"""Work on containers, each container's apart from that of the others: one that does not answer keeps nobody waiting.

The engine answers nothing about a container whose files somebody reads slowly. What is to be done about it is begun and
goes on by itself until it is done or fails; meanwhile the others have their turn, and nothing more of the kind is begun
for it. Nothing is lost: whoever looks in rounds begins it again when it has failed.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Any

from ds01.domain.container import ContainerId
from ds01.domain.errors import ENGINE_DOWN, Ds01Error
from ds01.ports.clock import Clock
from ds01.services.settled import settled

Step = Callable[[], Awaitable[object]]

PLACES = 8
"""Steps that are taken at once, so that many containers are no burst of work."""
MOMENT_SECONDS = 0.25
"""What takes longer gives up its place, and goes on beside the others."""
WAIT_SECONDS = 1.0
"""How long is waited for all of a round."""
MOST_HEARD = 50
"""Of a container that does not answer, how much that was heard of it is kept. A round makes up for the rest."""


class Rounds:
    """Steps that are taken again and again, in rounds."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._places = asyncio.Semaphore(PLACES)
        self._going: dict[ContainerId, asyncio.Task[None]] = {}
        self._slow: set[ContainerId] = set()
        self._failed: list[BaseException] = []

    async def settle(
        self, steps: Iterable[tuple[ContainerId, Step]], seconds: float = WAIT_SECONDS, *, slow: bool = False
    ) -> list[BaseException]:
        """Take each step, unless one of its container still goes on, and wait for all of them for a while: not for
        containers that took longer the last time, unless these are waited for as well (``slow``). What failed since
        then is the answer. Raises Ds01Error where the engine is away.
        """
        for container, step in steps:
            if container not in self._going:
                self._begin(container, step)
        awaited = [task for container, task in self._going.items() if slow or container not in self._slow]
        await wait_a_while(self._clock, awaited, seconds)
        self._slow |= self._going.keys()
        failed, self._failed = self._failed, []
        for error in failed:
            if isinstance(error, Ds01Error) and error.kind is ENGINE_DOWN:
                raise error
        return failed

    def goes_on(self, container: ContainerId) -> bool:
        """Whether its step has not ended yet."""
        return container in self._going

    async def close(self) -> None:
        """End what goes on."""
        await _ended(self._going.values())

    def _begin(self, container: ContainerId, step: Step) -> None:
        task = asyncio.create_task(self._in_turn(step))
        self._going[container] = task
        task.add_done_callback(partial(self._done, container))

    async def _in_turn(self, step: Step) -> None:
        work = None
        try:
            async with self._places:
                work = asyncio.ensure_future(step())
                await wait_a_while(self._clock, [work], MOMENT_SECONDS)
            await work
        finally:
            if work is not None and not work.done():
                await _ended([work])

    def _done(self, container: ContainerId, task: asyncio.Task[None]) -> None:
        del self._going[container]
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._failed.append(error)
        else:
            self._slow.discard(container)


class Heard:
    """Steps for what is heard of containers, each container's in their order."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waiting: dict[ContainerId, deque[Step]] = {}
        self._going: dict[ContainerId, asyncio.Task[None]] = {}
        self._slow: set[ContainerId] = set()
        self._failed: list[BaseException] = []

    async def take(self, container: ContainerId, step: Step) -> list[BaseException]:
        """Take it when its container has been seen to before, and wait for that a moment, where nothing else of this
        container goes on, or did too long the last time. What failed since then is the answer.
        """
        waiting = self._waiting.setdefault(container, deque())
        if len(waiting) < MOST_HEARD:
            waiting.append(step)
        if container not in self._going:
            task = asyncio.create_task(self._follow(container))
            self._going[container] = task
            await wait_a_while(self._clock, () if container in self._slow else (task,), MOMENT_SECONDS)
            if not task.done():
                self._slow.add(container)
        failed, self._failed = self._failed, []
        return failed

    async def close(self) -> None:
        """End what goes on."""
        await _ended(self._going.values())

    async def _follow(self, container: ContainerId) -> None:
        try:
            while waiting := self._waiting[container]:
                error = (await settled(waiting.popleft()())).exception()
                if error is not None:
                    self._failed.append(error)
                else:
                    self._slow.discard(container)
        finally:
            del self._waiting[container], self._going[container]


async def wait_a_while(clock: Clock, tasks: Iterable[asyncio.Future[Any]], seconds: float) -> None:
    """Until all are done, and no longer than that."""
    left = {task for task in tasks if not task.done()}
    if not left:
        return
    over = asyncio.ensure_future(clock.sleep(seconds))
    every = asyncio.ensure_future(asyncio.wait(left))
    try:
        await asyncio.wait({over, every}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        over.cancel()
        every.cancel()


async def _ended(tasks: Iterable[asyncio.Future[Any]]) -> None:
    going = list(tasks)
    for task in going:
        task.cancel()
    if going:
        await asyncio.wait(going)
