"""Jobs over a simulated server: submitted, begun, ended, tried again, given up, and carried over any restart."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from typing import Any, cast

import pytest

from ds01.domain import errors
from ds01.domain.assembly import JOB
from ds01.domain.container import Container, ContainerState, Door, StopReason
from ds01.domain.errors import Ds01Error, ErrorKind
from ds01.domain.gpu import SlotId
from ds01.domain.jobs.job import Job, JobEnd, JobState
from ds01.domain.lease import LeaseState
from ds01.domain.people import User
from ds01.domain.quarantine import Keeper
from ds01.ports.engine import Engine
from ds01.ports.ledger import Ledger
from ds01.services.jobs.cancel import cancel
from ds01.services.jobs.runner import Runner
from ds01.services.jobs.show import list_jobs, show
from ds01.services.jobs.submit import plan, submit
from ds01.services.remove import remove
from ds01.services.start import start
from ds01.services.steps import Steps
from ds01.sim.meters import Use
from ds01.wire.jobs import JobRequest, JobView
from tests.server import ALICE, BOB, SimServer, settings


class Jobs:
    """A server with what carries jobs through, and hands to use it with."""

    def __init__(self, server: SimServer) -> None:
        self.server = server
        self.runner = Runner(server.world)

    def request(self, user: User = ALICE, **changes: object) -> JobRequest:
        values: dict[str, object] = {
            "command": ("python", "train.py"), "project": "thesis", "workspace": f"{user.home}/workspace/thesis",
            "gpus": "1",
        }  # fmt: skip
        return JobRequest(**{**values, **changes})  # type: ignore[arg-type]

    async def submit(self, user: User = ALICE, **changes: object) -> tuple[Job, ...]:
        if await self.server.engine.image(f"ds01-{user.uid}/thesis:latest") is None:
            await self.server.build(user)
        await self.server.clock.advance(1)
        return await submit(self.server.world, await self.server.caller(user), self.request(user, **changes))

    async def one(self, user: User = ALICE, **changes: object) -> Job:
        (job,) = await self.submit(user, **changes)
        return job

    async def go(self, seconds: float = 0) -> None:
        """Time passes, turns are given, jobs go on, until nothing more happens."""
        if seconds:
            await self.runner.take()
            await self.server.clock.advance(seconds)
        for _ in range(8):
            await self.server.turns.take()
            await self.runner.take()
            await self.runner.settled()
            await self.server.reconciler.round()

    async def kill(self) -> None:
        """ds01d is killed in the middle of whatever it did, and starts again."""
        await self.runner.close()
        self.server.restart()
        self.runner = Runner(self.server.world)
        await self.server.reconciler.round()

    async def get(self, job: Job) -> Job:
        found = await self.server.ledger.read(lambda books: books.job(job.id))
        assert found is not None
        return found

    async def state(self, job: Job) -> str:
        found = await self.get(job)
        return found.state.value if found.end is None else f"{found.state.value}: {found.end.value} {found.detail}"

    async def container(self, name: str, user: User = ALICE) -> Container:
        found = await self.server.container(name, user)
        assert found is not None
        return found

    async def ends(self, name: str, code: int = 0, *, oom: bool = False) -> None:
        """The program of a job's container ends by itself."""
        self.server.engine.die((await self.container(name)).id, code, oom=oom)
        await self.go()

    async def view(self, name: str, user: User = ALICE) -> JobView:
        return (await show(self.server.world, await self.server.caller(user), name)).jobs[0]

    async def states(self, number: int, user: User = ALICE) -> list[str]:
        found = await self.server.ledger.read(lambda books: books.numbered(user.uid, number))
        return [job.state.value for job in found]


class Dead:
    """The ledger and the engine of a ds01d that is killed as soon as a container runs: it does nothing more."""

    def __init__(self, server: SimServer) -> None:
        self._ledger, self._engine = server.ledger, server.engine

    async def _alive(self) -> None:
        if any(made.running for made in await self._engine.list()):
            raise RuntimeError("killed")

    async def write(self, work: Any) -> Any:
        await self._alive()
        return await self._ledger.write(work)

    async def remove(self, container: Any, *, force: bool = False) -> None:
        await self._alive()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger if hasattr(self._ledger, name) else self._engine, name)


