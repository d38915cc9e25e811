"""A simulated server in this process: the product's own services over ``ds01.sim``, with a clock that is moved.

Nothing takes real time and no thread is used, so the same script gives the same pictures, to the letter.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeVar

from ds01.domain.container import Container, ContainerId, ContainerState
from ds01.domain.image import Provenance, Tag
from ds01.domain.labels import Label
from ds01.domain.limits import Group, Policy, Sourced, Value
from ds01.domain.names import image_repository
from ds01.domain.people import Uid, User
from ds01.domain.settings import EnergySettings, Settings
from ds01.ports.ledger import Books
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
from ds01.sim.meters import SimMeters, Use
from ds01.sim.policy import SimPolicy
from ds01.sim.script import Load
from ds01.wire.launches import LaunchRequest

T = TypeVar("T")

SPEC = "spec-1"
TURNS = 40
"""So often everybody who can go on does before time does."""
ROOT = User(uid=Uid(0), gid=0, login="root", home="/root", gids=frozenset({0}))
LIMITS: dict[str, Value] = {
    "gpus.max": Fraction(3), "gpus.per_container": 2, "containers": 5, "gpu_hold": timedelta(minutes=15),
    "runtime": timedelta(days=2),
}  # fmt: skip


class _AtOnce(ThreadPoolExecutor):
    """What would go to a thread is done where it stands."""

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        done: Future[T] = Future()
        try:
            done.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - whoever waits gets it
            done.set_exception(error)
        return done


def played(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """What a script comes to."""

    async def run() -> T:
        asyncio.get_running_loop().set_default_executor(_AtOnce(1))
        return await work()

    return asyncio.run(run())


@dataclass(frozen=True, kw_only=True)
class Work:
    """What a container does: CPU cores, and what each of its GPUs shows."""

    cpus: float = 2.0
    utilisation: float = 0.9
    memory_gib: float = 20.0


WORK = Work()
REST = Work(cpus=0.0, utilisation=0.0)


class Pretend:
    """Four GPUs, and people by their logins."""

    def __init__(self, run: Path, start: datetime, people: tuple[str, ...]) -> None:
        users = [
            User(uid=Uid(1001 + number), gid=1001 + number, login=login, home=f"/home/{login}", gids=frozenset())
            for number, login in enumerate(people)
        ]
        self.users = {user.login: user for user in (*users, ROOT)}
        self.clock = SimClock(start)
        self.engine = SimEngine(self.clock)
        self.meters = SimMeters(clock=self.clock)
        self.devices = SimDevices(("a100-40gb",) * 4, run=run, clock=self.clock)
        paths = Paths(
            state=run, run=run, limits=run / "limits.yaml", gateway=run / "docker.sock", engine="unix:///simulated"
        )
        self.world = World(
            engine=self.engine, devices=self.devices, ledger=MemoryLedger(), directory=SimDirectory([*users, ROOT]),
            host=SimHost(homes_are_full=True), clock=self.clock, policy=SimPolicy(_settings()), paths=paths,
            server="lab1", cpus=64, version="0", facts=SimFacts(), fence=SimFence(), meters=self.meters,
            channels=(SimChannel("terminals"),),
        )  # fmt: skip
        self._turns, self._reconciler, self._enforcer = Turns(self.world), Reconciler(self.world), Enforcer(self.world)

    async def open(self) -> Pretend:
        """Look at the GPUs."""
        await refresh(self.world)
        return self

    async def caller(self, login: str) -> Caller:
        """Somebody, as ds01d knows her."""
        return await identify(self.world, self.users[login].uid)

    async def launch(self, login: str, project: str, gpus: int = 1, *, hours: float = 24) -> Container:
        """Her project's container, when her turn comes."""
        user = self.users[login]
        await self._build(user, project)
        request = LaunchRequest(
            project=project, workspace=f"{user.home}/workspace/{project}", spec=SPEC, gpus=str(gpus), wait=True,
            time_seconds=round(hours * 3600),
        )  # fmt: skip
        return await launch(self.world, await self.caller(login), request, Steps(self.clock))

    async def _build(self, user: User, project: str) -> None:
        ref = f"{image_repository(user.uid, project)}:latest"
        if await self.engine.image(ref) is None:
            labels = {Label.SPEC: SPEC, Label.PROJECT: project, Label.OWNER: str(user.uid)}
            tag = Tag(
                ref=ref, image=self.engine.add_image(ref, labels=labels), provenance=Provenance.USER, owner=user.uid
            )
            await self.world.ledger.write(lambda books: books.put_tag(tag))

    async def works(self, container: Container, work: Work) -> None:
        """From now on it does this."""
        memory = round(work.memory_gib * 2**30)
        self.meters.use(container.id, Use(cpus=work.cpus, memory_bytes=memory))
        leases = await self.world.ledger.read(lambda books: books.open_leases())
        for slot in (slot for lease in leases if lease.container == container.id for slot in lease.slots):
            self.devices.set_load(slot, Load(utilisation=work.utilisation, memory_used_bytes=memory))

    async def turns(self) -> None:
        """Whoever can go on does."""
        for _ in range(TURNS):
            await asyncio.sleep(0)

    async def live(self, minutes: float, *, look_seconds: float = 15) -> None:
        """So much time passes, and ds01d does what it always does meanwhile."""
        for _ in range(round(minutes * 60 / look_seconds)):
            await self.clock.advance(look_seconds)
            await self.turns()
            await self._reconciler.end_leases()
            await self._turns.take()
            await self.turns()
            await self._freed()
            await self._enforcer.round()
            await self._enforcer.settle()

    async def _freed(self) -> None:
        """A GPU that nobody has does nothing, and neither does a container that stopped."""
        leased, stopped = await self.world.ledger.read(_at_rest)
        for slot in set(self.devices.script.loads) - leased:
            self.devices.script.loads.pop(slot)
        self.meters.gone = stopped


def _at_rest(books: Books) -> tuple[set[str], set[ContainerId]]:
    """The slots of running containers, and the containers that do not run."""
    running = {each.id for each in books.containers() if each.state is ContainerState.RUNNING}
    leased = {str(slot) for lease in books.open_leases() if lease.container in running for slot in lease.slots}
    return leased, {each.id for each in books.containers()} - running


def _settings() -> Settings:
    layer = {key: Sourced(value=value, source="limits.yaml:3") for key, value in LIMITS.items()}
    made = Settings(policy=Policy(groups=(Group(name="researchers", members=frozenset({"*"}), layer=layer),)))
    return replace(made, energy=EnergySettings(co2=380.0))
