"""Bookings over a simulated server: made, refused with what is possible, kept, used, given back, given up."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from ds01.adapters.sql.ledger import SqlLedger
from ds01.domain import errors
from ds01.domain.container import ContainerState
from ds01.domain.errors import Ds01Error, ErrorKind
from ds01.domain.limits import Value
from ds01.domain.people import Uid, User
from ds01.services.booking.book import book
from ds01.services.booking.cancel import cancel
from ds01.services.booking.show import calendar, show
from ds01.services.prolong import extend
from ds01.services.remove import remove
from ds01.sim.ledger import MemoryLedger
from ds01.wire.bookings import Booked, BookRequest
from tests.server import ALICE, BOB, ROOT, SimServer, settings

BERLIN = ZoneInfo("Europe/Berlin")
CAROL = User(
    uid=Uid(1003), gid=1003, login="carol", home="/home/carol", gids=frozenset({1003}), groups=frozenset({"vision"})
)
DAVE = replace(CAROL, uid=Uid(1004), gid=1004, login="dave", home="/home/dave", gids=frozenset({1004}))


def rules(**changes: Value) -> dict[str, Value]:
    return {
        "gpus__max": Fraction(4), "gpus__per_container": 4, "bookings__who": "others",
        "bookings__per_week": timedelta(hours=100), "bookings__ahead": timedelta(days=200),
        "bookings__notice": timedelta(0), "runtime": timedelta(hours=8), **changes,
    }  # fmt: skip


@pytest.fixture(params=["memory", "sql"])
async def lab(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[SimServer]:
    """Four GPUs in Berlin; everybody may book."""
    ledger = MemoryLedger() if request.param == "memory" else SqlLedger(tmp_path / "ledger.db")
    server = SimServer(run=tmp_path, ledger=ledger, zone=BERLIN)
    server.policy.settings = settings(**rules())
    for user in (CAROL, DAVE):
        server.directory.add(user)
    yield await server.open()
    await ledger.close()


async def made(server: SimServer, begins: str, length: str = "2h", user: User = ALICE, **changes: object) -> Booked:
    seconds = int(length.removesuffix("h")) * 3600
    request = BookRequest(begins=begins, length_seconds=seconds, **changes)  # type: ignore[arg-type]
    return await book(server.world, await server.caller(user), request)


async def refused(
    server: SimServer, kind: ErrorKind, begins: str, length: str = "2h", user: User = ALICE, **changes: object
) -> errors.Problem:
    with pytest.raises(Ds01Error) as caught:
        await made(server, begins, length, user, **changes)
    assert caught.value.kind is kind, caught.value.problem
    return caught.value.problem


def local(at: str) -> str:
    return f"{datetime.fromisoformat(at):%a %d %b %H:%M %z}"


# making --------------------------------------------------------------------------------------------------


async def test_a_booking_is_made_and_seen_in_the_server_s_time(lab: SimServer) -> None:
    booked = await made(lab, "tomorrow 10:00", gpus="2")
    (one,) = booked.dates
    day = f"{datetime.fromisoformat(one.begins_at):%a}".lower()
    assert (one.name, one.asked, one.state) == (f"{day}-10-00", "2 GPUs", "booked")
    assert local(one.begins_at).endswith("10:00 +0100")
    view = await show(lab.world, await lab.caller())
    assert [each.id for each in view.bookings] == [one.id]
    assert (view.zone, view.week_limit) == ("Europe/Berlin", "100h")
    assert (await show(lab.world, await lab.caller(BOB))).bookings == ()
    assert len((await show(lab.world, await lab.caller(ROOT), everybody=True)).bookings) == 1
    assert "booking.made" in await lab.events()


async def test_a_dry_run_books_nothing(lab: SimServer) -> None:
    booked = await made(lab, "tomorrow 10:00", check_only=True)
    assert len(booked.dates) == 1
    assert (await show(lab.world, await lab.caller())).bookings == ()


async def test_dates_are_counted_before_they_are_made(lab: SimServer) -> None:
    """The last of them is none that a clock west of Greenwich can have."""
    lab.zone = ZoneInfo("America/New_York")
    lab.restart()
    problem = await refused(lab, errors.BAD_REQUEST, "Fri 22:00", until="9999-12-31")
    assert problem.message.endswith(" dates.")
    assert problem.hint == "--until 2027-04-23"


async def test_weekly_is_the_same_hour_on_the_wall_over_the_change_of_the_clock(lab: SimServer) -> None:
    booked = await made(lab, "2026-03-16 10:00", until="2026-04-13")
    assert [local(one.begins_at) for one in booked.dates] == [
        "Mon 16 Mar 10:00 +0100", "Mon 23 Mar 10:00 +0100", "Mon 30 Mar 10:00 +0200", "Mon 06 Apr 10:00 +0200",
        "Mon 13 Apr 10:00 +0200",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("begins", "changes", "said"),
    [
        ("2020-01-01 10:00", {}, "cannot begin in the past"),
        ("2026-03-29 02:30", {}, "there is no 02:30"),
        ("whenever", {}, "no time of day"),
        ("tomorrow 10:00", {"length_seconds": 60}, "5m at least"),
        ("tomorrow 10:00", {"length_seconds": None}, "How long"),
        ("tomorrow 10:00", {"until": "2020-01-01"}, "before it begins"),
        ("tomorrow 10:00", {"until": "someday"}, "no date"),
        ("9999-12-31 20:00", {}, "too far off"),
        ("in 9000000w", {}, "too far off"),
        ("tomorrow 10:00", {"length_seconds": 10**15}, "too long"),
        ("tomorrow 10:00", {"gpus": "0"}, "at least one GPU"),
        ("tomorrow 10:00", {"gpus": "lots"}, "cannot be booked"),
        ("tomorrow 10:00", {"gpus": "2", "count": 3}, "--count"),
        ("tomorrow 10:00", {"group": "nobody-here"}, "has nobody in it"),
    ],
)  # fmt: skip
async def test_what_cannot_be_read_is_refused_with_a_sentence(
    lab: SimServer, begins: str, changes: dict[str, object], said: str
) -> None:
    request = BookRequest(**{"begins": begins, "length_seconds": 7200, **changes})  # type: ignore[arg-type]
    with pytest.raises(Ds01Error) as caught:
        await book(lab.world, await lab.caller(), request)
    assert caught.value.kind is errors.BAD_REQUEST
    assert said in caught.value.problem.message + caught.value.problem.reason
    assert caught.value.problem.hint


async def test_more_than_there_is_can_be_booked_at_no_time(lab: SimServer) -> None:
    problem = await refused(lab, errors.GPU_IMPOSSIBLE, "tomorrow 10:00", gpus="5")
    assert problem.hint == "The most it can do: 4 GPUs"


async def test_a_clash_is_refused_with_the_nearest_time_and_number(lab: SimServer) -> None:
    await made(lab, "tomorrow 10:00", user=BOB, gpus="3")
    problem = await refused(lab, errors.BOOKING_CLASH, "tomorrow 11:00", gpus="2")
    assert "only 1 of them can be had" in problem.message
    assert problem.hint.startswith("The nearest possible: --from '2026-")
    assert problem.hint.endswith("12:00', or at 11:00 only 1 GPU.")
    begins = datetime.fromisoformat(problem.details["nearest"]).astimezone(BERLIN)
    booked = await made(lab, f"{begins:%Y-%m-%d %H:%M}", gpus="2")
    assert len(booked.dates) == 1


async def test_a_weekly_booking_clashes_with_any_of_its_dates(lab: SimServer) -> None:
    await made(lab, "2026-03-24 11:00", user=BOB, gpus="4")
    problem = await refused(lab, errors.BOOKING_CLASH, "2026-03-10 10:00", until="2026-04-07")
    assert "Tue 24 Mar 10:00-12:00" in problem.message
    assert (await show(lab.world, await lab.caller())).bookings == ()


async def test_what_runs_into_it_is_in_the_way(lab: SimServer) -> None:
    await lab.launch(BOB, "one", gpus="4")
    problem = await refused(lab, errors.BOOKING_CLASH, "in 2h")
    assert "none of them can be had" in problem.message
    assert (await made(lab, "in 9h")).dates


# policy --------------------------------------------------------------------------------------------------


async def test_who_may_book_for_whom(lab: SimServer) -> None:
    lab.policy.settings = settings(**rules(bookings__who="self"))
    assert (await made(lab, "tomorrow 10:00")).dates
    problem = await refused(lab, errors.BOOKING_DENIED, "tomorrow 10:00", group="vision")
    assert problem.reason == "bookings.who is self (limits.yaml:3)"
    lab.policy.settings = settings(**rules(bookings__who="nobody"))
    assert "You may not book anything." in (await refused(lab, errors.BOOKING_DENIED, "tomorrow 12:00")).message


async def test_how_far_ahead_and_with_how_much_notice(lab: SimServer) -> None:
    lab.policy.settings = settings(**rules(bookings__notice=timedelta(hours=3), bookings__ahead=timedelta(days=7)))
    problem = await refused(lab, errors.BOOKING_DENIED, "in 2h")
    assert "3h before it begins" in problem.message
    assert "The soonest you can book: --from '2026-" in problem.hint
    assert "up to 7d ahead" in (await refused(lab, errors.BOOKING_DENIED, "in 8d")).message
    assert "--until" in (await refused(lab, errors.BOOKING_DENIED, "in 4h", until="2026-06-01")).hint


async def test_gpu_time_a_week_counts_over_all_bookings_of_the_week(lab: SimServer) -> None:
    lab.policy.settings = settings(**rules(bookings__per_week=timedelta(hours=8)))
    await made(lab, "2026-03-10 10:00", gpus="2")
    problem = await refused(lab, errors.BOOKING_QUOTA, "2026-03-12 10:00", gpus="4")
    assert problem.message == "You may book 8h of GPU time a week, 4h of that week are booked, and this needs 8h."
    assert problem.hint == "This would do: --for 1h"
    assert (await made(lab, "2026-03-17 10:00", gpus="4")).dates
    caller = await lab.caller()
    await cancel(lab.world, caller, "tue-10-00", "2026-03-10")
    assert (await made(lab, "2026-03-12 10:00", gpus="4")).dates


async def test_for_oneself_not_more_than_one_may_use(lab: SimServer) -> None:
    lab.policy.settings = settings(**rules(gpus__max=Fraction(2)))
    assert "this books 3" in (await refused(lab, errors.BOOKING_QUOTA, "tomorrow 10:00", gpus="3")).message


# keeping -------------------------------------------------------------------------------------------------


async def test_nothing_that_would_still_run_is_started_on_booked_gpus(lab: SimServer) -> None:
    await made(lab, "in 3h", user=BOB, gpus="4")
    with pytest.raises(Ds01Error) as caught:
        await lab.launch(ALICE)
    problem = caught.value.problem
    assert caught.value.kind is errors.GPU_FULL
    assert problem.message == "What is free is booked for others, and this may run 8h. You would be next."
    assert problem.hint == "This would start now: ds01 launch thesis --time 3h"
    assert problem.details["waits_for"] == "booking"
    assert (await lab.launch(ALICE, time_seconds=3 * 3600)).state is ContainerState.RUNNING


async def test_a_launch_uses_the_booking_past_the_queue_and_beyond_the_quota(lab: SimServer) -> None:
    lab.policy.settings = settings(**rules(gpus__max=Fraction(1)))
    await made(lab, "in 1h", gpus="1")
    await lab.launch(ALICE, "other", time_seconds=3600 * 4)
    await lab.clock.advance(3600)
    lab.policy.settings = settings(**rules(gpus__max=Fraction(1)))
    container = await lab.launch(ALICE)
    lease = next(lease for lease in await lab.leases() if lease.container == container.id)
    assert lease.booking
    assert lease.planned == timedelta(hours=2)
    assert "booking.claimed" in await lab.events()
    (view,) = (await show(lab.world, await lab.caller())).bookings
    assert (view.state, view.used, view.kept) == ("on", 1, 1)


async def test_booked_gpus_are_kept_for_a_while_and_go_back_when_nobody_comes(lab: SimServer) -> None:
    await made(lab, "in 1h", gpus="4")
    await lab.clock.advance(3600 + 60)
    with pytest.raises(Ds01Error):
        await lab.launch(BOB, "one", time_seconds=600)
    await lab.clock.advance(14 * 60)
    assert (await lab.launch(BOB, "one")).state is ContainerState.RUNNING


async def test_who_waits_gets_her_booked_gpu_when_it_begins(lab: SimServer) -> None:
    await made(lab, "in 1h", gpus="2")
    await lab.launch(BOB, "one", gpus="4", time_seconds=3600)
    waits = await lab.waits(ALICE, gpus="2")
    await lab.clock.advance(3600)
    await remove(lab.world, await lab.caller(BOB), "one", force=True)
    await lab.turns.take()
    container = await waits
    lease = next(lease for lease in await lab.leases() if lease.container == container.id)
    assert lease.booking


async def test_everybody_of_a_group_may_use_its_booking(lab: SimServer) -> None:
    await made(lab, "in 1h", gpus="4", group="vision")
    await lab.clock.advance(3600)
    for user in (CAROL, DAVE):
        assert (await lab.launch(user)).state is ContainerState.RUNNING
    with pytest.raises(Ds01Error):
        await lab.launch(ALICE)


async def test_a_run_that_is_late_costs_a_booking_nothing_while_another_gpu_is_free(lab: SimServer) -> None:
    """Bob's run should be over; nobody was there to stop it. Alice gets one of the others."""
    await lab.launch(BOB, "late", gpus="1", time_seconds=1800)
    await made(lab, "in 1h", gpus="3")
    await lab.clock.advance(3600)
    container = await lab.launch(ALICE, gpus="3")
    assert container.state is ContainerState.RUNNING
    assert len(await lab.leases()) == 2