@pytest.fixture
async def jobs(server: SimServer) -> AsyncIterator[Jobs]:
    server.policy.settings = settings(gpus__max=Fraction(4), containers=20)
    made = Jobs(server)
    yield made
    await made.runner.close()


def raised(kind: ErrorKind, caught: pytest.ExceptionInfo[Ds01Error]) -> errors.Problem:
    assert caught.value.kind is kind, caught.value.problem
    return caught.value.problem


# a job's life --------------------------------------------------------------------------------------------


async def test_a_job_runs_to_its_end_and_gives_everything_back(jobs: Jobs) -> None:
    job = await jobs.one(environment={"SEED": "1"}, folder="src", commit="abc123")
    assert job.name == "thesis-1"
    await jobs.go()
    running = await jobs.get(job)
    assert running.state is JobState.RUNNING
    container = await jobs.container("thesis-1")
    assert (container.door, container.gpus, container.state) == (Door.JOB, 1, ContainerState.RUNNING)
    spec = jobs.server.engine.spec(container.id)
    assert spec.command == (JOB, "python", "train.py")
    said = {key: spec.environment[key] for key in spec.environment if key.startswith("DS01_J") or key == "SEED"}
    assert said == {
        "SEED": "1", "DS01_JOB": "thesis-1", "DS01_JOB_NUMBER": "1", "DS01_JOB_FOLDER": "/workspace/.ds01/jobs/1",
        "DS01_JOB_ATTEMPT": "1", "DS01_JOB_AGAIN": "", "DS01_JOB_START": "/workspace/src",
    }  # fmt: skip
    await jobs.ends("thesis-1", 3)
    assert await jobs.state(job) == "ended: exit 3"
    view = await jobs.view("thesis-1")
    assert (view.text, view.exit_code, view.code, view.commit) == ("failed: exit code 3", 3, 3, "abc123")
    assert view.log == "/home/alice/workspace/thesis/.ds01/jobs/1/log"
    assert await jobs.server.traces() == (0, 0, 0)


async def test_a_program_that_ends_at_once_is_seen(jobs: Jobs) -> None:
    jobs.server.engine.faults.die_at_once = 0
    job = await jobs.one()
    await jobs.go()
    assert (await jobs.get(job)).succeeded
    assert await jobs.server.traces() == (0, 0, 0)


async def test_a_job_without_a_gpu_waits_for_nobody(jobs: Jobs) -> None:
    await jobs.server.launch(BOB, "all", gpus="2")
    job = await jobs.one(gpus="0")
    await jobs.go()
    assert (await jobs.get(job)).state is JobState.RUNNING
    assert (await jobs.container("thesis-1")).lease is None


async def test_f2_a_job_waits_its_turn_like_everybody(jobs: Jobs) -> None:
    await jobs.server.launch(BOB, "one", gpus="2")
    await jobs.server.launch(BOB, "two", gpus="2")
    job = await jobs.one()
    view = await jobs.view("thesis-1")
    assert view.state == "queued"
    assert view.text.startswith("1st of 1 in the queue: ")
    await jobs.go()
    assert (await jobs.get(job)).state is JobState.QUEUED
    await remove(jobs.server.world, await jobs.server.caller(BOB), "one", force=True)
    await jobs.go()
    assert (await jobs.get(job)).state is JobState.RUNNING


async def test_over_quota_a_job_waits_where_a_launch_is_refused(jobs: Jobs) -> None:
    jobs.server.policy.settings = settings(gpus__max=Fraction(1), containers=20)
    first = await jobs.one()
    await jobs.go()
    second = await jobs.one()
    await jobs.go()
    assert [await jobs.state(job) for job in (first, second)] == ["running", "queued"]
    assert (await jobs.view("thesis-2")).place is not None
    await jobs.ends("thesis-1")
    assert await jobs.state(second) == "running"


async def test_no_room_for_one_more_container_is_waited_for(jobs: Jobs) -> None:
    jobs.server.policy.settings = settings(gpus__max=Fraction(4), containers=2)
    await jobs.server.launch(ALICE, "mine", gpus="0")
    first, second = await jobs.one(gpus="0"), await jobs.one(gpus="0")
    await jobs.go()
    assert [await jobs.state(job) for job in (first, second)] == ["running", "waiting"]
    assert (await jobs.view("thesis-2")).text == "waits for room among your containers"
    await jobs.ends("thesis-1")
    assert await jobs.state(second) == "running"


