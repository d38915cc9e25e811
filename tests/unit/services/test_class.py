"""Classes over a simulated server: opened from a roster, seats taken in any order, looked at, closed, swept."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, timedelta
from fractions import Fraction
from pathlib import Path

import pytest

from ds01.adapters.sql.ledger import SqlLedger
from ds01.domain import errors
from ds01.domain.changes import Change
from ds01.domain.container import Container, ContainerState, StopReason
from ds01.domain.errors import Ds01Error
from ds01.domain.events import EventType
from ds01.domain.image import Provenance, Tag
from ds01.domain.lease import LeaseState
from ds01.domain.limits import Value
from ds01.domain.people import Uid, User
from ds01.domain.quarantine import Keeper
from ds01.domain.queue.booking import BookingState
from ds01.ports.ledger import Books
from ds01.services.booking.classes import open_class, seat_of
from ds01.services.booking.close import close, sweep
from ds01.services.booking.room import list_classes, show_class
from ds01.services.booking.show import show
from ds01.services.booking.watch import watch
from ds01.services.enforce.enforcer import Enforcer
from ds01.services.images import resolve
from ds01.services.jobs.story import why
from ds01.services.launch import launch
from ds01.services.lease import OUTLIVED, activate
from ds01.services.prolong import extend
from ds01.services.remove import remove
from ds01.services.steps import Steps
from ds01.services.stop import stop
from ds01.sim.ledger import MemoryLedger
from ds01.wire.classes import ClassOpened, ClassRequest, RosterLine
from tests.server import ALICE, BOB, ROOT, SimServer, settings

PUPILS = tuple(
    User(uid=Uid(2000 + number), gid=2000 + number, login=f"s{number}", home=f"/home/s{number}",
         gids=frozenset({2000 + number}))
    for number in range(6)
)  # fmt: skip
IMAGE = f"ds01-{ALICE.uid}/ml101:latest"


def rules(**changes: Value) -> dict[str, Value]:
    return {
        "gpus__max": Fraction(1), "gpus__per_container": 1, "bookings__who": "others", "bookings__per_week": None,
        "bookings__ahead": None, "bookings__notice": timedelta(0), "runtime": timedelta(hours=4), **changes,
    }  # fmt: skip


@pytest.fixture(params=["memory", "sql"])
async def school(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[SimServer]:
    """Four GPUs, Alice teaches, and has built her image."""
    ledger = MemoryLedger() if request.param == "memory" else SqlLedger(tmp_path / "ledger.db")
    server = SimServer(run=tmp_path, ledger=ledger)
    server.policy.settings = settings(**rules())
    for user in PUPILS:
        server.directory.add(user)
    await server.open()
    await server.build(ALICE, "ml101")
    yield server
    await ledger.close()


async def opened(
    server: SimServer, begins: str = "in 1h", people: int = 4, user: User = ALICE, **changes: object
) -> ClassOpened:
    lines = tuple(RosterLine(line=number + 1, login=pupil.login) for number, pupil in enumerate(PUPILS[:people]))
    request = ClassRequest(
        **{"name": "ml101", "begins": begins, "length_seconds": 7200, "roster": lines, **changes}  # type: ignore[arg-type]
    )
    return await open_class(server.world, await server.caller(user), request)


async def sits(server: SimServer, user: User, steps: Steps | None = None) -> Container:
    """She types ``ds01 launch ml101``."""
    caller = await server.caller(user)
    seat = await seat_of(server.world, caller, "ml101")
    request = server.request(user, "ml101", image=seat.image, gpus=seat.gpus, spec="", memory_bytes=seat.memory_bytes)
    return await launch(server.world, caller, request, steps or Steps(server.clock))


async def states(server: SimServer) -> dict[str, str]:
    view = await show_class(server.world, await server.caller(), "ml101")
    return {seat.login: seat.state for seat in view.roster}


# opening -------------------------------------------------------------------------------------------------


async def test_a_class_is_a_seat_for_everybody_on_the_roster(school: SimServer) -> None:
    found = await opened(school)
    assert (found.seats, found.people, found.image, found.notes) == (4, 4, IMAGE, ())
    (one,) = found.dates
    assert (one.kind, one.asked, one.people) == ("class", "4 GPUs", "4 people")
    (view,) = await list_classes(school.world, await school.caller(PUPILS[0]))
    assert (view.name, view.owner, view.seats) == ("ml101", "alice", 4)
    assert await list_classes(school.world, await school.caller(BOB)) == ()


async def test_unknown_people_are_named_with_their_lines_and_nothing_is_booked(school: SimServer) -> None:
    lines = (RosterLine(line=2, login="s0"), RosterLine(line=5, login="S1"), RosterLine(line=9, login="nobody-here"))
    with pytest.raises(Ds01Error) as caught:
        await opened(school, roster=lines, roster_file="ml101.csv")
    problem = caught.value.problem
    assert caught.value.kind is errors.BAD_ROSTER
    assert problem.message == "ml101.csv cannot be used: 2 mistakes."
    assert problem.reason == "Line 5: no user 'S1'; did you mean 's1'? Line 9: no user 'nobody-here'."
    assert (await show(school.world, await school.caller())).bookings == ()


async def test_the_image_must_be_there(school: SimServer) -> None:
    with pytest.raises(Ds01Error) as caught:
        await opened(school, name="other")
    assert caught.value.kind is errors.NO_IMAGE
    assert caught.value.problem.hint == "ds01 image create other"
    with pytest.raises(Ds01Error) as caught:
        await opened(school, user=BOB, image=IMAGE)
    assert caught.value.kind is errors.NO_IMAGE


async def test_more_seats_than_gpus_are_refused(school: SimServer) -> None:
    with pytest.raises(Ds01Error) as caught:
        await opened(school, people=5)
    assert caught.value.kind is errors.GPU_IMPOSSIBLE
    assert caught.value.problem.hint == "The most it can do: 4 GPUs"
    assert (await opened(school, people=5, seats=4)).notes == ("5 people for 4 seats: who comes first sits.",)


async def test_nobody_is_looked_up_for_who_may_not_open_a_class_or_for_a_roster_that_is_too_long(
    school: SimServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A directory is slow, and everybody's commands wait for it."""
    lookups: list[str] = []
    monkeypatch.setattr(school.directory, "by_login", lookups.append)
    lines = tuple(RosterLine(line=number, login=f"nobody{number}") for number in range(1001))
    with pytest.raises(Ds01Error) as long:
        await opened(school, roster=lines)
    assert "it has 1001 people, and a class has 1000 at most" in long.value.problem.reason.lower()
    school.policy.settings = settings(**rules(bookings__who="self"))
    with pytest.raises(Ds01Error) as denied:
        await opened(school, roster=lines[:3])
    assert denied.value.kind is errors.BOOKING_DENIED
    assert not lookups


