"""The record of decisions: whatever a user writes, the ledger can hold it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest
from structlog.testing import capture_logs

from ds01.domain.dockerpolicy.verdict import RefusedError
from ds01.gateway import audit as audit_module
from ds01.gateway.audit import (
    ALLOWED,
    CHANGES,
    LENGTH,
    PER_USER,
    REFUSALS,
    REFUSALS_PER_SECOND,
    Audit,
    Budget,
    recordable,
)
from ds01.gateway.door import Door
from ds01.gateway.held import DoorDownError
from ds01.wire.door import DoorAudit


def test_a_record_is_text_of_a_bounded_length() -> None:
    entry = recordable(
        DoorAudit(
            uid=1, method="POST", path="/b\udcff", subject="\ud800", outcome="denied", rule="r",
            reason="\x1b[31m" + "x" * 10_000, changes=tuple(f"é\udc80{n}" for n in range(100)),
        )
    )  # fmt: skip
    texts = (entry.path, entry.subject, entry.reason, *entry.changes)
    assert all(text.encode("utf-8") and text.isprintable() and len(text) <= LENGTH for text in texts)
    assert (entry.path, entry.subject) == ("/b\\udcff", "\\ud800")
    assert entry.reason.startswith("\\x1b[31mxxx")
    assert len(entry.changes) == CHANGES + 1
    assert entry.changes[-1] == "and 80 more"


def test_d16_nobody_fills_the_disk_by_being_refused() -> None:
    now = 0.0
    refusals = Budget(lambda: now, most=REFUSALS, per_second=REFUSALS_PER_SECOND, what="refusals")
    entry = DoorAudit(uid=1, method="GET", path="/x", subject="", outcome="denied", rule="r")
    assert sum(refusals.allow(1) for _ in range(10_000)) == REFUSALS
    assert refusals.allow(2), "each user has her own"
    now = 60.0
    assert refusals.allow(1)
    assert refusals.told(entry).changes == (f"{10_000 - REFUSALS} refusals before it",)
    assert refusals.told(entry) == entry
    written = 0
    for second in range(61, 86_461):
        now = float(second)
        written += refusals.allow(1)
    assert written < 10_000


class Written(Door):
    """A ds01d that counts what it writes down."""

    def __init__(self) -> None:
        super().__init__("/nowhere")
        self.entries: list[DoorAudit] = []

    async def audit(self, entries: Sequence[DoorAudit]) -> None:
        self.entries += entries


async def recorded(audit: Audit, outcome: str, uid: int, count: int) -> None:
    for number in range(count):
        audit.record(
            DoorAudit(uid=uid, method="POST", path=f"/{number}", subject="", outcome=outcome, rule="volumes.create")
        )
        await audit.flush()


async def test_d16_nobody_fills_the_disk_by_what_is_allowed() -> None:
    now, door = 0.0, Written()
    audit = Audit(door, lambda: now)
    await recorded(audit, "allowed", 1, ALLOWED + 1000)
    assert len(door.entries) == ALLOWED
    await recorded(audit, "denied", 1, 1)
    await recorded(audit, "allowed", 2, 1)
    assert len(door.entries) == ALLOWED + 2, "refusals and other users have their own"
    now = 60.0
    await recorded(audit, "allowed", 1, 1)
    assert door.entries[-1].changes == ("1000 records before it",)


@pytest.mark.parametrize("path", ["/{}", "/same"])
async def test_d16_nobody_fills_the_disk_by_the_log(path: str) -> None:
    """Neither by what differs nor by what is the same again and again."""
    now, door = 0.0, Written()
    audit = Audit(door, lambda: now)
    with capture_logs() as logs:
        for number in range(REFUSALS + 1000):
            audit.record(entry(1, path.format(number), "denied"))
        await audit.flush()
        assert len(logs) == (REFUSALS if "{}" in path else 1)
        now = 60.0
        audit.record(entry(1, "/later", "denied"))
        await audit.flush()
    assert logs[-1]["changes"] == (["1000 refusals before it"] if "{}" in path else [])


class Lost(Written):
    """A ds01d that never answers what it is told first."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = asyncio.Event()

    async def audit(self, entries: Sequence[DoorAudit]) -> None:
        if not self.asked.is_set():
            self.asked.set()
            await asyncio.Event().wait()
        await super().audit(entries)