async def test_out_of_memory_says_peak_and_limit(jobs: Jobs) -> None:
    await jobs.one()
    await jobs.go()
    running = await jobs.container("thesis-1")
    jobs.server.meters.use(running.id, Use(memory_peak_bytes=31 * 1024**3))
    await jobs.server.reconciler.out_of_memory(running.id)
    await jobs.ends("thesis-1", 137, oom=True)
    view = await jobs.view("thesis-1")
    assert (view.end, view.code) == ("oom", 137)
    assert view.text == "out of memory (used 31G of 32G)"


async def test_its_time_is_enforced(jobs: Jobs) -> None:
    job = await jobs.one(time_seconds=600)
    await jobs.go()
    await jobs.go(599)
    assert await jobs.state(job) == "running"
    await jobs.go(2)
    assert await jobs.state(job) == "ended: runtime 10m"
    assert (await jobs.view("thesis-1")).code == 124
    gone = await jobs.server.ledger.read(lambda books: books.named(ALICE.uid, "thesis-1", removed=True))
    assert gone is not None
    assert gone.reason is StopReason.RUNTIME


@pytest.mark.parametrize("hours", [-2, 2])
async def test_i5_a_clock_that_steps_ends_no_job(jobs: Jobs, hours: int) -> None:
    job = await jobs.one(time_seconds=3600)
    await jobs.go()
    jobs.server.clock.jump(timedelta(hours=hours))
    await jobs.go(60)
    assert await jobs.state(job) == "running"
    await jobs.go(3600)
    assert (await jobs.get(job)).end is JobEnd.RUNTIME


# arrays and dependencies ---------------------------------------------------------------------------------


async def test_an_array_is_one_job_for_each_index_so_many_at_once(jobs: Jobs) -> None:
    tasks = await jobs.submit(name="sweep", array="0-4%2", gpus="0")
    assert [task.name for task in tasks] == [f"sweep-{index}" for index in range(5)]
    await jobs.go()
    assert await jobs.states(1) == ["running", "running", "waiting", "waiting", "waiting"]
    assert (await jobs.view("sweep-2")).text == "waits: 2 of its array at once"
    environment = jobs.server.engine.spec((await jobs.container("sweep-1")).id).environment
    assert (environment["DS01_ARRAY"], environment["DS01_ARRAY_INDEX"]) == ("sweep", "1")
    assert environment["DS01_JOB_FOLDER"] == "/workspace/.ds01/jobs/1/1"
    for index in range(5):
        await jobs.ends(f"sweep-{index}")
    assert set(await jobs.states(1)) == {"ended"}


async def test_after_an_array_comes_what_needs_all_of_it(jobs: Jobs) -> None:
    await jobs.submit(name="sweep", array="0-1", gpus="0")
    job = await jobs.one(name="best", after=("sweep",), gpus="0")
    await jobs.go()
    assert (await jobs.view("best")).text == "comes after sweep"
    await jobs.ends("sweep-0")
    assert await jobs.state(job) == "waiting"
    await jobs.ends("sweep-1")
    assert await jobs.state(job) == "running"


async def test_what_comes_after_a_failure_is_not_run_unless_it_was_said_so(jobs: Jobs) -> None:
    await jobs.one(name="first", gpus="0")
    needs = await jobs.one(name="needs", after=("first",), gpus="0")
    then = await jobs.one(name="then", after=("needs",), gpus="0")
    anyhow = await jobs.one(name="anyhow", after=("first:any",), gpus="0")
    await jobs.go()
    await jobs.ends("first", 1)
    assert await jobs.state(needs) == "ended: dependency first"
    assert await jobs.state(then) == "ended: dependency needs"
    assert await jobs.state(anyhow) == "running"
    assert (await jobs.view("needs")).text == "not run: first did not succeed"


# giving up -----------------------------------------------------------------------------------------------


