"""The ledger in memory: the same promises without a disk, for rules, for speed and for faults."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import TypeVar

from ds01.domain.announcement import Announcement
from ds01.domain.consumption import Consumed, Line
from ds01.domain.container import Container, ContainerId, ContainerState, Door
from ds01.domain.errors import GPU_FULL, LEDGER_ERROR, NAME_TAKEN, Ds01Error
from ds01.domain.events import Event, EventType
from ds01.domain.exemption import ExemptionId, GrantedExemption
from ds01.domain.gpu import VANISHED, Slot, SlotId
from ds01.domain.history import Past
from ds01.domain.image import ImageId, Ownership, Tag
from ds01.domain.jobs.job import Job, JobId
from ds01.domain.lease import Lease, LeaseId, rival
from ds01.domain.network import Network
from ds01.domain.notice import Notice, NoticeId, Preferences
from ds01.domain.people import Account, Uid
from ds01.domain.quarantine import Keeper, Quarantine, reasons
from ds01.domain.queue.booking import Booking, BookingId, BookingState
from ds01.domain.queue.plan import Owner
from ds01.domain.queue.request import Request, RequestId
from ds01.domain.queue.usage import Usage
from ds01.domain.volume import Volume
from ds01.ports.ledger import Audit, Backup, Books
from ds01.sim.pages import Pages

T = TypeVar("T")


class MemoryBooks:
    """``Books`` over pages in memory."""

    def __init__(self, pages: Pages, *, read_only: bool = False) -> None:
        self._now = pages
        self._read_only = read_only

    # slots ------------------------------------------------------------------------------------------
    def slots(self, *, vanished: bool = True) -> tuple[Slot, ...]:
        known = [self._now.slots[slot] for slot in (*self._now.present, *(self._vanished() if vanished else ()))]
        return tuple(sorted(known, key=lambda slot: slot.gpu_index))

    def put_slots(self, slots: Sequence[Slot]) -> None:
        pages = self._write()
        pages.slots |= {slot.id: slot for slot in slots}
        pages.present = tuple(slot.id for slot in slots)

    def quarantined(self) -> dict[SlotId, str]:
        return dict.fromkeys(self._vanished(), VANISHED) | reasons(self.quarantines())

    def quarantines(self) -> tuple[Quarantine, ...]:
        return tuple(sorted(self._now.quarantines.values(), key=lambda each: each.slot))

    def quarantine(self, slot: SlotId, keeper: Keeper, reason: str | None) -> None:
        if reason is None:
            self._write().quarantines.pop((slot, keeper), None)
        else:
            self._write().quarantines[slot, keeper] = Quarantine(slot=slot, keeper=keeper, reason=reason)

    def last_used(self) -> dict[SlotId, datetime]:
        return dict(self._now.last_used)

    def _vanished(self) -> list[SlotId]:
        leased = (slot for lease in self._open() for slot in lease.slots)
        return [slot for slot in leased if slot not in self._now.present]

    # leases -----------------------------------------------------------------------------------------
    def lease(self, lease: LeaseId) -> Lease | None:
        return self._now.leases.get(lease)

    def open_leases(self, uid: Uid | None = None) -> tuple[Lease, ...]:
        mine = (lease for lease in self._open() if uid is None or lease.uid == uid)
        return tuple(sorted(mine, key=lambda lease: (lease.granted_at, lease.id)))

    def put_lease(self, lease: Lease) -> None:
        pages = self._write()
        known = pages.leases.get(lease.id)
        kept = lease if known is None else replace(lease, slots=known.slots)
        if kept.state.open:
            self._check_lease(kept)
        pages.leases[lease.id] = kept
        if kept.ended_at is not None:
            pages.last_used |= dict.fromkeys(kept.slots, kept.ended_at)

    def _open(self) -> Iterable[Lease]:
        return (lease for lease in self._now.leases.values() if lease.state.open)

    def _check_lease(self, lease: Lease) -> None:
        """The schema's constraints: known slots, I1, one open lease per container."""
        if unknown := [slot for slot in lease.slots if slot not in self._now.slots]:
            raise Ds01Error(LEDGER_ERROR, f"The ledger knows no slot {unknown[0]}.")
        if rival(lease, self._open(), self._now.slots) is not None:
            raise Ds01Error(GPU_FULL, "The GPU was taken by somebody else at the same moment.", hint="Try again.")

    # the queue --------------------------------------------------------------------------------------
    def request(self, request: RequestId) -> Request | None:
        return self._now.requests.get(request)

    def open_requests(self, uid: Uid | None = None) -> tuple[Request, ...]:
        found = (request for request in self._now.requests.values() if request.state.open)
        mine = (request for request in found if uid is None or request.uid == uid)
        return tuple(sorted(mine, key=lambda request: (request.submitted_at, request.id)))

    def put_request(self, request: Request) -> None:
        pages = self._write()
        if request.lease is not None and request.lease not in pages.leases:
            raise Ds01Error(LEDGER_ERROR, f"The ledger knows no lease {request.lease}.")
        others = (other for other in self.open_requests(request.uid) if other.id != request.id)
        if request.state.open and any(other.name == request.name for other in others):
            raise Ds01Error(NAME_TAKEN, f"'{request.name}' waits for a GPU already.")
        pages.requests[request.id] = request

    def usage(self) -> dict[Owner, Usage]:
        return dict(self._now.usage)

    def put_usage(self, owner: Owner, usage: Usage) -> None:
        self._write().usage[owner] = usage

    # jobs -------------------------------------------------------------------------------------------
    def job(self, job: JobId) -> Job | None:
        return self._now.jobs.get(job)

    def open_jobs(self, uid: Uid | None = None) -> tuple[Job, ...]:
        return self._jobs(lambda job: job.open and uid in (None, job.uid))

    def jobs(self, uid: Uid | None = None, *, limit: int = 100, skip: int = 0) -> tuple[Job, ...]:
        found = self._jobs(lambda job: uid in (None, job.uid))
        return found[: max(0, len(found) - skip)][-limit:]

    def numbered(self, uid: Uid, number: int) -> tuple[Job, ...]:
        return self._jobs(lambda job: job.uid == uid and job.number == number)

    def task(self, uid: Uid, number: int, index: int | None = None) -> Job | None:
        return next((job for job in self.numbered(uid, number) if index in (None, job.index)), None)

    def failed(self, uid: Uid, number: int, index: int | None = None) -> bool:
        meant = (job for job in self.numbered(uid, number) if index in (None, job.index))
        return any(not job.open and not job.succeeded for job in meant)

    def called(self, uid: Uid, name: str) -> tuple[Job, ...]:
        found = self._jobs(lambda job: job.uid == uid and name in (job.name, job.array))
        last = max((job.number for job in found), default=0)
        return tuple(job for job in found if job.number == last)

    def latest(self, uid: Uid, name: str) -> Job | None:
        return next(iter(self.called(uid, name)), None)

    def last_number(self, uid: Uid) -> int:
        return max((job.number for job in self._now.jobs.values() if job.uid == uid), default=0)

    def ended_jobs(self, before: datetime) -> tuple[tuple[Uid, int], ...]:
        there = {(job.uid, job.number) for job in self._now.jobs.values()}
        going = {
            (job.uid, job.number) for job in self._now.jobs.values() if job.ended_at is None or job.ended_at >= before
        }
        return tuple(sorted((uid, number) for uid, number in there - going if number < self.last_number(uid)))

    def drop_jobs(self, uid: Uid, number: int) -> None:
        pages = self._write()
        pages.jobs = {key: job for key, job in pages.jobs.items() if (job.uid, job.number) != (uid, number)}

    def put_job(self, job: Job) -> None:
        pages = self._write()
        if job.request is not None and job.request not in pages.requests:
            raise Ds01Error(LEDGER_ERROR, f"The ledger knows no request {job.request}.")
        others = (other for other in self.open_jobs(job.uid) if other.id != job.id)
        if job.open and any(other.name == job.name for other in others):
            raise Ds01Error(NAME_TAKEN, f"You have a job '{job.name}' already, which has not ended.")
        pages.jobs[job.id] = job

    def _jobs(self, chosen: Callable[[Job], bool]) -> tuple[Job, ...]:
        found = (job for job in self._now.jobs.values() if chosen(job))
        return tuple(sorted(found, key=lambda job: (job.submitted_at, job.uid, job.number, job.index or 0)))

    # bookings ---------------------------------------------------------------------------------------
    def booking(self, booking: BookingId) -> Booking | None:
        return self._now.bookings.get(booking)

    def bookings(self, *, after: datetime | None = None) -> tuple[Booking, ...]:
        found = self._now.bookings.values()
        chosen = [one for one in found if (one.state is BookingState.BOOKED if after is None else one.ends_at > after)]
        return tuple(sorted(chosen, key=lambda one: (one.begins_at, one.id)))

    def put_booking(self, booking: Booking) -> None:
        self._write().bookings[booking.id] = replace(booking, claimed=frozenset())

    def leases_of(self, booking: BookingId) -> tuple[Lease, ...]:
        found = (lease for lease in self._now.leases.values() if lease.booking == booking)
        return tuple(sorted(found, key=lambda lease: (lease.granted_at, lease.id)))

    def past(self, since: datetime) -> tuple[Past, ...]:
        asked = {one.lease: one.submitted_at for one in self._now.requests.values() if one.lease is not None}
        found = [one for one in self._now.leases.values() if one.ended_at is None or one.ended_at >= since]
        found.sort(key=lambda one: (one.granted_at, one.id))
        return tuple(Past(lease=one, submitted_at=asked.get(one.id)) for one in found)

    # containers -------------------------------------------------------------------------------------
    def container(self, container: ContainerId) -> Container | None:
        return self._now.containers.get(container)

    def containers(self, uid: Uid | None = None, *, door: Door | None = None) -> tuple[Container, ...]:
        return tuple(filter(live, self._containers(uid, door)))

    def containers_ever(
        self, uid: Uid | None = None, *, door: Door | None = None, name: str | None = None, limit: int = 1000,
        skip: int = 0,
    ) -> tuple[Container, ...]:  # fmt: skip
        found = [container for container in self._containers(uid, door) if name in (None, container.name)]
        return tuple(found[: max(0, len(found) - skip)][-limit:])

    def _containers(self, uid: Uid | None, door: Door | None) -> list[Container]:
        every = self._now.containers.values()
        mine = (container for container in every if uid in (None, container.uid) and door in (None, container.door))
        return sorted(mine, key=lambda container: (container.created_at, container.id))

    def named(self, uid: Uid, name: str, *, removed: bool = False) -> Container | None:
        mine = self._containers(uid, None) if removed else self.containers(uid)
        found = [container for container in mine if container.name == name]
        return max(found, key=lambda container: (live(container), container.created_at), default=None)

    def put_container(self, container: Container) -> None:
        pages = self._write()
        if container.lease is not None and container.lease not in pages.leases:
            raise Ds01Error(LEDGER_ERROR, f"The ledger knows no lease {container.lease}.")
        other = self.named(container.uid, container.name)
        if live(container) and other is not None and other.id != container.id:
            raise Ds01Error(
                NAME_TAKEN,
                f"There is already a container named '{container.name}'.",
                hint=f"Retire it first: ds01 retire {container.name}",
            )
        pages.containers[container.id] = container

    # image tags -------------------------------------------------------------------------------------
    def tag(self, ref: str) -> Tag | None:
        return self._now.tags.get(ref)

    def tags(self, uid: Uid | None = None) -> tuple[Tag, ...]:
        mine = (tag for tag in self._now.tags.values() if uid is None or tag.owner == uid)
        return tuple(sorted(mine, key=lambda tag: tag.ref))

    def put_tag(self, tag: Tag) -> None:
        self._write().tags[tag.ref] = tag

    def drop_tag(self, ref: str) -> None:
        self._write().tags.pop(ref, None)

    def ownerships(self, *, uid: Uid | None = None, image: ImageId | None = None) -> tuple[Ownership, ...]:
        found = (o for o in self._now.ownerships.values() if uid in (None, o.uid) and image in (None, o.image))
        return tuple(sorted(found, key=lambda o: (o.at, o.image, o.uid)))

    def put_ownership(self, ownership: Ownership) -> None:
        self._write().ownerships[(ownership.image, ownership.uid)] = ownership

    def drop_ownership(self, image: ImageId, uid: Uid) -> None:
        self._write().ownerships.pop((image, uid), None)

    # notices ----------------------------------------------------------------------------------------
    def notice(self, notice: NoticeId) -> Notice | None:
        return self._now.notices.get(notice)

    def notices(self, uid: Uid | None = None, *, ended: bool = False, limit: int = 1000) -> tuple[Notice, ...]:
        found = [n for n in self._now.notices.values() if uid in (None, n.uid) and (ended or n.open)]
        return tuple(sorted(found, key=lambda notice: (notice.at, notice.id))[-limit:])

    def unread_notices(self, before: datetime, limit: int = 1000) -> tuple[Notice, ...]:
        found = [n for n in self._now.notices.values() if n.open and not n.warns and n.at < before]
        return tuple(sorted(found, key=lambda notice: (notice.at, notice.id))[:limit])

    def put_notice(self, notice: Notice) -> None:
        self._write().notices[notice.id] = notice

    def drop_notices(self, before: datetime, limit: int = 1000) -> int:
        notices = self._write().notices
        old = [n.id for n in notices.values() if n.ended_at is not None and n.ended_at < before][:limit]
        for each in old:
            del notices[each]
        return len(old)

    def preferences(self, uid: Uid, epoch: int) -> Preferences | None:
        return self._now.preferences.get((uid, epoch))

    def put_preferences(self, preferences: Preferences) -> None:
        self._write().preferences[(preferences.uid, preferences.epoch)] = preferences

    def granted_exemptions(self) -> tuple[GrantedExemption, ...]:
        return tuple(sorted(self._now.exemptions.values(), key=lambda exemption: (exemption.at, exemption.id)))

    def put_exemption(self, exemption: GrantedExemption) -> None:
        self._write().exemptions[exemption.id] = exemption

    def drop_exemption(self, exemption: ExemptionId) -> None:
        self._write().exemptions.pop(exemption, None)

    # what is announced -------------------------------------------------------------------------------
    def announcement(self) -> Announcement | None:
        return self._now.announcement

    def put_announcement(self, announcement: Announcement) -> None:
        self._write().announcement = announcement

    def drop_announcement(self) -> None:
        self._write().announcement = None

    # what was consumed ------------------------------------------------------------------------------
    def add_consumed(self, line: Line, consumed: Consumed) -> None:
        pages = self._write()
        pages.consumed[line] = pages.consumed.get(line, Consumed()) + consumed

    def consumed(self, *, uid: Uid | None = None, since: date | None = None) -> dict[Line, Consumed]:
        found = self._now.consumed.items()
        return {line: c for line, c in found if uid in (None, line.uid) and (since is None or line.day >= since)}

    # volumes and networks ---------------------------------------------------------------------------
    def volume(self, volume: str) -> Volume | None:
        return self._now.volumes.get(volume)

    def volumes(self, uid: Uid | None = None) -> tuple[Volume, ...]:
        mine = (volume for volume in self._now.volumes.values() if uid is None or volume.uid == uid)
        return tuple(sorted(mine, key=lambda volume: (volume.created_at, volume.id)))

    def put_volume(self, volume: Volume) -> None:
        self._write().volumes[volume.id] = volume

    def drop_volume(self, volume: str) -> None:
        self._write().volumes.pop(volume, None)

    def network(self, network: str) -> Network | None:
        return self._now.networks.get(network)

    def networks(self, uid: Uid | None = None) -> tuple[Network, ...]:
        mine = (network for network in self._now.networks.values() if uid is None or network.uid == uid)
        return tuple(sorted(mine, key=lambda network: (network.created_at, network.id)))

    def put_network(self, network: Network) -> None:
        self._write().networks[network.id] = network

    def drop_network(self, network: str) -> None:
        self._write().networks.pop(network, None)

    # accounts ---------------------------------------------------------------------------------------
    def account(self, uid: Uid) -> Account | None:
        mine = [account for account in self._now.accounts.values() if account.uid == uid]
        return max(mine, key=lambda account: account.epoch, default=None)

    def put_account(self, account: Account) -> None:
        self._write().accounts[account.uid, account.epoch] = account

    # events -----------------------------------------------------------------------------------------
    def record(self, event: Event) -> Event:
        pages = self._write()
        numbered = replace(event, seq=len(pages.events) + 1)
        pages.events.append(numbered)
        return numbered

    def events(
        self, *, uid: Uid | None = None, subject: str | None = None, types: Sequence[EventType] = (),
        after: int | None = None, before: int | None = None, since: datetime | None = None, limit: int = 1000,
    ) -> tuple[Event, ...]:  # fmt: skip
        found = [
            event
            for event in self._now.events[after or 0 : None if before is None else before - 1]
            if (uid is None or event.uid == uid)
            and (subject is None or event.subject == subject)
            and (not types or event.type in types)
            and (since is None or event.at >= since)
        ]
        return tuple(found[-limit:] if after is None else found[:limit])

    # notes ------------------------------------------------------------------------------------------
    def note(self, key: str) -> str | None:
        return self._now.notes.get(key)

    def put_note(self, key: str, value: str) -> None:
        self._write().notes[key] = value

    def _write(self) -> Pages:
        if self._read_only:
            raise Ds01Error(LEDGER_ERROR, "A reading transaction cannot write.")
        return self._now


