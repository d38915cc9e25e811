"""Whether a container does anything: measured, not guessed.

One look at a container is a ``Reading``: what its GPUs, its processors and its network did since the look before. It is
idle only when all three are below their marks; what cannot be measured counts as activity, so that a driver that says
nothing stops nobody. GPU memory that is held is no activity: a debugger that waits, a notebook with a loaded model and
nobody at it. The network counts by what moved within the window, because a look is short and packets come in bursts;
a look in which nothing moved is quiet all the same, so that idling begins when a download ends and not a window later.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ds01.domain.quantity import show_size
from ds01.domain.settings import IdleRule

UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """One look. ``seconds`` is the time since the one before, which the others are about; None is unknown.

    ``gpu`` is the utilisation of the busiest of its slots and ``cpu`` the used share of the cores it may use, both 0
    to 1. Memory is what is held at this moment.
    """

    seconds: float
    gpu: float | None
    cpu: float | None
    network_bytes: int | None
    gpu_memory_bytes: int = 0
    memory_bytes: int = 0


def busy_with(history: Sequence[Reading], rule: IdleRule) -> str:
    """What keeps the last of these looks from being idle, as people read it; ``""`` when nothing does."""
    if not history:
        return UNKNOWN
    last = history[-1]
    if last.gpu is None or last.cpu is None or last.network_bytes is None:
        return UNKNOWN
    if last.gpu >= rule.gpu_below:
        return f"GPU {last.gpu:.0%}"
    if last.cpu >= rule.cpu_below:
        return f"CPU {last.cpu:.0%}"
    return _network(history, rule)


def _network(history: Sequence[Reading], rule: IdleRule) -> str:
    """A look is busy when it has its part of a window in which enough moved."""
    last, window = history[-1], rule.window.total_seconds()
    if (last.network_bytes or 0) < rule.network_below_bytes * min(1.0, last.seconds / window):
        return ""
    moved = _moved(history, window)
    return "" if moved < rule.network_below_bytes else f"network {show_size(moved)} within the window"


def _moved(history: Sequence[Reading], window: float) -> int:
    moved, seconds = 0, 0.0
    for reading in reversed(history):
        if seconds >= window:
            break
        moved += reading.network_bytes or 0
        seconds += reading.seconds
    return moved
