"""A whole server in memory: every port simulated, three people, four GPUs, a clock that stands still."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, timedelta, tzinfo
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

from ds01.domain.container import Container, ContainerId
from ds01.domain.image import ImageId, Provenance, Tag
from ds01.domain.labels import Label
from ds01.domain.lease import Lease
from ds01.domain.limits import Group, Policy, Sourced, Value
from ds01.domain.names import image_repository
from ds01.domain.people import Uid, User
from ds01.domain.settings import Settings
from ds01.ports.devices import Devices
from ds01.ports.directory import Directory
from ds01.ports.ledger import Books, Ledger
from ds01.services.caller import Caller, identify
from ds01.services.enforce.enforcer import Enforcer
from ds01.services.inventory import refresh
from ds01.services.launch import launch
from ds01.services.queue.turns import Turns
from ds01.services.reconcile import Reconciler
from ds01.services.steps import Steps
from ds01.services.world import Paths, World
from ds01.sim.channel import SimChannel
from ds01.sim.clock import SimClock
from ds01.sim.devices import SimDevices
from ds01.sim.directory import SimDirectory
from ds01.sim.engine import SimEngine
from ds01.sim.facts import SimFacts
from ds01.sim.fence import SimFence
from ds01.sim.host import SimHost
from ds01.sim.ledger import MemoryLedger
from ds01.sim.meters import SimMeters
from ds01.sim.policy import SimPolicy
from ds01.wire.launches import LaunchRequest

ALICE = User(uid=Uid(1001), gid=1001, login="alice", home="/home/alice", gids=frozenset({1001}))
BOB = User(uid=Uid(1002), gid=1002, login="bob@lab.lan", home="/home/bob", gids=frozenset({1002}))
ROOT = User(uid=Uid(0), gid=0, login="root", home="/root", gids=frozenset({0}))
MINIMAL = "ds01/minimal:latest"
SPEC = "spec-1"


def settings(**changes: Value) -> Settings:
    """Everybody may have two GPUs in three containers, unless said otherwise."""
    chosen: dict[str, Value] = {
        "gpus.max": Fraction(2),
        "gpus.per_container": 2,
        "containers": 3,
        "gpu_hold": timedelta(minutes=15),
    }
    chosen |= {key.replace("__", "."): value for key, value in changes.items()}
    layer = {key: Sourced(value=value, source="limits.yaml:3") for key, value in chosen.items()}
    return Settings(policy=Policy(groups=(Group(name="student", members=frozenset({"*"}), layer=layer),)))


class InThreads:
    """A port that may take its time (a directory server, a driver): who asks it from the event loop's own thread, where
    everybody waits meanwhile, fails.
    """

    def __init__(self, port: object) -> None:
        self._port = port

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)
        return self._elsewhere(name, found) if callable(found) else found

    def _elsewhere(self, name: str, ask: Callable[..., Any]) -> Callable[..., Any]:
        def asked(*args: Any, **more: Any) -> Any:
            with suppress(RuntimeError):
                asyncio.get_running_loop()
                raise AssertionError(f"{type(self._port).__name__}.{name} is asked in the event loop")
            return ask(*args, **more)

        return asked


@dataclass(kw_only=True)
class SimServer:
    """The server, and hands to use it with."""

    run: Path
    clock: SimClock = field(default_factory=SimClock)
    policy: SimPolicy = field(default_factory=lambda: SimPolicy(settings()))
    ledger: Ledger = field(default_factory=MemoryLedger)
    zone: tzinfo = UTC

    def __post_init__(self) -> None:
        self.engine = SimEngine(self.clock)
        self.engine.add_image(MINIMAL)
        self.meters = SimMeters(clock=self.clock)
        self.terminals = SimChannel("terminals")
        self.devices = SimDevices(("a100-40gb",) * 4, run=self.run, clock=self.clock)
        self.directory = SimDirectory([ALICE, BOB, ROOT])
        self.host = SimHost(homes_are_full=True)
        self.world = self.another_world()
        self.reconciler = Reconciler(self.world)
        self.turns = Turns(self.world)
        self.enforcer = Enforcer(self.world)

    def restart(self) -> None:
        """ds01d is killed and starts again: what it only remembered is gone."""
        self.world = self.another_world()
        self.reconciler = Reconciler(self.world)
        self.turns = Turns(self.world)
        self.enforcer = Enforcer(self.world)

    def another_world(self) -> World:
        """What a restarted ds01d makes of the same server."""
        paths = Paths(
            state=self.run, run=self.run, limits=self.run / "limits.yaml", gateway=self.run / "docker.sock",
            engine="unix:///simulated",
        )  # fmt: skip
        return World(
            engine=self.engine, devices=cast(Devices, InThreads(self.devices)), ledger=self.ledger,
            directory=cast(Directory, InThreads(self.directory)), host=self.host,
            clock=self.clock, policy=self.policy, paths=paths, server="lab", cpus=64, version="0", facts=SimFacts(),
            fence=SimFence(), meters=self.meters, channels=(self.terminals,), zone=self.zone,
        )  # fmt: skip

    async def open(self) -> SimServer:
        """Let it look at its GPUs."""
        await refresh(self.world)
        return self

    async def lose_ledger(self, ledger: Ledger) -> None:
        """The ledger is gone; ds01d starts with a new one."""
        self.ledger = ledger
        self.restart()
        await refresh(self.world)

    async def caller(self, user: User = ALICE) -> Caller:
        return await identify(self.world, user.uid)

    async def build(self, user: User = ALICE, project: str = "thesis", spec: str = SPEC) -> ImageId:
        """The user builds her project's image through the gateway."""
        ref = f"{image_repository(user.uid, project)}:latest"
        labels = {Label.SPEC: spec, Label.PROJECT: project, Label.OWNER: str(user.uid)}
        image = self.engine.add_image(ref, labels=labels)
        tag = Tag(ref=ref, image=image, provenance=Provenance.USER, owner=user.uid)
        await self.world.ledger.write(lambda books: books.put_tag(tag))
        return image

    def request(self, user: User = ALICE, project: str = "thesis", **changes: object) -> LaunchRequest:
        values: dict[str, object] = {
            "project": project, "workspace": f"{user.home}/workspace/{project}", "spec": SPEC, "gpus": "1",
        }  # fmt: skip
        return LaunchRequest(**{**values, **changes})  # type: ignore[arg-type]

    async def launch(
        self, user: User = ALICE, project: str = "thesis", *, gone: Callable[[], bool] = lambda: False,
        steps: Steps | None = None, **changes: object,
    ) -> Container:  # fmt: skip
        """Build if there is no image yet, then launch."""
        if await self.engine.image(f"{image_repository(user.uid, project)}:latest") is None:
            await self.build(user, project)
        listening = steps or Steps(self.clock, gone=gone)
        return await launch(self.world, await self.caller(user), self.request(user, project, **changes), listening)

    async def waits(
        self, user: User = ALICE, project: str = "thesis", *, steps: Steps | None = None, **changes: Any
    ) -> asyncio.Task[Container]:
        """Launch with patience; returns when the launch waits in the queue."""
        before = (await self.events()).count("queue.joined")
        task = asyncio.create_task(self.launch(user, project, steps=steps, wait=True, **changes))
        while (await self.events()).count("queue.joined") == before:
            assert not task.done(), await task
            await asyncio.sleep(0)
        return task

    async def expire(self, minutes: float) -> None:
        """So much time passes, with the looks ds01d takes meanwhile."""
        await self.reconciler.end_leases()
        await self.turns.take()
        await self.clock.advance(minutes * 60)
        await self.reconciler.end_leases()
        await self.turns.take()

    async def live(self, minutes: float, *, look_seconds: float = 15) -> None:
        """So much time passes, and ds01d looks at what runs as often as it does."""
        for _ in range(round(minutes * 60 / look_seconds)):
            await self.clock.advance(look_seconds)
            await self.enforcer.round()
            await self.enforcer.settle()

    async def container(self, name: str = "thesis", user: User = ALICE) -> Container | None:
        return await self.world.ledger.read(lambda books: books.named(user.uid, name))

    async def leases(self) -> tuple[Lease, ...]:
        return await self.world.ledger.read(lambda books: books.open_leases())

    async def books(self, work: Callable[[Books], object]) -> None:
        await self.world.ledger.write(work)

    async def events(self, subject: str | None = None) -> list[str]:
        found = await self.world.ledger.read(lambda books: books.events(subject=subject))
        return [event.type.value for event in found]

    async def traces(self) -> tuple[int, int, int]:
        """How many containers, leases and pins there are."""
        return len(await self.engine.list()), len(await self.leases()), len(self.host.pinned())


def ids(containers: tuple[Container, ...]) -> set[ContainerId]:
    return {container.id for container in containers}