async def test_a_restart_forgets_no_booking(lab: SimServer) -> None:
    await made(lab, "in 1h", gpus="4")
    lab.restart()
    await lab.clock.advance(3600)
    with pytest.raises(Ds01Error):
        await lab.launch(BOB, "one")
    assert (await lab.launch(ALICE, gpus="4")).state is ContainerState.RUNNING


# giving up -----------------------------------------------------------------------------------------------


async def test_a_cancelled_booking_binds_nobody(lab: SimServer) -> None:
    await made(lab, "in 1h", gpus="4", name="mine")
    caller = await lab.caller()
    assert len((await cancel(lab.world, caller, "mine", check_only=True)).dates) == 1
    with pytest.raises(Ds01Error):
        await lab.launch(BOB, "one")
    await cancel(lab.world, caller, "mine")
    assert (await lab.launch(BOB, "one")).state is ContainerState.RUNNING
    assert "booking.cancelled" in await lab.events()


async def test_one_date_of_a_weekly_booking_is_given_up(lab: SimServer) -> None:
    await made(lab, "2026-03-10 10:00", until="2026-03-24", name="weekly")
    caller = await lab.caller()
    await cancel(lab.world, caller, "weekly", "2026-03-17")
    left = (await show(lab.world, caller)).bookings
    assert [local(one.begins_at)[:10] for one in left] == ["Tue 10 Mar", "Tue 24 Mar"]
    with pytest.raises(Ds01Error) as caught:
        await cancel(lab.world, caller, "weekly", "2026-03-18")
    assert caught.value.problem.reason == "Its next ones: 2026-03-10, 2026-03-24."


