"""A small server for tests of the queue: whole GPUs, people by letter, times in hours from now."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from fractions import Fraction

from ds01.domain.gpu import Slot, SlotId
from ds01.domain.gpu_ask import GpuAsk
from ds01.domain.people import Uid
from ds01.domain.queue.booking import Booking, BookingId
from ds01.domain.queue.decide import decide
from ds01.domain.queue.plan import Member, Order, Owner, Plan, Rules, Server, Taken
from ds01.domain.queue.request import Request, RequestId
from ds01.domain.queue.usage import Share, Usage
from tests.values import NOW, gpu, slots

EASY = Rules(order=Order.EASY)
FAIR = Rules()


def hours(number: float) -> timedelta:
    return timedelta(hours=number)


def who(letter: str) -> Owner:
    return Owner(Uid(1000 + ord(letter)), 1)


def gpus(count: int) -> tuple[Slot, ...]:
    return slots(*(gpu(index) for index in range(count)))


def want(
    name: str, count: int = 1, length: float | None = 1, *, waited: float = 0, by: str = "a", priority: int = 0,
    profile: str | None = None,
) -> Request:  # fmt: skip
    """A request for some slots and hours, made so many hours ago."""
    owner = who(by)
    return Request(
        id=RequestId(name), uid=owner.uid, epoch=owner.epoch, name=name, ask=GpuAsk(count=count, profile=profile),
        submitted_at=NOW - hours(waited), planned=None if length is None else hours(length), priority=priority,
    )  # fmt: skip


def has(by: str, numbers: Sequence[int], left: float | None, since: float = -1, booking: str = "") -> Taken:
    """GPUs somebody has, for so many hours yet."""
    return Taken(
        owner=who(by), slots=tuple(SlotId(f"GPU-{number}") for number in numbers), gpueq=Fraction(len(numbers)),
        since=NOW + hours(since), until=None if left is None else NOW + hours(left), booking=booking,
    )  # fmt: skip


def booked(name: str, begin: float, end: float, count: int = 1, by: str = "z") -> Booking:
    owner = who(by)
    return Booking(
        id=BookingId(name), uid=owner.uid, epoch=1, name=name, ask=GpuAsk(count=count),
        begins_at=NOW + hours(begin), ends_at=NOW + hours(end), uids=frozenset({owner.uid}),
    )  # fmt: skip


def member(*, quota: int | None = None, used: float = 0, shares: int = 1, gathered: float | None = None) -> Member:
    return Member(
        quota=None if quota is None else Fraction(quota),
        share=Share(of_group=shares),
        used=Usage(seconds=used * 3600, at=NOW),
        gathered_at=None if gathered is None else NOW + hours(gathered),
    )


def plan(
    waiting: Iterable[Request], size: int = 4, taken: Sequence[Taken] = (), *, bookings: Sequence[Booking] = (),
    rules: Rules = FAIR, ill: Sequence[int] = (), kept: str | None = None, after: float = 0, **members: Member,
) -> Plan:  # fmt: skip
    """One pass on a server of whole GPUs."""
    known = {who(letter): Member() for letter in "abcdefgz"} | {who(key): value for key, value in members.items()}
    server = Server(
        slots=gpus(size), taken=tuple(taken), bookings=tuple(bookings),
        quarantined={SlotId(f"GPU-{number}"): "Xid 79" for number in ill},
    )  # fmt: skip
    return decide(waiting, server, known, NOW + hours(after), rules, kept=None if kept is None else RequestId(kept))


def started(found: Plan) -> list[str]:
    return [start.request for start in found.starts]
