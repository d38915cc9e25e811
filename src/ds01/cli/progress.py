"""Progress: one line at the bottom that says what goes on and for how long, and is gone when it is done.

Written by hand in few lines: a progress library takes longer to import than most of what it would show. A thread keeps
the line moving, so that one sees that something happens.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from ds01.cli.style import shorten
from ds01.cli.talk import Talk

_FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_BEAT_SECONDS = 0.1
_PATIENCE_SECONDS = 1.0


@contextmanager
def step(talk: Talk, text: str) -> Iterator[None]:
    """Show ``text`` while the block runs."""
    line = Line(talk)
    line.show(text)
    try:
        yield
    finally:
        line.clear()


class Line:
    """The line at the bottom. Where nobody watches it is nothing, or a line of talk with ``--verbose``."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk
        self._text = ""
        self._since = 0.0
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def show(self, text: str) -> None:
        """Show this from now on."""
        with self._lock:
            self._text, self._since = text, time.monotonic()
        if not self._talk.watched:
            self._talk.detail(f"{text}…")
            return
        self._draw(0)
        if self._thread is None:
            self._thread = threading.Thread(target=self._beat, daemon=True)
            self._thread.start()

    def keep(self, text: str) -> None:
        """Show more about what goes on; the time goes on counting."""
        with self._lock:
            self._text = text

    def clear(self) -> None:
        """Take the line away; nothing moves afterwards."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
            self._erase()

    def above(self, text: str) -> None:
        """Say something that stays, above the line."""
        with self._lock:
            if self._thread is not None:
                self._erase()
            self._talk.say(text)

    def _beat(self) -> None:
        beat = 0
        while not self._stop.wait(_BEAT_SECONDS):
            beat += 1
            self._draw(beat)

    def _draw(self, beat: int) -> None:
        with self._lock:
            style = self._talk.err
            seconds = time.monotonic() - self._since
            frame = _FRAMES[beat % len(_FRAMES)] if style.symbols else "-"
            late = f" {seconds:.0f}s" if seconds >= _PATIENCE_SECONDS else ""
            text = shorten(self._text, style.width - 4 - len(late))
            self._talk.stderr.write(f"\r\x1b[K{style('cyan', frame)} {text}{style('dim', late)}")
            self._talk.stderr.flush()

    def _erase(self) -> None:
        self._talk.stderr.write("\r\x1b[K")
        self._talk.stderr.flush()
