"""What every ledger promises about jobs: the one on disk and the one in memory pass the same tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from ds01.adapters.sql.ledger import SqlLedger
from ds01.domain.container import ContainerId, Door
from ds01.domain.errors import LEDGER_ERROR, NAME_TAKEN, Ds01Error
from ds01.domain.gpu_ask import GpuAsk
from ds01.domain.jobs.job import Job, JobEnd, JobId, JobState, ended, queued, running
from ds01.domain.people import User
from ds01.domain.queue.request import RequestId
from ds01.ports.ledger import Books, Ledger
from ds01.sim.ledger import MemoryLedger
from tests.contract.test_ledger import waiting
from tests.values import ALICE, BOB, NOW, container


def job(number: int, index: int | None = None, *, user: User = ALICE) -> Job:
    """Every field set that may be."""
    name = f"sweep-{index}" if index is not None else f"thesis-{number}"
    return Job(
        id=JobId(f"job-{user.uid}-{number}-{index}"), uid=user.uid, epoch=1, number=number, name=name,
        submitted_at=NOW + timedelta(minutes=number), ask=GpuAsk(count=2, profile="2g.10gb", memory_bytes=7),
        order='{"command": ["ünï"]}', array="sweep" if index is not None else "", index=index, parallel=2,
        after=("1:any", "2/3"), planned=timedelta(hours=1.5), retries=3,
    )  # fmt: skip


def put(*jobs: Job) -> Callable[[Books], None]:
    def work(books: Books) -> None:
        for one in jobs:
            books.put_job(one)

    return work


class JobsContract:
    """The tests; a subclass gives the ledger."""

    async def test_a_job_comes_back_as_it_was(self, ledger: Ledger) -> None:
        one, other = job(1), job(1, user=BOB)
        await ledger.write(put(one, other))
        assert await ledger.read(lambda books: books.job(one.id)) == one
        assert await ledger.read(lambda books: books.job(JobId("job-none"))) is None
        assert await ledger.read(lambda books: books.open_jobs(ALICE.uid)) == (one,)
        assert set(await ledger.read(lambda books: books.open_jobs())) == {one, other}

    async def test_a_job_goes_through_its_life(self, ledger: Ledger) -> None:
        request = waiting("thesis-1")
        await ledger.write(lambda books: books.put_request(request))
        waits = queued(job(1), NOW, request.id)
        runs = running(waits, ContainerId("c" * 64), NOW)
        over = ended(runs, JobEnd.EXIT, NOW, detail="3", exit_code=3)
        for state in (waits, runs, over):
            await ledger.write(put(state))
            assert await ledger.write(lambda books: books.job(runs.id)) == state
            assert await ledger.read(lambda books: books.job(runs.id)) == state
        assert await ledger.write(lambda books: books.open_jobs()) == ()
        assert await ledger.read(lambda books: books.jobs(ALICE.uid)) == (over,)

    async def test_the_latest_are_found_and_those_before_them(self, ledger: Ledger) -> None:
        every = [job(number) for number in range(1, 6)]
        await ledger.write(put(*every, job(9, user=BOB)))

        async def found(**chosen: int) -> list[int]:
            return [one.number for one in await ledger.read(lambda books: books.jobs(ALICE.uid, **chosen))]

        assert await found() == [1, 2, 3, 4, 5]
        assert [await found(limit=2), await found(limit=2, skip=2), await found(limit=2, skip=4)] == [
            [4, 5],
            [2, 3],
            [1],
        ]
        assert await found(limit=2, skip=5) == await found(limit=2, skip=99) == []

    async def test_which_have_failed(self, ledger: Ledger) -> None:
        done = ended(job(1, 0), JobEnd.EXIT, NOW, exit_code=0)
        failed = ended(job(1, 1), JobEnd.EXIT, NOW, exit_code=1)
        given_up, lost = ended(job(3), JobEnd.CANCELLED, NOW), ended(job(4), JobEnd.EXIT, NOW)
        await ledger.write(put(done, failed, job(2, 0), ended(job(2, 1), JobEnd.EXIT, NOW, exit_code=0)))
        await ledger.write(put(given_up, lost, job(5), ended(job(5, user=BOB), JobEnd.CANCELLED, NOW)))

        def found(books: Books) -> list[bool]:
            meant = ((1, None), (1, 0), (1, 1), (2, None), (2, 0), (3, None), (4, None), (5, None), (6, None))
            return [books.failed(ALICE.uid, number, index) for number, index in meant]

        assert await ledger.read(found) == [True, False, True, False, False, True, True, False, False]

    async def test_tasks_are_found_by_number_by_name_and_by_array(self, ledger: Ledger) -> None:
        old, tasks, single = [job(1, index) for index in (0, 1)], [job(2, index) for index in (0, 1, 10, 2)], job(3)
        for task in old:
            await ledger.write(put(ended(task, JobEnd.EXIT, NOW)))
        await ledger.write(put(*tasks, single, job(9, 0, user=BOB)))
        ordered = tuple(sorted(tasks, key=lambda task: task.index or 0))
        assert await ledger.read(lambda books: books.numbered(ALICE.uid, 2)) == ordered
        assert await ledger.read(lambda books: books.called(ALICE.uid, "sweep")) == ordered
        assert await ledger.read(lambda books: books.task(ALICE.uid, 2)) == job(2, 0)
        assert await ledger.read(lambda books: books.task(ALICE.uid, 2, 10)) == job(2, 10)
        assert await ledger.read(lambda books: books.task(ALICE.uid, 3)) == single
        assert await ledger.read(lambda books: books.task(ALICE.uid, 2, 3)) is None
        assert await ledger.read(lambda books: books.task(BOB.uid, 2)) is None
        assert await ledger.read(lambda books: books.called(ALICE.uid, "sweep-10")) == (job(2, 10),)
        assert await ledger.read(lambda books: books.called(ALICE.uid, "thesis-3")) == (single,)
        assert await ledger.read(lambda books: books.called(ALICE.uid, "nothing")) == ()
        assert await ledger.read(lambda books: books.latest(ALICE.uid, "sweep")) in ordered
        assert await ledger.read(lambda books: books.latest(ALICE.uid, "sweep-10")) == job(2, 10)
        assert await ledger.read(lambda books: books.latest(ALICE.uid, "nothing")) is None
        assert await ledger.read(lambda books: books.last_number(ALICE.uid)) == 3
        assert await ledger.read(lambda books: books.last_number(BOB.uid)) == 9
        assert await ledger.read(lambda books: books.open_jobs(ALICE.uid)) == (*ordered, single)

    async def test_the_latest_ones_are_listed_in_order(self, ledger: Ledger) -> None:
        await ledger.write(put(*(job(number) for number in range(1, 8))))
        await ledger.write(put(job(8, 1), job(8, 0)))
        found = await ledger.read(lambda books: books.jobs(limit=4))
        assert [one.name for one in found] == ["thesis-6", "thesis-7", "sweep-0", "sweep-1"]
        assert await ledger.read(lambda books: books.jobs(BOB.uid)) == ()
        assert await ledger.read(lambda books: books.last_number(BOB.uid)) == 0

    async def test_a_name_is_open_once(self, ledger: Ledger) -> None:
        await ledger.write(put(job(1)))
        with pytest.raises(Ds01Error) as caught:
            await ledger.write(put(replace(job(2), name="thesis-1")))
        assert caught.value.kind is NAME_TAKEN
        await ledger.write(put(ended(job(1), JobEnd.CANCELLED, NOW), replace(job(2), name="thesis-1")))
        await ledger.write(put(replace(job(5, user=BOB), name="thesis-1")))
        assert await ledger.read(lambda books: len(books.open_jobs())) == 2

    async def test_a_job_that_failed_to_be_written_is_not_there(self, ledger: Ledger) -> None:
        def work(books: Books) -> None:
            books.put_job(job(1))
            raise LookupError

        with pytest.raises(LookupError):
            await ledger.write(work)
        assert await ledger.write(lambda books: books.open_jobs()) == ()

    async def test_what_ended_long_ago_is_found_and_forgotten_as_a_whole(self, ledger: Ledger) -> None:
        def over(number: int, index: int | None = None, *, days: int, user: User = ALICE) -> Job:
            return ended(job(number, index, user=user), JobEnd.EXIT, NOW + timedelta(days=days))

        tasks = (over(2, 0, days=1), over(2, 1, days=9), over(3, 0, days=1), over(3, 1, days=1))
        half = (over(6, 0, days=1), job(6, 1))
        await ledger.write(put(over(1, days=1), *tasks, over(4, days=5), job(5), *half, over(7, days=1)))
        await ledger.write(put(over(1, days=1, user=BOB)))
        old = await ledger.read(lambda books: books.ended_jobs(NOW + timedelta(days=5)))
        why = "2 has a later task, 4 is not older, 5 and half of 6 go on, 7 is her latest"
        assert old == ((ALICE.uid, 1), (ALICE.uid, 3)), why
        await ledger.write(lambda books: books.drop_jobs(ALICE.uid, 3))
        await ledger.write(lambda books: books.drop_jobs(BOB.uid, 7))
        assert await ledger.read(lambda books: books.numbered(ALICE.uid, 3)) == ()
        assert len(await ledger.read(lambda books: books.numbered(ALICE.uid, 2))) == 2
        assert len(await ledger.read(lambda books: books.jobs(BOB.uid))) == 1
        assert await ledger.read(lambda books: books.last_number(ALICE.uid)) == 7
        assert await ledger.write(lambda books: books.open_jobs()) == (job(5), job(6, 1))

    async def test_a_job_of_an_unknown_request_is_refused(self, ledger: Ledger) -> None:
        with pytest.raises(Ds01Error) as caught:
            await ledger.write(put(queued(job(1), NOW, RequestId("request-none"))))
        assert caught.value.kind is LEDGER_ERROR

    async def test_containers_of_jobs_are_found_by_their_door(self, ledger: Ledger) -> None:
        mine = replace(container("thesis-1"), door=Door.JOB)
        await ledger.write(lambda books: books.put_container(mine))
        await ledger.write(lambda books: books.put_container(container("thesis")))
        assert await ledger.read(lambda books: books.containers(door=Door.JOB)) == (mine,)
        assert len(await ledger.read(lambda books: books.containers())) == 2


class TestSqlLedger(JobsContract):
    @pytest.fixture
    async def ledger(self, tmp_path: Path) -> AsyncIterator[Ledger]:
        made = SqlLedger(tmp_path / "ledger.db")
        yield made
        await made.close()

    async def test_open_jobs_survive_a_restart(self, tmp_path: Path) -> None:
        first = SqlLedger(tmp_path / "again.db")
        await first.write(put(job(1), job(2, 0)))
        await first.close()
        second = SqlLedger(tmp_path / "again.db")
        assert await second.write(lambda books: books.open_jobs()) == (job(1), job(2, 0))
        await second.close()

    async def test_the_schema_itself_refuses_a_job_that_runs_nowhere(self, ledger: Ledger) -> None:
        with pytest.raises(Ds01Error) as caught:
            await ledger.write(put(replace(job(1), state=JobState.RUNNING)))
        assert caught.value.kind is LEDGER_ERROR


class TestMemoryLedger(JobsContract):
    @pytest.fixture
    async def ledger(self) -> Ledger:
        return MemoryLedger()
