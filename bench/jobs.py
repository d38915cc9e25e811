"""Jobs: a durable submission, and how many that do nothing get from submission to record in a second.

A submission is measured twice: on a server whose GPUs are busy, where it is written down and waits, as on most days;
and one right after another while those before it begin and end, so that it shares one processor with all of that.

Everything of ds01d is real but the engine, whose containers end at once: a real one takes a third of a second for each,
whoever asks. The ledger is on the disk. The peer is Slurm with the same number of ``true``, where it is installed;
otherwise the budgets stand alone.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from fractions import Fraction
from pathlib import Path
from statistics import median

import uvloop

from bench import slurm
from bench.row import Row
from ds01.adapters.host.clock import SystemClock
from ds01.adapters.sql.ledger import SqlLedger
from ds01.domain.events import EventType
from ds01.domain.limits import Group, Policy, Sourced, Value
from ds01.domain.people import Uid, User
from ds01.domain.settings import Settings
from ds01.services.caller import Caller, identify
from ds01.services.inventory import refresh
from ds01.services.jobs.cancel import cancel
from ds01.services.jobs.runner import Runner
from ds01.services.jobs.submit import submit
from ds01.services.queue.turns import Turns
from ds01.services.world import Paths, World
from ds01.sim.devices import SimDevices
from ds01.sim.directory import SimDirectory
from ds01.sim.engine import SimEngine
from ds01.sim.facts import SimFacts
from ds01.sim.fence import SimFence
from ds01.sim.host import SimHost
from ds01.sim.meters import SimMeters
from ds01.sim.policy import SimPolicy
from ds01.wire.jobs import JobRequest

SUBMISSIONS, JOBS, GPUS = 100, 200, 8
SUBMIT_MS, A_SECOND = 5.0, 100.0
SETTLED_SECONDS = 0.2
ADA = User(uid=Uid(1001), gid=1001, login="ada", home="/home/ada", gids=frozenset({1001}))
IMAGE = "ds01/minimal:latest"


def measure() -> list[Row]:
    """Both, in one run on one ledger."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        quiet, storm, rate = uvloop.run(_measure(Path(folder)))
    peer = slurm.rate(JOBS, GPUS)
    return [
        _submission("job, durable submission, GPUs busy (p50)", quiet),
        _submission("job, durable submission in a storm (p50)", storm),
        Row(
            path="jobs that do nothing, end to end", ours=rate, unit="jobs/s", rule=f"at least {A_SECOND:g}/s",
            judged=rate, budget=A_SECOND, at_least=True, peer=peer, peer_name="Slurm" if peer is not None else "",
        ),
    ]  # fmt: skip


def _submission(path: str, taken: float) -> Row:
    return Row(
        path=path, ours=taken, unit="ms", rule=f"at most {SUBMIT_MS:g} ms", judged=taken, budget=SUBMIT_MS
    )  # fmt: skip


async def _measure(folder: Path) -> tuple[float, float, float]:
    engine = SimEngine(SystemClock())
    world = build(folder, engine)
    await refresh(world)
    caller = await identify(world, ADA.uid)
    loops = [asyncio.create_task(_forever(work)) for work in (Turns(world), Runner(world))]
    try:
        quiet = await _while_busy(world, engine, caller)
        return quiet, await _submissions(world, caller), await _rate(world, caller)
    finally:
        for loop in loops:
            loop.cancel()
        await asyncio.gather(*loops, return_exceptions=True)
        await world.ledger.close()


async def _forever(work: Turns | Runner) -> None:
    while True:
        await work.round()


async def _while_busy(world: World, engine: SimEngine, caller: Caller) -> float:
    """As many run as there are GPUs, and some wait; what a submission brings about is over before the next."""
    engine.faults.die_at_once = None
    jobs = [*await submit(world, caller, request(array=f"0-{GPUS + 3}"))]
    await asyncio.sleep(SETTLED_SECONDS * 10)
    taken = []
    for _ in range(SUBMISSIONS):
        began = time.perf_counter()
        jobs += await submit(world, caller, request())
        taken.append((time.perf_counter() - began) * 1000)
        await asyncio.sleep(SETTLED_SECONDS)
    for job in jobs:
        await cancel(world, caller, job.name)
    await _over(world)
    engine.faults.die_at_once = 0
    return median(taken)


async def _submissions(world: World, caller: Caller) -> float:
    taken = []
    for _ in range(SUBMISSIONS):
        began = time.perf_counter()
        await submit(world, caller, request())
        taken.append((time.perf_counter() - began) * 1000)
    await _over(world)
    return median(taken)


async def _rate(world: World, caller: Caller) -> float:
    began = time.perf_counter()
    await submit(world, caller, request(array=f"0-{JOBS - 1}"))
    await _over(world)
    return JOBS / (time.perf_counter() - began)


async def _over(world: World) -> None:
    seen = 0
    while await world.ledger.read(lambda books: bool(books.open_jobs())):
        seen = await world.ledger.wait(seen, 1.0, (EventType.JOB_ENDED,))


def request(array: str = "") -> JobRequest:
    """A job for one GPU that does nothing."""
    return JobRequest(
        command=("true",), project="bench", workspace="/home/ada/workspace/bench", image=IMAGE, gpus="1", array=array
    )  # fmt: skip


def build(folder: Path, engine: SimEngine) -> World:
    """Eight simulated GPUs, one user who may have all of them, and an engine whose containers end at once."""
    clock = SystemClock()
    engine.add_image(IMAGE)
    may: dict[str, Value] = {"gpus.max": Fraction(GPUS), "gpus.per_container": GPUS, "containers": 4 * GPUS}
    layer = {key: Sourced(value=value, source="bench") for key, value in may.items()}
    policy = Policy(groups=(Group(name="all", members=frozenset({"*"}), layer=layer),))
    paths = Paths(
        state=folder, run=folder, limits=folder / "limits.yaml", gateway=folder / "docker.sock", engine="simulated"
    )
    return World(
        engine=engine, devices=SimDevices(("a100-40gb",) * GPUS, run=folder, clock=clock),
        ledger=SqlLedger(folder / "ledger.db"), directory=SimDirectory([ADA]), host=SimHost(homes_are_full=True),
        facts=SimFacts(), fence=SimFence(), clock=clock, policy=SimPolicy(Settings(policy=policy)), paths=paths,
        meters=SimMeters(clock=clock),
    )  # fmt: skip
