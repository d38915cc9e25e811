"""What ds01d remembers of running containers while it runs, bounded, and by a clock that does not jump.

None of it is written down. A ds01d that was down knows nothing of the time between, so it begins anew: nobody was idle,
nobody was warned, and everybody gets the whole lead again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ds01.domain.consumption import Consumed
from ds01.domain.container import ContainerId
from ds01.domain.lifecycle.activity import UNKNOWN, Reading
from ds01.domain.lifecycle.case import ZERO, Rule, Warned
from ds01.domain.notice import NoticeId
from ds01.domain.people import Uid
from ds01.ports.meters import Meter

LEAST_LOOKS, MOST_LOOKS = 40, 240
"""Looks kept of each container: as many as the idle window has, within these."""
STEP = timedelta(seconds=1)
"""Smaller differences between the two clocks are drift."""


@dataclass(kw_only=True)
class Said:
    """What was told about one rule. Times are of the monotonic clock; ``notice`` is the open one in the ledger."""

    notice: NoticeId
    tried: float
    delivered: float | None = None
    retried: float = 0.0
    last: bool = False

    def ago(self, now: float) -> Warned:
        """As the rules want to know it."""
        delivered = None if self.delivered is None else timedelta(seconds=now - self.delivered)
        return Warned(tried=timedelta(seconds=now - self.tried), delivered=delivered, last=self.last)


@dataclass(kw_only=True)
class Watched:
    """One container. ``meter`` and ``read_at`` are those of the last look, ``active_at`` when it last did anything."""

    history: deque[Reading] = field(default_factory=lambda: deque(maxlen=LEAST_LOOKS))
    meter: Meter = field(default_factory=Meter)
    read_at: float | None = None
    active_at: float = 0.0
    busy_with: str = UNKNOWN
    cpus: float = 0.0
    """Cores it may use."""
    paused_at: float | None = None
    said: dict[Rule, Said] = field(default_factory=dict)
    standing: dict[Rule, timedelta] = field(default_factory=dict)
    begun: dict[str, tuple[datetime, float]] = field(default_factory=dict)
    peak_bytes: int = 0
    """The most memory it had, read when it was full."""

    @property
    def last(self) -> Reading | None:
        """The latest look."""
        return self.history[-1] if self.history else None


class Memory:
    """All of them. ``busy`` is the share of the GPUs that is leased, as seen last; ``gpu_seconds``, ``joules``
    (used, idle, unattributed) and ``people`` (each user's) are what was counted since ds01d started.
    """

    def __init__(self) -> None:
        self.busy = 0.0
        self.gpu_seconds = 0.0
        self.joules: dict[str, float] = {}
        self.people: dict[Uid, Consumed] = {}
        self._known: dict[ContainerId, Watched] = {}
        self._before: tuple[datetime, float] | None = None
        self._step = ZERO

    @property
    def looked_at(self) -> datetime | None:
        """When the last look began; None before the first."""
        return self._before[0] if self._before is not None else None

    def tick(self, now: datetime, monotonic: float) -> None:
        """A new look begins: by how much the wall clock was set since the last one."""
        before, self._before = self._before, (now, monotonic)
        step = ZERO if before is None else (now - before[0]) - timedelta(seconds=monotonic - before[1])
        self._step = step if abs(step) > STEP else ZERO

    def remember(self, looks: int) -> None:
        """Keep so many looks of each, the latest ones."""
        kept = min(max(looks, LEAST_LOOKS), MOST_LOOKS)
        for watched in self._known.values():
            if watched.history.maxlen != kept:
                watched.history = deque(watched.history, maxlen=kept)

    def keep(self, containers: Iterable[ContainerId], monotonic: float) -> None:
        """Forget all others; those that are new begin now."""
        wanted = frozenset(containers)
        for gone in self._known.keys() - wanted:
            del self._known[gone]
        for new in wanted - self._known.keys():
            self._known[new] = Watched(active_at=monotonic)

    def get(self, container: ContainerId) -> Watched | None:
        """What is remembered of one."""
        return self._known.get(container)

    def note_peak(self, container: ContainerId, peak_bytes: int) -> None:
        """The kernel ended something in it for want of memory; this is the most it had."""
        watched = self._known.setdefault(container, Watched())
        watched.peak_bytes = max(watched.peak_bytes, peak_bytes)

    def peak(self, container: ContainerId) -> int | None:
        """The most memory it had when its memory was full; None when that was never so."""
        watched = self._known.get(container)
        return watched.peak_bytes or None if watched is not None else None

    def standing(self) -> dict[ContainerId, dict[Rule, timedelta]]:
        """When each rule would act on each, as seen last."""
        return {container: watched.standing for container, watched in self._known.items()}

    def used(self) -> dict[ContainerId, int]:
        """Memory in use, as seen last."""
        return {container: watched.last.memory_bytes for container, watched in self._known.items() if watched.last}

    def since(self, watched: Watched, what: str, at: datetime | None) -> timedelta:
        """How long ago ``at`` was: taken from the wall clock once and counted on from then."""
        if at is None or self._before is None:
            return ZERO
        now, monotonic = self._before
        known = watched.begun.get(what)
        if known is None or known[0] != at:
            passed = max(ZERO, now - at - max(self._step, ZERO))
            known = (at, monotonic - passed.total_seconds())
            watched.begun[what] = known
        return timedelta(seconds=monotonic - known[1])
