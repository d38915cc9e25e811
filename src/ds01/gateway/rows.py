"""A list of the engine's, read a row at a time: how long it is all together does not matter, and one row that is far
longer than any should be is left out.

The engine lists everybody's things. What is another's must not keep her from her own.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator

from ds01.gateway.body import Piece
from ds01.gateway.call import Call
from ds01.gateway.upstream import Ask, UpstreamError

ROW_BYTES = 1024 * 1024

_NEXT = re.compile(rb'["{}\[\]]')
_TEXT = re.compile(rb'[^"\\]*(?:\\.[^"\\]*)*', re.DOTALL)
_OPEN = b"{["
_QUOTE = b'"'


class Rows:
    """Cuts a list of objects into its objects, whatever stands in their texts. Feed it what comes."""

    def __init__(self) -> None:
        self._held = b""
        """The row that is being read, as far as it came."""
        self._at = 0
        """How much of that was looked at."""
        self._depth = 0
        self._quoted = False
        self._left_out = False
        self._ended = False

    @property
    def whole(self) -> bool:
        """Whether a list has come to its end."""
        return self._ended and not self._depth

    def feed(self, data: Piece) -> Iterator[bytes]:
        """The objects that are whole by now."""
        held, begun = self._held + data, 0
        at = self._at
        while at < len(held):
            at, mark = self._looked(held, at)
            if not mark:
                break
            if mark in _OPEN:
                begun = at - 1 if self._depth == 2 else begun
            elif self._depth == 0:
                self._ended = True
            elif self._depth == 1:
                if not self._left_out:
                    yield held[begun:at]
                begun, self._left_out = at, False
        self._keep(held, begun if self._depth > 1 else at, at)

    def _looked(self, held: bytes, at: int) -> tuple[int, bytes]:
        """Look on to the next bracket, and give where it ends; nothing more came when there is none."""
        while at < len(held):
            if self._quoted:
                found = _TEXT.match(held, at)
                at = found.end() if found else at
                if held[at : at + 1] != _QUOTE:
                    return at, b""
                at, self._quoted = at + 1, False
            elif (bracket := _NEXT.search(held, at)) is None:
                return len(held), b""
            else:
                at, self._quoted = bracket.end(), bracket[0] == _QUOTE
                if not self._quoted:
                    self._depth += 1 if bracket[0] in _OPEN else -1
                    return at, bracket[0]
        return at, b""

    def _keep(self, held: bytes, begun: int, at: int) -> None:
        if at - begun > ROW_BYTES:
            self._left_out = True
        begun = at if self._left_out else begun
        self._held, self._at = held[begun:], at - begun


class NoListError(UpstreamError):
    """The engine does not give a list, and says why."""

    def __init__(self, status: int, data: bytes) -> None:
        super().__init__("the engine cannot list what it has")
        self.said = status, data


async def listed(call: Call, target: str) -> AsyncIterator[bytes]:
    """The rows of one of the engine's lists; others get their turn meanwhile. Raises NoListError, UpstreamError."""
    exchange = await call.gate.engine.open(Ask(method="GET", target=target))
    reader = Rows()
    try:
        head = await exchange.answered()
        if head.status >= 400:
            raise NoListError(head.status, await exchange.whole())
        async for parts in exchange.pieces():
            for part in parts:
                for row in reader.feed(part):
                    yield row
            await asyncio.sleep(0)
        if not reader.whole:
            raise UpstreamError("the engine's answer is no list")
    finally:
        exchange.close()
