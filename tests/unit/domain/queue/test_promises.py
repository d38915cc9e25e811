"""What holds whatever happens: a random life of a server, its queue and its bookings, against a simple model.

Runs take, end early or late, are held and released, requests come and go, GPUs fall ill and are divided, bookings are
made and end, the clock jumps. After every pass: no slot is given twice, nobody is over her quota, nothing that would
still run is started on booked slots, and nobody who was given a time is delayed by what was started after her.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from ds01.domain.gpu import Gpu, Slot, SlotId
from ds01.domain.gpu_ask import GpuAsk
from ds01.domain.lease import Lease, LeaseId, LeaseState
from ds01.domain.people import Uid
from ds01.domain.placement import fits
from ds01.domain.queue.booking import Booking, BookingId
from ds01.domain.queue.decide import decide
from ds01.domain.queue.plan import Head, Member, Order, Owner, Plan, Rules, Server, Taken, Why, taken
from ds01.domain.queue.request import Request, RequestId
from ds01.domain.queue.seating import clashes
from tests.effort import tries
from tests.values import NOW, gpu, slots

PEOPLE = [Owner(Uid(2000 + number), 1) for number in range(4)]
PARTS = ("3g.20gb", "2g.10gb", "2g.10gb")
QUOTA = Fraction(3)
LONGEST = timedelta(hours=6)


class Sharing(RuleBasedStateMachine):
    """The ledger as lists; the pass is the only thing that grants."""

    def __init__(self) -> None:
        super().__init__()
        self.now = NOW
        self.gpus: list[Gpu] = []
        self.waiting: list[Request] = []
        self.taken: list[Lease] = []
        self.bookings: list[Booking] = []
        self.ill: set[SlotId] = set()
        self.how = Rules()
        self.head: Head | None = None
        self.ahead: set[RequestId] = set()
        self.undisturbed = False
        """Nothing but starts of the queue itself and ends happened since the head was given her time."""
        self.count = 0

    # what may happen ------------------------------------------------------------------------------------
    @initialize(
        size=st.integers(2, 5),
        order=st.sampled_from([*Order, *[Order.FAIR_SHARE] * 4]),
        guard=st.sampled_from([0.0, 1.0, 4.0]),
    )
    def server(self, size: int, order: Order, guard: float) -> None:
        self.gpus = [gpu(number) for number in range(size)]
        self.how = Rules(order=order, guard=guard)

    @rule(
        who=st.sampled_from(PEOPLE), count=st.integers(1, 3), minutes=st.integers(1, 360),
        profile=st.sampled_from([None, None, "full", "2g.10gb"]),
    )  # fmt: skip
    def asks(self, who: Owner, count: int, minutes: int, profile: str | None) -> None:
        ask = GpuAsk(count=count, profile=profile)
        if sum(fits(slot, ask) for slot in self.slots) < count:
            return  # refused at once: not the queue's affair
        self.count += 1
        self.waiting.append(
            Request(
                id=RequestId(f"r{self.count:04}"), uid=who.uid, epoch=1, name="x", ask=ask, submitted_at=self.now,
                planned=timedelta(minutes=minutes),
            )
        )  # fmt: skip
        self.undisturbed = False

    @rule(counts=st.lists(st.integers(1, 3), min_size=4, max_size=8), minutes=st.integers(10, 120))
    def many_ask(self, counts: list[int], minutes: int) -> None:
        """More than fits at once, so that somebody is given a time; in the order that ds01d uses."""
        for number, count in enumerate(counts):
            self.asks(PEOPLE[number % len(PEOPLE)], count, minutes + number, "full")
        self.passes()

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def gives_up(self, data: st.DataObject) -> None:
        self.waiting.remove(data.draw(st.sampled_from(self.waiting)))
        self.undisturbed = False

    @precondition(lambda self: self.taken)
    @rule(data=st.data())
    def ends(self, data: st.DataObject) -> None:
        self.taken.remove(data.draw(st.sampled_from(self.taken)))

    @precondition(lambda self: self.taken)
    @rule(data=st.data(), minutes=st.integers(1, 15))
    def is_held(self, data: st.DataObject, minutes: int) -> None:
        """A container stopped and its GPU is kept for a while, also past the time it was given for."""
        one = data.draw(st.sampled_from(self.taken))
        self.taken[self.taken.index(one)] = self.held(one, self.now, minutes)

    @rule(minutes=st.integers(1, 120), hold=st.integers(0, 15))
    def time_passes(self, minutes: int, hold: int) -> None:
        """Runs end at the latest when they must; then their GPUs are kept for a while."""
        self.now += timedelta(minutes=minutes)
        ended = [self.held(one, ends_at(one), hold) if ends_at(one) <= self.now else one for one in self.taken]
        self.taken = [one for one in ended if one.expires_at is None or one.expires_at > self.now]
        self.bookings = [one for one in self.bookings if one.ends_at > self.now]

    @precondition(lambda self: self.runs_something())
    @rule(hold=st.integers(0, 15))
    def the_next_one_ends(self, hold: int) -> None:
        """A run uses all its time, and its GPU is kept for a while."""
        end = min(ends_at(one) for one in self.taken if one.state is LeaseState.ACTIVE)
        self.time_passes(max(0, -(-int((end - self.now).total_seconds()) // 60)), hold)
        self.passes()

    @rule(hours=st.sampled_from([-1, 1]))
    def clock_jumps(self, hours: int) -> None:
        self.now += timedelta(hours=hours)
        self.undisturbed = False

    @rule(data=st.data())
    def falls_ill_or_recovers(self, data: st.DataObject) -> None:
        self.ill ^= {data.draw(st.sampled_from([slot.id for slot in self.slots]))}
        self.undisturbed = False

    @rule(data=st.data())
    def is_divided_or_joined(self, data: st.DataObject) -> None:
        """Never while leased; bookings that cannot be kept any more are called off."""
        number = data.draw(st.integers(0, len(self.gpus) - 1))
        old = self.gpus[number]
        mine = {slot.id for slot in slots(old)}
        if any(mine & set(one.slots) for one in self.taken):
            return
        self.gpus[number] = gpu(number) if old.mig else gpu(number, parts=PARTS)
        kept: list[Booking] = []
        for one in self.bookings:
            if sum(one.could_use(slot) for slot in self.slots) >= one.count and not clashes(one, kept, self.slots):
                kept.append(one)
        self.bookings = kept
        self.waiting = [one for one in self.waiting if sum(fits(slot, one.ask) for slot in self.slots) >= one.ask.count]
        self.undisturbed = False

    @rule(who=st.sampled_from(PEOPLE), begin=st.integers(0, 300), length=st.integers(10, 180), count=st.integers(1, 2))
    def books(self, who: Owner, begin: int, length: int, count: int) -> None:
        """Ahead of every run that is going on, as policy has it."""
        at = self.now + LONGEST + timedelta(minutes=begin)
        self.count += 1
        new = Booking(
            id=BookingId(f"b{self.count}"), uid=who.uid, epoch=1, name="x", ask=GpuAsk(count=count, profile="full"),
            begins_at=at, ends_at=at + timedelta(minutes=length), uids=frozenset({who.uid}),
        )  # fmt: skip
        able = sum(new.could_use(slot) and slot.id not in self.ill for slot in self.slots)
        if able >= count and not clashes(new, self.bookings, self.slots):
            self.bookings.append(new)
            self.undisturbed = False

    @rule()
    def passes(self) -> None:
        """The pass, and what must be true of what it decided."""
        kept = None if self.head is None else self.head.request
        server = Server(
            slots=self.slots, taken=self.seen(), bookings=tuple(self.bookings),
            quarantined=dict.fromkeys(self.ill, "Xid 79"),
        )  # fmt: skip
        members = {who: Member(quota=QUOTA) for who in PEOPLE}
        plan = decide(self.waiting, server, members, self.now, self.how, kept=kept)
        self.judge(plan)
        gone = self.grant(plan)
        self.head, self.undisturbed = plan.head, True
        self.ahead = set(plan.order[: plan.order.index(plan.head.request)]) if plan.head else set()
        again = decide(self.waiting, self.after(server), members, self.now, self.how, kept=kept_now(plan)).starts
        assert again == () or gone, "a pass left something to do, and nobody's quota came free"

    # the model ------------------------------------------------------------------------------------------
    @property
    def slots(self) -> tuple[Slot, ...]:
        return slots(*self.gpus)

    def after(self, server: Server) -> Server:
        return replace(server, taken=self.seen())

    def seen(self) -> tuple[Taken, ...]:
        """The leases as a pass sees them."""
        return tuple(taken(one, self.now) for one in self.taken)

    @staticmethod
    def held(one: Lease, at: datetime, minutes: int) -> Lease:
        if one.state is LeaseState.HELD:
            return one
        return replace(one, state=LeaseState.HELD, expires_at=at + timedelta(minutes=minutes))

    def judge(self, plan: Plan) -> None:
        by_id = {one.id: one for one in self.waiting}
        known = {slot.id: slot for slot in self.slots}
        used = {slot for one in self.taken if not one.outlives(self.now) for slot in one.slots}
        for start in plan.starts:
            request = by_id[start.request]
            mine = [slot.id for slot in start.placed.slots]
            assert len(mine) == request.ask.count == len(set(mine))
            assert not used & set(mine), "a slot was given twice"
            assert not self.ill & set(mine), "somebody was placed on an ill slot"
            assert all(fits(known[slot], request.ask) for slot in mine)
            used |= set(mine)
            self.keeps_bookings(request, mine)
        assert set(plan.order) | {start.request for start in plan.starts} == set(by_id)
        assert set(plan.reasons) == set(plan.order)
        self.keeps_the_time(plan)
        for one in plan.order:
            if plan.reasons[one] is Why.QUOTA:
                assert plan.head is None or plan.head.request != one

    def keeps_bookings(self, request: Request, mine: list[SlotId]) -> None:
        """Without this run the bookings could be kept, with it they still can: enough slots are left at their time."""
        end = self.now + (request.planned or timedelta.max)
        for booking in self.bookings:
            if request.uid in booking.uids or not self.now < booking.begins_at < end:
                continue
            rivals = [one for one in self.bookings if one.overlaps(booking)]
            needed = sum(one.count for one in rivals)
            busy = {
                slot for one in self.seen() if one.until is None or one.until > booking.begins_at for slot in one.slots
            }
            able = {slot.id for slot in self.slots if booking.could_use(slot) and slot.id not in self.ill} - busy
            if len(rivals) == 1 and len(able) >= needed:
                assert len(able - set(mine)) >= needed, "a run was started on booked slots"

    def keeps_the_time(self, plan: Plan) -> None:
        """Whoever was given a time still has one that is not later, unless somebody who was before her started.

        Where priorities change, one who gathers slots keeps her time whatever comes; of the others it is the order
        that counts, and only until the next pass.
        """
        if not self.undisturbed or self.head is None or self.head.at is None or self.bookings:
            return
        if self.how.order is Order.FAIR_SHARE and not self.gathers(self.head.request):
            return
        if self.ahead & {start.request for start in plan.starts}:
            return
        if any(plan.reasons.get(one, Why.QUOTA) is not Why.QUOTA for one in self.ahead):
            return  # somebody before her held as much as she may then, and does no more
        if self.head.request in plan.order:
            assert plan.head is not None
            assert plan.head.request == self.head.request, "the head lost her time"
            assert plan.head.at is not None
            assert plan.head.at <= max(self.head.at, self.now), "the head was delayed"

    def runs_something(self) -> bool:
        return any(one.state is LeaseState.ACTIVE for one in self.taken)

    def gathers(self, request: RequestId) -> bool:
        return any(one.id == request and one.ask.count > 1 for one in self.waiting)

    def grant(self, plan: Plan) -> bool:
        """Write it down; True when a hold gave way, which frees a part of its owner's quota."""
        by_id = {one.id: one for one in self.waiting}
        gone = False
        for start in plan.starts:
            request = by_id[start.request]
            self.waiting.remove(request)
            mine = tuple(slot.id for slot in start.placed.slots)
            yields = [one for one in self.taken if one.outlives(self.now) and set(mine) & set(one.slots)]
            self.taken = [one for one in self.taken if one not in yields]
            gone = gone or bool(yields)
            self.count += 1
            self.taken.append(
                Lease(
                    id=LeaseId(f"l{self.count}"), uid=request.uid, epoch=1, slots=mine, gpueq=start.placed.gpueq,
                    state=LeaseState.ACTIVE, granted_at=self.now, planned=request.planned or LONGEST,
                    booking=start.booking,
                )
            )  # fmt: skip
        return gone

    @invariant()
    def nobody_has_more_than_she_may(self) -> None:
        for who in PEOPLE:
            mine = [one for one in self.taken if one.uid == who.uid and not one.booking]
            assert sum((one.gpueq for one in mine), Fraction(0)) <= QUOTA

    @invariant()
    def no_slot_is_taken_twice(self) -> None:
        given = [slot for one in self.taken for slot in one.slots]
        assert len(given) == len(set(given))


def ends_at(one: Lease) -> datetime:
    """The end of the time its slots were given for."""
    return one.granted_at + (one.planned or LONGEST)


def kept_now(plan: Plan) -> RequestId | None:
    return None if plan.head is None else plan.head.request


Sharing.TestCase.settings = settings(
    max_examples=tries(150), stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestSharing = Sharing.TestCase
