"""The ledger: the one record of who has what. Written by ds01d alone, one transaction at a time.

A transaction is a plain function over ``Books``: it reads, decides with the rules, and writes; all or nothing,
durable when ``write`` returns. An acknowledged write survives ``kill -9`` and power loss.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Protocol, TypeVar

from ds01.domain.announcement import Announcement
from ds01.domain.consumption import Consumed, Line
from ds01.domain.container import Container, ContainerId, Door
from ds01.domain.events import Event, EventType
from ds01.domain.exemption import ExemptionId, GrantedExemption
from ds01.domain.gpu import Slot, SlotId
from ds01.domain.history import Past
from ds01.domain.image import ImageId, Ownership, Tag
from ds01.domain.jobs.job import Job, JobId
from ds01.domain.lease import Lease, LeaseId
from ds01.domain.network import Network
from ds01.domain.notice import Notice, NoticeId, Preferences
from ds01.domain.people import Account, Uid
from ds01.domain.quarantine import Keeper, Quarantine
from ds01.domain.queue.booking import Booking, BookingId
from ds01.domain.queue.plan import Owner
from ds01.domain.queue.request import Request, RequestId
from ds01.domain.queue.usage import Usage
from ds01.domain.volume import Volume

T = TypeVar("T")

READS_OF_USERS = 2
"""Reads that users ask for at once, all users together; a ledger reads at least one more at a time."""


@dataclass(frozen=True, kw_only=True)
class Backup:
    """A copy of the ledger: where it is, how large, and with how many events."""

    path: str
    size_bytes: int
    events: int


@dataclass(frozen=True, kw_only=True)
class Audit:
    """Every event from the first on, gone through. ``events`` are as DS01 wrote them; ``broken`` is the number of the
    first that is not, and ``wrong`` says which one it is, in words.
    """

    events: int
    broken: int | None = None
    wrong: str = ""


class Books(Protocol):
    """What a transaction sees. ``put_*`` inserts or replaces by id."""

    # slots: the last known inventory, and what keeps a slot out of service
    def slots(self, *, vanished: bool = True) -> tuple[Slot, ...]:
        """The inventory, with those that vanished while a lease names them unless ``vanished`` is False."""
        ...

    def put_slots(self, slots: Sequence[Slot]) -> None:
        """Replace the inventory. Slots that vanished stay known while a lease names them."""
        ...

    def quarantines(self) -> tuple[Quarantine, ...]: ...
    def quarantined(self) -> dict[SlotId, str]:
        """Why nobody is placed on a slot (or on any of a GPU), those that vanished under a lease among them."""
        ...

    def quarantine(self, slot: SlotId, keeper: Keeper, reason: str | None) -> None:
        """Take a slot out of service, or with None take back what this keeper said of it."""
        ...

    def last_used(self) -> dict[SlotId, datetime]: ...

    # leases
    def lease(self, lease: LeaseId) -> Lease | None: ...
    def open_leases(self, uid: Uid | None = None) -> tuple[Lease, ...]: ...
    def put_lease(self, lease: Lease) -> None:
        """Insert or update. Raises Ds01Error (``gpu.full``) when a slot already has an open lease (I1)."""
        ...

    # the queue
    def request(self, request: RequestId) -> Request | None: ...
    def open_requests(self, uid: Uid | None = None) -> tuple[Request, ...]:
        """Those that wait or whose slots wait for them, in the order they came."""
        ...

    def put_request(self, request: Request) -> None:
        """Insert or update. Raises Ds01Error (``name.taken``) when another one of this uid and name is open."""
        ...

    def usage(self) -> dict[Owner, Usage]:
        """What everybody had, of leases that ended."""
        ...

    def put_usage(self, owner: Owner, usage: Usage) -> None: ...

    # jobs
    def job(self, job: JobId) -> Job | None: ...
    def open_jobs(self, uid: Uid | None = None) -> tuple[Job, ...]:
        """Those that have not ended, in the order of their submission and their index."""
        ...

    def jobs(self, uid: Uid | None = None, *, limit: int = 100, skip: int = 0) -> tuple[Job, ...]:
        """The latest ones, ended or not, in the order of their submission and their index; without the very latest,
        so many, with ``skip``.
        """
        ...

    def numbered(self, uid: Uid, number: int) -> tuple[Job, ...]:
        """The job of this number, or the tasks of its array."""
        ...

    def task(self, uid: Uid, number: int, index: int | None = None) -> Job | None:
        """The job of this number, or of its array this task; without ``index`` the first there is."""
        ...

    def failed(self, uid: Uid, number: int, index: int | None = None) -> bool:
        """Whether the job of this number, or this task or with no ``index`` any task of its array, has ended without
        success.
        """
        ...

    def called(self, uid: Uid, name: str) -> tuple[Job, ...]:
        """The latest job of this name, or all tasks of the latest array of this name."""
        ...

    def latest(self, uid: Uid, name: str) -> Job | None:
        """One of those that ``called`` finds."""
        ...

    def last_number(self, uid: Uid) -> int:
        """The number of the user's latest job; 0 when there was none."""
        ...

    def ended_jobs(self, before: datetime) -> tuple[tuple[Uid, int], ...]:
        """Users and numbers of which all tasks ended before then. The latest of each user is left out: her next one
        is numbered after it.
        """
        ...

    def drop_jobs(self, uid: Uid, number: int) -> None:
        """Forget the job of this number, or all tasks of its array."""
        ...

    def put_job(self, job: Job) -> None:
        """Insert or update. Raises Ds01Error (``name.taken``) when another one of this uid and name is open."""

    # bookings
    def booking(self, booking: BookingId) -> Booking | None: ...
    def bookings(self, *, after: datetime | None = None) -> tuple[Booking, ...]:
        """Those that stand, in order of their begin; with ``after`` all that end later, however they ended."""
        ...

    def put_booking(self, booking: Booking) -> None:
        """Insert or update. ``claimed`` is not kept: ``leases_of`` says it."""
        ...

    def leases_of(self, booking: BookingId) -> tuple[Lease, ...]:
        """All leases there ever were of it, in order of their grant."""
        ...

    def past(self, since: datetime) -> tuple[Past, ...]:
        """Leases that were open at some time since then, in order of their grant."""
        ...

    # containers
    def container(self, container: ContainerId) -> Container | None: ...
    def containers(self, uid: Uid | None = None, *, door: Door | None = None) -> tuple[Container, ...]:
        """Those that are there, in the order they were made."""
        ...

    def containers_ever(
        self, uid: Uid | None = None, *, door: Door | None = None, name: str | None = None, limit: int = 1000,
        skip: int = 0,
    ) -> tuple[Container, ...]:  # fmt: skip
        """Those that were made last, there or gone, in the order they were made; ``skip`` leaves so many of the latest
        out.
        """
        ...

    def named(self, uid: Uid, name: str, *, removed: bool = False) -> Container | None:
        """The live container of this name; with ``removed`` the latest one, live or not."""
        ...

    def put_container(self, container: Container) -> None: ...

    # image tags
    def tag(self, ref: str) -> Tag | None: ...
    def tags(self, uid: Uid | None = None) -> tuple[Tag, ...]: ...
    def put_tag(self, tag: Tag) -> None: ...
    def drop_tag(self, ref: str) -> None: ...

    # who brought an image
    def ownerships(self, *, uid: Uid | None = None, image: ImageId | None = None) -> tuple[Ownership, ...]: ...
    def put_ownership(self, ownership: Ownership) -> None: ...
    def drop_ownership(self, image: ImageId, uid: Uid) -> None: ...

    # volumes and networks, by the engine's name and id
    def volume(self, volume: str) -> Volume | None: ...
    def volumes(self, uid: Uid | None = None) -> tuple[Volume, ...]: ...
    def put_volume(self, volume: Volume) -> None: ...
    def drop_volume(self, volume: str) -> None: ...
    def network(self, network: str) -> Network | None: ...
    def networks(self, uid: Uid | None = None) -> tuple[Network, ...]: ...
    def put_network(self, network: Network) -> None: ...
    def drop_network(self, network: str) -> None: ...

    # notices, how people want to be told, limits lifted for a while
    def notice(self, notice: NoticeId) -> Notice | None: ...
    def notices(self, uid: Uid | None = None, *, ended: bool = False, limit: int = 1000) -> tuple[Notice, ...]:
        """Those that are still true, or the latest of all, in the order they were given."""
        ...

    def unread_notices(self, before: datetime, limit: int = 1000) -> tuple[Notice, ...]:
        """Those that tell what has happened, were given before then and are still open; the oldest first."""
        ...

    def put_notice(self, notice: Notice) -> None: ...
    def drop_notices(self, before: datetime, limit: int = 1000) -> int:
        """Forget those that were over before then, so many at most; how many it was."""
        ...

    def preferences(self, uid: Uid, epoch: int) -> Preferences | None: ...
    def put_preferences(self, preferences: Preferences) -> None: ...
    def granted_exemptions(self) -> tuple[GrantedExemption, ...]: ...
    def put_exemption(self, exemption: GrantedExemption) -> None: ...
    def drop_exemption(self, exemption: ExemptionId) -> None: ...

    # what an admin tells everybody: one at most
    def announcement(self) -> Announcement | None: ...
    def put_announcement(self, announcement: Announcement) -> None:
        """In place of the one there was."""
        ...

    def drop_announcement(self) -> None: ...

    # what was consumed
    def add_consumed(self, line: Line, consumed: Consumed) -> None:
        """Add to a line."""
        ...

    def consumed(self, *, uid: Uid | None = None, since: date | None = None) -> dict[Line, Consumed]:
        """The lines of one user or of all, from a day on."""
        ...

    # accounts
    def account(self, uid: Uid) -> Account | None: ...
    def put_account(self, account: Account) -> None: ...

    # events
    def record(self, event: Event) -> Event:
        """Append; returns it with its ``seq``."""
        ...

    def events(
        self, *, uid: Uid | None = None, subject: str | None = None, types: Sequence[EventType] = (),
        after: int | None = None, before: int | None = None, since: datetime | None = None, limit: int = 1000,
    ) -> tuple[Event, ...]:  # fmt: skip
        """Events in order of ``seq``: the first ones later than ``after``, so that who goes on from the last of them
        misses none; without it the latest ones. ``before``: those that came before this one.
        """
        ...

    # small values (boot id, schema facts)
    def note(self, key: str) -> str | None: ...
    def put_note(self, key: str, value: str) -> None: ...


