"""This process's own terminal, while it shows a program somewhere else."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import termios
import tty
from collections.abc import Iterator

from ds01.domain.record import record


@record
class Ended:
    """How it went: the program ended with ``code``; or it goes on (``left``: by the keys, ``lost``: the line broke);
    or the engine could not start it: ``refused`` is why, in the engine's words.
    """

    code: int = 0
    refused: str = ""
    left: bool = False
    lost: bool = False


DETACH_KEYS = b"\x10\x11"
PIECE = 64 * 1024


@contextlib.contextmanager
def raw() -> Iterator[int]:
    """Raw mode, without losing what was typed ahead. Yields a file descriptor that is readable after the size changed
    or another signal came. A terminal that is gone by the end needs no mode.
    """
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    old_wakeup = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    old_handler = signal.signal(signal.SIGWINCH, lambda *_: None)
    old_term = signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        tty.setraw(descriptor, termios.TCSADRAIN)
        yield reader
    finally:
        with contextlib.suppress(termios.error):
            termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
        signal.signal(signal.SIGWINCH, old_handler)
        signal.signal(signal.SIGTERM, old_term)
        signal.set_wakeup_fd(old_wakeup)
        os.close(reader)
        os.close(writer)


class DetachKeys:
    """Finds ``ctrl-p ctrl-q`` in what is typed, over any number of reads.

    Looked for here, not by the engine: Debian's engine takes the keys for an error and closes the shell. As with
    docker, a ``ctrl-p`` is sent with the key after it.
    """

    def __init__(self) -> None:
        self.pressed = False
        self._held = b""

    def sift(self, data: bytes) -> bytes:
        """What to send of ``data``; after the keys, nothing."""
        typed = self._held + data
        before, keys, _ = typed.partition(DETACH_KEYS)
        self.pressed = bool(keys)
        self._held = b"" if keys or not before.endswith(DETACH_KEYS[:1]) else DETACH_KEYS[:1]
        return before.removesuffix(DETACH_KEYS[:1]) if self._held else before


def write(descriptor: int, data: bytes) -> None:
    """All of it."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
