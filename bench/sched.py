# ruff: noqa: A005 - named after what it measures; nobody imports the standard library's sched here
"""The queue: one pass over thousands who wait, how that grows, and how many jobs a second are simulated.

There is no peer: the budgets are times and rates. ``cpu`` seconds are taken, the best of a few, because a pass does
nothing but compute. The traces are made here, from a seed.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path

from bench.row import Row
from bench.watch import divided
from ds01.domain.gpu import Slot, SlotId
from ds01.domain.gpu_ask import GpuAsk
from ds01.domain.people import Uid, User
from ds01.domain.placement import Placed
from ds01.domain.queue.decide import decide
from ds01.domain.queue.plan import Member, Order, Owner, Rules, Server, Taken
from ds01.domain.queue.request import Request, RequestId
from ds01.domain.queue.usage import Usage
from ds01.garbage import look_seldom
from ds01.ports.ledger import Books
from ds01.services.account import account
from ds01.services.inventory import refresh
from ds01.services.lease import activate, put
from ds01.services.queue.turns import Turns
from ds01.sim.clock import SimClock
from ds01.sim.meters import SimMeters
from ds01.simulate.replay import replay
from ds01.simulate.trace import Job

NOW = datetime(2026, 1, 5, 10, tzinfo=UTC)
USERS, WAITING, SLOTS, JOBS, GPUS = 200, 10_000, 1_000, 20_000, 8
PASS_MS, JOBS_A_SECOND = 100.0, 20_000.0
TIMES = 5


def measure() -> list[Row]:
    """A pass at the size of the budget and below it, and a trace at a usual load under each policy."""
    look_seldom()
    rows = []
    for waiting, slots, full in ((1_000, 100, 1.0), (10_000, 100, 1.0), (WAITING, SLOTS, 1.0), (WAITING, SLOTS, 0.97)):
        took = passing(waiting, slots, full)
        state = "full" if full == 1.0 else f"{full:.0%} full"
        rows.append(
            Row(
                path=f"queue pass, {waiting:,} waiting, {slots:,} slots, {state}", ours=took, unit="ms",
                rule=f"at most {PASS_MS:g} ms", judged=took, budget=PASS_MS,
            )
        )  # fmt: skip
    for waiting in (1_000, WAITING):
        took = asyncio.run(turning(waiting))
        rows.append(
            Row(
                path=f"ds01d's whole pass, {waiting:,} waiting, full", ours=took, unit="ms",
                rule=f"at most {PASS_MS:g} ms", judged=took, budget=PASS_MS,
            )
        )  # fmt: skip
    trace = jobs(JOBS)
    for order in Order:
        rate = JOBS / best(lambda order=order: replay(trace, GPUS, Rules(order=order)))  # type: ignore[misc]
        rows.append(
            Row(
                path=f"simulated jobs, {order.value}", ours=rate, unit="jobs/s",
                rule=f"at least {JOBS_A_SECOND:,.0f}/s", judged=rate, budget=JOBS_A_SECOND, at_least=True,
            )
        )  # fmt: skip
    return rows


def best(work: Callable[[], object]) -> float:
    """CPU seconds, the best of a few."""
    taken = []
    for _ in range(TIMES):
        began = time.process_time()
        work()
        taken.append(time.process_time() - began)
    return min(taken)


def passing(waiting: int, slots: int, full: float) -> float:
    """Milliseconds of one pass."""
    chance = random.Random(1)
    people = [Owner(Uid(2000 + number), 1) for number in range(USERS)]
    server = Server(slots=tuple(slot(number) for number in range(slots)))
    taken = tuple(
        Taken(
            owner=chance.choice(people), slots=(one.id,), gpueq=Fraction(1),
            since=NOW - timedelta(hours=chance.uniform(0, 20)), until=NOW + timedelta(hours=chance.uniform(0.1, 24)),
        )
        for one in server.slots
        if chance.random() < full
    )  # fmt: skip
    server = Server(slots=server.slots, taken=taken)
    members = {who: Member(used=Usage(seconds=chance.uniform(0, 1e6), at=NOW)) for who in people}
    requests = [request(number, chance.choice(people), chance) for number in range(waiting)]
    return best(lambda: decide(requests, server, members, NOW)) * 1000


async def turning(waiting: int) -> float:
    """Milliseconds of one pass as ds01d makes it, with its ledger on the disk: read, decided, written, told."""
    chance = random.Random(1)
    people = [User(uid=Uid(2000 + n), gid=2000 + n, login=f"user{n}", home=f"/home/user{n}") for n in range(USERS)]
    clock = SimClock()
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        world = divided(Path(folder), clock, people, SimMeters(clock=clock))
        await refresh(world)
        await world.ledger.write(lambda books: fill(books, people, waiting, clock.now(), chance))
        turns = Turns(world)
        await turns.take()
        taken = []
        for _ in range(TIMES):
            began = time.process_time()
            await turns.take()
            taken.append(time.process_time() - began)
        await world.ledger.close()
    return min(taken) * 1000


def fill(books: Books, people: Sequence[User], waiting: int, now: datetime, chance: random.Random) -> None:
    """Every slot is leased, and so many wait."""
    for user in people:
        account(books, user, now)
    for one in books.slots():
        owner = Owner(chance.choice(people).uid, 1)
        lease = put(books, owner, "bench", Placed(slots=(one,), reason="bench"), now, planned=timedelta(hours=12))
        activate(books, lease.id, f"{one.id}", now)
    for number in range(waiting):
        wish = request(number, Owner(chance.choice(people).uid, 1), chance)
        books.put_request(replace(wish, name=f"bench-{number}", submitted_at=now - (NOW - wish.submitted_at)))


def slot(number: int) -> Slot:
    """One whole GPU."""
    name = SlotId(f"GPU-{number}")
    return Slot(
        id=name, gpu=name, gpu_index=number, model="A100", profile="full", memory_bytes=40 * 1024**3,
        gpueq=Fraction(1), minor=number,
    )  # fmt: skip


def request(number: int, who: Owner, chance: random.Random) -> Request:
    """One who waits, most for one GPU."""
    return Request(
        id=RequestId(f"request-{number}"), uid=who.uid, epoch=1, name="bench",
        ask=GpuAsk(count=chance.choice((1, 1, 1, 1, 2, 4, 8))),
        submitted_at=NOW - timedelta(seconds=chance.uniform(0, 90_000)),
        planned=timedelta(seconds=chance.choice((600, 3600, 7200, 36_000, 86_400))),
    )  # fmt: skip


def jobs(count: int) -> list[Job]:
    """A trace at a load of 0.7, of 30 users, most jobs for one GPU."""
    chance = random.Random(1)
    mean, sizes = 3000.0, (1, 1, 1, 1, 1, 2, 2)
    gap = mean * sum(sizes) / len(sizes) / GPUS / 0.7
    at, found = 0.0, []
    for number in range(count):
        at += chance.expovariate(1 / gap)
        found.append(
            Job(
                id=str(number), user=f"u{chance.randrange(30)}", submit=at, slots=chance.choice(sizes),
                duration=5 + chance.expovariate(1 / mean),
            )
        )  # fmt: skip
    return found