async def test_what_waits_is_given_up_at_once_and_what_runs_is_stopped(jobs: Jobs) -> None:
    await jobs.submit(name="sweep", array="0-2%1", gpus="1")
    await jobs.go()
    view = await cancel(jobs.server.world, await jobs.server.caller(), "sweep")
    assert [(job.name, job.text) for job in view.jobs] == [
        ("sweep-0", "is being stopped"), ("sweep-1", "cancelled"), ("sweep-2", "cancelled"),
    ]  # fmt: skip
    await jobs.go()
    assert (await jobs.view("sweep-0")).text == "cancelled"
    assert await jobs.server.traces() == (0, 0, 0)
    with pytest.raises(Ds01Error) as caught:
        await cancel(jobs.server.world, await jobs.server.caller(), "sweep")
    assert raised(errors.WRONG_STATE, caught).message == "Job 'sweep' has ended already: cancelled."


async def test_given_up_between_its_turn_and_its_start_it_leaves_the_gpu(jobs: Jobs) -> None:
    job = await jobs.one()
    await jobs.runner.take()
    await jobs.server.turns.take()
    assert await jobs.server.traces() == (0, 1, 0)
    await cancel(jobs.server.world, await jobs.server.caller(), job.name)
    assert await jobs.server.traces() == (0, 0, 0)


async def test_given_up_while_its_container_is_made_the_gpu_stays_until_that_is_gone(jobs: Jobs) -> None:
    job = await jobs.one()
    await jobs.runner.take()
    await jobs.server.turns.take()
    async with jobs.server.world.locks.hold(job.uid, job.name, "its job"):
        await cancel(jobs.server.world, await jobs.server.caller(), job.name)
        assert await jobs.server.traces() == (0, 1, 0)
    await jobs.server.reconciler.round()
    assert await jobs.server.traces() == (0, 0, 0)


async def test_cancelling_survives_ds01d(jobs: Jobs) -> None:
    job = await jobs.one()
    await jobs.go()
    await cancel(jobs.server.world, await jobs.server.caller(), "thesis-1")
    await jobs.kill()
    await jobs.go()
    assert await jobs.state(job) == "ended: cancelled "


async def test_retiring_its_container_gives_a_job_up(jobs: Jobs) -> None:
    job = await jobs.one()
    await jobs.go()
    await remove(jobs.server.world, await jobs.server.caller(), "thesis-1", force=True)
    await jobs.go()
    assert await jobs.state(job) == "ended: cancelled "


# what goes wrong -----------------------------------------------------------------------------------------


async def test_its_own_failure_is_never_repeated(jobs: Jobs) -> None:
    job = await jobs.one(retries=5)
    await jobs.go()
    await jobs.ends("thesis-1", 1)
    assert ((await jobs.get(job)).attempt, await jobs.state(job)) == (1, "ended: exit 1")


async def test_an_engine_that_restarts_is_no_fault_of_the_job(jobs: Jobs) -> None:
    job = await jobs.one(retries=1)
    await jobs.go()
    for _ in range(2):
        await jobs.server.reconciler.lost(jobs.server.clock.now())
        jobs.server.engine.go_away()
        jobs.server.engine.come_back(restarted=True)
        jobs.server.reconciler.back(jobs.server.clock.now())
        await jobs.go()
        await jobs.server.clock.advance(60)
        await jobs.go()
    found = await jobs.get(job)
    assert (found.attempt, await jobs.state(job)) == (2, "ended: engine ")
    assert (await jobs.server.events()).count("job.retried") == 1


async def test_it_is_told_that_it_is_started_again(jobs: Jobs) -> None:
    await jobs.one()
    await jobs.go()
    await jobs.server.reconciler.lost(jobs.server.clock.now())
    jobs.server.engine.come_back(restarted=True)
    jobs.server.reconciler.back(jobs.server.clock.now())
    await jobs.go()
    environment = jobs.server.engine.spec((await jobs.container("thesis-1")).id).environment
    assert environment["DS01_JOB_ATTEMPT"] == "2"
    assert environment["DS01_JOB_AGAIN"] == "lost: the Docker engine stopped"


@pytest.mark.parametrize("code", [0, 1])
async def test_what_ends_by_itself_just_after_the_engine_is_back_is_no_outage(jobs: Jobs, code: int) -> None:
    job = await jobs.one()
    await jobs.go()
    await jobs.server.reconciler.lost(jobs.server.clock.now())
    jobs.server.engine.come_back(restarted=True)
    jobs.server.reconciler.back(jobs.server.clock.now())
    await jobs.go()
    await jobs.server.clock.advance(1)
    await jobs.ends("thesis-1", code)
    assert ((await jobs.get(job)).attempt, await jobs.state(job)) == (2, f"ended: exit {code}")


