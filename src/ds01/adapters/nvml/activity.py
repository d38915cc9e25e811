"""Whether anything drives a slot, where the driver keeps no utilisation of it: MIG instances of GPUs
that do not count them (``counters``).

A program that computes on a GPU also runs on a processor: it starts kernels, copies, waits in a loop. One that only
holds memory does next to nothing. So a slot without processes is at rest, and so is one whose processes have hardly
used a processor since the look before; whether any other computes cannot be told, and counts as work.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from ds01.domain.gpu import SlotId

RESTING = 0.01
"""Of one processor core: what an idle notebook kernel or a debugger at its prompt stays below."""
SHORTEST_SECONDS = 5.0
"""Over less than this nothing is measured: what was said last holds."""
_TICKS = os.sysconf("SC_CLK_TCK")
_UTIME, _STIME = 11, 12
"""Fields of ``stat`` after the name."""


class Activity:
    """Remembers what each process had used at the look before. Called from several threads."""

    def __init__(self, proc: Path = Path("/proc")) -> None:
        self._proc = proc
        self._lock = threading.Lock()
        self._used: dict[int, float] = {}
        self._at = 0.0
        self._resting: dict[int, bool] = {}

    def utilisation(
        self, slots: Mapping[SlotId, Iterable[int] | None], now: float | None = None
    ) -> dict[SlotId, float | None]:
        """By slot, from its processes: 0 when all of them rest, None when that cannot be said, or which they are."""
        with self._lock:
            self._look({pid for pids in slots.values() for pid in pids or ()}, time.monotonic() if now is None else now)
            return {slot: self._of(pids) for slot, pids in slots.items()}

    def _of(self, pids: Iterable[int] | None) -> float | None:
        return 0.0 if pids is not None and all(self._resting.get(pid, False) for pid in pids) else None

    def _look(self, pids: Iterable[int], now: float) -> None:
        passed = now - self._at
        if passed < SHORTEST_SECONDS and self._used:
            return
        used = {pid: found for pid in pids if (found := self._read(pid)) is not None}
        self._resting = {
            pid: pid in self._used and 0 <= seconds - self._used[pid] < RESTING * passed
            for pid, seconds in used.items()
        }
        self._used, self._at = used, now

    def _read(self, pid: int) -> float | None:
        try:
            fields = (self._proc / str(pid) / "stat").read_text(errors="replace").rpartition(")")[2].split()
            return (int(fields[_UTIME]) + int(fields[_STIME])) / _TICKS
        except (OSError, ValueError, IndexError):
            return None
