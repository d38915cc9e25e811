"""Work that gives way, on a simulated server: warned, stopped for a reason, its GPU with who waited; jobs go on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction

import pytest

from ds01.domain.container import ContainerState
from ds01.domain.errors import BOOKING_CLASH, LEDGER_ERROR, Ds01Error
from ds01.domain.jobs.job import JobState
from ds01.domain.limits import Sourced
from ds01.services.booking.book import book
from ds01.services.queue.give_up import give_up
from ds01.services.stop import stop
from ds01.sim.ledger import MemoryLedger
from ds01.wire.bookings import BookRequest
from tests.server import ALICE, BOB, SimServer, settings
from tests.unit.services.test_jobs import Jobs


def yielding(server: SimServer, logins: Iterable[str]) -> None:
    """Whoever is named gives way; everybody may have all four GPUs, and idle for a day."""
    plain = settings(
        gpus__max=Fraction(4), gpus__per_container=4, idle=timedelta(days=1), bookings__who="self",
        bookings__per_week=timedelta(hours=100), bookings__ahead=timedelta(days=7), bookings__notice=timedelta(0),
    )  # fmt: skip
    layer = {"preemptible": Sourced(value=True, source="limits.yaml:9")}
    policy = replace(plain.policy, users=dict.fromkeys(logins, layer))
    server.policy.settings = replace(plain, policy=policy)


@pytest.fixture
async def scavenged(server: SimServer) -> SimServer:
    """Bob, who gives way, has all GPUs in two containers."""
    yielding(server, [BOB.login])
    await server.launch(BOB, "one", gpus="2")
    await server.clock.advance(60)
    await server.launch(BOB, "two", gpus="2")
    return server


async def state(server: SimServer, name: str) -> tuple[str, str]:
    found = await server.container(name, BOB)
    assert found is not None
    return found.state.value, "" if found.reason is None else found.reason.value


async def pass_by(server: SimServer, minutes: float) -> None:
    for _ in range(int(minutes * 2)):
        await server.turns.take()
        await server.live(0.5)
        await server.reconciler.end_leases()
    await server.turns.take()


async def test_the_youngest_gives_way_after_its_warning_and_who_waited_has_its_gpus(scavenged: SimServer) -> None:
    waits = await scavenged.waits(ALICE, gpus="1")
    await pass_by(scavenged, 14)
    (letter,) = [
        letter for letter in scavenged.terminals.letters if letter.user == BOB and "15 minutes" in letter.title
    ]
    assert letter.name == "two"
    assert letter.title.endswith(": somebody else is to have its GPU")
    assert "gives way to others (preemptible)" in letter.text
    assert await state(scavenged, "two") == ("running", "")
    await pass_by(scavenged, 2)
    assert await state(scavenged, "two") == ("stopped", "preempted")
    assert (await waits).state is ContainerState.RUNNING
    assert await state(scavenged, "one") == ("running", "")
    done = scavenged.terminals.letters[-1]
    assert "somebody else was to have its GPU" in done.title
    assert "ds01 launch two --wait" in done.text


async def test_nothing_gives_way_to_a_pass_that_could_not_be_written(scavenged: SimServer) -> None:
    await scavenged.waits(ALICE, gpus="1")
    assert isinstance(scavenged.ledger, MemoryLedger)
    scavenged.ledger.fault = Ds01Error(LEDGER_ERROR, "The disk is full.")
    with pytest.raises(Ds01Error):
        await scavenged.turns.take()
    assert scavenged.world.line.giving_way == frozenset()
    scavenged.ledger.fault = None
    await scavenged.turns.take()
    assert len(scavenged.world.line.giving_way) == 1


async def test_a_gpu_that_is_kept_for_a_stopped_container_gives_way_at_once(scavenged: SimServer) -> None:
    await stop(scavenged.world, await scavenged.caller(BOB), "two")
    waits = await scavenged.waits(ALICE, gpus="1")
    await scavenged.turns.take()
    await scavenged.turns.take()
    assert (await waits).state is ContainerState.RUNNING
    assert await state(scavenged, "one") == ("running", "")
    assert "lease.released" in await scavenged.events()


async def test_running_work_gives_way_to_a_booking_before_it_begins(scavenged: SimServer) -> None:
    begins = scavenged.clock.now() + timedelta(hours=1)
    request = BookRequest(begins=begins.isoformat(), length_seconds=7200, gpus="2")
    await book(scavenged.world, await scavenged.caller(ALICE), request)
    await pass_by(scavenged, 43)
    assert [await state(scavenged, name) for name in ("one", "two")] == [("running", "")] * 2
    await pass_by(scavenged, 17)
    assert await state(scavenged, "one") == ("running", "")
    assert await state(scavenged, "two") == ("stopped", "preempted")
    await pass_by(scavenged, 1)
    await scavenged.launch(ALICE, "mine", gpus="2")
    warnings = [letter for letter in scavenged.terminals.letters if "or has it booked" in letter.text]
    assert {(letter.user.login, letter.name) for letter in warnings} == {(BOB.login, "two")}


async def test_what_does_not_give_way_is_in_the_way_of_a_booking(scavenged: SimServer) -> None:
    yielding(scavenged, [])
    begins = scavenged.clock.now() + timedelta(hours=1)
    request = BookRequest(begins=begins.isoformat(), length_seconds=7200, gpus="2")
    with pytest.raises(Ds01Error) as caught:
        await book(scavenged.world, await scavenged.caller(ALICE), request)
    assert caught.value.kind is BOOKING_CLASH


async def test_nobody_gives_way_to_one_who_gave_up(scavenged: SimServer) -> None:
    waits = await scavenged.waits(ALICE, gpus="1")
    await pass_by(scavenged, 5)
    waits.cancel()
    await give_up(scavenged.world, await scavenged.caller(ALICE), "thesis")
    await pass_by(scavenged, 30)
    assert await state(scavenged, "two") == ("running", "")


async def test_after_a_restart_the_warning_has_its_whole_lead_again(scavenged: SimServer) -> None:
    waits = await scavenged.waits(ALICE, gpus="1")
    await pass_by(scavenged, 14)
    waits.cancel()
    scavenged.restart()
    await pass_by(scavenged, 14)
    assert await state(scavenged, "two") == ("running", "")
    await pass_by(scavenged, 3)
    assert await state(scavenged, "two") == ("stopped", "preempted")


async def test_nobody_gives_way_to_one_who_would_herself(scavenged: SimServer) -> None:
    yielding(scavenged, [ALICE.login, BOB.login])
    await scavenged.waits(ALICE, gpus="1")
    await pass_by(scavenged, 30)
    assert await state(scavenged, "two") == ("running", "")


async def test_a_job_that_gave_way_waits_again_and_uses_up_no_retry(server: SimServer) -> None:
    yielding(server, [BOB.login])
    jobs = Jobs(server)
    job = await jobs.one(BOB, gpus="4", name="sweep")
    await jobs.go()
    assert (await jobs.get(job)).state is JobState.RUNNING
    waits = await server.waits(ALICE, gpus="2")
    await pass_by(server, 16)
    await jobs.go()
    assert (await waits).state is ContainerState.RUNNING
    found = await jobs.get(job)
    assert (found.state, found.attempt) == (JobState.QUEUED, 0)
    assert "gave way" in found.note
    assert "starts again from its beginning" in server.terminals.letters[0].text
    assert "job.retried" in await server.events()