async def test_a_job_that_was_done_before_the_server_went_down_is_done(jobs: Jobs) -> None:
    job = await jobs.one()
    await jobs.go()
    jobs.server.engine.die((await jobs.container("thesis-1")).id, 0)
    jobs.server.host.reboot()
    await jobs.kill()
    await jobs.go()
    assert await jobs.state(job) == "ended: exit 0"


async def test_why_it_begins_again_is_why_it_was_lost_and_not_what_kept_it_from_starting(jobs: Jobs) -> None:
    await jobs.one()
    await jobs.go()
    await jobs.server.reconciler.lost(jobs.server.clock.now())
    jobs.server.engine.come_back(restarted=True)
    jobs.server.reconciler.back(jobs.server.clock.now())
    await jobs.server.reconciler.round()
    jobs.server.engine.faults.refuse_create = "not yet"
    await jobs.go()
    jobs.server.engine.faults.refuse_create = ""
    await jobs.go(61)
    environment = jobs.server.engine.spec((await jobs.container("thesis-1")).id).environment
    assert environment["DS01_JOB_AGAIN"] == "lost: the Docker engine stopped"


async def test_an_end_by_signal_is_looked_at_again_before_it_counts(jobs: Jobs) -> None:
    """An engine that goes down ends its containers first; who hears of the end first must not take it for failure."""
    job = await jobs.one()
    await jobs.go()
    await jobs.ends("thesis-1", 143)
    assert await jobs.state(job) == "running"
    await jobs.server.reconciler.lost(jobs.server.clock.now())
    await jobs.go()
    assert (await jobs.get(job)).attempt == 2


async def test_an_end_by_signal_that_nothing_explains_is_its_own(jobs: Jobs) -> None:
    job = await jobs.one()
    await jobs.go()
    await jobs.ends("thesis-1", 137)
    await jobs.go(11)
    assert await jobs.state(job) == "ended: exit 137"


async def test_a_gpu_that_fails_is_no_fault_of_the_job(jobs: Jobs) -> None:
    job = await jobs.one(retries=0)
    again = await jobs.one(retries=1)
    await jobs.go()
    for lease in await jobs.server.leases():
        bad = SlotId(lease.slots[0])
        await jobs.server.books(lambda books, bad=bad: books.quarantine(bad, Keeper.DRIVER, "Xid 79"))  # type: ignore[misc]
    await jobs.ends("thesis-1", 1)
    await jobs.ends("thesis-2", 1)
    assert await jobs.state(job) == "ended: quarantine Xid 79"
    assert await jobs.state(again) == "running"


async def test_a_gpu_that_an_admin_sets_aside_excuses_nothing(jobs: Jobs) -> None:
    job = await jobs.one()
    await jobs.go()
    (lease,) = await jobs.server.leases()
    await jobs.server.books(lambda books: books.quarantine(SlotId(lease.slots[0]), Keeper.ADMIN, "to be cleaned"))
    await jobs.ends("thesis-1", 1)
    assert await jobs.state(job) == "ended: exit 1"


async def test_an_engine_that_is_away_is_waited_for_however_long(jobs: Jobs) -> None:
    job = await jobs.one(retries=0)
    jobs.server.engine.go_away()
    await jobs.server.turns.take()
    for _ in range(4):
        await jobs.runner.take()
        await jobs.runner.settled()
        await jobs.server.clock.advance(61)
        await jobs.server.turns.take()
    assert (await jobs.get(job)).open
    jobs.server.engine.come_back()
    await jobs.go(61)
    assert await jobs.state(job) == "running"


async def test_a_start_that_the_engine_refuses_is_tried_a_few_times(jobs: Jobs) -> None:
    job = await jobs.one(retries=1)
    jobs.server.engine.faults.refuse_start = "no such device"
    await jobs.go()
    assert (await jobs.view("thesis-1")).text.startswith("is tried again: The container does not start.")
    await jobs.go(6)
    assert (await jobs.get(job)).end is JobEnd.START
    assert (await jobs.view("thesis-1")).text == "could not start: The container does not start. no such device"
    assert await jobs.server.traces() == (0, 0, 0)