async def test_an_unknown_booking_gets_a_did_you_mean(lab: SimServer) -> None:
    await made(lab, "in 1h", name="thesis")
    with pytest.raises(Ds01Error) as caught:
        await cancel(lab.world, await lab.caller(), "tesis")
    assert caught.value.problem.message == "You have no booking named 'tesis'. Did you mean 'thesis'?"
    with pytest.raises(Ds01Error):
        await cancel(lab.world, await lab.caller(BOB), "thesis")


async def test_a_name_is_booked_once(lab: SimServer) -> None:
    await made(lab, "tomorrow 10:00", name="mine")
    await refused(lab, errors.NAME_TAKEN, "tomorrow 14:00", name="mine")
    first, second = await made(lab, "tomorrow 16:00"), await made(lab, "tomorrow 16:00")
    assert second.dates[0].name == f"{first.dates[0].name}-2"


async def test_the_calendar_has_every_date(lab: SimServer) -> None:
    await made(lab, "2026-03-10 10:00", until="2026-03-24", name="weekly")
    text = await calendar(lab.world, await lab.caller())
    assert text.count("BEGIN:VEVENT\r\n") == 3
    assert "DTSTART:20260310T090000Z\r\n" in text


async def test_an_extension_takes_no_gpu_from_a_booking(lab: SimServer) -> None:
    begins = lab.clock.now().astimezone(BERLIN) + timedelta(hours=10)
    await made(lab, f"{begins:%Y-%m-%d %H:%M}", user=BOB, gpus="4")
    await lab.launch()
    await extend(lab.world, await lab.caller(), "thesis", 3600)
    with pytest.raises(Ds01Error) as caught:
        await extend(lab.world, await lab.caller(), "thesis", 4 * 3600)
    assert caught.value.kind == errors.EXTEND_QUOTA
    assert "its GPU is booked" in caught.value.problem.message
    assert caught.value.problem.hint.startswith("ds01 extend thesis ")


async def test_an_extension_beside_a_booking_that_has_other_gpus_is_fine(lab: SimServer) -> None:
    begins = lab.clock.now().astimezone(BERLIN) + timedelta(hours=10)
    await made(lab, f"{begins:%Y-%m-%d %H:%M}", user=BOB, gpus="3")
    await lab.launch()
    await extend(lab.world, await lab.caller(), "thesis", 8 * 3600)
    (lease,) = await lab.leases()
    assert lease.planned == timedelta(hours=16)
