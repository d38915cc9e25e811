"""A container's first shell, on a pseudo terminal of this process.

The slave is named in the launch; a server that can do so begins a shell on it with the container, and no program has
to be brought in by the engine. What is typed and shown goes through this process alone: no restart of ds01d, the
gateway or the engine is in its way. Where nothing took the slave, the caller goes in by an exec.
"""

from __future__ import annotations

import os
import sys
import termios

TYPE_CHECKING = False  # typing is slow to import, and this is imported at every launch
if TYPE_CHECKING:
    from ds01.client.screen import Ended


class FirstShell:
    """The pseudo terminal. ``path`` is what a launch names."""

    def __init__(self) -> None:
        self._master, self._slave = os.openpty()
        self.path = os.ttyname(self._slave)
        fit(self._master)

    def run(self) -> Ended | None:
        """This process's terminal is that of the shell until it ends or is left; None when none began.

        However it is left, the shell goes on: a process of its own keeps its terminal then.
        """
        from ds01.client.pump import pumped  # what moves bytes is loaded while the container starts

        os.close(self._slave)
        return pumped(self._master)


def fit(master: int) -> None:
    """The shell's terminal is as large as this one."""
    size = os.get_terminal_size(sys.stdout.fileno())
    termios.tcsetwinsize(master, (size.lines, size.columns))