async def test_an_image_that_was_removed_meanwhile_is_said(jobs: Jobs) -> None:
    await jobs.submit(name="sweep", array="0-1%1")
    await jobs.go()
    image = (await jobs.container("sweep-0")).image
    await jobs.ends("sweep-0")
    await jobs.server.build(spec="another")
    await jobs.go()
    assert (await jobs.container("sweep-1")).image == image, "a rebuild changes no job that waits"
    await jobs.ends("sweep-1")
    job = await jobs.one()
    await jobs.server.engine.remove_image((await jobs.view(job.name)).image_id)
    await jobs.go()
    assert (await jobs.view(job.name)).text == "could not start: Its image 'ds01-1001/thesis:latest' was removed"


# killed --------------------------------------------------------------------------------------------------


async def test_killed_at_every_step_of_a_job_nothing_is_lost_or_done_twice(jobs: Jobs) -> None:
    job = await jobs.one()
    for act in (jobs.kill, jobs.server.turns.take, jobs.kill, jobs.go, jobs.kill, jobs.go):
        await act()
    assert await jobs.state(job) == "running"
    container = await jobs.container("thesis-1")
    jobs.server.engine.die(container.id, 0)
    await jobs.kill()
    await jobs.kill()
    await jobs.go()
    found = await jobs.get(job)
    assert (found.succeeded, found.attempt) == (True, 1)
    assert await jobs.server.traces() == (0, 0, 0)


@pytest.mark.parametrize("ends", [False, True])
async def test_killed_between_the_start_and_its_record(jobs: Jobs, ends: bool) -> None:
    """The container runs and the ledger does not know; or it even ended since, unseen."""
    job = await jobs.one()
    await jobs.server.turns.take()
    server = jobs.server
    dead = Dead(server)
    jobs.runner = Runner(replace(server.world, ledger=cast(Ledger, dead), engine=cast(Engine, dead)))
    await jobs.runner.take()
    await jobs.runner.settled()
    (made,) = await server.engine.list()
    assert made.running
    assert (await jobs.get(job)).state is JobState.QUEUED
    if ends:
        server.engine.die(made.id, 0)
    await jobs.kill()
    await jobs.go()
    assert await jobs.state(job) == ("ended: exit 0" if ends else "running")
    assert (await jobs.get(job)).attempt == 1
    assert len(await server.leases()) == (0 if ends else 1)


async def test_a_turn_that_ds01d_died_over_is_given_again_in_the_same_place(jobs: Jobs) -> None:
    job = await jobs.one()
    await jobs.server.turns.take()
    before = await jobs.get(job)
    await jobs.kill()
    await jobs.server.clock.advance(60)
    await jobs.go()
    after = await jobs.get(job)
    assert after.state is JobState.RUNNING
    assert after.eligible_at == before.eligible_at
    assert [lease.state for lease in await jobs.server.leases()] == [LeaseState.ACTIVE]


# bad input -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "kind", "says"),
    [
        ({"gpus": "9"}, errors.GPU_QUOTA, "A container of yours may have 2 GPUs"),
        ({"gpus": "7g.80gb"}, errors.GPU_IMPOSSIBLE, "This server cannot give you"),
        ({"command": ()}, errors.BAD_REQUEST, "What is to be run?"),
        ({"array": "5-1"}, errors.BAD_REQUEST, "--array 5-1 cannot be read"),
        ({"array": "0-9%0"}, errors.BAD_REQUEST, "after % comes how many at once"),
        ({"array": "0-2000"}, errors.BAD_REQUEST, "an array has at most 1000 tasks"),
        ({"after": ("nothing",)}, errors.NO_JOB, "You have no job 'nothing'."),
        ({"after": ("x:maybe",)}, errors.BAD_REQUEST, "--after x:maybe cannot be read"),
        ({"name": "Bad Name"}, errors.BAD_NAME, "cannot be a job name"),
        ({"folder": "../other"}, errors.BAD_REQUEST, "not below the workspace"),
        ({"workspace": ""}, errors.BAD_WORKSPACE, "has a workspace, and none was named"),
        ({"retries": 99}, errors.BAD_REQUEST, "up to 20 times"),
    ],
)
async def test_what_no_wait_would_mend_is_refused_at_once(
    jobs: Jobs, changes: dict[str, Any], kind: ErrorKind, says: str
) -> None:
    await jobs.server.build()
    caller = await jobs.server.caller()
    for act in (submit, plan):
        with pytest.raises(Ds01Error) as caught:
            await act(jobs.server.world, caller, jobs.request(**changes))
        assert says in raised(kind, caught).message
    assert await jobs.server.ledger.read(lambda books: books.jobs()) == ()


