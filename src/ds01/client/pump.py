"""Moves bytes between this process's terminal and that of a container's first shell, until it ends or is left."""

from __future__ import annotations

import os
import re
import select
import signal
import sys
from collections.abc import Iterator

from ds01.client.first_shell import fit
from ds01.client.screen import PIECE, DetachKeys, Ended, raw, write

TYPE_CHECKING = False  # typing is slow to import, and this is imported at every launch
if TYPE_CHECKING:
    from typing import NoReturn

KILLED = 128 + signal.SIGKILL
_END = re.compile(rb"\x1b\]7301;([0-9]{1,3})\x07\Z")
_BEGINNING = re.compile(rb"\x1b(\](7(3(0(1(;([0-9]{1,3}\x07?)?)?)?)?)?)?)?\Z")


def pumped(master: int) -> Ended | None:
    """Show the shell behind ``master``, which is closed in the end; None when none began."""
    if not _taken(master):
        os.close(master)
        return None
    fit(master)  # who waited for a GPU may have another window by now
    os.set_blocking(master, False)
    before = signal.signal(signal.SIGHUP, _is_lost)
    pump = _Pump(master)
    try:
        with raw() as signalled:
            for _ in pump.rounds(signalled):
                fit(master)
    finally:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # also for the process that keeps the shell's terminal
        if not pump.over:
            _keep(master)
        os.close(master)
        signal.signal(signal.SIGHUP, before)
    if not pump.over:
        return Ended(left=True)
    return Ended(code=pump.ending.code) if pump.shown else None


def _taken(master: int) -> bool:
    """Whether the other side is open, or has left something to read."""
    poll = select.poll()
    poll.register(master, select.POLLIN)
    return all(not seen & select.POLLHUP or seen & select.POLLIN for _, seen in poll.poll(0))


class Ending:
    """Finds what the session says after the shell, at the very end of what is shown: ``ESC ] 7301 ; CODE BEL``."""

    def __init__(self) -> None:
        self._held = b""

    @property
    def code(self) -> int:
        """The shell's exit code; one of which nothing was said was killed with everything."""
        found = _END.match(self._held)
        return int(found[1]) if found else KILLED

    def sift(self, data: bytes) -> bytes:
        """What to show of ``data``: all but what may be the end."""
        shown = self._held + data
        at = shown.rfind(b"\x1b")
        may_end = at >= 0 and _BEGINNING.match(shown, at) is not None
        self._held = shown[at:] if may_end else b""
        return shown[:at] if may_end else shown


class _Pump:
    """Moves bytes between this process's terminal and the shell's."""

    def __init__(self, master: int) -> None:
        self.ending = Ending()
        self.over = False
        """The shell's side was closed."""
        self.shown = False
        """Something was shown: a shell was there."""
        self._master = master
        self._sending = b""
        self._keys = DetachKeys()
        self._gone = False

    def rounds(self, signalled: int) -> Iterator[None]:
        """Until the shell is over, or is left. Yields when a signal came."""
        poll = select.poll()
        own = sys.stdin.fileno()
        while not self.over and not (self._left and not self._sending):
            poll.register(self._master, select.POLLIN | (select.POLLOUT if self._sending else 0))
            poll.register(signalled, select.POLLIN)
            poll.register(own, 0 if self._sending else select.POLLIN)
            ready = dict(poll.poll())
            if signalled in ready:
                os.read(signalled, 64)
                yield
            if own in ready and not self._sending:
                self._type(own)
            if self._sending:
                self._send()
            if ready.get(self._master, 0) & (select.POLLIN | select.POLLHUP):
                self._show()

    @property
    def _left(self) -> bool:
        return self._gone or self._keys.pressed

    def _type(self, own: int) -> None:
        """Take what was typed; a terminal that is gone types nothing any more."""
        try:
            data = os.read(own, PIECE)
        except OSError:
            data = b""
        self._gone = not data
        self._sending = self._keys.sift(data)

    def _send(self) -> None:
        try:
            self._sending = self._sending[os.write(self._master, self._sending) :]
        except BlockingIOError:
            return

    def _show(self) -> None:
        """What the shell wrote; a master whose slave is closed has nothing more, which is an error to the kernel."""
        try:
            data = os.read(self._master, PIECE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        self.over = not data
        self.shown = self.shown or bool(data)
        write(sys.stdout.fileno(), self.ending.sift(data))


def _is_lost(*_: object) -> NoReturn:
    """The line dropped; it may say so more than once."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    sys.exit(128 + signal.SIGHUP)


def _keep(master: int) -> None:
    """Leave a process behind that holds the terminal, and throws away what is shown on it, until the shell is over."""
    if os.fork():
        return
    try:
        os.setsid()
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        nothing = os.open(os.devnull, os.O_RDWR)
        for descriptor in range(3):
            os.dup2(nothing, descriptor)
        os.set_blocking(master, True)
        while os.read(master, PIECE):
            pass
    finally:
        os._exit(0)