def live(container: Container) -> bool:
    """Whether it is still there."""
    return container.state is not ContainerState.REMOVED


class MemoryLedger:
    """The ledger's door over pages in memory.

    ``fault`` set makes every write fail with it in the end, as a full disk does; ``damage`` is what ``verify`` finds.
    """

    def __init__(self) -> None:
        self.damage: tuple[str, ...] = ()
        self.fault: Ds01Error | None = None
        self._pages = Pages()
        self._changed = asyncio.Event()
        self._closed = False

    async def write(self, work: Callable[[Books], T]) -> T:
        """Run ``work`` on a copy, which becomes the ledger when it returns."""
        self._check()
        draft = self._pages.copy()
        result = work(MemoryBooks(draft))
        if self.fault is not None:
            raise self.fault
        self._pages = draft
        self._changed.set()
        self._changed = asyncio.Event()
        return result

    async def read(self, work: Callable[[Books], T]) -> T:
        """Run ``work`` over the pages as they are."""
        return self.glance(work)

    def glance(self, work: Callable[[Books], T]) -> T:
        """Run ``work`` over the pages as they are."""
        self._check()
        return work(MemoryBooks(self._pages, read_only=True))

    async def wait(self, after: int, timeout_seconds: float, types: Collection[EventType] = ()) -> int:
        """Wait until an event later than ``after`` is recorded or the time is over; returns the last seq."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_seconds):
                while not self.heard(after, types or tuple(EventType)) and not self._closed:
                    await self._changed.wait()
        return len(self._pages.events)

    def heard(self, after: int, types: Collection[EventType]) -> bool:
        """Whether one of these was recorded after that one."""
        return any(event.type in types for event in self._pages.events[after:])

    async def verify(self) -> tuple[str, ...]:
        """What a test says is wrong."""
        self._check()
        return self.damage

    async def audit(self) -> Audit:
        """What a test says is wrong, as the first event."""
        self._check()
        return Audit(events=0, broken=1, wrong=self.damage[0]) if self.damage else Audit(events=len(self._pages.events))

    async def back_up(self, into: Path) -> Backup:
        """There is no file to copy."""
        raise Ds01Error(LEDGER_ERROR, "This ledger is in memory only: there is nothing to copy.")

    async def close(self) -> None:
        self._closed = True
        self._changed.set()

    def _check(self) -> None:
        if self._closed:
            raise Ds01Error(LEDGER_ERROR, "The ledger is closed.", hint="ds01d is stopping; try again when it is back.")
