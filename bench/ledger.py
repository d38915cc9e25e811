"""Durable grants: 64 clients lease and give back slots of a server, each step on the disk before it is answered.

The peer is the least any durable ledger could do: Python's own sqlite3 with the same settings, one client,
two transactions of one statement. A client that finds the server full tries again; only whole pairs count.
"""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from statistics import median

from bench.row import Row
from bench.watch import divided
from ds01.adapters.host.clock import SystemClock
from ds01.domain.container import Door
from ds01.domain.errors import GPU_FULL, Ds01Error
from ds01.domain.gpu_ask import GpuAsk
from ds01.domain.lease import Lease
from ds01.domain.limits import Policy, effective
from ds01.domain.people import Uid, User
from ds01.ports.ledger import Books
from ds01.services.inventory import refresh
from ds01.services.lease import Want, release
from ds01.services.queue.grant import grant
from ds01.services.world import World
from ds01.sim.meters import SimMeters

CLIENTS = 64
PAIRS = 300
ROUNDS = 20
BUDGET = 500


def measure() -> list[Row]:
    """Interleaved rounds of ours and the peer; medians of pairs per second."""
    ours, peer = [], []
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
            peer.append(plain(Path(folder) / "plain.db"))
            ours.append(asyncio.run(granting(Path(folder))))
    return [
        Row(
            path="grant + release, durable, 64 clients",
            ours=median(ours),
            peer=median(peer),
            peer_name="two bare sqlite3 transactions",
            unit="pairs/s",
            rule=f"at least {BUDGET}/s",
            judged=median(ours),
            budget=BUDGET,
            at_least=True,
        )
    ]


def plain(path: Path) -> float:
    """Two durable transactions a pair, with nothing around them."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE leases (id INTEGER PRIMARY KEY, state TEXT)")
    start = time.perf_counter()
    for number in range(PAIRS):
        connection.execute("INSERT INTO leases VALUES (?, 'reserved')", (number,))
        connection.execute("UPDATE leases SET state = 'released' WHERE id = ?", (number,))
    taken = time.perf_counter() - start
    connection.close()
    return PAIRS / taken


async def granting(folder: Path) -> float:
    """``PAIRS`` grants and releases by all clients together, through the one way to a lease that every door uses."""
    people = [User(uid=Uid(2000 + n), gid=2000 + n, login=f"user{n}", home=f"/home/user{n}") for n in range(CLIENTS)]
    clock = SystemClock()
    world = divided(folder, clock, people, SimMeters(clock=clock))
    await refresh(world)
    left = iter(range(PAIRS))
    start = time.perf_counter()
    await asyncio.gather(*(client(world, user, left) for user in people))
    taken = time.perf_counter() - start
    await world.ledger.close()
    return PAIRS / taken


async def client(world: World, user: User, left: Iterator[int]) -> None:
    """One user who leases, gives back, and starts again until the work is done."""
    limits = effective(Policy(), user, Door.DS01, world.clock.now())
    want = Want(user=user, epoch=1, limits=limits, name="bench", ask=GpuAsk())

    def take(books: Books) -> Lease:
        return grant(books, world, want, world.clock.now())

    for _ in left:
        lease = None
        while lease is None:
            try:
                lease = await world.ledger.write(take)
            except Ds01Error as error:
                if error.kind is not GPU_FULL:
                    raise
        await world.ledger.write(partial(release, lease_id=lease.id, reason="done", now=world.clock.now()))
