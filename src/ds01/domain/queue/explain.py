"""What somebody who waits is told: her place, the one reason, when it may be her turn, and what would run now instead.

It is the pass itself that is asked, after it ran: what it says would start now would start now, with the same promises
kept to others. Others are a number, never names.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import inf

from ds01.domain.gpu_ask import GpuAsk
from ds01.domain.queue.decide import Scene, settled
from ds01.domain.queue.estimate import Load, Ranges, reckoned
from ds01.domain.queue.line import Waiter
from ds01.domain.queue.plan import Member, Owner, Plan, Rules, Server, Why
from ds01.domain.queue.request import Request, RequestId

WORDS = {
    Why.QUOTA: "you hold, or are next to get, as much as you may; something of yours must end first",
    Why.FULL: "nothing that fits is free, and you are next",
    Why.BOOKING: "what is free is booked for others before you would be done",
    Why.FAIR_SHARE: "others had less lately, or wait longer for their size, and go first",
    Why.HEAD: "what is free is kept for somebody who is next and needs more than is free",
    Why.QUARANTINE: "so much is out of service that the rest is not enough; an admin must see to it",
}
"""Each reason as a sentence to the one who waits."""

_LEAST = timedelta(minutes=10)
"""A shorter time is not offered."""


@dataclass(frozen=True, kw_only=True)
class Instead:
    """A request that would start now. ``planned`` None has no end; ``what`` says what is different."""

    ask: GpuAsk
    planned: timedelta | None
    what: str


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """What one who waits is told. ``position`` 1 is next; ``ahead`` are those before her.

    The start is likely between ``earliest`` and ``latest``; None where nobody can know. ``reckoned_seconds`` is the
    number behind the range: when the turn has come, ``Ranges.saw`` learns from it.
    """

    request: RequestId
    position: int
    ahead: int
    why: Why
    words: str
    earliest: datetime | None
    latest: datetime | None
    reckoned_seconds: float
    instead: tuple[Instead, ...]


def explain(
    waiting: Iterable[Request], server: Server, members: Mapping[Owner, Member], now: datetime,
    rules: Rules | None = None, *, kept: RequestId | None = None, ranges: Ranges | None = None,
    only: Iterable[RequestId] | None = None,
) -> dict[RequestId, Explanation]:  # fmt: skip
    """Explain each one who still waits after a pass over all of them, or ``only`` these."""
    scene, plan = settled(waiting, server, members, now, rules or Rules(), kept)
    wanted = set(plan.order if only is None else only)
    told = _Told(scene, plan, server, ranges or Ranges())
    return {one: told.about(place, one) for place, one in enumerate(plan.order) if one in wanted}


class _Told:
    def __init__(self, scene: Scene, plan: Plan, server: Server, ranges: Ranges) -> None:
        self._scene, self._plan, self._server, self._ranges = scene, plan, server, ranges
        self._by_key = {waiter.key: waiter for waiter in scene.waiters}

    def about(self, place: int, request: RequestId) -> Explanation:
        """All that is told about one place in the order."""
        waiter, why = self._by_key[request], self._plan.reasons[request]
        seconds = self._reckoned(place, waiter, why)
        earliest, latest = self._range(request, seconds)
        return Explanation(
            request=request, position=place + 1, ahead=place, why=why, words=WORDS[why],
            earliest=earliest, latest=latest, reckoned_seconds=seconds,
            instead=tuple(self._instead(self._scene.request(request))),
        )  # fmt: skip

    def _reckoned(self, place: int, waiter: Waiter, why: Why) -> float:
        if why is Why.QUARANTINE:
            return inf
        able = self._scene.able(waiter)
        ahead = [self._load(self._by_key[one]) for one in self._plan.order[:place] if self._with(waiter, one)]
        seconds = reckoned(self._scene.free_in(able), ahead, self._load(waiter))
        return max(seconds, self._scene.affordable_in(waiter)) if why is Why.QUOTA else seconds

    def _with(self, waiter: Waiter, other: RequestId) -> bool:
        """Whether another one wants the same slots and may have them."""
        one = self._by_key[other]
        return self._plan.reasons[other] is not Why.QUOTA and not set(one.shape.kinds).isdisjoint(waiter.shape.kinds)

    @staticmethod
    def _load(waiter: Waiter) -> Load:
        return Load(waiter.shape.slots, waiter.shape.amount, waiter.likely)

    def _range(self, request: RequestId, seconds: float) -> tuple[datetime | None, datetime | None]:
        if seconds == inf:
            return None, None
        low, high = self._ranges.around(seconds)
        earliest, latest = _after(self._scene.now, low), _after(self._scene.now, high)
        head = self._plan.head
        if head is not None and head.request == request and head.at is not None:
            latest = max(self._scene.now, head.at if latest is None else min(latest, head.at))
            earliest = latest if earliest is None else min(earliest, latest)
        return earliest, latest

    def _instead(self, request: Request) -> Iterator[Instead]:
        """The same for a shorter time, fewer of them, a smaller slot: of each the nearest that would start now."""
        longest = self._scene.longest(request)
        if longest is not None and _LEAST <= longest < (request.planned or timedelta.max):
            minutes = timedelta(minutes=longest // timedelta(minutes=1))
            yield Instead(ask=request.ask, planned=minutes, what="a shorter time")
        for count in range(request.ask.count - 1, 0, -1):
            fewer = replace(request.ask, count=count)
            if self._scene.would_start(replace(request, ask=fewer)):
                yield Instead(ask=fewer, planned=request.planned, what="fewer GPUs")
                break
        for ask in self._smaller(request.ask):
            if self._scene.would_start(replace(request, ask=ask)):
                yield Instead(ask=ask, planned=request.planned, what="a smaller slot")
                break

    def _smaller(self, ask: GpuAsk) -> Iterator[GpuAsk]:
        """One slot of each kind that is not what was asked for, the largest first."""
        kinds = {slot.profile: (slot.gpueq, slot.memory_bytes) for slot in self._server.slots}
        for profile in sorted(kinds, key=lambda one: kinds[one], reverse=True):
            if profile != ask.profile and kinds[profile][1] >= ask.memory_bytes:
                yield GpuAsk(profile=profile, memory_bytes=ask.memory_bytes)


def _after(now: datetime, seconds: float) -> datetime | None:
    return None if seconds == inf or seconds > 10 * 365 * 86400 else now + timedelta(seconds=seconds)
