"""What ds01d does by itself: keep the ledger true to the engine and the GPUs, let leases expire, read the limits again.

Every loop survives what goes wrong in one round: it is logged once, not every round, and the next round tries again.
What is heard of one container waits for what was heard of it before, and for nothing that is heard of others.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from functools import partial
from types import TracebackType
from typing import Self

from ds01.domain.container import ContainerId
from ds01.domain.errors import ENGINE_DOWN, Ds01Error
from ds01.domain.labels import Label
from ds01.ports.engine import EngineEvent
from ds01.services import mig, unread
from ds01.services.apart import Heard
from ds01.services.booking.watch import watch
from ds01.services.confine import Confiner
from ds01.services.crier import Crier
from ds01.services.disk import measure
from ds01.services.door.redeem import expire
from ds01.services.door.writing import lapse
from ds01.services.enforce.enforcer import PERIOD_SECONDS, Enforcer
from ds01.services.gpu_round import look_at_gpus
from ds01.services.image_tidy import Gone
from ds01.services.jobs.forget import forget
from ds01.services.jobs.runner import Runner
from ds01.services.queue.herald import Herald
from ds01.services.queue.turns import Turns
from ds01.services.reconcile import Reconciler
from ds01.services.reload import reload
from ds01.services.settled import settled
from ds01.services.world import World

_log = logging.getLogger("ds01d")

FIRST_SECONDS = 30.0
"""How long ds01d waits for the first look at the engine before it serves anyway."""
POLICY_SECONDS = 2.0
TICKET_SECONDS = 30.0
NAMES_SECONDS = 5.0
IMAGES_SECONDS = 300.0
DISK_SECONDS = 180.0
FORGET_SECONDS = 3600.0
"""A day would do; a ds01d that is started anew every night would never come to it."""
EXPIRY_SECONDS = 2.0
QUEUE_SECONDS = 0.02
"""The queue waits for something to happen by itself; what happens within this time is one pass."""
BOOKING_SECONDS = 5.0
ROUND_SECONDS = 10.0
ANNOUNCE_SECONDS = 2.0
CONFINE_SECONDS = 4.0
"""With the age at which a container is looked at, and the grace it is stopped with, this is within ten seconds."""
RETRY_SECONDS = 1.0
TELLING = frozenset({"create", "start", "die", "oom", "destroy", "pause", "unpause", "rename"})
"""The engine's events that mean that the ledger may have to change."""
ALTERING = frozenset({"start", "update"})
"""The engine's events after which a container may not be confined as it should be."""
EXIT_CODE = "exitCode"
"""What the engine calls it in the event of a container's end."""


