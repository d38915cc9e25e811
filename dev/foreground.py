"""A stack for as long as one program runs: what it started is stopped when it ends, however it ends.

An engine, ds01d or gateway that was up before is used and left alone, and so are its containers.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from dev import programs, stack
from dev.stack import Stack


@contextmanager
def running() -> Iterator[Stack]:
    """The stack of ``STATE``, started if need be. Ctrl-C, a hang-up or a kill end the block by KeyboardInterrupt."""
    chosen = os.environ.get("STATE") or None
    before = _alive(stack.recorded(stack.place(chosen)))
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        yield stack.up(chosen)
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        if not before and stack.recorded(stack.place(chosen)) is not None:
            _say("stopping what was started")
            stack.down(chosen)


def _alive(found: Stack | None) -> bool:
    return found is not None and programs.alive(found.ds01d)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