async def test_what_is_on_its_way_when_the_gateway_stops_is_sent_again() -> None:
    door = Lost()
    audit = Audit(door)
    entry = DoorAudit(uid=1, method="POST", path="/x", subject="", outcome="allowed", rule="volumes.create")
    audit.record(entry)
    running = asyncio.create_task(audit.flush())
    await door.asked.wait()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    audit.record(entry)
    await audit.flush()
    assert [each.changes for each in door.entries] == [("2 times",)]


def entry(uid: int, path: str, outcome: str) -> DoorAudit:
    return DoorAudit(uid=uid, method="POST", path=path, subject="", outcome=outcome, rule="x")


async def test_d16_a_change_is_on_the_record_beside_many_refusals() -> None:
    door = Written()
    audit = Audit(door)
    for number in range(PER_USER * 2):
        audit.record(entry(1, f"/{number}", "denied"))
    audit.record(entry(1, "/exec", "allowed"))
    await audit.flush()
    assert [each.path for each in door.entries if each.outcome == "allowed"] == ["/exec"]
    assert len(door.entries) == PER_USER + 2


class Full(Door):
    """A ds01d that cannot write."""

    async def audit(self, entries: Sequence[DoorAudit]) -> None:
        raise DoorDownError("no space")


async def test_d16_refusals_that_cannot_be_written_keep_nobody_from_giving_back() -> None:
    audit = Audit(Full("/nowhere"))
    for number in range(2000):
        for uid in (1, 2, 3):
            audit.record(entry(uid, f"/{number}", "denied"))
        if number % 50 == 0:
            await audit.flush()
    audit.check_writable(frees=True)
    with pytest.raises(RefusedError):
        audit.check_writable()


async def test_a_record_is_put_down_a_moment_after_its_answer() -> None:
    audit = Audit(Written())
    with capture_logs() as logs:
        audit.record(entry(1, "/a", "allowed"), ms=1.5)
        audit.record(entry(1, "/b", "denied"))
        assert not logs
        async with asyncio.timeout(30):
            while not logs:
                await asyncio.sleep(0.001)
    assert [(line["path"], line.get("ms")) for line in logs] == [("/a", 1.5), ("/b", None)]


async def test_of_equal_records_the_latest_has_the_place() -> None:
    door = Written()
    audit = Audit(door)
    for path in ("/a", "/b", "/a"):
        audit.record(entry(1, path, "denied"))
    await audit.flush()
    assert [(each.path, each.changes) for each in door.entries] == [("/b", ()), ("/a", ("2 times",))]


class Away(Written):
    """A ds01d that takes nothing at first."""

    def __init__(self) -> None:
        super().__init__()
        self.up = False

    async def audit(self, entries: Sequence[DoorAudit]) -> None:
        if not self.up:
            raise DoorDownError("no space")
        await super().audit(entries)


async def test_what_could_not_be_sent_comes_before_what_happened_since() -> None:
    door = Away()
    audit = Audit(door)
    for path in ("/a", "/b"):
        audit.record(entry(1, path, "denied"))
    await audit.flush()
    door.up = True
    for path in ("/c", "/a"):
        audit.record(entry(1, path, "denied"))
    await audit.flush()
    assert [(each.path, each.changes) for each in door.entries] == [("/b", ()), ("/c", ()), ("/a", ("2 times",))]


@pytest.fixture
async def seldom(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Audit, Written]]:
    """A record that is sent every hour."""
    monkeypatch.setattr(audit_module, "BATCH_SECONDS", 3600.0)
    door = Written()
    audit = Audit(door)
    running = asyncio.create_task(audit.run())
    yield audit, door
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def sent(audit: Audit, door: Written, more: DoorAudit) -> list[str]:
    """The paths on the record, when whoever sends has had her turns."""
    audit.record(more)
    audit.put_down()
    for _ in range(50):
        await asyncio.sleep(0)
    return [each.path for each in door.entries]


async def test_a_refusal_is_sent_at_once_and_the_next_with_its_batch(seldom: tuple[Audit, Written]) -> None:
    assert await sent(*seldom, entry(1, "/a", "allowed")) == []
    assert await sent(*seldom, entry(1, "/b", "denied")) == ["/a", "/b"]
    assert await sent(*seldom, entry(1, "/c", "denied")) == ["/a", "/b"]