class Ledger(Protocol):
    """The ledger's door. Functions given to it must be quick and do no I/O of their own."""

    async def write(self, work: Callable[[Books], T]) -> T:
        """Run ``work`` in one durable transaction; nothing of it stands when it raises."""
        ...

    async def read(self, work: Callable[[Books], T]) -> T:
        """Run ``work`` over one consistent view."""
        ...

    def glance(self, work: Callable[[Books], T]) -> T:
        """``read`` at once and in place: for a few things that are found by their key."""
        ...

    async def wait(self, after: int, timeout_seconds: float, types: Collection[EventType] = ()) -> int:
        """Wait until an event later than ``after`` is recorded, with ``types`` one of these, or the time is over.

        Returns the last seq.
        """
        ...

    def heard(self, after: int, types: Collection[EventType]) -> bool:
        """Whether one of these was recorded after that one. Answered at once: it is asked all the time."""
        ...

    async def verify(self) -> tuple[str, ...]:
        """What is wrong with the record itself: damage, or events that somebody changed; empty when it is sound."""
        ...

    async def audit(self) -> Audit:
        """Go through the whole chain of events, however long that takes; nobody waits meanwhile."""
        ...

    async def back_up(self, into: Path) -> Backup:
        """A copy of one moment in a new file that only its owner may read: whole, and every event as DS01 wrote it.

        Raises Ds01Error when there is such a file, and when the ledger is not sound; then nothing is left behind.
        """
        ...

    async def close(self) -> None: ...
