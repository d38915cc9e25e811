"""Random lives of the queue against what must always hold.

Whoever asks, waits, claims, books, fails, gives up, is late or gone, whatever falls ill, whenever ds01d is killed and
however the clock steps: a turn has its slots, nobody passes a quota, after a pass nobody waits for what she could have,
and nothing is started where it would run into a booking that could be kept without it.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable
from datetime import timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from ds01.domain.errors import Ds01Error
from ds01.domain.gpu import SlotId
from ds01.domain.gpu_ask import GpuAsk
from ds01.domain.lease import Lease, LeaseState
from ds01.domain.people import User
from ds01.domain.quarantine import Keeper
from ds01.domain.queue.booking import Booking
from ds01.domain.queue.plan import Owner
from ds01.domain.queue.request import Request, RequestState
from ds01.domain.queue.seating import seated
from ds01.ports.ledger import Books
from ds01.services import lease as leases
from ds01.services.booking.book import book
from ds01.services.booking.cancel import cancel
from ds01.services.booking.standing import occupied, standing
from ds01.services.booking.watch import watch
from ds01.services.lease import Want
from ds01.services.queue import turn
from ds01.services.queue.grant import grant
from ds01.services.queue.join import join
from ds01.services.queue.scene import scene, waiting
from ds01.services.running import give_back
from ds01.wire.bookings import BookRequest
from tests.effort import tries
from tests.server import ALICE, BOB, ROOT, SimServer
from tests.server import settings as limits

T = TypeVar("T")

USERS = st.sampled_from([ALICE, BOB, ROOT])
NAMES = st.sampled_from(["a", "b"])
ASKS = st.builds(GpuAsk, count=st.integers(1, 3))
PLANNED = st.sampled_from([None, timedelta(minutes=30), timedelta(hours=5)])
QUOTA = Fraction(3)


class QueueMachine(RuleBasedStateMachine):
    """Four GPUs, three people."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = tempfile.TemporaryDirectory(prefix="ds01-queue")
        self.server = SimServer(run=Path(self.folder.name))
        self.server.policy.settings = limits(
            gpus__max=QUOTA, gpus__per_container=3, bookings__notice=timedelta(0), bookings__per_week=None
        )  # fmt: skip
        self.do(self.server.open())
        self.callers = {user.uid: self.do(self.server.caller(user)) for user in (ALICE, BOB, ROOT)}
        self.passed = False

    def teardown(self) -> None:
        self.loop.close()
        self.folder.cleanup()

    def do(self, work: Any) -> Any:
        return self.loop.run_until_complete(work)

    def write(self, work: Callable[[Books], T]) -> T:
        self.passed = False
        found: T = self.do(self.server.world.ledger.write(work))
        return found

    def read(self, work: Callable[[Books], T]) -> T:
        found: T = self.do(self.server.world.ledger.read(work))
        return found

    # what people do ---------------------------------------------------------------------------------
    @rule(user=USERS, name=NAMES, ask=ASKS, planned=PLANNED, fails=st.booleans())
    def launch(self, user: User, name: str, ask: GpuAsk, planned: timedelta | None, fails: bool) -> None:
        """At once, or with what is kept for her; the engine may fail."""
        if self._running(user, name):
            return
        self.do(self.server.clock.advance(1))
        want, now = self._want(user, name, ask, planned), self.server.clock.now()
        kept = self.read(lambda books: turn.named(books, want.owner, name))
        before = self._promised()
        try:
            lease = self.write(lambda books: grant(books, self.server.world, want, now))
        except Ds01Error:
            return
        self._keeps_bookings(before)
        if fails:
            self.write(lambda books: give_back(books, lease, "it did not start", now))
            if kept is not None and kept.lease == lease.id:
                again = self.read(lambda books: turn.named(books, want.owner, name))
                assert again is not None
                assert again.lease == lease.id
            return
        self.write(lambda books: leases.activate(books, lease.id, f"container of {lease.id}", now))
        self.write(lambda books: turn.claimed(books, lease.id, now, user.uid))

    @rule(user=USERS, name=NAMES, ask=ASKS, planned=PLANNED, minutes=st.sampled_from([None, 15]))
    def wait(self, user: User, name: str, ask: GpuAsk, planned: timedelta | None, minutes: int | None) -> None:
        if self._running(user, name):
            return
        self.do(self.server.clock.advance(1))
        want, now = self._want(user, name, ask, planned), self.server.clock.now()
        until = None if minutes is None else now + timedelta(minutes=minutes)
        try:
            self.write(lambda books: join(books, want, now, order="{}", wait_until=until))
        except Ds01Error:
            return

    @rule(user=USERS, count=st.integers(1, 3), begin=st.sampled_from([5, 30, 120]), minutes=st.sampled_from([10, 60]))
    def book(self, user: User, count: int, begin: int, minutes: int) -> None:
        request = BookRequest(begins=f"in {begin}m", length_seconds=minutes * 60, gpus=str(count))
        before = self._promised()
        try:
            self.do(book(self.server.world, self.callers[user.uid], request))
        except Ds01Error:
            return
        finally:
            self.passed = False
        assert before <= self._promised(), "a booking took from another one what that had"

    @precondition(lambda self: self._bookings())
    @rule(data=st.data())
    def give_up_a_booking(self, data: st.DataObject) -> None:
        booking = data.draw(st.sampled_from(self._bookings()))
        self.do(cancel(self.server.world, self.callers[booking.uid], booking.name))
        self.passed = False

    @precondition(lambda self: self._requests())
    @rule(data=st.data())
    def give_up(self, data: st.DataObject) -> None:
        request = data.draw(st.sampled_from(self._requests()))
        now = self.server.clock.now()
        self.write(lambda books: turn.give_up(books, request, now, actor=None))

    @precondition(lambda self: self._active())
    @rule(data=st.data(), hold=st.booleans())
    def stop(self, data: st.DataObject, hold: bool) -> None:
        lease = data.draw(st.sampled_from(self._active()))
        now = self.server.clock.now()
        if hold and lease.state is LeaseState.ACTIVE:
            self.write(lambda books: leases.hold(books, lease.id, now + timedelta(minutes=15), now))
        else:
            self.write(lambda books: leases.release(books, lease.id, "retired", now))

    # what time and the machine do -------------------------------------------------------------------
    @rule(minutes=st.integers(1, 20))
    def time_passes(self, minutes: int) -> None:
        self.do(self.server.reconciler.end_leases())
        self.do(self.server.clock.advance(minutes * 60))
        self.do(self.server.reconciler.end_leases())
        self.do(watch(self.server.world))
        self.passed = False

    @rule(hours=st.sampled_from([-1, 1]))
    def the_clock_steps(self, hours: int) -> None:
        self.server.clock.jump(timedelta(hours=hours))
        self.passed = False

    @rule(data=st.data(), sick=st.booleans())
    def a_slot_is_quarantined_or_healed(self, data: st.DataObject, sick: bool) -> None:
        slot: SlotId = data.draw(st.sampled_from([slot.id for slot in self.read(lambda books: books.slots())]))
        self.write(lambda books: books.quarantine(slot, Keeper.DRIVER, "sick" if sick else None))

    @rule()
    def ds01d_is_killed(self) -> None:
        before = self._requests()
        self.server.restart()
        assert self._requests() == before
        self.passed = False

    @rule()
    def a_pass(self) -> None:
        before = self._promised()
        self.do(self.server.turns.take())
        self._keeps_bookings(before)
        self.passed = True

    # what must hold after each of them --------------------------------------------------------------
    @invariant()
    def a_turn_has_its_slots(self) -> None:
        for request in self._requests():
            assert (request.state is RequestState.RESERVED) == (request.lease is not None)
            lease = next((lease for lease in self._leases() if lease.id == request.lease), None)
            if self.passed and request.state is RequestState.RESERVED:
                assert lease is not None
                assert (lease.state, lease.name, lease.uid) == (LeaseState.RESERVED, request.name, request.uid)
                assert len(lease.slots) == request.ask.count

    @invariant()
    def a_name_waits_once(self) -> None:
        names = [(request.uid, request.name) for request in self._requests()]
        assert len(names) == len(set(names))

    @invariant()
    def nothing_is_reserved_for_nobody(self) -> None:
        kept = {request.lease for request in self._requests()}
        reserved = {lease.id for lease in self._leases() if lease.state is LeaseState.RESERVED}
        assert reserved <= kept

    @invariant()
    def no_quota_is_passed(self) -> None:
        for user in (ALICE, BOB, ROOT):
            own = [lease for lease in self._leases() if lease.uid == user.uid and not lease.booking]
            assert sum((lease.gpueq for lease in own), Fraction(0)) <= QUOTA

    @invariant()
    def nobody_has_more_of_a_booking_than_was_booked(self) -> None:
        for booking in self._bookings():
            mine = [lease for lease in self._leases() if lease.booking == booking.id]
            assert {lease.uid for lease in mine} <= booking.uids
            assert sum(len(lease.slots) for lease in mine) <= booking.count

    @invariant()
    def what_is_over_is_kept_for_nobody(self) -> None:
        now = self.server.clock.now()
        rules = self.server.world.settings().queue
        standing_ = self.read(lambda books: standing(books, rules.unclaimed, now))
        assert all(now < booking.ends_at for booking in standing_)

    @invariant()
    def no_slot_is_leased_twice(self) -> None:
        held = [slot for lease in self._leases() for slot in lease.slots]
        assert len(held) == len(set(held))

    @invariant()
    def after_a_pass_nobody_waits_for_what_she_could_have(self) -> None:
        if self.passed:
            world = self.server.world
            rules, now = world.settings().queue, self.server.clock.now()
            plan = self.read(lambda books: scene(books, world.line, rules, now).plan(waiting(books)))
            assert plan.starts == ()

    def _promised(self) -> set[str]:
        """Bookings that can be kept if everything ends when it must, on the GPUs that are well."""

        def read(books: Books) -> set[str]:
            now, ill = self.server.clock.now(), books.quarantined()
            binding = standing(books, self.server.world.settings().queue.unclaimed, now)
            slots = [slot for slot in books.slots() if slot.id not in ill]
            everything = [*binding, *occupied(books.open_leases(), binding, now)]
            lacking = {one.id for one in seated(everything, slots).unseated}
            return {str(one.id) for one in binding if one.id not in lacking and one.begins_at > now}

        found: set[str] = self.read(read)
        return found

    def _keeps_bookings(self, before: set[str]) -> None:
        """What could be kept before somebody started can be kept after."""
        assert before <= self._promised(), "something was started that runs into a booking"

    def _bookings(self) -> list[Booking]:
        return list(self.read(lambda books: books.bookings()))

    # looking ----------------------------------------------------------------------------------------
    def _want(self, user: User, name: str, ask: GpuAsk, planned: timedelta | None) -> Want:
        want: Want = self.callers[user.uid].wants(name, ask, planned)
        return want

    def _requests(self) -> list[Request]:
        return list(self.read(lambda books: books.open_requests()))

    def _leases(self) -> list[Lease]:
        found = self.read(lambda books: books.open_leases())
        return sorted(found, key=lambda lease: (lease.granted_at, lease.uid, lease.name))

    def _active(self) -> list[Lease]:
        return [lease for lease in self._leases() if lease.state is not LeaseState.RESERVED]

    def _running(self, user: User, name: str) -> bool:
        mine = (lease for lease in self._leases() if Owner(lease.uid, lease.epoch) == Owner(user.uid, 1))
        return any(lease.name == name and lease.state is not LeaseState.RESERVED for lease in mine)


TestQueue: Any = QueueMachine.TestCase
TestQueue.settings = settings(
    max_examples=tries(60), stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
