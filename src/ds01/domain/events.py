"""Events: what happened, append-only, in the past tense. Outcomes, not intents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from ds01.domain.people import Uid


class EventType(StrEnum):
    """Every type of event there is; the docs page lists them from here."""

    CONTAINER_CREATED = "container.created"
    CONTAINER_STARTED = "container.started"
    CONTAINER_STOPPED = "container.stopped"
    CONTAINER_OUT_OF_MEMORY = "container.out_of_memory"
    CONTAINER_PAUSED = "container.paused"
    CONTAINER_UNPAUSED = "container.unpaused"
    CONTAINER_RENAMED = "container.renamed"
    CONTAINER_REMOVED = "container.removed"
    CONTAINER_QUARANTINED = "container.quarantined"
    CONTAINER_GPU_FAILED = "container.gpu_failed"
    CONTAINER_CORRECTED = "container.corrected"
    CONTAINER_OUTSIDE = "container.outside"
    CONTAINER_SILENT = "container.silent"
    CONTAINER_RECOVERED = "container.recovered"
    CONTAINER_KEPT = "container.kept"
    CONTAINER_EXTENDED = "container.extended"
    CONTAINER_UNDONE = "container.undone"
    NOTICE_DELIVERED = "notice.delivered"
    NOTICE_UNDELIVERED = "notice.undelivered"
    EXEMPTION_GRANTED = "exemption.granted"
    EXEMPTION_ENDED = "exemption.ended"
    ANNOUNCEMENT_MADE = "announcement.made"
    ANNOUNCEMENT_ENDED = "announcement.ended"
    LEASE_GRANTED = "lease.granted"
    LEASE_ACTIVATED = "lease.activated"
    LEASE_HELD = "lease.held"
    LEASE_RELEASED = "lease.released"
    LEASE_REVOKED = "lease.revoked"
    LEASE_RECOVERED = "lease.recovered"
    QUEUE_JOINED = "queue.joined"
    QUEUE_TURN = "queue.turn"
    QUEUE_RETURNED = "queue.returned"
    QUEUE_CLAIMED = "queue.claimed"
    QUEUE_EXPIRED = "queue.expired"
    QUEUE_CANCELLED = "queue.cancelled"
    JOB_SUBMITTED = "job.submitted"
    JOB_STARTED = "job.started"
    JOB_RETRIED = "job.retried"
    JOB_ENDED = "job.ended"
    BOOKING_MADE = "booking.made"
    BOOKING_CANCELLED = "booking.cancelled"
    BOOKING_BEGAN = "booking.began"
    BOOKING_CLAIMED = "booking.claimed"
    BOOKING_RELEASED = "booking.released"
    BOOKING_ENDING = "booking.ending"
    BOOKING_ENDED = "booking.ended"
    REQUEST_DENIED = "request.denied"
    DOOR_DENIED = "door.denied"
    DOOR_ALLOWED = "door.allowed"
    DOOR_OBSERVED = "door.observed"
    DOOR_IN_FORCE = "door.in_force"
    DOOR_CLOSED = "door.closed"
    DOOR_GLASS = "door.glass"
    GUARD_REFUSED = "guard.refused"
    IMAGE_BUILT = "image.built"
    IMAGE_TAGGED = "image.tagged"
    IMAGE_PULLED = "image.pulled"
    IMAGE_LOADED = "image.loaded"
    IMAGE_IMPORTED = "image.imported"
    IMAGE_COMMITTED = "image.committed"
    IMAGE_REMOVED = "image.removed"
    VOLUME_CREATED = "volume.created"
    VOLUME_REMOVED = "volume.removed"
    NETWORK_CREATED = "network.created"
    NETWORK_REMOVED = "network.removed"
    PACKAGES_SUGGESTED = "packages.suggested"
    FILES_RESCUED = "files.rescued"
    POLICY_RELOADED = "policy.reloaded"
    POLICY_REJECTED = "policy.rejected"
    FENCE_TAKEN_DOWN = "fence.taken_down"
    FENCE_PUT_UP = "fence.put_up"
    SLOT_QUARANTINED = "slot.quarantined"
    SLOT_RETURNED = "slot.returned"
    SLOT_VANISHED = "slot.vanished"
    GPU_DIVIDED = "gpu.divided"
    ACCOUNT_CHANGED = "account.changed"
    LEDGER_BACKED_UP = "ledger.backed_up"
    DAEMON_STARTED = "daemon.started"
    DAEMON_STOPPED = "daemon.stopped"


@dataclass(frozen=True)
class Unknown:
    """A type that is not among these: a newer DS01 wrote the event down, and this older one was put back afterwards."""

    value: str


def named(word: str) -> EventType | Unknown:
    """The type that is written like this."""
    try:
        return EventType(word)
    except ValueError:
        return Unknown(word)


def meant(word: str) -> tuple[EventType, ...]:
    """The types somebody means: ``lease.granted``, or all of ``lease`` (``lease.*``); none when there is no such."""
    noun = word.removesuffix(".*")
    return tuple(kind for kind in EventType if word == kind.value or noun == kind.value.split(".")[0])


@dataclass(frozen=True, kw_only=True)
class Event:
    """One event. ``seq`` and ``hash``, its link to the one before, are the ledger's; ``actor`` None is DS01 itself.

    ``uid`` is whose affair it is: users see the events with their own uid.
    """

    seq: int = 0
    at: datetime
    type: EventType | Unknown
    actor: Uid | None
    uid: Uid | None
    subject: str
    outcome: str = "done"
    details: Mapping[str, str] = field(default_factory=dict)
    schema: int = 1
    hash: str = field(default="", compare=False)
