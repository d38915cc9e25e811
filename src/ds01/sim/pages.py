"""What the ledger in memory knows."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from ds01.domain.announcement import Announcement
from ds01.domain.consumption import Consumed, Line
from ds01.domain.container import Container, ContainerId
from ds01.domain.events import Event
from ds01.domain.exemption import ExemptionId, GrantedExemption
from ds01.domain.gpu import Slot, SlotId
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


@dataclass
class Pages:
    """Everything the ledger knows. Values are frozen, so a copy of the containers is a copy of all."""

    slots: dict[SlotId, Slot] = field(default_factory=dict)
    present: tuple[SlotId, ...] = ()
    quarantines: dict[tuple[SlotId, Keeper], Quarantine] = field(default_factory=dict)
    last_used: dict[SlotId, datetime] = field(default_factory=dict)
    leases: dict[LeaseId, Lease] = field(default_factory=dict)
    requests: dict[RequestId, Request] = field(default_factory=dict)
    bookings: dict[BookingId, Booking] = field(default_factory=dict)
    usage: dict[Owner, Usage] = field(default_factory=dict)
    jobs: dict[JobId, Job] = field(default_factory=dict)
    containers: dict[ContainerId, Container] = field(default_factory=dict)
    tags: dict[str, Tag] = field(default_factory=dict)
    ownerships: dict[tuple[ImageId, Uid], Ownership] = field(default_factory=dict)
    volumes: dict[str, Volume] = field(default_factory=dict)
    networks: dict[str, Network] = field(default_factory=dict)
    notices: dict[NoticeId, Notice] = field(default_factory=dict)
    consumed: dict[Line, Consumed] = field(default_factory=dict)
    preferences: dict[tuple[Uid, int], Preferences] = field(default_factory=dict)
    exemptions: dict[ExemptionId, GrantedExemption] = field(default_factory=dict)
    announcement: Announcement | None = None
    accounts: dict[tuple[Uid, int], Account] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    notes: dict[str, str] = field(default_factory=dict)

    def copy(self) -> Pages:
        return Pages(
            slots=dict(self.slots), present=self.present, quarantines=dict(self.quarantines),
            last_used=dict(self.last_used), leases=dict(self.leases), requests=dict(self.requests),
            bookings=dict(self.bookings), usage=dict(self.usage), jobs=dict(self.jobs),
            containers=dict(self.containers),
            tags=dict(self.tags), ownerships=dict(self.ownerships), volumes=dict(self.volumes),
            networks=dict(self.networks), notices=dict(self.notices), preferences=dict(self.preferences),
            consumed=dict(self.consumed),
            exemptions=dict(self.exemptions), announcement=self.announcement, accounts=dict(self.accounts),
            events=list(self.events), notes=dict(self.notes),
        )  # fmt: skip
