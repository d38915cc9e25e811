"""What ds01d does over and over: a look at everything that runs, with its decisions, and a scrape of its metrics.

The ledger is the real one, on the disk; the machine is simulated, so that a thousand containers fit. What reading the
kernel's own counters costs is in ``bench idle``.

There is no peer: the budgets are times. Seconds of the processor are taken, the median of a few.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median

from bench.row import Row
from ds01.adapters.sql.ledger import SqlLedger
from ds01.domain.container import Container, ContainerId, ContainerState, Door
from ds01.domain.gpu import Slot
from ds01.domain.lease import Lease, LeaseId, LeaseState
from ds01.domain.people import Uid, User
from ds01.domain.settings import Settings
from ds01.ports.clock import Clock
from ds01.ports.ledger import Books
from ds01.services.account import account
from ds01.services.enforce.enforcer import PERIOD_SECONDS, Enforcer
from ds01.services.inventory import refresh
from ds01.services.metrics import exposition
from ds01.services.world import Paths, World
from ds01.sim.channel import SimChannel
from ds01.sim.clock import SimClock
from ds01.sim.devices import SimDevices
from ds01.sim.directory import SimDirectory
from ds01.sim.engine import SimEngine
from ds01.sim.facts import SimFacts
from ds01.sim.fence import SimFence
from ds01.sim.host import SimHost
from ds01.sim.meters import SimMeters, Use
from ds01.sim.policy import SimPolicy

USERS, TIMES, BUDGET_MS = 100, 21, 50.0
DIVIDED = "a100-40gb: 1g.5gb 1g.5gb 1g.5gb 1g.5gb 1g.5gb 1g.5gb 1g.5gb"
GPUS = 8


def measure() -> Iterator[Row]:
    """A pass with 200 and with 1,000 containers on 8 divided GPUs, a scrape with 500."""
    for count in (200, 1000):
        yield _row(f"enforcement pass, {count:,} containers, {GPUS} GPUs", asyncio.run(passes(count)))
    for people in (False, True):
        what = "with users' names" if people else "without"
        yield _row(f"metrics scrape, 500 containers, {what}", asyncio.run(scrapes(500, people=people)))


def _row(path: str, taken: float) -> Row:
    return Row(path=path, ours=taken, unit="ms", rule=f"at most {BUDGET_MS:g} ms", judged=taken, budget=BUDGET_MS)


async def passes(count: int, times: int = TIMES) -> float:
    """Milliseconds of one look at so many containers, all of which work."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        world, clock = await crowd(Path(folder), count)
        enforcer = Enforcer(world)

        async def later() -> None:
            await clock.advance(PERIOD_SECONDS)

        taken = await _median(enforcer.round, times, before=later)
        await _all_there(world, count)
        await world.ledger.close()
        return taken


async def scrapes(count: int, times: int = TIMES, *, people: bool) -> float:
    """Milliseconds of one scrape, after ds01d has looked a few times."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        world, clock = await crowd(Path(folder), count)
        enforcer = Enforcer(world)
        for _ in range(3):
            await clock.advance(PERIOD_SECONDS)
            await enforcer.round()
        text = await exposition(world, people=people)
        assert f'ds01_containers{{state="running"}} {count}\n' in text
        assert (text.count("ds01_user_gpus{") > 0) == people
        taken = await _median(lambda: exposition(world, people=people), times)
        await world.ledger.close()
        return taken


async def _median(
    work: Callable[[], Awaitable[object]], times: int, before: Callable[[], Awaitable[None]] | None = None
) -> float:  # fmt: skip
    taken = []
    for _ in range(times):
        if before is not None:
            await before()
        began = time.process_time()
        await work()
        taken.append((time.process_time() - began) * 1000)
    return median(taken)


async def _all_there(world: World, count: int) -> None:
    """A pass that looked at nothing, or stopped somebody, would be quick for the wrong reason."""
    running = await world.ledger.read(
        lambda books: [c for c in books.containers() if c.state is ContainerState.RUNNING]
    )
    watched = [world.memory.get(container.id) for container in running]
    assert len(running) == count
    assert all(each is not None and each.history for each in watched)


def divided(folder: Path, clock: Clock, people: Sequence[User], meters: SimMeters) -> World:
    """Eight simulated GPUs in seven parts each, and a ledger on the disk."""
    return World(
        engine=SimEngine(clock), devices=SimDevices((DIVIDED,) * GPUS, run=folder, clock=clock),
        ledger=SqlLedger(folder / "ledger.db"), directory=SimDirectory(people), host=SimHost(homes_are_full=True),
        clock=clock, policy=SimPolicy(Settings()), facts=SimFacts(), fence=SimFence(), meters=meters,
        channels=(SimChannel("terminals"),), cpus=64, version="0",
        paths=Paths(
            state=folder, run=folder, limits=folder / "limits.yaml", gateway=folder / "docker.sock",
            engine="unix:///simulated",
        ),
    )  # fmt: skip


async def crowd(folder: Path, count: int) -> tuple[World, SimClock]:
    """A server with so many containers of a hundred users, as many of them with a slot as there are slots."""
    clock = SimClock()
    people = [User(uid=Uid(2000 + n), gid=2000 + n, login=f"user{n}", home=f"/home/user{n}") for n in range(USERS)]
    meters = SimMeters(clock=clock)
    world = divided(folder, clock, people, meters)
    await refresh(world)
    made = [_container(number, people[number % USERS], clock) for number in range(count)]
    for container in made:
        meters.use(container.id, Use(cpus=1.0, memory_bytes=2**30))

    def write(books: Books) -> None:
        for user in people:
            account(books, user, clock.now())
        for number, container in enumerate(made):
            slots = books.slots()
            if number < len(slots):
                books.put_lease(_lease(container, slots[number], clock))
            books.put_container(container if number < len(slots) else _without(container))

    await world.ledger.write(write)
    return world, clock


def _container(number: int, user: User, clock: SimClock) -> Container:
    return Container(
        id=ContainerId(f"{number:064x}"), uid=user.uid, epoch=1, name=f"run-{number}", door=Door.DS01,
        state=ContainerState.RUNNING, image="sha256:" + "a" * 64, image_ref=f"ds01-{user.uid}/run:latest",
        created_at=clock.now(), started_at=clock.now(), project=f"run-{number}", workspace=f"{user.home}/workspace/run",
        lease=LeaseId(f"lease-{number}"), gpus=1,
    )  # fmt: skip


def _without(container: Container) -> Container:
    return replace(container, lease=None, gpus=0)


def _lease(container: Container, slot: Slot, clock: SimClock) -> Lease:
    return Lease(
        id=LeaseId(str(container.lease)), uid=container.uid, epoch=1, slots=(slot.id,), gpueq=slot.gpueq,
        state=LeaseState.ACTIVE, granted_at=clock.now(), container=container.id, name=container.name,
    )  # fmt: skip
