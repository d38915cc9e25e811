"""Where frames end, so that few are taken in at a time, and how many that carry nothing a connection may bring.

The h2 package takes in all it is given at once, some 15 µs for a frame. 200 KB of empty frames would be a third of a
second in which nobody else is served, so a chunk is cut after a few frames, and others are served in between. What
carries nothing (pings, windows, settings, frames of no known kind) comes beside what carries something, or seldom; who
sends more of it means nothing but work.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

AT_ONCE = 16
"""Frames that are taken in before others are served."""

PREFACE_BYTES = len(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
"""What a client begins with, before its first frame."""

SPARE = 1000
"""Frames that carry nothing which may come in a row."""
SPARE_A_SECOND = 100
SPARE_EACH = 4
"""How many more may come for each frame with data, either way: a window for the call, one for all, a measuring ping."""

_HEADER_BYTES = 9
_DATA, _HEADERS, _CONTINUATION = 0, 1, 9


@dataclass(kw_only=True)
class Counted:
    """Frames that begin in a piece: with data, and with nothing. Headers are neither: they are bounded as calls."""

    all: int = 0
    data: int = 0
    empty: int = 0

    def add(self, kind: int, length: int) -> None:
        """One more."""
        self.all += 1
        if kind == _DATA and length:
            self.data += 1
        elif kind not in (_HEADERS, _CONTINUATION):
            self.empty += 1


class Cutter:
    """Cuts what comes on one connection. A frame may begin in one chunk and end in another, its header as well."""

    def __init__(self, *, preface: bool) -> None:
        """``preface``: what comes is a client's."""
        self._passing = PREFACE_BYTES if preface else 0
        self._header = b""

    def pieces(self, chunk: bytes) -> Iterator[tuple[bytes, Counted]]:
        """The chunk in pieces in which at most ``AT_ONCE`` frames begin."""
        begin, at, found = 0, 0, Counted()
        while at < len(chunk):
            if self._passing:
                passed = min(self._passing, len(chunk) - at)
                self._passing -= passed
                at += passed
                continue
            wanted = chunk[at : at + _HEADER_BYTES - len(self._header)]
            self._header += wanted
            at += len(wanted)
            if len(self._header) == _HEADER_BYTES:
                self._begins(found)
            if found.all == AT_ONCE:
                yield chunk[begin:at], found
                begin, found = at, Counted()
        if begin < len(chunk):
            yield chunk[begin:], found

    def _begins(self, found: Counted) -> None:
        self._passing = int.from_bytes(self._header[:3], "big")
        found.add(self._header[3], self._passing)
        self._header = b""


class Spare:
    """How many frames that carry nothing may still come on one connection."""

    def __init__(self, now: float) -> None:
        self._left = float(SPARE)
        self._at = now

    def sent(self) -> None:
        """A frame with data went the other way."""
        self._left = min(SPARE, self._left + SPARE_EACH)

    def takes(self, found: Counted, now: float) -> bool:
        """Whether these may come too."""
        more = (now - self._at) * SPARE_A_SECOND + found.data * SPARE_EACH
        self._left = min(SPARE, self._left + more) - found.empty
        self._at = now
        return self._left >= 0