class Loops:
    """All loops of one ds01d. Use as ``async with``."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._reconciler = Reconciler(world)
        self._confiner = Confiner(world)
        self._gone = Gone()
        self._turns = Turns(world)
        self._herald = Herald(world)
        self._enforcer = Enforcer(world)
        self._runner = Runner(world)
        self._heard = Heard(world.clock)
        self._tasks: list[asyncio.Task[None]] = []

    async def first(self) -> None:
        """One look at everything before anybody is served. An engine that is not there is waited for later."""
        await self._world.lifted.load(self._world.ledger)
        await mig.lift(self._world)
        gpus = await _outcome(lambda: look_at_gpus(self._world))
        if gpus is not None:
            _log.error("the first look at the GPUs was not whole; it goes on while we serve", exc_info=gpus)
        error = await _outcome(lambda: asyncio.wait_for(self._reconciler.round(), FIRST_SECONDS))
        if isinstance(error, TimeoutError) or (isinstance(error, Ds01Error) and error.kind is ENGINE_DOWN):
            await self._reconciler.lost(self._world.clock.now())
            _log.warning("serving without the engine", extra={"why": str(error)})
        elif error is not None:
            _log.error("the first look was not whole; it goes on while we serve", exc_info=error)
        await self._turns.take()

    async def __aenter__(self) -> Self:
        world = self._world
        rounds: tuple[tuple[str, float, Callable[[], Awaitable[object]]], ...] = (
            ("limits", POLICY_SECONDS, lambda: reload(world.policy, world.ledger, world.clock)),
            ("tickets", TICKET_SECONDS, lambda: expire(world)),
            ("images", IMAGES_SECONDS, lambda: self._gone.forget(world)),
            ("old jobs", FORGET_SECONDS, lambda: forget(world)),
            ("old notices", FORGET_SECONDS, lambda: unread.end(world)),
            ("forgotten notices", FORGET_SECONDS, lambda: unread.forget(world)),
            ("disk", DISK_SECONDS, lambda: measure(world)),
            ("names", NAMES_SECONDS, lambda: lapse(world)),
            ("leases", EXPIRY_SECONDS, self._reconciler.end_leases),
            ("bookings", BOOKING_SECONDS, lambda: watch(world)),
            ("queue", QUEUE_SECONDS, self._turns.round),
            ("turns", QUEUE_SECONDS, self._herald.round),
            ("jobs", QUEUE_SECONDS, self._runner.round),
            ("announcing", ANNOUNCE_SECONDS, Crier(world).round),
            ("gpus", ROUND_SECONDS, lambda: look_at_gpus(world)),
            ("containers", ROUND_SECONDS, self._reconciler.round),
            ("confinement", CONFINE_SECONDS, self._confiner.round),
            ("events", RETRY_SECONDS, self._listen),
            ("life", PERIOD_SECONDS, self._enforcer.round),
        )
        self._tasks = [asyncio.create_task(self._every(*each)) for each in rounds]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._heard.close()
        await self._reconciler.close()
        await self._confiner.close()
        await self._enforcer.stop()
        await self._runner.close()

    async def _every(self, name: str, seconds: float, act: Callable[[], Awaitable[object]]) -> None:
        said = ""
        while True:
            await self._world.clock.sleep(seconds)
            said = _told(name, await _outcome(act), said)

    async def _listen(self) -> None:
        """Hear the engine until it goes away. What it said before, a whole round makes up for; what goes wrong in that
        round or with one event is no word from the engine, and the next event is heard all the same.
        """
        await self._world.engine.version()
        self._reconciler.back(self._world.clock.now())
        said = _told("events", await _outcome(self._reconciler.round))
        try:
            async with aclosing(self._world.engine.events(TELLING | ALTERING)) as events:
                async for event in events:
                    failed = await self._heard.take(ContainerId(event.id), partial(self._hear, event))
                    said = _told("events", failed[0] if failed else None, said)
        except Exception:
            await self._reconciler.lost(self._world.clock.now())
            raise

    async def _hear(self, event: EngineEvent) -> None:
        if event.action in TELLING and Label.OWNER in event.attributes:
            await self._follow(event)
        if event.action in ALTERING:
            await self._confiner.heard(event)

    async def _follow(self, event: EngineEvent) -> None:
        """See what became of the container, with what only the event tells."""
        container, code = ContainerId(event.id), event.attributes.get(EXIT_CODE, "")
        if event.action == "oom":
            await self._reconciler.out_of_memory(container)
        if event.action == "die" and code.isascii() and code.isdecimal():
            await self._reconciler.died(container, int(code))
        else:
            await self._reconciler.look(container)


async def _outcome(act: Callable[[], Awaitable[object]]) -> BaseException | None:
    """Do it; what it raised is the answer, whatever it is: a loop must not end."""
    return (await settled(act())).exception()


def _told(loop: str, error: BaseException | None, before: str = "") -> str:
    """Log what went wrong, unless it is what was said ``before``; what is said now."""
    text = _said(error)
    if text and text != before:
        trace = None if isinstance(error, Ds01Error) else error
        _log.warning("loop failed", extra={"loop": loop, "why": text}, exc_info=trace)
    return text


def _said(error: BaseException | None) -> str:
    match error:
        case None:
            return ""
        case Ds01Error():
            return f"{error.problem.message} {error.problem.reason}"
        case _:
            return repr(error)
