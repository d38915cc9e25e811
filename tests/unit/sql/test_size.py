"""How large the ledger of a lab gets: what a row of each growing table takes, as the page of the ledger says it."""

from __future__ import annotations

import re
import secrets
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from ds01.adapters.sql.ledger import SqlLedger
from ds01.domain.consumption import Consumed, Line
from ds01.domain.container import ContainerId, ContainerState, StopReason
from ds01.domain.events import Event, EventType
from ds01.domain.jobs.job import JobEnd, JobState
from ds01.domain.lease import LeaseId, LeaseState
from ds01.domain.lifecycle.case import Act, Due, Level, Rule
from ds01.domain.lifecycle.words import Facts, text, title
from ds01.domain.notice import Notice, NoticeId
from ds01.domain.queue.request import RequestId, RequestState
from ds01.ports.ledger import Books
from tests.contract.test_jobs import job
from tests.contract.test_ledger import waiting
from tests.values import ALICE, NOW, container, gpu, lease, slots

PAGE = Path(__file__).resolve().parents[3] / "docs/explanation/ledger.md"
FEW, MANY = 200, 1200
MINUTE = timedelta(minutes=1)
ORDER = '{"project": "thesis", "image": "ds01-1001/thesis:latest", "command": ["python", "train.py"], "gpus": 1}'
WORKSPACE = "/home/alice/workspace/thesis"


def _id() -> str:
    return secrets.token_hex(32)


def _event(books: Books, number: int) -> None:
    details = {"name": "thesis", "slots": "2:3g.20gb", "why": "the smallest free slot that fits"}
    books.record(
        Event(
            at=NOW + MINUTE * number, type=EventType.CONTAINER_STARTED, actor=ALICE.uid, uid=ALICE.uid, subject=_id(),
            details=details,
        )
    )  # fmt: skip


def _container(books: Books, number: int) -> None:
    over = container("thesis", state=ContainerState.REMOVED)
    books.put_container(
        replace(
            over, id=ContainerId(_id()), image=f"sha256:{_id()}", started_at=NOW, stopped_at=NOW, removed_at=NOW,
            reason=StopReason.IDLE, reason_detail="30m",
        )
    )  # fmt: skip


def _lease(books: Books, number: int) -> None:
    slot = slots(gpu(0))[0].id
    over = lease("thesis", slot, state=LeaseState.RELEASED)
    id_ = LeaseId(f"lease-{secrets.token_hex(6)}")
    books.put_lease(replace(over, id=id_, container=ContainerId(_id()), reason="its hold is over"))


def _notice(books: Books, number: int) -> None:
    due = Due(rule=Rule.IDLE, act=Act.STOP, left=MINUTE, limit=30 * MINUTE, lead=15 * MINUTE)
    facts = Facts(
        name="thesis", due=due, now=NOW, acts_at=NOW, lasted=30 * MINUTE, workspace=WORKSPACE, keep_max=MINUTE * 1440,
        gpu_memory_bytes=12 * 1024**3,
    )  # fmt: skip
    reached = {"terminals": "pts/3", "workspace": "/workspace/.ds01/notices", "mail": "alice@lab.lan"}
    books.put_notice(
        Notice(
            id=NoticeId(f"notice-{secrets.token_hex(6)}"), at=NOW, uid=ALICE.uid, epoch=1, subject=_id(), name="thesis",
            rule=Rule.IDLE, level=Level.WARNING, title=title(facts), text=text(facts), acts_at=NOW, reached=reached,
            delivered_at=NOW, seen_at=NOW, ended_at=NOW,
        )
    )  # fmt: skip


def _request(books: Books, number: int) -> None:
    over = replace(waiting("thesis"), state=RequestState.TAKEN, ended_at=NOW, order=ORDER)
    books.put_request(replace(over, id=RequestId(f"request-{secrets.token_hex(6)}")))


def _job(books: Books, number: int) -> None:
    over = replace(job(number + 1), state=JobState.ENDED, ended_at=NOW, end=JobEnd.EXIT, detail="0", order=ORDER)
    books.put_job(replace(over, container=ContainerId(_id())))


def _consumption(books: Books, number: int) -> None:
    day = (NOW + timedelta(days=number)).date()
    books.add_consumed(Line(day=day, uid=ALICE.uid, epoch=1, project="thesis", name="thesis"), Consumed(gpu_seconds=1))


KINDS: dict[str, Callable[[Books, int], None]] = {
    "events": _event, "containers": _container, "leases": _lease, "notices": _notice, "requests": _request,
    "consumption": _consumption, "jobs": _job,
}  # fmt: skip


def _all(put: Callable[[Books, int], None], numbers: range, books: Books) -> None:
    for number in numbers:
        put(books, number)


async def _bytes(folder: Path, put: Callable[[Books, int], None], rows: int) -> int:
    """What a ledger with so many of them takes, indexes included, written as they come."""
    path = folder / f"{rows}.db"
    ledger = SqlLedger(path)
    await ledger.write(lambda books: books.put_slots(slots(gpu(0))))
    for begin in range(0, rows, 50):
        await ledger.write(partial(_all, put, range(begin, begin + 50)))
    await ledger.close()
    with closing(sqlite3.connect(path)) as shell:
        shell.execute("pragma wal_checkpoint(truncate)")
        return int(shell.execute("pragma page_count").fetchone()[0] * shell.execute("pragma page_size").fetchone()[0])


def said() -> dict[str, tuple[int, float, float, float]]:
    """By table: bytes of a row, rows of a person on a day, millions of rows, and MB: what the page says."""
    lines = re.findall(r"^\| `(\w+)` \| (\d+) \| ([\d.]+) \| ([\d.]+) \| ([\d,]+) \|", PAGE.read_text(), re.MULTILINE)
    return {
        name: (int(each), float(rows), float(millions), float(size.replace(",", "")))
        for name, each, rows, millions, size in lines
    }


def test_the_page_names_every_table_that_grows() -> None:
    assert set(said()) == set(KINDS)


@pytest.mark.parametrize("name", sorted(KINDS))
async def test_a_row_takes_what_the_page_says(name: str, tmp_path: Path) -> None:
    more = await _bytes(tmp_path, KINDS[name], MANY) - await _bytes(tmp_path, KINDS[name], FEW)
    each, told = more / (MANY - FEW), said()[name][0]
    assert 0.75 * told <= each <= 1.25 * told, f"{name}: {each:.0f} bytes, the page says {told}"


PEOPLE, DAYS, YEARS, KEPT = 200, 250, 5, {"notices": 1, "jobs": 1}
"""The lab of the page; some rows are kept for a year alone."""


@pytest.mark.parametrize("name", sorted(KINDS))
def test_the_page_reckons_well(name: str) -> None:
    each, rows, millions, size = said()[name]
    there = rows * PEOPLE * DAYS * KEPT.get(name, YEARS)
    assert millions == pytest.approx(there / 1e6, abs=0.006)
    assert size == pytest.approx(there * each / 1e6, rel=0.02)
