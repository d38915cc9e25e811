"""What one pass over the queue looks at, and what it decides.

All of it are values: the daemon fills them from the ledger, the simulator from a trace, tests by hand. The pass is
``decide.decide(waiting: Iterable[Request], server: Server, members: Mapping[Owner, Member], now, rules) -> Plan``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from fractions import Fraction
from typing import NamedTuple

from ds01.domain.gpu import Slot, SlotId
from ds01.domain.lease import Lease, LeaseState
from ds01.domain.people import Uid
from ds01.domain.placement import Placed
from ds01.domain.queue.booking import Booking
from ds01.domain.queue.request import Request, RequestId
from ds01.domain.queue.usage import HALF_LIFE, Share, Usage


class Owner(NamedTuple):
    """Who waits or holds: a uid in one of its epochs."""

    uid: Uid
    epoch: int


class Why(StrEnum):
    """The one reason a request waits for. ``words`` of ``explain`` says it to people."""

    QUOTA = "quota"
    """She holds as much as she may, or will with what she was given a time for; something of hers must end first."""
    FULL = "full"
    """Nothing that fits is free, and she is next."""
    BOOKING = "booking"
    """What is free is promised to somebody before she would be done."""
    FAIR_SHARE = "fair share"
    """Others who had less, or wait longer, go first."""
    HEAD = "head reservation"
    """What is free is kept for the one who is next and needs more than is free."""
    QUARANTINE = "quarantine"
    """So much is out of service that the rest can never be enough."""


class Taken(NamedTuple):
    """Slots somebody has: one open lease. ``until`` is when they are back at the latest; None: nobody knows.

    ``since`` is when they were taken, ``booking`` the one they are part of: such do not count against the quota.
    ``lease`` is its id and ``state`` how it stands, where that matters.
    """

    owner: Owner
    slots: tuple[SlotId, ...]
    gpueq: Fraction
    since: datetime
    until: datetime | None = None
    booking: str = ""
    lease: str = ""
    state: LeaseState = LeaseState.ACTIVE


def taken(lease: Lease, now: datetime) -> Taken:
    """What a lease keeps from others. A hold that outlives its time keeps nothing, and counts for whose it is."""
    until = lease.granted_at + lease.planned if lease.planned is not None else None
    if lease.state is LeaseState.HELD:
        until = min(filter(None, (until, lease.expires_at)), default=None)
    return Taken(
        owner=Owner(lease.uid, lease.epoch), slots=() if lease.outlives(now) else lease.slots, gpueq=lease.gpueq,
        since=lease.granted_at, until=until, booking=lease.booking, lease=lease.id, state=lease.state,
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Member:
    """What the queue must know of somebody: what she may hold, which slots she may use, her part of the server.

    ``used`` is her usage without what she has now; the pass adds that from ``Taken``. ``gathered_at`` is when a
    request of hers for several slots last got them: those who need several take turns. ``runs`` is what part of the
    time she asks for she uses (``estimate.Runs``); it makes estimates, never promises. Whoever ``yields`` goes after
    everybody who does not, and ``notice`` is how long before her GPU is taken she is told.
    """

    quota: Fraction | None = None
    mig: str = "allowed"
    share: Share = field(default_factory=Share)
    used: Usage | None = None
    gathered_at: datetime | None = None
    runs: float = 1.0
    yields: bool = False
    notice: timedelta = timedelta(0)


@dataclass(frozen=True, kw_only=True)
class Server:
    """The slots, who has which, what is ill, and what is promised."""

    slots: tuple[Slot, ...]
    taken: tuple[Taken, ...] = ()
    quarantined: Mapping[SlotId, str] = field(default_factory=dict)
    last_used: Mapping[SlotId, datetime] = field(default_factory=dict)
    bookings: tuple[Booking, ...] = ()


class Order(StrEnum):
    """Who goes first, and who may pass whom."""

    FIFO = "fifo"
    """In order of arrival; nobody passes anybody."""
    FIFO_SKIP = "fifo-skip"
    """In order of arrival; whoever fits passes whoever does not. Large requests may wait for ever."""
    EASY = "easy"
    """In order of arrival; the first that does not fit is given a time, and whoever does not delay it may pass."""
    FAIR_SHARE = "fairshare"
    """In order of priority, with a given time as in ``easy``, and a guard for those who need many slots at once."""


@dataclass(frozen=True, kw_only=True)
class Rules:
    """How the queue is run: the settings of the whole server.

    The priority is ``fair`` times the fair-share factor (0 to 1), plus the head start of the group, plus the time
    waited in multiples of ``age`` and the planned time together, of which no more than ``longest`` counts: what is
    short is not made to wait as long as what is long, and what is very long is not put off for ever.

    ``guard`` is the price of a reservation for several slots at once: it is made when the request has waited
    ``guard`` times as long as it would keep each slot from others, idle and then its own; 0 is at once, None never.
    Who needs one slot never waits for it to be gathered, but endless short ones may pass her: after ``patience`` it is
    her turn among those who need several, at no price.
    ``claim`` is how long slots are held for a person, ``unclaimed`` how long booked ones are kept when nobody comes.
    """

    order: Order = Order.FAIR_SHARE
    half_life: timedelta = HALF_LIFE
    fair: float = 5.0
    age: timedelta = timedelta(minutes=1)
    longest: timedelta = timedelta(days=1)
    guard: float | None = 4.0
    patience: timedelta = timedelta(days=1)
    claim: timedelta = timedelta(minutes=10)
    unclaimed: timedelta = timedelta(minutes=15)

    @property
    def guards(self) -> bool:
        """Whether those whom others could pass for ever are guarded at all."""
        return self.order is Order.FAIR_SHARE and self.guard is not None

    def collects(self, request: Request, now: datetime) -> bool:
        """Whether it is guarded: it needs several slots, or has waited too long for one."""
        return request.ask.count > 1 or (self.guards and now - request.submitted_at >= self.patience)


@dataclass(frozen=True, kw_only=True)
class Start:
    """A request whose turn it is, the slots it gets, and the booking they are of, if any."""

    request: RequestId
    placed: Placed
    booking: str = ""


def starting(start: Start, request: Request, now: datetime) -> Taken:
    """What a request has from the moment it is started."""
    return Taken(
        owner=Owner(request.uid, request.epoch), slots=tuple(slot.id for slot in start.placed.slots),
        gpueq=start.placed.gpueq, since=now, until=None if request.planned is None else now + request.planned,
        booking=start.booking,
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Head:
    """The first request that cannot start: from ``at`` on these slots are its own, and nothing may delay that.

    ``at`` is None when nobody knows when what it needs will be back.
    """

    request: RequestId
    at: datetime | None
    slots: tuple[SlotId, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a pass decided: who starts now and where, who is next and when, and why the others wait.

    ``order`` is everybody who is left, the next one first; ``reasons`` has all of them.
    """

    starts: tuple[Start, ...] = ()
    head: Head | None = None
    order: tuple[RequestId, ...] = ()
    reasons: Mapping[RequestId, Why] = field(default_factory=dict)
