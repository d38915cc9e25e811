"""A class of a few people in real time, on a real engine: seats for all, nobody else, and an end that leaves files."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from dev import people, tiny
from dev.people import acting_as

from ds01.client.daemon import Client
from ds01.domain.errors import BOOKING_CLASH, GPU_FULL, Ds01Error
from ds01.wire.bookings import BookingsView, BookRequest
from ds01.wire.classes import ClassClosed, ClassRequest, ClassSeat, ClassView, RosterLine
from ds01.wire.launches import LaunchEvent
from tests.engine.daemon.conftest import Daemon, Docker, User, eventually

pytestmark = [pytest.mark.engine, pytest.mark.root]

ALLOWED = (
    "defaults: {cpus: 1, memory: 256M, shm: 16M, pids: 256, containers: 80, stop_grace: 2s,"
    " gpus: {max: 2, per_container: 1}, bookings: {who: others, per_week: null, notice: 0s}}\n"
    "gpus: {source: simulated, simulated: [a100-40gb, a100-40gb, a100-40gb, a100-40gb]}\n"
)


@pytest.fixture
def school(daemon: Daemon) -> Iterator[Daemon]:
    """Everybody may have one GPU, and book for others."""
    before = (daemon.folder / "limits.yaml").read_text()
    with daemon.limited(ALLOWED + before[before.index("docker:") :]):
        yield daemon


@pytest.fixture
def pupils(school: Daemon) -> Iterator[tuple[User, ...]]:
    logins = [f"ds01p{os.getpid()}{letter}" for letter in "abc"]
    for login in logins:
        people.make(login)
    yield tuple(User(person=people.person(login), daemon=school) for login in logins)
    for login in logins:
        people.remove(login)


def opened(teacher: User, pupils: tuple[User, ...], begins: str, keep: int = 600, gpus: str = "1") -> None:
    roster = tuple(RosterLine(line=line, login=one.person.login) for line, one in enumerate(pupils, 1))
    teacher.ask(
        "open_class",
        ClassRequest(
            name="ml101",
            begins=begins,
            length_seconds=600,
            roster=roster,
            image=tiny.REFERENCE,
            keep_seconds=keep,
            gpus=gpus,
        ),
    )


def view(teacher: User) -> ClassView:
    found = teacher.ask("class_", "ml101")
    assert isinstance(found, ClassView)
    return found


def on(teacher: User) -> bool:
    shown = view(teacher).next
    return shown is not None and shown.state == "on"


def released(teacher: User) -> bool:
    events = teacher.ask("events", kind="booking")
    assert isinstance(events, tuple)
    return "booking.released" in [event.type for event in events]


def sitting(user: User) -> tuple[list[LaunchEvent], Iterator[LaunchEvent]]:
    """What she types, as far as its first step."""
    seat = user.ask("class_seat", "ml101")
    assert isinstance(seat, ClassSeat)
    request = user.request(
        "ml101", project="ml101", workspace=str(user.workspace("ml101")), image=seat.image, gpus=seat.gpus
    )
    stream = Client(str(user.daemon.socket)).launch(request)
    with acting_as(user.person):
        return [next(stream)], stream


def test_a_class_of_a_few_in_real_time(
    alice: User, bob: User, pupils: tuple[User, ...], school: Daemon, docker: Docker
) -> None:
    opened(alice, pupils, "in 4s")
    with pytest.raises(Ds01Error) as refused:
        bob.ask("book", BookRequest(begins="in 1m", length_seconds=600, gpus="2"))
    assert refused.value.kind is BOOKING_CLASH
    bob.launch("mine")
    with pytest.raises(Ds01Error) as full:
        bob.launch("more")
    assert full.value.kind is GPU_FULL
    eventually(lambda: on(alice))
    going = [sitting(pupil) for pupil in pupils]
    for begun, stream in going:
        last = [*begun, *stream][-1]
        assert last.container is not None
        assert (last.container.state, last.container.name) == ("running", "ml101")
    shown = view(alice)
    assert [seat.state for seat in shown.roster] == ["in", "in", "in"]
    assert len({seat.gpus for seat in shown.roster}) == 3
    pupils[0].person.run("touch", str(pupils[0].workspace("ml101") / "homework"))
    closed = alice.ask("close_class", "ml101")
    assert isinstance(closed, ClassClosed)
    assert (len(closed.retired), closed.failed) == (3, ())
    assert (pupils[0].workspace("ml101") / "homework").exists()
    assert len(school.root().leases(everybody=True)) == 1
    assert len(docker("ps", "-aq", "--filter", "label=ds01.owner.uid").split()) == 1


def test_seats_nobody_came_for_are_everybodys_and_kill_9_forgets_no_class(
    alice: User, bob: User, pupils: tuple[User, ...], school: Daemon
) -> None:
    opened(alice, pupils, "in 3s", keep=25)
    limits = (school.folder / "limits.yaml").read_text()
    school.kill()
    school.start()
    school.limit(limits)
    eventually(lambda: on(alice))
    begun, stream = sitting(pupils[0])
    assert [*begun, *stream][-1].container is not None
    eventually(lambda: released(alice), 120)
    bookings = alice.ask("bookings")
    assert isinstance(bookings, BookingsView)
    assert [(one.kept, one.used) for one in bookings.bookings] == [(1, 1)]
    bob.launch("mine")
    bob.launch("more")
    alice.ask("close_class", "ml101", all_dates=True)
