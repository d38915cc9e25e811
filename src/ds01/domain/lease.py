"""A lease: an exclusive grant of slots to one user's container.

``reserved → active → held → released``, or ``revoked``. Reserved waits for its container and expires; held is
the time after a stop in which the GPU is kept; released and revoked are the ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from fractions import Fraction
from typing import NewType

from ds01.domain.errors import LEASE_ENDED, Ds01Error
from ds01.domain.gpu import Slot, SlotId
from ds01.domain.people import Uid

LeaseId = NewType("LeaseId", str)


class LeaseState(StrEnum):
    """Where a lease is in its life."""

    RESERVED = "reserved"
    ACTIVE = "active"
    HELD = "held"
    RELEASED = "released"
    REVOKED = "revoked"

    @property
    def open(self) -> bool:
        """Whether the slots are still taken."""
        return self in (LeaseState.RESERVED, LeaseState.ACTIVE, LeaseState.HELD)


_NEXT = {
    LeaseState.RESERVED: {LeaseState.ACTIVE, LeaseState.RELEASED, LeaseState.REVOKED},
    LeaseState.ACTIVE: {LeaseState.HELD, LeaseState.RELEASED, LeaseState.REVOKED},
    LeaseState.HELD: {LeaseState.HELD, LeaseState.ACTIVE, LeaseState.RELEASED, LeaseState.REVOKED},
    LeaseState.RELEASED: set[LeaseState](),
    LeaseState.REVOKED: set[LeaseState](),
}


def may_become(old: LeaseState, new: LeaseState) -> bool:
    """Whether a lease may go from one state to the other."""
    return new in _NEXT[old]


@dataclass(frozen=True, kw_only=True)
class Lease:
    """One grant. ``container`` is the engine's full id once there is one; ``expires_at`` is set while the
    lease is reserved or held and says when it ends by itself. ``planned`` is the longest it may be in use, counted
    from the grant; None has no end. ``booking`` is the one it is part of: it ends with that, and does not count against
    the quota.
    """

    id: LeaseId
    uid: Uid
    epoch: int
    slots: tuple[SlotId, ...]
    gpueq: Fraction
    state: LeaseState
    granted_at: datetime
    expires_at: datetime | None = None
    container: str | None = None
    name: str = ""
    ended_at: datetime | None = None
    reason: str = ""
    planned: timedelta | None = None
    booking: str = ""

    def outlives(self, now: datetime) -> bool:
        """Whether it is only kept for a stopped container, past the time it was given for: others may have it."""
        over = self.planned is not None and self.granted_at + self.planned <= now
        return over and self.state is LeaseState.HELD


def moved(
    lease: Lease, state: LeaseState, now: datetime, *, expires_at: datetime | None = None,
    container: str | None = None, reason: str = "",
) -> Lease:  # fmt: skip
    """The lease in its next state. Raises Ds01Error (``lease.ended``) when there is no way from here to there."""
    if not may_become(lease.state, state):
        raise Ds01Error(
            LEASE_ENDED,
            f"The GPU of {lease.name or 'this container'} cannot become {state}: it is {lease.state}.",
            reason=_ended(lease),
            hint="Start the container again: a GPU is then leased anew.",
        )
    return replace(
        lease,
        state=state,
        expires_at=expires_at,
        container=container or lease.container,
        ended_at=None if state.open else now,
        reason=reason,
    )


def rival(lease: Lease, others: Iterable[Lease], known: Mapping[SlotId, Slot]) -> Lease | None:
    """The open lease that ``lease`` cannot stand beside (I1, I2): one slot, a GPU and its part, or one container.

    ``known`` must have every slot of all of them.
    """
    whole = {known[slot].gpu: known[slot].whole for slot in lease.slots}
    for other in others:
        if other.id == lease.id:
            continue
        if other.container is not None and other.container == lease.container:
            return other
        if any(_overlap(lease, whole, known[slot]) for slot in other.slots):
            return other
    return None


def _overlap(lease: Lease, whole: Mapping[SlotId, bool], other: Slot) -> bool:
    return other.gpu in whole and (other.id in lease.slots or other.whole or whole[other.gpu])


def _ended(lease: Lease) -> str:
    if lease.ended_at is None:
        return ""
    return f"it went back at {lease.ended_at:%H:%M:%S} UTC" + (f" ({lease.reason})" if lease.reason else "")
