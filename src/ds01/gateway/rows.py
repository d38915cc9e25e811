"""Lists of the engine's, read a row at a time: how long they are all together does not matter, and one row that is far
longer than any should be is left out.

The engine lists everybody's things. What is another's must not keep her from her own.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import aclosing
from typing import Any

from ds01.domain.dockerpolicy.strictjson import Json
from ds01.gateway.body import Piece
from ds01.gateway.call import Call
from ds01.gateway.things import Found
from ds01.gateway.upstream import HEAD_SECONDS, JSON_BYTES, Ask, TooLargeError, UpstreamError, parsed

ROW_BYTES = 1024 * 1024

REST_BYTES = 64 * 1024
"""What an object of lists may say beside their rows."""

Seen = Callable[[Found], Found | None]
"""A row as its user sees it, None when it is not hers."""

_NO_LISTS = "the engine's answer is no object of lists"
_NAMED = re.compile(rb'[{,]\s*"(\w+)"\s*:\s*\[\s*\Z')
_NEXT = re.compile(rb'["{}\[\]]')
_TEXT = re.compile(rb'[^"\\]*(?:\\.[^"\\]*)*', re.DOTALL)
_OPEN = b"{["
_QUOTE = b'"'


class Rows:
    """Cuts a list of objects into its objects, whatever stands in their texts. Feed it what comes."""

    _within = 1
    """In how many brackets rows stand."""

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
                if self._depth == self._within + 1:
                    self._beside(held[begun : at - 1], row=True)
                    begun = at - 1
            elif self._depth == 0:
                self._ended = True
            elif self._depth == self._within:
                if not self._left_out:
                    yield held[begun:at]
                begun, self._left_out = at, False
        if self._depth <= self._within:
            self._beside(held[begun:at])
            begun = at
        self._keep(held, begun, at)

    def _beside(self, text: bytes, *, row: bool = False) -> None:
        """What stands outside of rows, as it comes, and whether it comes to an end with a row."""

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


class Lists(Rows):
    """Cuts an object of lists of objects into these. What it says beside them is ``rest``, once it is whole."""

    _within = 2

    def __init__(self) -> None:
        super().__init__()
        self.name = ""
        """In which list the row was that came last."""
        self._rest = b""
        """The object without its rows."""
        self._since = b""
        """What came since the last row."""

    def _beside(self, text: bytes, *, row: bool = False) -> None:
        self._since += text
        if row and not (self.name and self._since.strip() == b","):
            begins = _NAMED.search(self._since)
            if begins is None:
                raise UpstreamError(_NO_LISTS)
            self.name = begins[1].decode()
            self._rest += self._since
        self._since = b"" if row else self._since
        if len(self._rest) + len(self._since) > REST_BYTES:
            raise TooLargeError("the engine's answer is too large")

    def rest(self) -> dict[str, Any]:
        """What it says, all its lists being empty. Raises UpstreamError when it is no such object."""
        found = parsed(self._rest + self._since)
        if not isinstance(found, dict) or not all(map(_plain, found.values())):
            raise UpstreamError(_NO_LISTS)
        return found


class NoListError(UpstreamError):
    """The engine does not give a list, and says why."""

    def __init__(self, status: int, data: bytes) -> None:
        super().__init__("the engine cannot list what it has")
        self.said = status, data


def _plain(value: Json) -> bool:
    return value == [] or not isinstance(value, list | dict)


def listed(call: Call, target: str) -> AsyncIterator[bytes]:
    """The rows of one of the engine's lists. Raises NoListError, UpstreamError."""
    return read(call, target, Rows())


async def read(call: Call, target: str, reader: Rows, seconds: float | None = HEAD_SECONDS) -> AsyncIterator[bytes]:
    """What ``reader`` cuts out of an answer; others get their turn meanwhile. Raises NoListError, UpstreamError."""
    exchange = await call.gate.engine.open(Ask(method="GET", target=target))
    try:
        head = await exchange.answered(seconds)
        if head.status >= 400:
            raise NoListError(head.status, await exchange.whole(seconds=seconds))
        async with aclosing(exchange.kept(seconds)) as pieces:
            async for parts in pieces:
                for part in parts:
                    for row in reader.feed(part):
                        yield row
                await exchange.stream.turn()
        if not reader.whole:
            raise UpstreamError("the engine's answer is no list")
    finally:
        exchange.close()


async def own_lists(
    call: Call, target: str, seen: Mapping[str, Seen], seconds: float | None = HEAD_SECONDS
) -> Found:  # fmt: skip
    """An answer of the engine's that is an object of lists, with her rows alone of those in ``seen``. Raises
    NoListError, UpstreamError.
    """
    reader, size = Lists(), 0
    found: dict[str, list[Found]] = {name: [] for name in seen}
    async for data in read(call, target, reader, seconds):
        row = _seen(data, seen.get(reader.name))
        if row is not None:
            found[reader.name].append(row)
            size += len(data)
        if size > JSON_BYTES:
            raise TooLargeError("the engine's answer is too large")
    rest = reader.rest()
    if any(rest.get(name) for name in seen):
        raise UpstreamError(_NO_LISTS)
    return {**rest, **found}


def _seen(data: bytes, see: Seen | None) -> Found | None:
    row = parsed(data)
    if not isinstance(row, dict):
        raise UpstreamError(_NO_LISTS)
    return None if see is None else see(row)
