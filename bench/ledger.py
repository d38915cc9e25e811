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
from datetime import UTC, datetime
from fractions import Fraction
from functools import partial
from pathlib import Path
from statistics import median

from bench.row import Row
from ds01.adapters.sql.ledger import SqlLedger
from ds01.domain.container import Door
from ds01.domain.errors import GPU_FULL, Ds01Error
from ds01.domain.gpu import Slot, SlotId
from ds01.domain.gpu_ask import GpuAsk
from ds01.domain.lease import Lease
from ds01.domain.limits import Policy, effective
from ds01.domain.people import Uid, User
from ds01.ports.ledger import Books
from ds01.services import lease as leases

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
            ours.append(asyncio.run(granting(Path(folder) / "ledger.db")))
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


async def granting(path: Path) -> float:
    """``PAIRS`` grants and releases by all clients together."""
    ledger = SqlLedger(path)
    await ledger.write(lambda books: books.put_slots(server()))
    left = iter(range(PAIRS))
    start = time.perf_counter()
    await asyncio.gather(*(client(ledger, Uid(2000 + number), left) for number in range(CLIENTS)))
    taken = time.perf_counter() - start
    await ledger.close()
    return PAIRS / taken


async def client(ledger: SqlLedger, uid: Uid, left: Iterator[int]) -> None:
    """One user who leases, gives back, and starts again until the work is done."""
    user = User(uid=uid, gid=int(uid), login=f"user{uid}", home=f"/home/user{uid}")
    limits = effective(Policy(), user, Door.DS01, datetime.now(UTC))

    def grant(books: Books) -> Lease:
        now = datetime.now(UTC)
        return leases.grant(books, user=user, epoch=1, ask=GpuAsk(), limits=limits, name="bench", now=now)

    for _ in left:
        lease = None
        while lease is None:
            try:
                lease = await ledger.write(grant)
            except Ds01Error as error:
                if error.kind is not GPU_FULL:
                    raise
        await ledger.write(partial(leases.release, lease_id=lease.id, reason="done", now=datetime.now(UTC)))


def server() -> tuple[Slot, ...]:
    """Eight GPUs, each divided into seven instances."""
    return tuple(
        Slot(
            id=SlotId(f"MIG-{gpu}-{part}"),
            gpu=SlotId(f"GPU-{gpu}"),
            gpu_index=gpu,
            model="NVIDIA A100-SXM4-40GB",
            profile="1g.5gb",
            memory_bytes=5 * 1024**3,
            gpueq=Fraction(1, 7),
            minor=gpu,
        )
        for gpu in range(8)
        for part in range(7)
    )