async def test_who_may_not_book_for_others_opens_no_class(school: SimServer) -> None:
    school.policy.settings = settings(**rules(bookings__who="self"))
    with pytest.raises(Ds01Error) as caught:
        await opened(school)
    assert caught.value.kind is errors.BOOKING_DENIED


# sitting -------------------------------------------------------------------------------------------------


async def test_everybody_has_a_seat_whatever_else_she_has_and_whoever_waits(school: SimServer) -> None:
    await opened(school)
    await school.launch(PUPILS[0], "own", time_seconds=3600)
    await school.clock.advance(3600)
    await remove(school.world, await school.caller(PUPILS[0]), "own", force=True)
    waits = await school.waits(BOB)
    await school.turns.take()
    for pupil in PUPILS[:4]:
        assert (await sits(school, pupil)).state is ContainerState.RUNNING
    leases = await school.leases()
    assert len(leases) == 4
    assert all(lease.booking and lease.planned == timedelta(hours=2) for lease in leases)
    assert set((await states(school)).values()) == {"in"}
    waits.cancel()


async def test_sessions_that_end_when_it_begins_leave_their_gpus_to_it(school: SimServer) -> None:
    """Nobody helps: the server is full until the class begins, and no GPU that is held for a stopped container, no
    warning that reached nobody and no grace keeps a seat from anybody.
    """
    school.policy.settings = settings(**rules(runtime=timedelta(hours=2), idle=None, containers=4))
    await opened(school, "in 2h")
    for user in (BOB, PUPILS[0], PUPILS[4], PUPILS[5]):
        await school.launch(user, "own")
    school.terminals.open = False
    await school.live(120)
    assert {lease.state for lease in await school.leases()} == {LeaseState.HELD}
    for pupil in PUPILS[:4]:
        assert (await sits(school, pupil)).state is ContainerState.RUNNING
    leases = await school.leases()
    assert [lease.name for lease in leases] == ["ml101"] * 4
    ended = await school.ledger.read(lambda books: books.events(types=(EventType.LEASE_RELEASED,)))
    assert {event.details["reason"] for event in ended} == {OUTLIVED}


