"""Its owner's word: more time, leave to idle, a stop taken back; an admin's: limits lifted for a while."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from ds01.domain import errors
from ds01.domain.errors import Ds01Error, ErrorKind
from ds01.ports.channel import Letter
from ds01.services import exempt as exempting
from ds01.services import notices, why
from ds01.services.caller import stand_in
from ds01.services.observe import show_container, status
from ds01.services.prolong import extend, keep
from ds01.services.steps import Steps
from ds01.services.stop import stop
from ds01.services.undo_stop import undo_stop
from ds01.sim.channel import SimChannel
from ds01.sim.meters import Use
from ds01.wire.lifecycle import ExemptRequest, WishesRequest
from tests.server import ALICE, BOB, ROOT, SimServer, settings

HOUR = 3600


async def refused(kind: ErrorKind, work: Awaitable[object]) -> Ds01Error:
    with pytest.raises(Ds01Error) as caught:
        await work
    assert caught.value.kind == kind, caught.value.problem
    return caught.value


async def idle(server: SimServer) -> None:
    """A container that has done nothing since its start, and the time in which that does not count is over."""
    made = await server.launch()
    server.meters.use(made.id, Use(cpus=1.0))
    await server.live(30)
    server.meters.use(made.id, Use())


async def state(server: SimServer) -> str:
    found = await server.container()
    return "gone" if found is None else found.state.value


async def test_extend_adds_time_and_says_what_is_left(server: SimServer) -> None:
    server.policy.settings = settings(runtime=timedelta(hours=2), idle=None)
    await server.launch()
    await server.live(110)
    told = await extend(server.world, await server.caller(), "thesis", 4 * HOUR)
    assert (told.total_seconds, told.more_seconds) == (4 * HOUR, 20 * HOUR)
    await server.live(3 * 60)
    assert await state(server) == "running"
    view = await show_container(server.world, await server.caller(), "thesis")
    assert view.runtime_left_seconds == pytest.approx(6 * HOUR - 290 * 60, abs=30)
    await server.live(80)
    assert await state(server) == "stopped"
    assert "container.extended" in await server.events()


@dataclass
class LooksMeanwhile(SimChannel):
    """DS01 looks at what runs while a letter is brought."""

    look: Callable[[], Awaitable[object]] | None = None

    async def deliver(self, letter: Letter) -> str:
        assert self.look is not None
        await self.look()
        return await super().deliver(letter)


async def test_the_time_that_was_added_counts_once_whenever_ds01_looks(server: SimServer) -> None:
    server.policy.settings = settings(runtime=timedelta(hours=2), idle=None)
    await server.launch()
    await server.live(60)
    channel = LooksMeanwhile("terminals", look=server.enforcer.round)
    server.world = replace(server.world, channels=(channel,))
    admin = await stand_in(server.world, await server.caller(ROOT), "alice")
    told = await extend(server.world, admin, "thesis", 4 * HOUR)
    assert len(channel.letters) == 1
    assert told.ends_at is not None
    ends = datetime.fromisoformat(told.ends_at) - server.clock.now()
    assert ends.total_seconds() == pytest.approx(5 * HOUR, abs=60)


async def test_extend_moves_what_was_planned_too(server: SimServer) -> None:
    server.policy.settings = settings(idle=None)
    await server.launch(time_seconds=HOUR)
    await extend(server.world, await server.caller(), "thesis", HOUR)
    (lease,) = await server.leases()
    assert lease.planned == timedelta(hours=2)
    await server.live(110)
    assert await state(server) == "running"
    await server.live(15)
    assert await state(server) == "stopped"


async def test_no_more_than_the_policy_allows_can_be_added_but_by_an_admin(server: SimServer) -> None:
    await server.launch()
    caller = await server.caller()
    await extend(server.world, caller, "thesis", 23 * HOUR)
    error = await refused(errors.EXTEND_QUOTA, extend(server.world, caller, "thesis", 4 * HOUR))
    assert error.problem.hint == "ds01 extend thesis 1h"
    await refused(errors.BAD_REQUEST, extend(server.world, caller, "thesis", 5))
    await refused(errors.NO_CONTAINER, extend(server.world, caller, "thsis", HOUR))


async def test_without_a_gpu_there_is_nothing_to_extend_or_keep(server: SimServer) -> None:
    await server.launch(gpus="0")
    caller = await server.caller()
    await refused(errors.WRONG_STATE, extend(server.world, caller, "thesis", HOUR))
    await refused(
        errors.WRONG_STATE, keep(server.world, caller, "thesis", server.clock.now() + timedelta(hours=1))
    )  # fmt: skip


async def test_keep_lets_it_idle_until_then_and_warns_before(server: SimServer) -> None:
    await idle(server)
    until = server.clock.now() + timedelta(hours=3)
    await keep(server.world, await server.caller(), "thesis", until)
    await server.live(160)
    assert server.terminals.letters == []
    await server.live(10)
    assert len(server.terminals.letters) == 1
    await server.live(11)
    assert await state(server) == "stopped"


async def test_keep_takes_no_past_and_no_eternity(server: SimServer) -> None:
    await server.launch()
    caller, now = await server.caller(), server.clock.now()
    await refused(errors.BAD_REQUEST, keep(server.world, caller, "thesis", now - timedelta(hours=1)))
    error = await refused(errors.EXTEND_QUOTA, keep(server.world, caller, "thesis", now + timedelta(hours=25)))
    assert error.problem.hint == "ds01 keep thesis --for 1d"


async def test_undo_takes_an_idle_stop_back_on_the_same_gpu(server: SimServer) -> None:
    await idle(server)
    await server.live(31)
    assert await state(server) == "stopped"
    (before,) = await server.leases()
    started = await undo_stop(server.world, await server.caller(), "thesis", Steps(server.clock))
    (after,) = await server.leases()
    assert (started.recreated, before.slots, after.state) == (False, after.slots, "active")
    await server.live(29)
    assert await state(server) == "running"
    assert "container.undone" in await server.events()


async def test_undo_of_a_runtime_stop_leaves_the_warning_time(server: SimServer) -> None:
    server.policy.settings = settings(runtime=timedelta(hours=1), idle=None)
    await server.launch()
    await server.live(61)
    assert await state(server) == "stopped"
    await undo_stop(server.world, await server.caller(), "thesis", Steps(server.clock))
    await server.live(14)
    assert await state(server) == "running"
    await server.live(2)
    assert await state(server) == "stopped"


async def test_there_is_nothing_to_undo_for_what_its_owner_stopped(server: SimServer) -> None:
    await server.launch()
    caller = await server.caller()
    assert (await undo_stop(server.world, caller, "thesis", Steps(server.clock))).notes == ("It runs already.",)
    await stop(server.world, caller, "thesis")
    error = await refused(errors.WRONG_STATE, undo_stop(server.world, caller, "thesis", Steps(server.clock)))
    assert (error.problem.hint, "stopped by you" in error.problem.reason) == ("ds01 start thesis", True)


async def test_meeting_a_notice_in_a_command_is_being_told(server: SimServer) -> None:
    await idle(server)
    server.terminals.open = False
    await server.live(16)
    (met,) = await notices.unseen(server.world, await server.caller())
    assert (met.container, met.level) == ("thesis", "warning")
    assert await notices.unseen(server.world, await server.caller()) == ()
    assert [notice.title for notice in await notices.mine(server.world, await server.caller())] == [met.title]
    await server.live(14)
    assert await state(server) == "running"
    await server.live(1.5)
    assert await state(server) == "stopped"
    (over,) = await notices.unseen(server.world, await server.caller())
    assert over.level == "notice"
    assert await notices.mine(server.world, await server.caller()) == ()
    assert await notices.unseen(server.world, await server.caller(BOB)) == ()


async def test_f4_every_way_to_read_a_notice_is_as_true_later_as_when_it_was_said(server: SimServer) -> None:
    await idle(server)
    await server.live(15.5)
    world, caller = server.world, await server.caller()
    (letter,) = server.terminals.letters
    assert letter.title == "thesis stops at 10:00 UTC, in 15 minutes, unless it is used"
    assert letter.subject == "thesis stops on Mon 02 Mar at 10:00 UTC, unless it is used"
    assert "have done nothing since 09:30 UTC; it may idle for 30m." in letter.text
    await server.live(4)
    later = "thesis stops at 10:00 UTC, in 10 minutes, unless it is used"
    (met,) = await notices.unseen(world, caller)
    assert met.title == later
    assert [notice.title for notice in await notices.mine(world, caller)] == [later]
    assert (await status(world, caller)).notices == (later,)
    told = await why.why(world.ledger, uid=ALICE.uid, epoch=caller.epoch, name="thesis", viewer=ALICE.uid)
    assert told.summary.endswith(f". {letter.subject}.")
    assert any(entry.what.endswith(f"{letter.subject}.") for entry in told.entries)


async def test_what_was_done_is_told_with_its_day_once_that_is_over(server: SimServer) -> None:
    await idle(server)
    await server.live(31)
    done = server.terminals.letters[-1]
    assert (done.title, done.subject) == (
        "thesis was stopped at 10:00 UTC: idle for 30m", "thesis was stopped on Mon 02 Mar at 10:00 UTC: idle for 30m",
    )  # fmt: skip
    await server.clock.advance(20 * 3600)
    (met, *_) = await notices.unseen(server.world, await server.caller())
    assert met.title == done.subject
    past = await notices.mine(server.world, await server.caller(), past=True)
    assert {notice.title for notice in past} == {
        done.subject,
        "thesis stops on Mon 02 Mar at 10:00 UTC, unless it is used",
    }


async def test_somebody_chooses_how_she_is_told(server: SimServer) -> None:
    caller = await server.caller()
    found = await notices.wish(server.world, caller, WishesRequest(mail="alice@lab.lan", off=("terminals",)))
    assert (found.mail, found.off, found.channels) == ("alice@lab.lan", ("terminals",), ("terminals",))
    await idle(server)
    await server.live(16)
    assert server.terminals.letters == []
    for none in (
        "no address",
        "a@",
        "a@[",
        "@lab.lan",
        "a@b@c",
        "a,b@lab.lan",
        "<a@lab.lan",
        "a@lab..lan",
        "a.@lab.lan",
    ):
        await refused(errors.BAD_REQUEST, notices.wish(server.world, caller, WishesRequest(mail=none)))
    for one in ("h.baker+gpu@lab.lan", "o'neil@lab", "jürgen@uni-köln.de", ""):
        assert (await notices.wish(server.world, caller, WishesRequest(mail=one))).mail == one
    await refused(errors.BAD_REQUEST, notices.wish(server.world, caller, WishesRequest(off=("terminal",))))
    await refused(errors.BAD_REQUEST, notices.wish(server.world, caller, WishesRequest(shape="fax")))
    await refused(errors.NOT_ALLOWED, notices.wish(server.world, caller, WishesRequest(webhook="https://10.0.0.1/x")))


async def test_an_exemption_lifts_a_limit_until_its_end_and_survives_a_restart(server: SimServer) -> None:
    admin = await server.caller(ROOT)
    until = server.clock.now() + timedelta(hours=5)
    request = ExemptRequest(
        login="alice", keys=("idle", "max_runtime"), until=until.isoformat(), reason="thesis deadline"
    )
    given = await exempting.exempt(server.world, admin, request)
    assert (given.keys, given.by) == (("idle", "runtime"), "root")
    await idle(server)
    server.restart()
    await server.world.lifted.load(server.ledger)
    await server.live(4 * 60)
    assert (await state(server), server.terminals.letters) == ("running", [])
    await server.live(90)
    assert await state(server) == "stopped"
    assert await exempting.exemptions(server.world, admin) == ()


async def test_an_exemption_can_be_ended_and_needs_an_admin(server: SimServer) -> None:
    admin, until = await server.caller(ROOT), (server.clock.now() + timedelta(days=1)).isoformat()
    request = ExemptRequest(login="alice", keys=("idle",), until=until, reason="demo")
    given = await exempting.exempt(server.world, admin, request)
    assert (await server.caller(ALICE)).limits.idle is None
    await refused(errors.ADMIN_ONLY, exempting.exempt(server.world, await server.caller(), request))
    await exempting.end(server.world, admin, given.id)
    assert (await server.caller(ALICE)).limits.idle == timedelta(minutes=30)
    for wrong in (
        ExemptRequest(login="alice", keys=("memory",), until=until, reason="demo"),
        ExemptRequest(login="alice", keys=("idle",), until="2020-01-01T00:00Z", reason="demo"),
        ExemptRequest(login="alice", keys=("idle",), until=until, reason=" "),
    ):
        await refused(errors.BAD_REQUEST, exempting.exempt(server.world, admin, wrong))
    await refused(errors.NO_USER, exempting.exempt(server.world, admin, ExemptRequest(
        login="nobody-here", keys=("idle",), until=until, reason="demo")))  # fmt: skip
    await refused(errors.NO_EXEMPTION, exempting.end(server.world, admin, given.id))


async def test_what_no_calendar_can_count_is_refused(server: SimServer) -> None:
    await server.launch()
    world, alice = server.world, await server.caller()
    await refused(errors.BAD_REQUEST, extend(world, alice, "thesis", 10**15))
    root = await server.caller(ROOT)
    await refused(errors.BAD_REQUEST, keep(world, root, "thesis", datetime.max.replace(tzinfo=UTC)))
    await refused(errors.BAD_REQUEST, server.launch(project="other", time_seconds=10**15))
    await refused(errors.BAD_REQUEST, server.launch(project="other", gpus="0", memory_bytes=10**20))
