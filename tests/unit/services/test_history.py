"""The ledger's own history as a trace, tried on other limits: what was asked and how long it lasted."""

from __future__ import annotations

from datetime import timedelta
from fractions import Fraction
from math import inf

import pytest

from ds01.domain import errors
from ds01.domain.errors import Ds01Error
from ds01.domain.queue.plan import Rules
from ds01.services.history import show_history
from ds01.services.remove import remove
from ds01.simulate.measure import report
from ds01.simulate.replay import Terms, replay
from ds01.simulate.trace import read
from ds01.wire.history import TraceJobView
from tests.server import ALICE, BOB, ROOT, SimServer, settings

HEADING = ("job_id", "user", "submit_s", "duration_s", "gpus", "asked_s", "idle_s", "held_s")


async def history(server: SimServer) -> tuple[TraceJobView, ...]:
    """A morning: Alice has all four GPUs for two hours, then Bob for one."""
    server.policy.settings = settings(
        gpus__max=Fraction(4), gpus__per_container=4, runtime=timedelta(hours=4), admin=True
    )
    for user, hours in ((ALICE, 2), (BOB, 1)):
        await server.launch(user, gpus="4")
        await server.clock.advance(hours * 3600)
        await remove(server.world, await server.caller(user), "thesis", force=True)
    return await show_history(server.world, await server.caller(ROOT), "")


async def test_it_is_a_trace_of_what_was_leased(server: SimServer) -> None:
    found = await history(server)
    assert [(each.user, each.submit_s, each.duration_s, each.gpus, each.asked_s) for each in found] == [
        (ALICE.login, 0, 7200, 4, 14400), (BOB.login, 7200, 3600, 4, 14400)
    ]  # fmt: skip


async def test_other_limits_would_have_made_another_day(server: SimServer) -> None:
    lines = [",".join(HEADING)]
    lines += [",".join(str(getattr(each, name)) for name in HEADING) for each in await history(server)]
    jobs = read(lines)
    generous = {job.user: Terms() for job in jobs}
    an_hour = {job.user: Terms(runtime=3600.0) for job in jobs}
    two_gpus = {job.user: Terms(quota=2.0) for job in jobs}
    views = [
        report(replay(jobs, 4, Rules(), terms=terms), trace="history", policy="fairshare", estimates="exact")
        for terms in (generous, an_hour, two_gpus)
    ]
    assert [view.cut for view in views] == [0, 1, 0]
    assert [view.refused for view in views] == [0, 0, 2]


async def test_what_if_idle_ones_were_ended_sooner_and_nothing_were_held(server: SimServer) -> None:
    """She forgot it for three hours, and its GPU was then kept; with 45 minutes and no hold it is back much sooner."""
    server.policy.settings = settings(
        gpus__max=Fraction(4), gpus__per_container=4, idle=timedelta(hours=3), lead=timedelta(0),
        gpu_hold=timedelta(minutes=30), runtime=timedelta(hours=8), admin=True,
    )  # fmt: skip
    await server.launch(ALICE, gpus="1")
    await server.live(4 * 60)
    await server.reconciler.end_leases()
    (found,) = await show_history(server.world, await server.caller(ROOT), "")
    assert found.idle_s == 3 * 3600
    assert found.held_s >= 1800
    (job,) = read([",".join(HEADING), ",".join(str(getattr(found, name)) for name in HEADING)])
    work = job.duration - job.idle - job.held
    for terms, lasts in (
        (Terms(), job.duration), (Terms(idle=2700.0, hold=0.0), work + 2700.0), (Terms(hold=inf), job.duration),
        (Terms(idle=inf), 8 * 3600.0),
    ):  # fmt: skip
        (outcome,) = replay([job], 4, Rules(), terms={job.user: terms}).outcomes
        assert outcome.end - outcome.start == lasts


async def test_it_is_for_admins(server: SimServer) -> None:
    with pytest.raises(Ds01Error) as caught:
        await show_history(server.world, await server.caller(ALICE), "")
    assert caught.value.kind is errors.ADMIN_ONLY