async def test_who_holds_her_quota_has_a_seat_beside_it(school: SimServer) -> None:
    await opened(school, people=3)
    await school.launch(PUPILS[0], "own")
    await school.clock.advance(3600)
    for pupil in PUPILS[:3]:
        await sits(school, pupil)
    assert sorted(lease.name for lease in await school.leases()) == ["ml101", "ml101", "ml101", "own"]


async def test_one_seat_a_person_and_none_for_strangers(school: SimServer) -> None:
    await opened(school, seats=4)
    await school.clock.advance(3600)
    await sits(school, PUPILS[0])
    with pytest.raises(Ds01Error):
        await school.launch(PUPILS[0], "more")
    with pytest.raises(Ds01Error):
        await school.launch(BOB, "ml101")
    with pytest.raises(Ds01Error) as caught:
        await seat_of(school.world, await school.caller(BOB), "ml101")
    assert caught.value.kind is errors.NO_BOOKING


async def test_i6_who_was_put_on_the_roster_under_a_reused_uid_has_her_seat(school: SimServer) -> None:
    """And whoever had the uid before her has it no more, with the roster of then."""
    await school.caller(PUPILS[0])
    await opened(school, name="ml100", image=IMAGE, people=1, seats=1)
    dora = replace(PUPILS[0], login="dora")
    school.directory.add(dora)
    await opened(school, roster=(RosterLine(line=1, login="dora"),), seats=1)
    assert (await seat_of(school.world, await school.caller(dora), "ml101")).name == "ml101"
    with pytest.raises(Ds01Error) as refused:
        await seat_of(school.world, await school.caller(dora), "ml100")
    assert refused.value.kind is errors.NO_BOOKING


async def test_the_image_of_a_class_is_lent_to_its_people_while_it_stands(school: SimServer) -> None:
    assert await resolve(school.world, await school.caller(PUPILS[0]), IMAGE) is None
    await opened(school)
    assert await resolve(school.world, await school.caller(PUPILS[0]), IMAGE) is not None
    assert await resolve(school.world, await school.caller(BOB), IMAGE) is None
    await close(school.world, await school.caller(), "ml101")
    assert await resolve(school.world, await school.caller(PUPILS[0]), IMAGE) is None


async def test_what_is_lent_is_the_openers_image_and_nobody_elses_of_that_name(school: SimServer) -> None:
    """Bob had the name first, so the teacher's is in her own name space."""
    bobs, hers = school.engine.add_image("course:1"), school.engine.add_image(f"ds01-u{ALICE.uid}/course:1")
    his = Tag(ref="course:1", image=bobs, provenance=Provenance.USER, owner=BOB.uid)
    mine = Tag(ref=f"ds01-u{ALICE.uid}/course:1", image=hers, provenance=Provenance.USER, owner=ALICE.uid)
    await school.books(lambda books: books.put_tag(his))
    await school.books(lambda books: books.put_tag(mine))
    await opened(school, image="course:1")
    found = await resolve(school.world, await school.caller(PUPILS[0]), "course:1")
    assert found is not None
    assert found.id == hers
    await school.books(lambda books: books.drop_tag(f"ds01-u{ALICE.uid}/course:1"))
    assert await resolve(school.world, await school.caller(PUPILS[0]), "course:1") is None


