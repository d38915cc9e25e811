"""A request: somebody waits for slots. ``waiting → reserved → taken``, or ``cancelled``, or ``expired``.

Reserved is the claim-hold: the turn of an interactive request has come, its slots are leased and wait for the person
for a while. A batch request goes from waiting to taken at once. A request that was not claimed is expired and the
next one gets the slots; it does not keep its place, or a queue of sleepers would hold GPUs in turn for ever.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NewType

from ds01.domain.errors import REQUEST_ENDED, Ds01Error
from ds01.domain.gpu_ask import GpuAsk
from ds01.domain.lease import LeaseId
from ds01.domain.people import Uid

RequestId = NewType("RequestId", str)


class RequestState(StrEnum):
    """Where a request is in its life."""

    WAITING = "waiting"
    RESERVED = "reserved"
    TAKEN = "taken"
    CANCELLED = "cancelled"
    EXPIRED = "expired"

    @property
    def open(self) -> bool:
        """Whether the request still wants something."""
        return self in (RequestState.WAITING, RequestState.RESERVED)


_NEXT = {
    RequestState.WAITING: {
        RequestState.RESERVED, RequestState.TAKEN, RequestState.CANCELLED, RequestState.EXPIRED,
    },
    RequestState.RESERVED: {
        RequestState.WAITING, RequestState.TAKEN, RequestState.CANCELLED, RequestState.EXPIRED,
    },
    RequestState.TAKEN: set[RequestState](),
    RequestState.CANCELLED: set[RequestState](),
    RequestState.EXPIRED: set[RequestState](),
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Request:
    """One place in the queue.

    ``planned`` is the longest it may run (``--time``, else the user's runtime limit); None has no end and is never
    slipped in before somebody. ``priority`` is the group's head start. ``interactive`` requests are held for a
    person, others start by themselves. ``wait_until`` is when the asker gives up (``--wait=1h``). ``lease`` and
    ``claim_until`` are set while it is reserved, ``lease`` also when taken. ``order`` is what is to be done when it
    is taken, in the words of whoever asked: the queue does not read it.
    """

    id: RequestId
    uid: Uid
    epoch: int
    name: str
    ask: GpuAsk
    submitted_at: datetime
    planned: timedelta | None = None
    interactive: bool = True
    priority: int = 0
    state: RequestState = RequestState.WAITING
    wait_until: datetime | None = None
    lease: LeaseId | None = None
    claim_until: datetime | None = None
    ended_at: datetime | None = None
    reason: str = ""
    order: str = ""


def may_become(old: RequestState, new: RequestState) -> bool:
    """Whether a request may go from one state to the other; reserved goes back to waiting when its slot fell ill."""
    return new in _NEXT[old]


def moved(
    request: Request, state: RequestState, now: datetime, *, lease: LeaseId | None = None,
    claim_until: datetime | None = None, reason: str = "",
) -> Request:  # fmt: skip
    """The request in its next state. Raises Ds01Error (``request.ended``) when there is no way from here to there."""
    if not may_become(request.state, state):
        raise Ds01Error(
            REQUEST_ENDED,
            f"{request.name or request.id} cannot become {state}: it is {request.state}.",
            reason=request.reason,
            hint="Ask again: ds01 launch" + (f" {request.name}" if request.name else "") + " --wait",
        )
    kept = state in (RequestState.RESERVED, RequestState.TAKEN)
    return replace(
        request,
        state=state,
        lease=(lease or request.lease) if kept else None,
        claim_until=claim_until if state is RequestState.RESERVED else None,
        ended_at=None if state.open else now,
        reason=reason,
    )
