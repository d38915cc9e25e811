"""What ds01d remembers of the queue beside the ledger: what everybody may have, and how the last pass ended.

It is worked out anew after a restart; what must survive one is in the ledger. Those who wait for their turn with an
open connection are woken here.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from ds01.domain.errors import DAEMON_DOWN, Ds01Error
from ds01.domain.lease import LeaseId
from ds01.domain.limits import Limits
from ds01.domain.queue.estimate import Ranges, Runs
from ds01.domain.queue.explain import Explanation
from ds01.domain.queue.plan import Member, Owner, Plan
from ds01.domain.queue.request import RequestId
from ds01.domain.queue.usage import Share
from ds01.wire.queue import PlaceView


@dataclass(frozen=True, kw_only=True)
class Outlook:
    """How a pass ended. ``number`` grows with every pass; ``places`` has those who wait with an open connection."""

    number: int = 0
    plan: Plan = field(default_factory=Plan)
    at: datetime | None = None
    places: Mapping[RequestId, PlaceView] = field(default_factory=dict)


@dataclass(kw_only=True)
class Line:
    """The memory of one ds01d. ``gathered`` is when somebody's request for several slots last got them.

    ``reckoned`` is what was first reckoned for those who wait, in seconds, and the monotonic time of it; ``ranges``
    learns from it how wrong that is.
    """

    members: dict[Owner, Member] = field(default_factory=dict)
    gathered: dict[Owner, datetime] = field(default_factory=dict)
    ranges: Ranges = field(default_factory=Ranges)
    runs: Runs = field(default_factory=Runs)
    """By owner, how much of what she planned she used."""
    reckoned: dict[RequestId, tuple[float, float]] = field(default_factory=dict)
    outlook: Outlook = field(default_factory=Outlook)
    giving_way: frozenset[LeaseId] = frozenset()
    """The leases of work that yields and is wanted by somebody who waits."""
    _present: Counter[RequestId] = field(default_factory=Counter)
    _staying: set[RequestId] = field(default_factory=set)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _closed: bool = False

    def learn(self, known: Mapping[Owner, Limits]) -> None:
        """What these may have now."""
        self.members |= {owner: member(limits) for owner, limits in known.items()}

    def reckon(self, told: Mapping[RequestId, Explanation], monotonic: float) -> None:
        """Remember what somebody was told first."""
        for request, one in told.items():
            self.reckoned.setdefault(request, (one.reckoned_seconds, monotonic))

    def came(self, starts: Iterable[RequestId], waiting: Container[RequestId], monotonic: float) -> None:
        """The turn of these has come: learn how wrong it was. Of who waits no more nothing is remembered."""
        for request in starts:
            if request in self.reckoned:
                seconds, since = self.reckoned[request]
                self.ranges.saw(seconds, monotonic - since)
        self.reckoned = {request: one for request, one in self.reckoned.items() if request in waiting}

    def publish(self, plan: Plan, at: datetime, places: Mapping[RequestId, PlaceView]) -> None:
        """A pass is over: tell everybody who waits."""
        self.outlook = Outlook(number=self.outlook.number + 1, plan=plan, at=at, places=places)
        self._wake()

    def arrive(self, request: RequestId, *, stays: bool) -> None:
        """Somebody waits for this request with an open connection."""
        self._present[request] += 1
        if stays:
            self._staying.add(request)

    def present(self) -> frozenset[RequestId]:
        """What somebody waits for with an open connection."""
        return frozenset(self._present)

    def somebody(self, request: RequestId) -> bool:
        """Whether somebody waits for it with an open connection."""
        return self._present[request] > 0

    def leave(self, request: RequestId) -> bool:
        """She does no more; True when she was the last one and the place need not stay."""
        self._present[request] -= 1
        if self._present[request] > 0:
            return False
        del self._present[request]
        gone = request not in self._staying
        self._staying.discard(request)
        return gone

    def close(self) -> None:
        """ds01d stops: nobody waits here any longer. Places in the queue stay."""
        self._closed = True
        self._wake()

    async def next(self, seen: int, left: asyncio.Event) -> None:
        """Wait for a pass later than ``seen``, or until the one who waits has left.

        Raises Ds01Error (``daemon.unreachable``) when ds01d stops.
        """
        leaving = asyncio.ensure_future(left.wait())
        try:
            while self.outlook.number <= seen and not left.is_set():
                self._check()
                changed = asyncio.ensure_future(self._changed.wait())
                await asyncio.wait({changed, leaving}, return_when=asyncio.FIRST_COMPLETED)
                changed.cancel()
            self._check()
        finally:
            leaving.cancel()

    def _check(self) -> None:
        if self._closed:
            raise Ds01Error(
                DAEMON_DOWN, "ds01d is stopping.", reason="Your place in the queue stays.", hint="ds01 queue"
            )

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


def member(limits: Limits) -> Member:
    """What the rules must know of somebody with these limits."""
    share = Share(group=limits.group, of_group=limits.shares, group_shares=limits.group_shares)
    return Member(
        quota=limits.gpus_max, mig=limits.mig, share=share, yields=limits.preemptible,
        notice=limits.lead + limits.stop_grace,
    )  # fmt: skip
