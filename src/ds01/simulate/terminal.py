"""A replay on a terminal: one line a GPU, time from left to right, how full it was in eight steps."""

from __future__ import annotations

from collections.abc import Sequence

from ds01.domain.queue.floor import WHOLE
from ds01.simulate.replay import Replayed

BLOCKS = " ▁▂▃▄▅▆▇█"
PLAIN = " .:-=+*%#"


def chart(found: Replayed, width: int, *, symbols: bool = True) -> list[str]:
    """How full each GPU was, and how many waited, over the time of the replay."""
    done = found.outcomes
    if not done:
        return []
    begin = min(one.job.submit for one in done)
    step = max((max(one.end for one in done) - begin) / width, 1e-9)
    full = [[0.0] * width for _ in range(found.gpus)]
    waiting = [0.0] * width
    for one in done:
        for slot in one.slots:
            _spread(full[slot], (one.start - begin) / step, (one.end - begin) / step, one.job.amount / WHOLE)
        _spread(waiting, (one.job.submit - begin) / step, (one.start - begin) / step, 1.0)
    marks = BLOCKS if symbols else PLAIN
    most = max(waiting) or 1.0
    lines = [f"GPU {number:<5}{_line(row, marks)}" for number, row in enumerate(full)]
    return [*lines, f"waiting  {_line([value / most for value in waiting], marks)}  up to {most:.0f}"]


def _spread(row: list[float], begin: float, end: float, amount: float) -> None:
    """Add an amount to the cells between two places, in part to those it only touches."""
    first, last = int(begin), min(int(end), len(row) - 1)
    for cell in range(first, last + 1):
        row[cell] += amount * max(0.0, min(end, cell + 1) - max(begin, cell))


def _line(values: Sequence[float], marks: str) -> str:
    top = len(marks) - 1
    return "".join(marks[min(top, max(0, round(value * top)))] for value in values)
