"""The month of the server: its lines sum to the meters, other months are not in it, waits and notices are counted."""

from __future__ import annotations

from datetime import timedelta
from fractions import Fraction

import pytest

from ds01.domain.errors import ADMIN_ONLY, BAD_REQUEST, Ds01Error
from ds01.services.queue.give_up import give_up
from ds01.services.report import report
from ds01.services.retire import retire
from ds01.sim.meters import Use
from ds01.sim.script import Load
from ds01.wire.containers import RetireRequest
from ds01.wire.report import ReportView
from tests.server import ALICE, BOB, ROOT, SimServer, settings


async def told(server: SimServer, month: str = "") -> ReportView:
    return await report(server.world, await server.caller(ROOT), month)


async def test_its_lines_sum_to_what_the_meters_show(server: SimServer) -> None:
    server.policy.settings = settings(idle=None, runtime=None)
    begin = sum(server.devices.energy().values())
    await server.live(1)
    made = await server.launch(ALICE, gpus="2")
    await server.launch(BOB, project="vision", gpus="1")
    server.meters.use(made.id, Use(cpus=2.0, memory_bytes=2**30))
    server.devices.set_load("0", Load(utilisation=0.9))
    await server.live(120)
    await server.enforcer.settle()
    server.restart()
    await server.clock.advance(1800)
    await server.live(3)
    month = await told(server)
    drawn = (sum(server.devices.energy().values()) - begin) / 3600
    assert month.total.energy_wh == pytest.approx(drawn, rel=0.02)
    for lines in (month.users, month.projects):
        for name in ("energy_wh", "gpueq_hours", "cpu_hours", "running_hours"):
            assert sum(getattr(line, name) for line in lines) == pytest.approx(getattr(month.total, name), abs=0.01)
    days = sum(day.used_wh + day.idle_wh + day.unattributed_wh for day in month.days)
    assert days == pytest.approx(month.total.energy_wh, abs=0.1)
    assert {"alice", "bob@lab.lan", "(idle)", "(unattributed)"} == {line.user for line in month.users}
    assert {line.project for line in month.projects if line.user == "alice"} == {"thesis"}


async def test_other_months_are_not_in_it(server: SimServer) -> None:
    server.policy.settings = settings(idle=None, runtime=None, gpu_hold=None)
    await server.launch(ALICE)
    await server.live(10)
    here = await told(server)
    assert not here.complete
    assert here.last == server.clock.now().date().isoformat()
    await server.clock.advance(timedelta(days=32).total_seconds())
    await server.launch(BOB)
    await server.live(10)
    before, after = await told(server, here.month), await told(server)
    assert before.complete
    assert before.last == "2026-03-31"
    assert [line.user for line in before.waits] == ["alice"]
    assert [line.user for line in after.waits] == ["bob@lab.lan"]
    assert before.total.gpueq_hours == pytest.approx(10 / 60, abs=0.02), "what came later is not in it"
    assert after.total.gpueq_hours > 700
    assert before.possible_gpu_hours == 4 * 31 * 24
    assert {day.day[:7] for day in after.days} == {after.month}


async def test_who_waited_how_long_and_who_gave_up(server: SimServer) -> None:
    server.policy.settings = settings(idle=None, runtime=None, gpus__max=Fraction(4), gpus__per_container=4)
    await server.launch(ALICE, gpus="4")
    waiting = await server.waits(BOB)
    await server.expire(30)
    await retire(server.world, await server.caller(ALICE), "thesis", RetireRequest())
    await server.turns.take()
    await waiting
    month = await told(server)
    (bob,) = [line for line in month.waits if line.user == "bob@lab.lan"]
    assert (bob.waited, bob.at_once, bob.gave_up) == (1, 0, 0)
    assert bob.longest_seconds == bob.median_seconds == pytest.approx(1800, abs=5)
    assert (month.all_waits.waited, month.all_waits.at_once) == (1, 1)
    server.policy.settings = settings(idle=None, runtime=None, gpus__max=Fraction(8), gpus__per_container=4)
    more = await server.waits(ALICE, gpus="4")
    await give_up(server.world, await server.caller(ALICE), "thesis")
    await server.turns.take()
    with pytest.raises(Ds01Error):
        await more
    assert (await told(server)).all_waits.gave_up == 1


async def test_what_people_were_told_is_counted_by_rule(server: SimServer) -> None:
    server.policy.settings = settings(idle=timedelta(minutes=30), lead=timedelta(minutes=10), runtime=None)
    made = await server.launch(ALICE)
    server.meters.use(made.id, Use(cpus=0.0))
    await server.live(60)
    (line,) = (await told(server)).notices
    assert (line.rule, line.acted, line.users) == ("idle", 1, 1)
    assert line.warned >= 1
    assert line.undelivered == 0


async def test_it_is_for_admins_and_for_months_that_began(server: SimServer) -> None:
    with pytest.raises(Ds01Error) as error:
        await report(server.world, await server.caller(ALICE), "")
    assert error.value.kind is ADMIN_ONLY
    for text in ("2026-04", "march", "2026-99"):
        with pytest.raises(Ds01Error) as error:
            await told(server, text)
        assert error.value.kind is BAD_REQUEST
