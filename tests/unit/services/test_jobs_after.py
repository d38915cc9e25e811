"""What jobs come after costs little, however much of it there is: counted in jobs read from the disk, not in time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ds01.adapters.sql import jobs as on_disk
from ds01.adapters.sql.ledger import SqlLedger
from ds01.adapters.sql.prepared import Found
from ds01.domain.jobs.job import Job, JobState
from ds01.services.jobs.advance import Given, advance
from ds01.services.jobs.cancel import cancel
from ds01.services.jobs.show import list_jobs, show
from ds01.services.jobs.submit import submit
from ds01.wire.jobs import JobRequest
from tests.server import ALICE, SimServer

TASKS = 60
AFTER = 20
THEN = 5


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[SimServer]:
    """An array of Alice's that was cancelled, and jobs that come after its tasks and after one that is open."""
    made = SimServer(run=tmp_path, ledger=SqlLedger(tmp_path / "ledger.db"))
    await made.open()
    await made.build(ALICE)
    await ask(made, "a", array=f"0-{TASKS - 1}")
    await cancel(made.world, await made.caller(ALICE), "a")
    await ask(made, "last")
    for number in range(THEN):
        tasks = (f"a-{(number * AFTER + step) % TASKS}:any" for step in range(AFTER))
        await ask(made, f"then-{number}", after=(*tasks, "a:any", "last:any"))
    yield made
    await made.ledger.close()


@pytest.fixture
def read_from_disk(server: SimServer, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Every job that is decoded from now on."""
    found: list[object] = []
    decode = on_disk._job

    def counted(row: Found) -> Job:
        found.append(row)
        return decode(row)

    monkeypatch.setattr(on_disk, "_job", counted)
    return found


async def ask(server: SimServer, name: str, **more: object) -> None:
    values: dict[str, object] = {
        "command": ("true",), "project": "thesis", "workspace": f"{ALICE.home}/workspace/thesis", "gpus": "0",
        "name": name,
    }  # fmt: skip
    request = JobRequest(**{**values, **more})  # type: ignore[arg-type]
    await submit(server.world, await server.caller(ALICE), request)


async def test_a_pass_over_jobs_that_come_after_many_tasks_reads_none_of_them(
    server: SimServer, read_from_disk: list[object]
) -> None:
    caller = await server.caller(ALICE)
    given = Given(now=server.clock.now(), known={caller.owner: caller})
    await server.ledger.write(lambda books: advance(books, given))
    assert len(read_from_disk) == 0
    waits = await server.ledger.read(lambda books: books.open_jobs(ALICE.uid))
    assert [job.state for job in waits] == [JobState.QUEUED] + [JobState.WAITING] * THEN


async def test_a_list_of_jobs_reads_nothing_but_these(server: SimServer, read_from_disk: list[object]) -> None:
    found = await list_jobs(server.world, await server.caller(ALICE), everybody=False, limit=1000)
    assert len(read_from_disk) == len(found) == TASKS + 1 + THEN
    assert {(job.text, job.after) for job in found[-THEN:]} == {("comes after last", ("last:any",))}


async def test_a_job_is_shown_with_all_it_comes_after_and_each_is_read_once(
    server: SimServer, read_from_disk: list[object]
) -> None:
    (job,) = (await show(server.world, await server.caller(ALICE), "then-0")).jobs
    assert len(read_from_disk) == 1 + AFTER + 1  # itself, the tasks, one of the array
    assert job.after == (*(f"a-{task}:any" for task in range(AFTER)), "a:any", "last:any")
    assert job.text == "comes after last"


async def test_of_what_tasks_of_an_array_come_after_each_is_read_once_for_all_of_them(
    server: SimServer, read_from_disk: list[object]
) -> None:
    await ask(server, "many", array="0-9", after=(*(f"a-{task}:any" for task in range(AFTER)), "last:any"))
    read_from_disk.clear()
    caller = await server.caller(ALICE)
    assert len((await show(server.world, caller, "many")).jobs) == 10
    assert len(read_from_disk) == 1 + 10 + AFTER
    read_from_disk.clear()
    given_up = await cancel(server.world, caller, "many")
    assert {len(job.after) for job in given_up.jobs} == {AFTER + 1}
    assert len(read_from_disk) == 1 + 10 + AFTER


async def test_what_comes_after_an_array_that_must_succeed_asks_once_whether_it_failed(
    server: SimServer, read_from_disk: list[object]
) -> None:
    await ask(server, "needs", after=("a",))
    await ask(server, "needs-one", after=("a-7",))
    read_from_disk.clear()
    caller = await server.caller(ALICE)
    given = Given(now=server.clock.now(), known={caller.owner: caller})
    await server.ledger.write(lambda books: advance(books, given))
    assert len(read_from_disk) <= 2  # their names
    for name, told in (("needs", "not run: a did not succeed"), ("needs-one", "not run: a-7 did not succeed")):
        assert (await show(server.world, caller, name)).jobs[0].text == told