async def test_a_name_is_for_one_thing_at_a_time(jobs: Jobs) -> None:
    await jobs.server.launch(ALICE, "thesis", name="mine", gpus="0")
    with pytest.raises(Ds01Error) as caught:
        await jobs.one(name="mine")
    assert raised(errors.NAME_TAKEN, caught).message == "You have something called 'mine' already."
    jobs.server.policy.settings = settings(gpus__max=Fraction(1), containers=20)
    await jobs.one(name="first")
    await jobs.one(name="waits")
    await jobs.go()
    with pytest.raises(Ds01Error) as caught:
        await jobs.server.launch(ALICE, "thesis", name="waits")
    assert raised(errors.NAME_TAKEN, caught).message == "'waits' is a job of yours that waits."
    await jobs.ends("first")
    assert (await jobs.view("waits")).state == "running"


async def test_a_job_runs_once(jobs: Jobs) -> None:
    await jobs.one()
    await jobs.go()
    jobs.server.engine.die((await jobs.container("thesis-1")).id, 0)
    await jobs.server.reconciler.round()
    with pytest.raises(Ds01Error) as caught:
        await start(jobs.server.world, await jobs.server.caller(), "thesis-1", Steps(jobs.server.clock))
    assert raised(errors.WRONG_STATE, caught).message == "'thesis-1' is a job."


async def test_what_was_submitted_is_written_down(jobs: Jobs) -> None:
    job = await jobs.one(command=("python", "x.py", "--lr", "0.1"), commit="abc+", data=("/data/imagenet",))
    kept = json.loads((await jobs.get(job)).order)
    assert kept["command"] == ["python", "x.py", "--lr", "0.1"]
    assert kept["image"].startswith("sha256:")
    assert (kept["commit"], kept["data"]) == ("abc+", ["/data/imagenet"])


# what one person may ask for ---------------------------------------------------------------------------


async def test_what_is_kept_for_every_task_is_short(jobs: Jobs) -> None:
    """An environment of 100 kB would be written a thousand times, and shown a thousand times."""
    for changes in ({"environment": {"A": "x" * 100_000}}, {"array": "0-999", "environment": {"A": "x" * 5_000}}):
        with pytest.raises(Ds01Error, match="What is to be run is too long") as refused:
            await jobs.submit(**changes)
        assert "file of the project" in refused.value.problem.hint
    assert len(await jobs.submit(array="0-999", environment={"A": "x" * 1000})) == 1000


async def test_a_person_has_so_many_open_jobs_and_no_more(jobs: Jobs) -> None:
    for name in ("one", "two"):
        await jobs.submit(name=name, array="0-999")
    with pytest.raises(Ds01Error, match="You have 2,000 jobs that have not ended, and 1 more"):
        await jobs.submit(name="three")
    assert await jobs.submit(user=BOB, name="three")


async def test_what_a_job_comes_after_is_looked_up_once_and_has_a_bound(jobs: Jobs) -> None:
    await jobs.submit(name="sweep", array="0-99")
    (job,) = await jobs.submit(name="then", after=("sweep", "sweep", "sweep:any", "sweep"))
    assert len(job.after) == 2
    with pytest.raises(Ds01Error, match="A job can come after 50 others at most, not 100"):
        await jobs.submit(name="last", after=tuple(f"sweep-{number}" for number in range(100)))


async def test_a_list_of_thousands_has_no_long_texts(jobs: Jobs) -> None:
    await jobs.submit(name="long", command=("python", "-c", "x" * 30_000), environment={"A": "x" * 10_000})
    await jobs.submit(name="short")
    long, short = await list_jobs(jobs.server.world, await jobs.server.caller(ALICE), everybody=False, limit=10)
    assert (long.command, long.environment) == (("python", "-c", "…"), {})
    assert short.command == ("python", "train.py")
