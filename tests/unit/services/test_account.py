"""I6: a uid that changes hands starts a new epoch, and its new owner inherits nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from ds01.domain.container import ContainerState
from ds01.domain.errors import Ds01Error
from ds01.domain.events import EventType
from ds01.domain.image import ImageId, Provenance, Tag
from ds01.domain.people import Account, Uid
from ds01.domain.queue.booking import BookingId, Kind
from ds01.ports.ledger import Books
from ds01.services.account import account, owns
from ds01.services.booking.book import book
from ds01.services.gpus import show_gpus, show_leases
from ds01.services.jobs.cancel import cancel
from ds01.sim.ledger import MemoryBooks
from ds01.sim.pages import Pages
from ds01.wire.bookings import BookRequest
from tests.server import BOB as TEACHER
from tests.server import SimServer
from tests.unit.services.test_jobs import Jobs
from tests.values import ALICE, BOB, NOW, container, gpu, leased, limits, slots

CAROL = replace(ALICE, login="carol", home="/home/carol")
LATER = NOW + timedelta(days=300)


def lab() -> MemoryBooks:
    books = MemoryBooks(Pages())
    books.put_slots(slots(gpu(0), gpu(1)))
    return books


def test_a_first_visit_makes_the_account_and_the_next_changes_nothing() -> None:
    books = lab()
    assert account(books, ALICE, NOW) == Account(uid=ALICE.uid, login="alice", epoch=1)
    assert account(books, ALICE, LATER) == books.account(ALICE.uid)
    assert books.events() == ()


def test_i6_a_reused_uid_inherits_no_container_no_image_and_no_lease() -> None:
    books = lab()
    account(books, ALICE, NOW)
    books.put_container(container("thesis"))
    books.put_container(container("poster", user=BOB))
    books.put_tag(
        Tag(ref="ds01-1001/thesis:latest", image=ImageId("sha256:1"), provenance=Provenance.USER, owner=ALICE.uid)
    )
    leased(books, ALICE, limits())

    carol = account(books, CAROL, LATER)

    assert carol == Account(uid=ALICE.uid, login="carol", epoch=2, since=LATER)
    (left,) = books.containers(ALICE.uid)
    assert left.state is ContainerState.QUARANTINED
    assert not owns(carol, left)
    assert books.tags(ALICE.uid) == ()
    assert leased(books, CAROL, limits(), epoch=2).slots == ("GPU-1",)
    assert books.containers(BOB.uid)[0].state is ContainerState.RUNNING
    told = [event for event in books.events() if event.type is not EventType.LEASE_GRANTED]
    assert [event.type for event in told] == [EventType.CONTAINER_QUARANTINED, EventType.ACCOUNT_CHANGED]
    assert all(event.uid is None for event in told), "neither person is shown the other's affairs"


def test_i6_coming_back_to_the_former_login_is_a_third_person() -> None:
    books = lab()
    account(books, ALICE, NOW)
    account(books, CAROL, LATER)
    assert account(books, ALICE, LATER).epoch == 3


def test_after_the_ledger_was_rebuilt_from_labels_the_epoch_stays() -> None:
    books = lab()
    books.put_account(Account(uid=ALICE.uid, login="", epoch=4))
    assert account(books, ALICE, NOW) == Account(uid=ALICE.uid, login="alice", epoch=4)
    assert owns(account(books, ALICE, NOW), replace(container("thesis"), epoch=4))


async def test_i6_a_reused_uid_inherits_no_job_no_booking_and_no_view_of_a_lease(server: SimServer) -> None:
    jobs = Jobs(server)
    running, queued = await jobs.one(name="train"), await jobs.one(name="again", gpus="2")
    after = await jobs.one(name="later", after=("train",))
    await jobs.go()
    assert [await jobs.state(job) for job in (running, queued, after)] == ["running", "queued", "waiting"]
    soon = BookRequest(begins="in 1h", length_seconds=7200, gpus="1")
    await book(server.world, await server.caller(), soon)
    made = await book(server.world, await server.caller(TEACHER), replace(soon, gpus="2"))
    await server.ledger.write(lambda books: joins(books, BookingId(made.dates[0].id), ALICE.uid))

    server.directory.add(CAROL)
    hers = await server.caller(CAROL)
    await server.clock.advance(3600)
    await jobs.go()

    gone = "its account is somebody else's now"
    assert [await jobs.state(job) for job in (running, queued, after)] == [
        "ended: cancelled ", f"ended: start {gone}", f"ended: start {gone}",
    ]  # fmt: skip
    assert (await jobs.container("train")).state is ContainerState.QUARANTINED
    (left,) = await server.ledger.read(lambda books: books.bookings())
    assert (left.uid, left.uids) == (TEACHER.uid, frozenset({TEACHER.uid}))
    assert (await show_gpus(server.world, hers)).slots[0].holder == "in use"
    assert await show_leases(server.world, hers, everybody=False) == ()
    with pytest.raises(Ds01Error) as unknown:
        await cancel(server.world, hers, "agaim")
    assert str(unknown.value) == "You have no job 'agaim'."
    await server.build(CAROL)
    assert (await jobs.one(CAROL, name="again")).epoch == hers.epoch
    with pytest.raises(Ds01Error) as unknown:
        await jobs.one(CAROL, name="last", after=("trian",))
    assert str(unknown.value) == "You have no job 'trian'."


def joins(books: Books, booking: BookingId, uid: Uid) -> None:
    found = books.booking(booking)
    assert found is not None
    books.put_booking(replace(found, kind=Kind.CLASS, uids=found.uids | {uid}))
