"""What every ledger promises: the one on disk and the one in memory pass the same tests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from ds01.adapters.sql.ledger import SqlLedger
from ds01.domain.announcement import Announcement
from ds01.domain.container import Container, ContainerState, Door, Mount, StopReason
from ds01.domain.errors import GPU_FULL, LEDGER_ERROR, NAME_TAKEN, Ds01Error
from ds01.domain.events import Event, EventType
from ds01.domain.exemption import ExemptionId, GrantedExemption
from ds01.domain.gpu import VANISHED, Slot, SlotId
from ds01.domain.gpu_ask import GpuAsk
from ds01.domain.image import ImageId, Ownership, Provenance, Tag
from ds01.domain.lease import Lease, LeaseId, LeaseState
from ds01.domain.lifecycle.case import Level, Rule
from ds01.domain.network import Network
from ds01.domain.notice import Notice, NoticeId, Preferences
from ds01.domain.people import Account, Uid, User
from ds01.domain.quarantine import Keeper
from ds01.domain.queue.booking import Booking, BookingId, BookingState, Kind
from ds01.domain.queue.plan import Owner
from ds01.domain.queue.request import Request, RequestId, RequestState, moved
from ds01.domain.queue.usage import Usage
from ds01.domain.volume import Volume
from ds01.ports.ledger import Books, Ledger
from ds01.services import lease as leases
from ds01.services.queue.grant import grant
from ds01.sim.ledger import MemoryLedger
from tests.server import SimServer
from tests.values import ALICE, BOB, NOW, container, gpu, lease, limits, slots

FOUR = slots(*(gpu(index, numa=index // 2, links=[index ^ 1]) for index in range(4)))
MIXED = slots(gpu(0), gpu(1, parts=["3g.20gb", "2g.10gb", "2g.10gb"]))


def event(subject: str, kind: EventType = EventType.CONTAINER_STARTED, minutes: int = 0) -> Event:
    return Event(
        at=NOW + timedelta(minutes=minutes), type=kind, actor=ALICE.uid, uid=ALICE.uid, subject=subject,
        details={"name": "thesis", "why": "ünïcode"},
    )  # fmt: skip


def waiting(name: str, *, user: User = ALICE, minutes: int = 0) -> Request:
    return Request(
        id=RequestId(f"request-{name}"), uid=user.uid, epoch=1, name=name,
        submitted_at=NOW + timedelta(minutes=minutes),
        ask=GpuAsk(count=2, profile="2g.10gb", memory_bytes=7), planned=timedelta(hours=1.5), priority=3, order="{}",
        wait_until=NOW + timedelta(hours=9),
    )  # fmt: skip


def booked(name: str, hours: float = 1) -> Booking:
    return Booking(
        id=BookingId(f"booking-{name}"), uid=ALICE.uid, epoch=1, name=name,
        ask=GpuAsk(count=2, profile="2g.10gb", memory_bytes=7), begins_at=NOW + timedelta(hours=hours),
        ends_at=NOW + timedelta(hours=hours + 2), uids=frozenset({ALICE.uid, BOB.uid}), series="series-1",
        kind=Kind.CLASS, each=1, keep=timedelta(minutes=20), group="ml101", image="ds01-1001/ml101:latest",
        made_at=NOW, told=2,
    )  # fmt: skip


def put(
    *things: tuple[Slot, ...] | Lease | Request | Container | Tag | Account | Ownership | Booking,
) -> Callable[[Books], None]:
    """A transaction that writes these things in order; a tuple is the inventory."""

    def work(books: Books) -> None:
        for thing in things:
            match thing:
                case Lease():
                    books.put_lease(thing)
                case Request():
                    books.put_request(thing)
                case Container():
                    books.put_container(thing)
                case Tag():
                    books.put_tag(thing)
                case Account():
                    books.put_account(thing)
                case Booking():
                    books.put_booking(thing)
                case Ownership():
                    books.put_ownership(thing)
                case _:
                    books.put_slots(thing)

    return work


class LedgerContract:
    """The tests; a subclass gives the ledger."""

    # transactions -----------------------------------------------------------------------------------
    async def test_what_was_written_is_read(self, ledger: Ledger) -> None:
        await ledger.write(lambda books: books.put_note("boot", "abc"))
        assert await ledger.read(lambda books: books.note("boot")) == "abc"
        assert await ledger.read(lambda books: books.note("other")) is None

    async def test_a_write_that_raises_leaves_nothing(self, ledger: Ledger) -> None:
        def work(books: Books) -> None:
            books.put_note("boot", "abc")
            books.record(event("thesis"))
            raise LookupError("changed its mind")

        with pytest.raises(LookupError, match="changed its mind"):
            await ledger.write(work)
        assert await ledger.read(lambda books: (books.note("boot"), books.events())) == (None, ())

    async def test_of_writes_at_the_same_moment_each_fails_alone(self, ledger: Ledger) -> None:
        def work(number: int) -> Callable[[Books], None]:
            def write(books: Books) -> None:
                books.put_note(f"n{number}", "x")
                if number % 3 == 0:
                    raise LookupError(number)

            return write

        writes = [ledger.write(work(number)) for number in range(30)]
        ends = await asyncio.gather(*writes, return_exceptions=True)
        there = await ledger.read(lambda books: [books.note(f"n{number}") is not None for number in range(30)])
        assert there == [number % 3 != 0 for number in range(30)]
        assert [end is None for end in ends] == there

    async def test_a_transaction_sees_its_own_writes(self, ledger: Ledger) -> None:
        def work(books: Books) -> str | None:
            books.put_note("a", "1")
            books.put_note("a", "2")
            return books.note("a")

        assert await ledger.write(work) == "2"

    async def test_reading_cannot_write(self, ledger: Ledger) -> None:
        with pytest.raises(Ds01Error) as refused:
            await ledger.read(lambda books: books.put_note("a", "1"))
        assert refused.value.kind is LEDGER_ERROR

    async def test_a_closed_ledger_says_so(self, ledger: Ledger) -> None:
        await ledger.close()
        await ledger.close()
        with pytest.raises(Ds01Error, match="closed"):
            await ledger.write(lambda books: books.put_note("a", "1"))

    # slots ------------------------------------------------------------------------------------------
    async def test_slots_come_back_as_they_were(self, ledger: Ledger) -> None:
        await ledger.write(put(FOUR))
        assert await ledger.read(lambda books: books.slots()) == FOUR
        await ledger.write(put(MIXED))
        assert await ledger.read(lambda books: books.slots()) == MIXED

    async def test_a_vanished_slot_stays_known_while_leased_and_is_out_of_service(self, ledger: Ledger) -> None:
        def grant(books: Books) -> None:
            books.put_slots(FOUR)
            books.put_lease(lease("one", "GPU-3"))
            books.put_slots(FOUR[:2])

        await ledger.write(grant)
        assert await ledger.read(lambda books: {slot.id for slot in books.slots()}) == {"GPU-0", "GPU-1", "GPU-3"}
        assert len(await ledger.read(lambda books: books.slots(vanished=False))) == 2
        assert await ledger.read(lambda books: books.quarantined()) == {"GPU-3": VANISHED}
        await ledger.write(put(lease("one", "GPU-3", state=LeaseState.RELEASED)))
        assert await ledger.read(lambda books: (len(books.slots()), books.quarantined())) == (2, {})

    async def test_each_keeper_takes_back_only_its_own_word(self, ledger: Ledger) -> None:
        slot = SlotId("GPU-1")
        await ledger.write(put(FOUR))
        await ledger.write(lambda books: books.quarantine(slot, Keeper.ADMIN, "drained"))
        await ledger.write(lambda books: books.quarantine(slot, Keeper.DRIVER, "Xid 79"))
        assert await ledger.read(lambda books: books.quarantined()) == {"GPU-1": "Xid 79; drained"}
        await ledger.write(lambda books: books.quarantine(slot, Keeper.DRIVER, None))
        assert [each.keeper for each in await ledger.read(lambda books: books.quarantines())] == [Keeper.ADMIN]

    async def test_the_past_has_what_was_open_since_then_and_since_when_it_was_waited_for(self, ledger: Ledger) -> None:
        def fill(books: Books) -> None:
            books.put_slots(FOUR)
            for number, days in enumerate((0, 3, 10)):
                name = f"l{number}"
                books.put_lease(lease(name, f"GPU-{number}"))
                ended = replace(lease(name, f"GPU-{number}", state=LeaseState.RELEASED), ended_at=NOW + timedelta(days))
                books.put_lease(ended)
            books.put_lease(lease("open", "GPU-3"))
            asked = waiting("late", minutes=-90)
            books.put_request(asked)
            books.put_request(replace(asked, state=RequestState.TAKEN, lease=LeaseId("lease-l2"), ended_at=NOW))

        await ledger.write(fill)
        past = await ledger.read(lambda books: books.past(NOW + timedelta(days=2)))
        assert [each.lease.id for each in past] == ["lease-l1", "lease-l2", "lease-open"]
        assert [each.lease.slots for each in past] == [("GPU-1",), ("GPU-2",), ("GPU-3",)]
        everything = await ledger.read(lambda books: books.past(NOW - timedelta(days=2)))
        submitted = {each.lease.id: each.submitted_at for each in everything}
        assert submitted == {
            "lease-l0": None,
            "lease-l1": None,
            "lease-l2": NOW - timedelta(minutes=90),
            "lease-open": None,
        }

    async def test_a_slot_is_taken_out_of_service_and_back(self, ledger: Ledger) -> None:
        await ledger.write(put(FOUR))
        await ledger.write(lambda books: books.quarantine(SlotId("GPU-1"), Keeper.DRIVER, "Xid 79"))
        await ledger.write(lambda books: books.quarantine(SlotId("GPU-1"), Keeper.DRIVER, "Xid 48"))
        await ledger.write(put(FOUR))
        assert await ledger.read(lambda books: books.quarantined()) == {"GPU-1": "Xid 48"}
        await ledger.write(lambda books: books.quarantine(SlotId("GPU-1"), Keeper.DRIVER, None))
        assert await ledger.read(lambda books: books.quarantined()) == {}

    # leases -----------------------------------------------------------------------------------------
    async def test_a_lease_comes_back_as_it_was(self, ledger: Ledger) -> None:
        made = replace(
            lease("one", "GPU-2", "GPU-0", state=LeaseState.HELD), container="c" * 64, expires_at=NOW, reason="why"
        )
        await ledger.write(put(FOUR, made))
        assert await ledger.read(lambda books: books.lease(made.id)) == made
        assert await ledger.read(lambda books: books.open_leases()) == (made,)
        assert await ledger.read(lambda books: books.lease(LeaseId("other"))) is None

    async def test_i1_a_slot_has_one_open_lease(self, ledger: Ledger) -> None:
        await ledger.write(put(FOUR, lease("one", "GPU-0", "GPU-1")))
        with pytest.raises(Ds01Error) as refused:
            await ledger.write(put(lease("two", "GPU-2", "GPU-1", user=BOB)))
        assert refused.value.kind is GPU_FULL
        assert await ledger.read(lambda books: [found.name for found in books.open_leases()]) == ["one"]

    async def test_i1_a_refused_lease_leaves_nothing_even_when_the_work_goes_on(self, ledger: Ledger) -> None:
        def work(books: Books) -> None:
            books.put_slots(FOUR)
            books.put_lease(lease("one", "GPU-0"))
            with pytest.raises(Ds01Error):
                books.put_lease(lease("two", "GPU-1", "GPU-0", user=BOB))
            books.put_lease(lease("three", "GPU-1", user=BOB))

        await ledger.write(work)
        assert await ledger.read(lambda books: {found.name for found in books.open_leases()}) == {"one", "three"}
        assert await ledger.read(lambda books: books.lease(LeaseId("lease-two"))) is None

    @pytest.mark.parametrize(("first", "second"), [("GPU-1", "MIG-1-0"), ("MIG-1-0", "GPU-1")])
    async def test_i1_a_gpu_and_its_instances_are_never_leased_together(
        self, ledger: Ledger, first: str, second: str
    ) -> None:
        whole, parts = slots(gpu(1)), slots(gpu(1, parts=["3g.20gb", "3g.20gb"]))
        await ledger.write(put(whole + parts))
        await ledger.write(put(lease("one", first)))
        with pytest.raises(Ds01Error) as refused:
            await ledger.write(put(lease("two", second)))
        assert refused.value.kind is GPU_FULL

    async def test_instances_of_one_gpu_are_leased_side_by_side(self, ledger: Ledger) -> None:
        await ledger.write(put(MIXED))
        await ledger.write(put(lease("one", "MIG-1-0")))
        await ledger.write(put(lease("two", "MIG-1-1", "MIG-1-2")))
        assert len(await ledger.read(lambda books: books.open_leases())) == 2

    async def test_i2_a_container_has_one_open_lease(self, ledger: Ledger) -> None:
        first = replace(lease("one", "GPU-0"), container="c" * 64)
        await ledger.write(put(FOUR, first))
        with pytest.raises(Ds01Error):
            await ledger.write(put(replace(lease("two", "GPU-1"), container="c" * 64)))

    async def test_an_ended_lease_frees_its_slots_and_dates_their_last_use(self, ledger: Ledger) -> None:
        await ledger.write(put(FOUR, lease("one", "GPU-0")))
        assert await ledger.read(lambda books: books.last_used()) == {}
        await ledger.write(put(lease("one", "GPU-0", state=LeaseState.RELEASED)))
        assert await ledger.read(lambda books: books.last_used()) == {"GPU-0": NOW}
        await ledger.write(put(lease("two", "GPU-0", user=BOB)))
        assert [found.name for found in await ledger.read(lambda books: books.open_leases(BOB.uid))] == ["two"]
        assert await ledger.read(lambda books: books.open_leases(ALICE.uid)) == ()

    async def test_the_slots_of_a_lease_never_change(self, ledger: Ledger) -> None:
        await ledger.write(put(FOUR, lease("one", "GPU-0")))
        await ledger.write(put(lease("one", "GPU-1")))
        found = await ledger.read(lambda books: books.lease(LeaseId("lease-one")))
        assert found is not None
        assert found.slots == ("GPU-0",)

    async def test_a_lease_of_an_unknown_slot_is_refused(self, ledger: Ledger) -> None:
        with pytest.raises(Ds01Error) as refused:
            await ledger.write(put(lease("one", "GPU-9")))
        assert refused.value.kind is LEDGER_ERROR

    async def test_f3_of_64_clients_racing_for_4_gpus_4_win_and_60_hear_the_same(
        self, ledger: Ledger, tmp_path: Path
    ) -> None:
        world = SimServer(run=tmp_path, ledger=ledger).world
        await ledger.write(put(FOUR))
        allowed = limits()

        def client(number: int) -> Callable[[Books], Lease]:
            user = User(uid=Uid(2000 + number), gid=2000, login=f"user{number}", home=f"/home/user{number}")
            want = leases.Want(user=user, epoch=1, limits=allowed, name="race", ask=GpuAsk())
            return partial(grant, world=world, want=want, now=NOW)

        ends = await asyncio.gather(*(ledger.write(client(n)) for n in range(64)), return_exceptions=True)
        won = [end for end in ends if isinstance(end, Lease)]
        lost = [end.problem for end in ends if isinstance(end, Ds01Error)]
        assert sorted(slot for end in won for slot in end.slots) == ["GPU-0", "GPU-1", "GPU-2", "GPU-3"]
        assert len(lost) == 60
        assert all(problem == lost[0] for problem in lost)
        assert lost[0].message == "No GPU that fits is free right now: 4 of 4 that fit are in use. You would be next."
        assert await ledger.read(lambda books: books.open_leases()) == tuple(sorted(won, key=lambda end: end.id))

    # the queue --------------------------------------------------------------------------------------
    async def test_a_request_comes_back_as_it_was(self, ledger: Ledger) -> None:
        endless = replace(waiting("endless"), planned=None, wait_until=None, interactive=False)
        await ledger.write(put(waiting("thesis", minutes=1), endless))
        assert await ledger.read(lambda books: books.open_requests()) == (endless, waiting("thesis", minutes=1))
        assert await ledger.read(lambda books: books.request(RequestId("request-endless"))) == endless
        assert await ledger.read(lambda books: books.request(RequestId("request-none"))) is None
        assert await ledger.read(lambda books: books.open_requests(BOB.uid)) == ()

    async def test_a_request_goes_through_its_life(self, ledger: Ledger) -> None:
        held = lease("thesis", "GPU-0", state=LeaseState.RESERVED)
        until = NOW + timedelta(minutes=10)
        reserved = moved(waiting("thesis"), RequestState.RESERVED, NOW, lease=held.id, claim_until=until)
        await ledger.write(put(FOUR, waiting("thesis"), held, reserved))
        assert await ledger.read(lambda books: books.open_requests(ALICE.uid)) == (reserved,)
        taken = moved(reserved, RequestState.TAKEN, NOW, reason="claimed")
        await ledger.write(put(taken))
        assert await ledger.read(lambda books: books.open_requests()) == ()
        assert await ledger.read(lambda books: books.request(taken.id)) == taken

    async def test_a_name_waits_once_at_a_time(self, ledger: Ledger) -> None:
        first = waiting("thesis")
        await ledger.write(put(first, waiting("other")))
        with pytest.raises(Ds01Error) as refused:
            await ledger.write(put(replace(first, id=RequestId("request-2"))))
        assert refused.value.kind is NAME_TAKEN
        await ledger.write(put(moved(first, RequestState.CANCELLED, NOW), replace(first, id=RequestId("request-2"))))
        assert {found.id for found in await ledger.read(lambda books: books.open_requests())} == {
            "request-2", "request-other",
        }  # fmt: skip

    async def test_a_request_that_failed_to_be_written_is_not_there(self, ledger: Ledger) -> None:
        def work(books: Books) -> None:
            books.put_request(waiting("thesis"))
            raise LookupError("changed its mind")

        with pytest.raises(LookupError):
            await ledger.write(work)
        assert await ledger.write(lambda books: books.open_requests()) == ()

    async def test_a_request_of_an_unknown_lease_is_refused(self, ledger: Ledger) -> None:
        reserved = moved(waiting("thesis"), RequestState.RESERVED, NOW, lease=LeaseId("lease-9"), claim_until=NOW)
        with pytest.raises(Ds01Error) as refused:
            await ledger.write(put(reserved))
        assert refused.value.kind is LEDGER_ERROR

    async def test_a_booking_comes_back_as_it_was(self, ledger: Ledger) -> None:
        one, later = booked("ml101"), booked("own", 24)
        await ledger.write(put(later, one))
        assert await ledger.read(lambda books: books.bookings()) == (one, later)
        assert await ledger.read(lambda books: books.booking(one.id)) == one
        assert await ledger.read(lambda books: books.booking(BookingId("other"))) is None

    async def test_a_booking_that_ended_stands_no_more_and_is_remembered(self, ledger: Ledger) -> None:
        one, later = booked("ml101"), booked("own", 24)
        over = replace(one, state=BookingState.RELEASED, ended_at=NOW, reason="nobody came")
        await ledger.write(put(one, later, over))
        assert await ledger.read(lambda books: books.bookings()) == (later,)
        assert await ledger.read(lambda books: books.bookings(after=NOW)) == (over, later)
        assert await ledger.read(lambda books: books.bookings(after=over.ends_at)) == (later,)
        assert await ledger.read(lambda books: books.booking(one.id)) == over

    async def test_a_booking_that_failed_to_be_written_is_not_there(self, ledger: Ledger) -> None:
        def work(books: Books) -> None:
            books.put_booking(booked("ml101"))
            raise LookupError("changed its mind")

        with pytest.raises(LookupError):
            await ledger.write(work)
        assert await ledger.read(lambda books: books.bookings()) == ()

    async def test_all_leases_of_a_booking_are_found(self, ledger: Ledger) -> None:
        one = booked("ml101")
        mine = replace(lease("a", "GPU-0", "GPU-1"), booking=one.id)
        gone = replace(lease("b", "GPU-2", state=LeaseState.RELEASED), booking=one.id)
        await ledger.write(put(FOUR, one, mine, gone, lease("c", "GPU-3")))
        assert await ledger.read(lambda books: books.leases_of(one.id)) == (mine, gone)

    async def test_usage_is_kept_exactly_for_each_epoch(self, ledger: Ledger) -> None:
        first, second = Owner(ALICE.uid, 1), Owner(ALICE.uid, 2)
        exact = Usage(seconds=0.1 + 0.2, at=NOW)
        await ledger.write(lambda books: books.put_usage(first, Usage(seconds=1.0, at=NOW)))
        await ledger.write(lambda books: books.put_usage(first, exact))
        await ledger.write(lambda books: books.put_usage(second, exact))
        assert await ledger.read(lambda books: books.usage()) == {first: exact, second: exact}

    # containers -------------------------------------------------------------------------------------
    async def test_a_container_comes_back_as_it_was(self, ledger: Ledger) -> None:
        made = replace(
            container("thesis", user=BOB), lease=LeaseId("lease-one"), gpus=1, gpu_profile="2g.10gb",
            forced_user=True, started_at=NOW, stopped_at=NOW + timedelta(microseconds=1), spec="f" * 64,
            reason=StopReason.EXIT, reason_detail="137", pins="c1",
            mounts=(Mount(source="/run/ds01/binds/1/c1/0", target="/workspace", shown="/home/h.bäker/workspace/thesis"),
                    Mount(source="/run/ds01/binds/1/c1/1", target="/data", read_only=True)),
        )  # fmt: skip
        await ledger.write(put(FOUR, lease("one", "GPU-0"), made))
        assert await ledger.read(lambda books: books.container(made.id)) == made
        assert await ledger.read(lambda books: books.containers(BOB.uid)) == (made,)
        assert await ledger.read(lambda books: books.containers(ALICE.uid)) == ()

    async def test_a_removed_container_is_found_when_asked_for(self, ledger: Ledger) -> None:
        old = replace(container("thesis", state=ContainerState.REMOVED), removed_at=NOW)
        await ledger.write(put(old))
        assert await ledger.read(lambda books: books.containers()) == ()
        assert await ledger.read(lambda books: books.named(ALICE.uid, "thesis")) is None
        assert await ledger.read(lambda books: books.named(ALICE.uid, "thesis", removed=True)) == old
        new = replace(container("thesis"), id=container("other").id, created_at=NOW + timedelta(hours=1))
        await ledger.write(put(new))
        assert await ledger.read(lambda books: books.named(ALICE.uid, "thesis", removed=True)) == new
        assert await ledger.read(lambda books: books.named(ALICE.uid, "thesis")) == new
        assert await ledger.read(lambda books: books.containers_ever()) == (old, new)
        last = replace(container("last", user=BOB), door=Door.JOB, created_at=NOW + timedelta(hours=2))
        await ledger.write(put(last))
        assert await ledger.read(lambda books: books.containers_ever(name="thesis")) == (old, new)
        assert await ledger.read(lambda books: books.containers_ever(BOB.uid, door=Door.JOB)) == (last,)
        assert await ledger.read(lambda books: books.containers_ever(limit=2)) == (new, last)
        assert await ledger.read(lambda books: books.containers_ever(limit=2, skip=1)) == (old, new)
        assert await ledger.read(lambda books: books.containers_ever(limit=2, skip=3)) == ()

    async def test_a_name_has_one_live_container(self, ledger: Ledger) -> None:
        await ledger.write(put(container("thesis")))
        second = replace(container("thesis"), id=container("other").id)
        with pytest.raises(Ds01Error) as refused:
            await ledger.write(put(second))
        assert refused.value.kind is NAME_TAKEN
        await ledger.write(put(replace(second, uid=BOB.uid)))

    async def test_a_container_of_an_unknown_lease_is_refused(self, ledger: Ledger) -> None:
        with pytest.raises(Ds01Error) as refused:
            await ledger.write(put(replace(container("thesis"), lease=LeaseId("lease-none"))))
        assert refused.value.kind is LEDGER_ERROR

    # volumes, networks ------------------------------------------------------------------------------
    async def test_volumes_and_networks_are_kept_and_dropped(self, ledger: Ledger) -> None:
        volume = Volume(id="data._.1001", uid=ALICE.uid, epoch=1, name="data", created_at=NOW)
        other = replace(volume, id="data._.1002", uid=Uid(1002), anonymous=True)
        network = Network(id="a" * 64, uid=ALICE.uid, epoch=1, name="app", stored="app._.1001", created_at=NOW)

        def put_all(books: Books) -> None:
            books.put_volume(volume)
            books.put_volume(other)
            books.put_network(network)

        await ledger.write(put_all)
        assert await ledger.read(lambda books: (books.volume(other.id), books.volumes(ALICE.uid))) == (other, (volume,))
        assert await ledger.read(lambda books: books.networks()) == (network,)
        assert await ledger.read(lambda books: books.network(network.id)) == network
        await ledger.write(lambda books: books.drop_volume(volume.id))
        await ledger.write(lambda books: books.drop_network(network.id))
        assert await ledger.read(lambda books: (books.volumes(), books.networks())) == ((other,), ())

    # images, accounts -------------------------------------------------------------------------------
    async def test_tags_are_found_by_name_and_owner(self, ledger: Ledger) -> None:
        image = ImageId("sha256:1")
        mine = Tag(ref="ds01-1001/thesis:latest", image=image, provenance=Provenance.USER, owner=ALICE.uid)
        shared = Tag(ref="ds01/minimal:latest", image=image, provenance=Provenance.ADMIN, owner=None)
        await ledger.write(put(mine, shared))
        assert await ledger.read(lambda books: books.tag(mine.ref)) == mine
        assert await ledger.read(lambda books: books.tags(ALICE.uid)) == (mine,)
        moved = replace(mine, image=ImageId("sha256:2"))
        await ledger.write(put(moved))
        await ledger.write(lambda books: books.drop_tag(shared.ref))
        await ledger.write(lambda books: books.drop_tag("none"))
        assert await ledger.read(lambda books: books.tags()) == (moved,)

    async def test_an_image_has_everybody_who_brought_it(self, ledger: Ledger) -> None:
        one, other = ImageId("sha256:1"), ImageId("sha256:2")
        hers = Ownership(image=one, uid=ALICE.uid, epoch=1, at=NOW)
        his = Ownership(image=one, uid=BOB.uid, epoch=1, at=NOW + timedelta(minutes=1))
        more = Ownership(image=other, uid=ALICE.uid, epoch=1, at=NOW + timedelta(minutes=2))
        await ledger.write(put(more, his, hers))
        assert await ledger.read(lambda books: books.ownerships()) == (hers, his, more)
        assert await ledger.read(lambda books: books.ownerships(image=one)) == (hers, his)
        assert await ledger.read(lambda books: books.ownerships(uid=ALICE.uid)) == (hers, more)
        await ledger.write(put(replace(hers, epoch=2)))
        await ledger.write(lambda books: books.drop_ownership(one, BOB.uid))
        await ledger.write(lambda books: books.drop_ownership(other, BOB.uid))
        assert await ledger.read(lambda books: books.ownerships()) == (replace(hers, epoch=2), more)

    async def test_i6_the_latest_epoch_of_an_account_counts(self, ledger: Ledger) -> None:
        uid = Uid(4294967294)
        first = Account(uid=uid, login="204214@lab.lan", epoch=1)
        second = Account(uid=uid, login="h.baker@lab.lan", epoch=2, since=NOW)
        await ledger.write(put(second, first))
        assert await ledger.read(lambda books: books.account(uid)) == second
        assert await ledger.read(lambda books: books.account(ALICE.uid)) is None

    # notices ----------------------------------------------------------------------------------------
    async def test_notices_are_kept_and_those_that_hold_no_more_are_left_out(self, ledger: Ledger) -> None:
        first = Notice(
            id=NoticeId("notice-1"), at=NOW, uid=ALICE.uid, epoch=1, subject="c" * 64, name="thesis", rule=Rule.IDLE,
            level=Level.WARNING, title="thesis stops", text="why\nand how", acts_at=NOW + timedelta(minutes=15),
            reached={"terminals": "pts/3"},
        )  # fmt: skip
        later = replace(first, id=NoticeId("notice-2"), at=NOW + timedelta(minutes=1), level=Level.LAST)
        his = replace(first, id=NoticeId("notice-3"), at=NOW + timedelta(minutes=2), uid=BOB.uid)
        for notice in (later, first, his):
            await ledger.write(lambda books, notice=notice: books.put_notice(notice))  # type: ignore[misc]
        assert await ledger.read(lambda books: books.notices()) == (first, later, his)
        over = replace(first, ended_at=NOW, seen_at=NOW, delivered_at=NOW)
        await ledger.write(lambda books: books.put_notice(over))
        assert await ledger.read(lambda books: books.notices(ALICE.uid)) == (later,)
        assert await ledger.read(lambda books: books.notices(ALICE.uid, ended=True)) == (over, later)
        assert await ledger.read(lambda books: books.notices(ended=True, limit=1)) == (his,)
        assert await ledger.read(lambda books: books.notice(over.id)) == over
        assert await ledger.read(lambda books: books.notice(NoticeId("no"))) is None

    async def test_old_notices_of_what_has_happened_are_found_the_oldest_first(self, ledger: Ledger) -> None:
        first = Notice(
            id=NoticeId("notice-1"), at=NOW, uid=ALICE.uid, epoch=1, subject="c" * 64, name="thesis", rule=Rule.IDLE,
            level=Level.NOTICE, title="thesis was stopped", text="why",
        )  # fmt: skip
        later = replace(first, id=NoticeId("notice-2"), at=NOW + timedelta(minutes=1), uid=BOB.uid)
        warns = replace(first, id=NoticeId("notice-3"), level=Level.WARNING)
        read = replace(first, id=NoticeId("notice-4"), seen_at=NOW, ended_at=NOW)
        for notice in (later, first, warns, read):
            await ledger.write(lambda books, notice=notice: books.put_notice(notice))  # type: ignore[misc]
        soon = NOW + timedelta(minutes=2)
        assert await ledger.read(lambda books: books.unread_notices(soon)) == (first, later)
        assert await ledger.read(lambda books: books.unread_notices(soon, 1)) == (first,)
        assert await ledger.read(lambda books: books.unread_notices(later.at)) == (first,)
        assert await ledger.read(lambda books: books.unread_notices(NOW)) == ()

    async def test_notices_that_are_over_are_forgotten_and_no_others(self, ledger: Ledger) -> None:
        stands = Notice(
            id=NoticeId("stands"), at=NOW, uid=ALICE.uid, epoch=1, subject="c" * 64, name="thesis", rule=Rule.IDLE,
            level=Level.NOTICE, title="thesis was stopped", text="why",
        )  # fmt: skip
        over = [replace(stands, id=NoticeId(f"over-{n}"), ended_at=NOW + timedelta(days=n)) for n in range(4)]
        for notice in (*over, stands):
            await ledger.write(lambda books, notice=notice: books.put_notice(notice))  # type: ignore[misc]
        before = NOW + timedelta(days=3)
        assert await ledger.write(lambda books: books.drop_notices(before, 2)) == 2
        assert await ledger.write(lambda books: books.drop_notices(before, 2)) == 1
        assert await ledger.write(lambda books: books.drop_notices(before, 2)) == 0
        left = await ledger.read(lambda books: books.notices(ended=True))
        assert {notice.id for notice in left} == {"over-3", "stands"}

    async def test_how_somebody_wants_to_be_told_is_her_own(self, ledger: Ledger) -> None:
        wish = Preferences(uid=ALICE.uid, epoch=2, mail="alice@lab.lan", off=frozenset({"terminals"}))
        await ledger.write(lambda books: books.put_preferences(wish))
        assert await ledger.read(lambda books: books.preferences(ALICE.uid, 2)) == wish
        assert await ledger.read(lambda books: books.preferences(ALICE.uid, 1)) is None

    async def test_exemptions_come_and_go(self, ledger: Ledger) -> None:
        given = GrantedExemption(
            id=ExemptionId("exemption-1"), at=NOW, by=Uid(0), login="alice", keys=frozenset({"idle", "runtime"}),
            until=NOW + timedelta(days=3), reason="thesis deadline",
        )  # fmt: skip
        await ledger.write(lambda books: books.put_exemption(given))
        assert await ledger.read(lambda books: books.granted_exemptions()) == (given,)
        await ledger.write(lambda books: books.drop_exemption(given.id))
        assert await ledger.read(lambda books: books.granted_exemptions()) == ()

    async def test_one_announcement_stands_at_most(self, ledger: Ledger) -> None:
        first = Announcement(id="announcement-1", at=NOW, by=Uid(0), text="soon", until=NOW + timedelta(days=1))
        later = replace(first, id="announcement-2", text="later", told_at=NOW + timedelta(minutes=1))
        assert await ledger.read(lambda books: books.announcement()) is None
        for said in (first, later):
            await ledger.write(lambda books, said=said: books.put_announcement(said))  # type: ignore[misc]
            assert await ledger.read(lambda books: books.announcement()) == said
        await ledger.write(lambda books: books.drop_announcement())
        await ledger.write(lambda books: books.drop_announcement())
        assert await ledger.read(lambda books: books.announcement()) is None

    # events -----------------------------------------------------------------------------------------
    async def test_events_are_numbered_in_order_without_gaps(self, ledger: Ledger) -> None:
        def record_and_fail(books: Books) -> None:
            books.record(event("lost"))
            raise LookupError

        first = await ledger.write(lambda books: books.record(event("one")))
        with pytest.raises(LookupError):
            await ledger.write(record_and_fail)
        second = await ledger.write(lambda books: books.record(event("two")))
        assert (first.seq, second.seq) == (1, 2)
        assert await ledger.read(lambda books: books.events()) == (first, second)

    async def test_events_are_chosen_by_every_field(self, ledger: Ledger) -> None:
        def fill(books: Books) -> None:
            for number in range(10):
                books.record(event(f"s{number % 2}", minutes=number))
            books.record(replace(event("s0", EventType.LEASE_GRANTED, 20), uid=BOB.uid))
            books.record(replace(event("s0", EventType.DAEMON_STARTED, 21), uid=None, actor=None))

        await ledger.write(fill)

        async def seqs(**chosen: Any) -> list[int]:
            found = await ledger.read(lambda books: books.events(**chosen))
            return [one.seq for one in found]

        assert await seqs(after=9) == [10, 11, 12]
        assert await seqs(uid=BOB.uid) == [11]
        assert await seqs(subject="s1") == [2, 4, 6, 8, 10]
        assert await seqs(types=[EventType.LEASE_GRANTED, EventType.DAEMON_STARTED]) == [11, 12]
        assert await seqs(since=NOW + timedelta(minutes=9)) == [10, 11, 12]
        assert await seqs(uid=ALICE.uid, subject="s0", limit=2) == [7, 9]
        assert await seqs(uid=ALICE.uid, subject="s0", before=7, limit=2) == [3, 5]
        assert await seqs(after=3, before=6) == [4, 5]
        assert await seqs(before=1) == []

    async def test_who_goes_on_from_the_last_event_it_read_misses_none(self, ledger: Ledger) -> None:
        """With ``after``, a limit gives the first ones; the type is asked for before they are counted."""

        def fill(books: Books) -> None:
            for number in range(10):
                books.record(
                    event(f"s{number}", EventType.LEASE_GRANTED if number % 2 else EventType.CONTAINER_STARTED)
                )

        await ledger.write(fill)

        async def page(after: int, *types: EventType) -> list[int]:
            found = await ledger.read(lambda books: books.events(after=after, types=types, limit=3))
            return [one.seq for one in found]

        assert [await page(0), await page(3), await page(9), await page(10)] == [[1, 2, 3], [4, 5, 6], [10], []]
        assert await page(0, EventType.LEASE_GRANTED) == [2, 4, 6]
        assert await page(6, EventType.LEASE_GRANTED) == [8, 10]

    async def test_waiting_ends_with_the_next_event(self, ledger: Ledger) -> None:
        assert await ledger.wait(0, 0) == 0
        waiting = asyncio.create_task(ledger.wait(0, 30))
        await ledger.write(lambda books: books.put_note("no", "event"))
        assert not waiting.done()
        await ledger.write(lambda books: books.record(event("one")))
        assert await waiting == 1
        assert await ledger.wait(0, 30) == 1

    async def test_who_waits_for_some_events_is_not_woken_by_others(self, ledger: Ledger) -> None:
        waiting = asyncio.create_task(ledger.wait(0, 30, (EventType.LEASE_GRANTED,)))
        await ledger.write(lambda books: books.record(event("one")))
        assert await ledger.wait(0, 0, (EventType.LEASE_GRANTED,)) == 1
        assert not waiting.done()
        assert not ledger.heard(0, (EventType.LEASE_GRANTED,))
        await ledger.write(lambda books: books.record(event("two", EventType.LEASE_GRANTED)))
        assert await waiting == 2
        assert ledger.heard(1, (EventType.LEASE_GRANTED,))
        assert not ledger.heard(2, (EventType.LEASE_GRANTED,))

    async def test_a_glance_sees_what_was_written(self, ledger: Ledger) -> None:
        assert ledger.glance(lambda books: books.note("key")) is None
        await ledger.write(lambda books: books.put_note("key", "value"))
        assert ledger.glance(lambda books: books.note("key")) == "value"
        with pytest.raises(Ds01Error) as refused:
            ledger.glance(lambda books: books.put_note("key", "other"))
        assert refused.value.kind is LEDGER_ERROR

    async def test_waiting_ends_when_the_ledger_closes(self, ledger: Ledger) -> None:
        waiting = asyncio.create_task(ledger.wait(0, 30))
        await asyncio.sleep(0)
        await ledger.close()
        assert await waiting == 0


class TestMemoryLedger(LedgerContract):
    @pytest.fixture
    async def ledger(self) -> AsyncIterator[Ledger]:
        ledger = MemoryLedger()
        yield ledger
        await ledger.close()


class TestSqlLedger(LedgerContract):
    @pytest.fixture
    async def ledger(self, tmp_path: Path) -> AsyncIterator[Ledger]:
        ledger = SqlLedger(tmp_path / "ledger.db")
        yield ledger
        await ledger.close()
