"""The life of a lease: grant, activate, hold, release, revoke, expire.

Each is a plain function over the ledger's books, called inside one transaction: what is read, decided and
written cannot be torn apart, so no two people get one GPU and no quota is passed by being quick. Each records
its event. Ending what has ended is fine and changes nothing: clean-up may run twice.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

from ds01.domain import refusal
from ds01.domain.errors import BAD_REQUEST, NO_LEASE, Ds01Error
from ds01.domain.events import Event, EventType
from ds01.domain.gpu import SlotId
from ds01.domain.gpu_ask import GpuAsk
from ds01.domain.lease import Lease, LeaseId, LeaseState, moved
from ds01.domain.limits import Limits
from ds01.domain.people import Uid, User
from ds01.domain.placement import Full, Impossible, Inventory, OverBudget, Placed, place
from ds01.domain.queue.plan import Owner
from ds01.domain.queue.usage import Usage
from ds01.ports.ledger import Books
from ds01.services.tell import whose

RESERVATION = timedelta(minutes=5)
"""How long a container may take from grant to start."""


@dataclass(frozen=True, kw_only=True)
class Want:
    """What somebody wants to lease, for the container ``name``. ``preferred`` slots (those the container had) are
    given again when they are free. ``planned`` is the longest it may run.
    """

    user: User
    epoch: int
    limits: Limits
    name: str
    ask: GpuAsk
    planned: timedelta | None = None
    preferred: tuple[SlotId, ...] = ()

    @property
    def owner(self) -> Owner:
        """Who wants it."""
        return Owner(self.user.uid, self.epoch)


def put(
    books: Books, owner: Owner, name: str, chosen: Placed, now: datetime, *, planned: timedelta | None = None,
    expires_in: timedelta = RESERVATION, booking: str = "",
) -> Lease:  # fmt: skip
    """Write the lease of these slots for the container ``name``, reserved until it starts.

    A hold that outlives its time gives way to it.
    """
    mine = {slot.id for slot in chosen.slots}
    for other in books.open_leases():
        if other.outlives(now) and mine.intersection(other.slots):
            release(books, other.id, OUTLIVED, now)
    lease = Lease(
        id=LeaseId(f"lease-{secrets.token_hex(8)}"),
        uid=owner.uid,
        epoch=owner.epoch,
        slots=tuple(slot.id for slot in chosen.slots),
        gpueq=chosen.gpueq,
        state=LeaseState.RESERVED,
        granted_at=now,
        expires_at=now + expires_in,
        name=name,
        planned=planned,
        booking=booking,
    )
    books.put_lease(lease)
    record(books, EventType.LEASE_GRANTED, lease, now, gpueq=str(lease.gpueq), why=chosen.reason)
    return lease


def activatable(books: Books, lease_id: LeaseId) -> Lease:
    """A lease that waits for its container. Raises Ds01Error (``lease.ended``) when it waits no more."""
    lease = find(books, lease_id)
    moved(lease, LeaseState.ACTIVE, lease.granted_at, container=lease.container)
    return lease


def activate(books: Books, lease_id: LeaseId, container_id: str, now: datetime) -> Lease:
    """The container runs: the lease is its own. Raises Ds01Error (``lease.ended``) when it expired meanwhile."""
    lease = find(books, lease_id)
    if lease.state is LeaseState.ACTIVE and lease.container == container_id:
        return lease
    lease = moved(lease, LeaseState.ACTIVE, now, container=container_id)
    books.put_lease(lease)
    record(books, EventType.LEASE_ACTIVATED, lease, now)
    return lease


def hold(books: Books, lease_id: LeaseId, until: datetime, now: datetime) -> Lease:
    """Keep the slots of a stopped container until a time; for a held lease: until another time.

    A start prolongs the hold first, so that it cannot run out while the container starts.
    """
    lease = moved(find(books, lease_id), LeaseState.HELD, now, expires_at=until)
    books.put_lease(lease)
    record(books, EventType.LEASE_HELD, lease, now, until=until.isoformat(timespec="seconds"))
    return lease


def release(books: Books, lease_id: LeaseId, reason: str, now: datetime) -> Lease:
    """The slots go back to everybody."""
    return _end(books, lease_id, LeaseState.RELEASED, EventType.LEASE_RELEASED, reason, now)


def revoke(books: Books, lease_id: LeaseId, reason: str, now: datetime) -> Lease:
    """The slots are taken away: by an admin, or because a GPU is gone."""
    return _end(books, lease_id, LeaseState.REVOKED, EventType.LEASE_REVOKED, reason, now)


def expire(books: Books, now: datetime, over: Mapping[LeaseId, datetime] | None = None) -> tuple[Lease, ...]:
    """Release every reserved or held lease whose time is over; returns them as they are now.

    ``over`` says which those are, with the end each had then (``services.countdown``): a lease that got another
    end since is left alone. Without it the wall clock decides.
    """
    waiting = [(lease, lease.expires_at) for lease in books.open_leases() if lease.expires_at is not None]
    late = [lease for lease, end in waiting if (end <= now if over is None else over.get(lease.id) == end)]
    return tuple(release(books, lease.id, _OVER[lease.state], now) for lease in late)


_OVER = {
    LeaseState.RESERVED: "its container did not start in time",
    LeaseState.HELD: "its hold is over",
}
OUTLIVED = "its time was over, and somebody else was to have it"


def find(books: Books, lease_id: LeaseId) -> Lease:
    """The lease, or Ds01Error (``lease.unknown``)."""
    lease = books.lease(lease_id)
    if lease is None:
        raise Ds01Error(NO_LEASE, f"There is no lease {lease_id}.", hint="See yours: ds01 status")
    return lease


def counted(leases: Iterable[Lease]) -> list[Lease]:
    """Those that count against the quota: what is booked was allowed when it was booked."""
    return [lease for lease in leases if not lease.booking]


def used(books: Books, uid: Uid, epoch: int) -> Fraction:
    """GPU-equivalents that count against the quota: reserved, active and held."""
    return sum((lease.gpueq for lease in counted(_mine(books, uid, epoch))), Fraction(0))


def record(books: Books, kind: EventType, lease: Lease, now: datetime, **details: str) -> None:
    """The event of a lease; ``slots`` are the labels people know."""
    labels = {slot.id: slot.label for slot in books.slots() if slot.id in lease.slots}
    shown = {
        "name": lease.name,
        "container": lease.container or "",
        "slots": ", ".join(labels.get(slot, slot) for slot in lease.slots),
        **details,
    }
    books.record(
        Event(
            at=now,
            type=kind,
            actor=None,
            uid=whose(books, lease.uid, lease.epoch),
            subject=lease.id,
            details={key: value for key, value in shown.items() if value},
        )
    )


def check_count(books: Books, want: Want) -> None:
    """Raises Ds01Error when it is more than one container of hers may have."""
    ask, limits = want.ask, want.limits
    if limits.gpus_per_container is not None and ask.count > limits.gpus_per_container:
        raise refusal.too_many(ask, limits, inventory(books, (), limits).fitting(ask))


def placed(books: Books, want: Want, now: datetime, instead_of: LeaseId | None = None) -> Placed:
    """The slots she would get, were nobody waiting; ``instead_of`` is a lease that would be over then.

    Quota first, because waiting would not help; then what the server has; then what is free. Raises Ds01Error.
    """
    ask, limits = want.ask, want.limits
    if ask.count < 1:
        raise Ds01Error(BAD_REQUEST, "A lease is for at least one GPU.", hint="Start without a GPU: --gpus 0")
    check_count(books, want)
    everybody = tuple(lease for lease in books.open_leases() if lease.id != instead_of)
    mine = counted(lease for lease in everybody if lease.uid == want.user.uid and lease.epoch == want.epoch)
    left = None if limits.gpus_max is None else limits.gpus_max - sum((lease.gpueq for lease in mine), Fraction(0))
    standing = tuple(lease for lease in everybody if not lease.outlives(now))
    match place(ask, inventory(books, standing, limits, want.preferred), left):
        case Placed() as chosen:
            return chosen
        case OverBudget(cost=cost):
            raise refusal.over_quota(ask, cost, mine, limits)
        case Full() as decision:
            raise refusal.full(ask, decision, everybody, now)
        case Impossible() as decision:
            raise refusal.impossible(ask, decision)


def inventory(
    books: Books, everybody: Sequence[Lease], limits: Limits, preferred: tuple[SlotId, ...] = ()
) -> Inventory:
    """The slots and what keeps each from being granted to somebody with these limits."""
    return Inventory(
        slots=books.slots(),
        taken=frozenset(slot for lease in everybody for slot in lease.slots),
        quarantined=books.quarantined(),
        last_used=books.last_used(),
        mig=limits.mig,
        preferred=preferred,
    )


def _end(books: Books, lease_id: LeaseId, state: LeaseState, kind: EventType, reason: str, now: datetime) -> Lease:
    lease = find(books, lease_id)
    if not lease.state.open:
        return lease
    ended = moved(lease, state, now, reason=reason)
    books.put_lease(ended)
    record(books, kind, ended, now, reason=reason)
    _count(books, ended, now)
    return ended


def _count(books: Books, lease: Lease, now: datetime) -> None:
    """What she had counts in the queue from now on: from the grant, because nobody else could have it since then."""
    owner = Owner(lease.uid, lease.epoch)
    before = books.usage().get(owner, Usage(seconds=0.0, at=lease.granted_at))
    books.put_usage(owner, before.plus(lease.gpueq, lease.granted_at, now))


def _mine(books: Books, uid: Uid, epoch: int) -> list[Lease]:
    return [lease for lease in books.open_leases(uid) if lease.epoch == epoch]
