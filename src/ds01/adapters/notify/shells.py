"""The terminals open in a container: whoever sits in it reads the letter where she works.

A process of the container has its terminal as an open file; the kernel's own link to that file leads to the terminal
itself, whatever the container's folders say. What else such a link leads to is not opened: she can hold the place of
any file of the server, which takes no right on the file. Of the terminals on the server itself only her own are
written on; those of a container's own are whoever's the container says, and nobody else can hold one.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from itertools import islice
from pathlib import Path

from ds01.adapters.host.processes import held
from ds01.adapters.notify.screen import drawn, is_pseudo, write
from ds01.domain.container import Container
from ds01.ports.channel import Letter
from ds01.ports.meters import Meters

_TERMINAL = 4
"""Of the fields of ``stat`` after the name: state, parent, group, session, terminal."""
_FILES = (0, 1, 2)
_TERMINALS = 64
"""Nobody reads a letter on more of them."""
_PROCESSES = 16
"""Asked for one terminal: the first ones may have ended, or have it as no file any more."""


class Shells:
    """Needs root, and somebody who knows a container's processes. ``pts`` is where the server's own terminals are."""

    name = "shells"
    proves = True
    inside = True
    nowhere = "no terminal is open in it"

    def __init__(self, meters: Meters, proc: Path = Path("/proc"), pts: Path = Path("/dev/pts")) -> None:
        self._meters = meters
        self._proc = proc
        self._pts = pts

    async def deliver(self, letter: Letter) -> str:
        """Once onto each terminal that is open in it."""
        return await asyncio.to_thread(self._deliver, letter)

    def _deliver(self, letter: Letter) -> str:
        if letter.container is None:
            return ""
        content, hers = drawn(letter), self._hers(letter.user.uid)
        terminals: dict[str, list[int]] = {}
        for pid in self._pids(letter.container):
            terminal = self._terminal(pid)
            if terminal:
                terminals.setdefault(terminal, []).append(pid)
        asked = islice(terminals.values(), _TERMINALS)
        reached = sum(self._write(letter.container, pids[:_PROCESSES], content, hers) for pids in asked)
        return "" if not reached else "1 terminal" if reached == 1 else f"{reached} terminals"

    def _pids(self, container: Container) -> Sequence[int]:
        return self._meters.pids(container.id, container.uid)

    def _hers(self, uid: int) -> Callable[[os.stat_result], bool]:
        """Hers on the server, or a container's own."""
        own = None
        with suppress(OSError):
            own = self._pts.stat().st_dev
        return lambda found: is_pseudo(found) and (found.st_uid == uid or own not in (None, found.st_dev))

    def _write(
        self, container: Container, pids: Sequence[int], content: bytes, hers: Callable[[os.stat_result], bool]
    ) -> bool:  # fmt: skip
        """Onto the terminal of these processes. A number may be another process by now: its folder is held open, and
        what is in the container after that is what was opened.
        """
        with ExitStack() as stack:
            folders = {pid: stack.enter_context(held(self._proc / str(pid))) for pid in pids}
            there = set(self._pids(container))
            found = [folder for pid, folder in folders.items() if folder is not None and pid in there]
            return any(write(folder / "fd" / str(fd), content, hers) for folder in found for fd in _FILES)

    def _terminal(self, pid: int) -> str:
        """The number of its controlling terminal, ``""`` when it has none."""
        try:
            text = (self._proc / str(pid) / "stat").read_text(errors="replace")
            found = text.rpartition(")")[2].split()[_TERMINAL]
        except (OSError, IndexError):
            return ""
        return "" if found == "0" else found
