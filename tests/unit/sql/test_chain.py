"""The whole chain of events: gone through from the first on, and what was read out of it verified elsewhere."""

from __future__ import annotations

import contextlib
import json
import re
import sqlite3
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from ds01.adapters.sql import ledger as adapter
from ds01.adapters.sql.ledger import SqlLedger
from ds01.domain.events import Event, EventType, Unknown
from ds01.domain.people import Uid
from ds01.ports.ledger import Audit
from ds01.services.events import Query, Viewer, follow, read
from ds01.wire.codec import plain
from ds01.wire.status import EventView
from tests.values import ALICE, NOW

PAGE = Path(__file__).resolve().parents[3] / "docs/explanation/ledger.md"
ONE = Event(
    at=NOW, type=EventType.CONTAINER_STARTED, actor=None, uid=ALICE.uid, subject="é", details={"why": "ü", "name": "x"}
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@pytest.fixture
async def ledger(path: Path) -> AsyncIterator[SqlLedger]:
    made = SqlLedger(path)
    for number in range(30):
        event = replace(ONE, actor=ALICE.uid if number % 2 else None, subject=f"é{number}")
        await made.write(lambda books, event=event: books.record(event))  # type: ignore[misc]
    yield made
    await made.close()


def changed(path: Path, statement: str) -> None:
    """Around DS01."""
    with closing(sqlite3.connect(path, isolation_level=None)) as shell:
        for verb in ("update", "delete"):
            shell.execute(f"drop trigger events_no_{verb}")
        shell.execute(statement)


async def test_all_events_are_gone_through(ledger: SqlLedger) -> None:
    assert await ledger.audit() == Audit(events=30)


@pytest.mark.parametrize(
    ("statement", "first"),
    [
        ("update events set uid = 7 where seq = 3", 3),
        ("update events set subject = 'other' where seq = 1", 1),
        ("update events set type = 'container.stopped' where seq = 29", 29),
        ("update events set type = 'no.such' where seq = 5", 5),
        ("update events set at = 'yesterday' where seq = 5", 5),
        ("update events set details = '{' where seq = 5", 5),
        ("update events set details = '[1]' where seq = 5", 5),
        ("delete from events where seq = 4", 5),
    ],
)
async def test_the_first_event_that_is_not_as_written_is_named(
    ledger: SqlLedger, path: Path, monkeypatch: pytest.MonkeyPatch, statement: str, first: int
) -> None:
    monkeypatch.setattr(adapter, "VERIFIED", 10)
    changed(path, statement)
    found = await ledger.audit()
    assert (found.broken, found.events) == (first, first - 1 if "delete" not in statement else 3)
    assert f"event {first} (" in found.wrong
    assert (await ledger.verify() != ()) == (first > 20), "the doctor looks at the latest ones alone"


async def test_an_event_that_nobody_can_read_is_no_mistake_of_the_doctor(ledger: SqlLedger, path: Path) -> None:
    changed(path, "update events set type = 'no.such' where seq = 30")
    (found,) = await ledger.verify()
    assert "event 30 (no.such" in found


async def test_what_is_exported_is_verified_as_the_docs_say(
    ledger: SqlLedger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = await read(ledger, Viewer(uid=Uid(0), admin=True), Query(uid=None, after=0))
    lines = [json.dumps(plain(event), ensure_ascii=False) for event in found]
    program = re.search(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert program is not None
    monkeypatch.chdir(tmp_path)
    Path("events.jsonl").write_text("\n".join(lines) + "\n")
    exec(program[1], {})
    Path("events.jsonl").write_text("\n".join(lines).replace('"é11"', '"é12"') + "\n")
    with pytest.raises(AssertionError, match="12"):
        exec(program[1], {})


NEWER = Event(
    at=NOW, type=Unknown("gpu.overheated"), actor=None, uid=ALICE.uid, subject="GPU-1",
    details={"name": "3", "celsius": "96", "note": ""}, schema=2,
)  # fmt: skip
TOLD = "gpu.overheated of 3, as a newer DS01 wrote it down: celsius 96."


async def test_what_a_newer_ds01_wrote_down_is_shown_plainly_and_verified(ledger: SqlLedger) -> None:
    """ds01d was put back to a version that has no such event."""
    await ledger.write(lambda books: books.record(NEWER))
    everything = Query(uid=None, after=0)
    admin = Viewer(uid=Uid(0), admin=True)
    found = (await read(ledger, admin, everything))[-1]
    assert (found.type, found.text, found.schema) == ("gpu.overheated", TOLD, 2)
    assert dict(found.details) == dict(NEWER.details)
    assert await ledger.audit() == Audit(events=31)
    assert await ledger.verify() == ()
    stream = follow(ledger, admin, everything, patience_seconds=5)
    await ledger.write(lambda books: books.record(ONE))
    assert [event.type async for event in _first(stream, 32)][-2:] == ["gpu.overheated", "container.started"]


async def test_what_a_newer_ds01_wrote_down_is_not_to_be_changed_either(ledger: SqlLedger, path: Path) -> None:
    await ledger.write(lambda books: books.record(NEWER))
    changed(path, "update events set type = 'gpu.well' where seq = 31")
    assert (await ledger.audit()).broken == 31
    (found,) = await ledger.verify()
    assert "event 31 (gpu.well" in found


async def _first(stream: AsyncGenerator[EventView, None], count: int) -> AsyncGenerator[EventView, None]:
    async with contextlib.aclosing(stream):
        for _ in range(count):
            yield await anext(stream)