async def test_an_admin_lends_only_what_is_hers_to_lend(school: SimServer) -> None:
    """She sees everybody's; those on the roster would stand before a closed door when it begins."""
    with pytest.raises(Ds01Error) as caught:
        await opened(school, user=ROOT, image=IMAGE)
    assert caught.value.kind is errors.NO_IMAGE


async def test_all_who_launch_at_the_same_moment_come_in(school: SimServer) -> None:
    await opened(school)
    await school.clock.advance(3600)
    tasks = [asyncio.create_task(sits(school, pupil)) for pupil in PUPILS[:4]]
    assert {one.state for one in await asyncio.gather(*tasks)} == {ContainerState.RUNNING}
    assert len(await school.leases()) == 4


async def test_the_gate_lets_so_many_through_and_then_the_next_in_order(school: SimServer) -> None:
    gate, order, most = school.world.gate, list[int](), 0
    going = 0
    release = [asyncio.Event() for _ in range(6)]

    async def one(number: int) -> None:
        nonlocal going, most
        async with gate.through("x", 2, Steps(school.clock)):
            going, most = going + 1, max(most, going + 1)
            order.append(number)
            await release[number].wait()
            going -= 1

    tasks = [asyncio.create_task(one(number)) for number in range(6)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert order == [0, 1]
    tasks[2].cancel()
    await asyncio.sleep(0)
    for number in (1, 0, 3, 4, 5):
        release[number].set()
        for _ in range(5):
            await asyncio.sleep(0)
    await asyncio.gather(*tasks, return_exceptions=True)
    assert order == [0, 1, 3, 4, 5]
    assert most == 2


# looking, and the end ------------------------------------------------------------------------------------


async def test_the_instructor_sees_who_is_in_and_what_went_wrong(school: SimServer) -> None:
    await opened(school)
    assert set((await states(school)).values()) == {"absent"}
    await school.clock.advance(3600)
    await sits(school, PUPILS[0])
    await sits(school, PUPILS[1])
    await stop(school.world, await school.caller(PUPILS[1]), "ml101")
    await sits(school, PUPILS[2])
    await remove(school.world, await school.caller(PUPILS[2]), "ml101", force=True)
    with pytest.raises(Ds01Error):
        await school.launch(PUPILS[3], "ml101", gpus="3")
    view = await show_class(school.world, await school.caller(), "ml101")
    assert [(seat.login, seat.state) for seat in view.roster] == [
        ("s0", "in"), ("s1", "stopped"), ("s2", "left"), ("s3", "absent"),
    ]  # fmt: skip
    assert view.roster[0].gpus == ("0",)
    assert "asked for 3" in view.roster[3].hint
    assert (view.used, view.kept, view.checks) == (2, 4, ())
    with pytest.raises(Ds01Error) as caught:
        await show_class(school.world, await school.caller(PUPILS[0]), "ml101")
    assert caught.value.problem.hint == "ds01 launch ml101"


async def test_a_gpu_out_of_service_is_told_before_the_class(school: SimServer) -> None:
    await opened(school)
    slot = (await school.ledger.read(lambda books: books.slots()))[0]
    await school.books(lambda books: books.quarantine(slot.id, Keeper.DRIVER, "Xid 79"))
    view = await show_class(school.world, await school.caller(), "ml101")
    assert view.checks == ("Only 3 of 4 GPUs can be had: others are out of service. Ask an admin.",)


async def test_what_nobody_came_for_goes_back_once_and_the_rest_stays(school: SimServer) -> None:
    await opened(school)
    await school.clock.advance(3600)
    await watch(school.world)
    await sits(school, PUPILS[0])
    await school.clock.advance(20 * 60)
    await watch(school.world)
    await watch(school.world)
    told = [event for event in await school.events() if event.startswith("booking.")]
    assert told == ["booking.made", "booking.began", "booking.claimed", "booking.released"]
    assert (await school.launch(BOB)).state is ContainerState.RUNNING
    (view,) = (await show(school.world, await school.caller())).bookings
    assert (view.state, view.kept, view.used) == ("on", 1, 1)


async def test_when_it_is_over_gpus_go_back_and_stopped_containers_go(school: SimServer) -> None:
    await opened(school)
    await school.clock.advance(3600)
    await watch(school.world)
    for pupil in PUPILS[:2]:
        await sits(school, pupil)
    await stop(school.world, await school.caller(PUPILS[0]), "ml101")
    await school.clock.advance(7200)
    await watch(school.world)
    assert await school.container("ml101", PUPILS[0]) is None
    assert (await school.container("ml101", PUPILS[1])) is not None
    await stop(school.world, await school.caller(PUPILS[1]), "ml101")
    await watch(school.world)
    assert await school.container("ml101", PUPILS[1]) is None
    assert await school.leases() == ()
    assert "booking.ended" in await school.events()


async def test_f3_a_container_that_starts_while_its_class_ends_keeps_its_gpu(
    school: SimServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    await opened(school)
    await school.clock.advance(3600)
    await watch(school.world)
    made = await sits(school, PUPILS[0])
    await stop(school.world, await school.caller(PUPILS[0]), "ml101")
    await school.books(_over)
    (held,), write = await school.leases(), school.ledger.write

    def started(books: Books) -> None:
        activate(books, held.id, made.id, school.clock.now())
        books.put_container(made)

    async def after_the_start(change: Callable[[Books], object]) -> object:
        await write(started)
        return await write(change)

    monkeypatch.setattr(school.ledger, "write", after_the_start)
    await sweep(school.world)
    assert [(lease.id, lease.state) for lease in await school.leases()] == [(held.id, LeaseState.ACTIVE)]


def _over(books: Books) -> None:
    for one in books.bookings():
        books.put_booking(replace(one, state=BookingState.OVER, ended_at=one.begins_at))


async def test_closing_retires_what_is_left_and_frees_the_gpus(school: SimServer) -> None:
    await opened(school, until="2026-03-16")
    await school.clock.advance(3600)
    for pupil in PUPILS[:3]:
        await sits(school, pupil)
    caller = await school.caller()
    going = await close(school.world, caller, "ml101", check_only=True)
    assert going.retired == ("s0/ml101", "s1/ml101", "s2/ml101")
    closed = await close(school.world, caller, "ml101")
    assert (closed.retired, closed.failed, len(closed.dates)) == (going.retired, (), 1)
    assert await school.leases() == ()
    (view,) = await list_classes(school.world, caller)
    assert view.dates == 2
    await close(school.world, caller, "ml101")
    assert await list_classes(school.world, caller) == ()


async def test_closing_is_told_to_the_pupil_as_the_instructors_act(school: SimServer) -> None:
    await opened(school)
    await school.clock.advance(3600)
    await sits(school, PUPILS[0])
    await close(school.world, await school.caller(), "ml101")
    story = await why(school.world, await school.caller(PUPILS[0]), "ml101")
    assert "It stopped at 2026-03-02 10:00 UTC: its class ended." in story.summary
    assert [entry.what for entry in story.entries][-2:] == [
        "ml101 stopped: its class ended: the class is closed.", "alice removed ml101.",
    ]  # fmt: skip
    (letter,) = [one for one in school.terminals.letters if one.user == PUPILS[0]]
    assert letter.title == "alice, an instructor, retired your container ml101"
    assert letter.text.startswith("alice says: the class is closed")


@pytest.mark.parametrize("by", ["time", "teacher"])
async def test_p2_packages_of_a_pupil_are_noted_in_her_workspace_when_it_ends(school: SimServer, by: str) -> None:
    await opened(school)
    await school.clock.advance(3600)
    made = await sits(school, PUPILS[0])
    site = "/opt/ds01/env/lib/python3.11/site-packages"
    asked = Change(kind="A", path=f"{site}/wandb-0.16.0.dist-info/REQUESTED")
    school.engine.write_layer(made.id, (asked, Change(kind="A", path=f"{site}/idna-3.6.dist-info/RECORD")), {})
    if by == "teacher":
        await close(school.world, await school.caller(), "ml101")
    else:
        await stop(school.world, await school.caller(PUPILS[0]), "ml101")
        await school.clock.advance(7200)
        await watch(school.world)
    noted = f"{made.workspace}/.ds01/suggested-packages.txt"
    assert await school.container("ml101", PUPILS[0]) is None
    assert school.host.texts == {noted: "wandb==0.16.0\n"}
    found = await school.ledger.read(lambda books: books.events(subject=made.id))
    (event,) = [event for event in found if event.type == "packages.suggested"]
    assert (event.details["packages"], event.details["file"]) == ("wandb==0.16.0", noted)


async def test_a_restart_in_the_middle_changes_nothing(school: SimServer) -> None:
    await opened(school)
    await school.clock.advance(3600)
    await sits(school, PUPILS[0])
    school.restart()
    await watch(school.world)
    await sits(school, PUPILS[1])
    assert list((await states(school)).values()) == ["in", "in", "absent", "absent"]


async def test_a_seat_ends_with_the_class_and_is_not_stopped_for_listening(school: SimServer) -> None:
    """No idling, no more time, no hold beyond the end; and what is said of it is true."""
    school.policy.settings = settings(**rules(idle=timedelta(minutes=30), runtime=timedelta(hours=1)))
    await opened(school)
    await school.clock.advance(3600)
    await watch(school.world)
    for pupil in PUPILS[:2]:
        await sits(school, pupil)
    with pytest.raises(Ds01Error) as caught:
        await extend(school.world, await school.caller(PUPILS[0]), "ml101", 3600)
    assert caught.value.problem.message == "'ml101' cannot be extended: its GPU is booked until 12:00."
    enforcer = Enforcer(school.world)
    for _ in range(7):
        await enforcer.round()
        await enforcer.settle()
        await school.clock.advance(15 * 60)
    assert [lease.state for lease in await school.leases()] == [LeaseState.ACTIVE] * 2
    await enforcer.round()
    await enforcer.settle()
    notice = (await school.ledger.read(lambda books: books.notices(PUPILS[0].uid)))[-1]
    line = notice.headline(school.clock.now(), UTC)
    assert line.startswith("ml101 stops at 12:00 UTC")
    assert line.endswith(": its class is over")
    assert "goes with the class" in notice.text
    assert "extend" not in notice.text
    await stop(school.world, await school.caller(PUPILS[1]), "ml101")
    held = next(lease for lease in await school.leases() if lease.uid == PUPILS[1].uid)
    assert held.expires_at is not None
    assert held.expires_at.hour == 12
    await school.clock.advance(16 * 60)
    await enforcer.round()
    await enforcer.settle()
    told = (await school.ledger.read(lambda books: books.notices(PUPILS[0].uid)))[-1]
    assert told.headline(school.clock.now(), UTC) == "ml101 was stopped at 12:01 UTC: its class is over"
    gone = await school.container("ml101", PUPILS[0])
    assert gone is not None
    assert (gone.reason, gone.reason_detail) == (StopReason.BOOKING, "class")
    await watch(school.world)
    assert await school.leases() == ()
    assert await school.container("ml101", PUPILS[0]) is None
    await enforcer.stop()
