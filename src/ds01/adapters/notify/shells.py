"""The terminals open in a container: whoever sits in it reads the letter where she works.

A process of the container has its terminal as an open file; the kernel's own link to that file leads to the terminal
itself, whatever the container's folders say. What is opened is looked at before anything is written.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from ds01.adapters.notify.screen import drawn, write
from ds01.ports.channel import Letter
from ds01.ports.meters import Meters

_TERMINAL = 4
"""Of the fields of ``stat`` after the name: state, parent, group, session, terminal."""
_FILES = (0, 1, 2)


class Shells:
    """Needs root, and somebody who knows a container's processes."""

    name = "shells"
    proves = True
    inside = True
    nowhere = "no terminal is open in it"

    def __init__(self, meters: Meters, proc: Path = Path("/proc")) -> None:
        self._meters = meters
        self._proc = proc

    async def deliver(self, letter: Letter) -> str:
        """Once onto each terminal that is open in it."""
        return await asyncio.to_thread(self._deliver, letter)

    def _deliver(self, letter: Letter) -> str:
        if letter.container is None:
            return ""
        content = drawn(letter)
        terminals: dict[str, list[int]] = {}
        for pid in self._meters.pids(letter.container.id, letter.container.uid):
            terminal = self._terminal(pid)
            if terminal:
                terminals.setdefault(terminal, []).append(pid)
        reached = sum(self._write(pids, content) for pids in terminals.values())
        return "" if not reached else "1 terminal" if reached == 1 else f"{reached} terminals"

    def _write(self, pids: list[int], content: bytes) -> bool:
        return any(write(self._proc / str(pid) / "fd" / str(fd), content) for pid in pids for fd in _FILES)

    def _terminal(self, pid: int) -> str:
        """The number of its controlling terminal, ``""`` when it has none."""
        try:
            text = (self._proc / str(pid) / "stat").read_text(errors="replace")
            found = text.rpartition(")")[2].split()[_TERMINAL]
        except (OSError, IndexError):
            return ""
        return "" if found == "0" else found
