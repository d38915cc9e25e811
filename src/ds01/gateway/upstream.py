"""The engine's socket: a new connection for every request, with a head of our own.

A connection that carries one request cannot be made to carry two, whatever a client manages to put into it.
"""

from __future__ import annotations

import socket
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from ds01.domain.dockerpolicy.strictjson import Json
from ds01.domain.dockerpolicy.verdict import RefusedError
from ds01.gateway import body as bodies
from ds01.gateway import shownjson
from ds01.gateway.body import LAST_CHUNK, Piece, chunk
from ds01.gateway.http import AnswerHead, Framing, head_bytes, parse_answer, read_head_bytes
from ds01.gateway.owner import Owner
from ds01.gateway.stream import SilentError, Stream, reach, stream_of
from ds01.gateway.unread import SHORT_ANSWER_BYTES

JSON_BYTES = 32 * 1024 * 1024
"""The largest answer that is read into memory to be filtered."""

HEAD_SECONDS = 120
"""How long the engine may take to begin an answer that is not a wait."""

AGENT = "ds01-gateway"


class UpstreamError(Exception):
    """The other side of the gateway did not answer as it should. ``status`` is what the client gets."""

    def __init__(self, message: str, *, status: int = 502) -> None:
        super().__init__(message)
        self.status = status

    @property
    def sentence(self) -> str:
        """What happened as a sentence begins; names in it stay as they are written."""
        told = str(self)
        return told[:1].upper() + told[1:]


class UnreachableError(UpstreamError):
    """Nobody listens: what was to be asked never was."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is not reachable", status=503)


class TooLargeError(UpstreamError):
    """The answer, or a line of it, is larger than is read into memory: another try would change nothing."""


@dataclass(frozen=True, kw_only=True)
class Ask:
    """A request of our own making. ``target`` is path and query; ``stream`` says a chunked body follows."""

    method: str
    target: str
    body: bytes | None = None
    content_type: str = "application/json"
    upgrade: str = ""
    stream: bool = False
    length: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    repeated: Sequence[tuple[str, str]] = ()
    """Headers that may be there more than once."""

    def wire(self) -> bytes:
        """The head, and a body in memory, as they are sent."""
        return self._head() + (self.body or b"")

    def _head(self) -> bytes:
        found = {"Host": "engine", "User-Agent": AGENT, **self.headers}
        if self.upgrade:
            found |= {"Connection": "Upgrade", "Upgrade": self.upgrade}
        else:
            found["Connection"] = "close"
        if self.stream:
            found["Content-Type"] = self.content_type
            if self.length is None:
                found["Transfer-Encoding"] = "chunked"
            else:
                found["Content-Length"] = str(self.length)
        elif self.body is not None:
            found |= {"Content-Type": self.content_type, "Content-Length": str(len(self.body))}
        elif self.method in ("POST", "PUT"):
            found["Content-Length"] = "0"
        return head_bytes(f"{self.method} {self.target} HTTP/1.1", found, self.repeated)


@dataclass(frozen=True)
class Sent:
    """A request of which all but ``rest`` is on its way, on a connection of its own."""

    ask: Ask
    connection: socket.socket
    rest: memoryview


class Exchange:
    """One request and its answer on a connection of its own."""

    def __init__(self, stream: Stream, ask: Ask, name: str, owner: Owner | None = None) -> None:
        """``name`` is who is asked, as sentences call it; ``owner``, for whom."""
        self.stream = stream
        self._ask = ask
        self._name = name
        self._owner = owner
        self.head = AnswerHead(status=0, headers={}, framing=Framing())

    async def send_body(self, parts: Sequence[Piece]) -> None:
        """Send some of a streamed body."""
        await self.stream.write_many(chunk(parts) if self._ask.length is None else parts)

    async def end_body(self) -> None:
        """A streamed body is complete."""
        if self._ask.length is None:
            await self.stream.write(LAST_CHUNK)

    async def answered(self, seconds: float | None = HEAD_SECONDS) -> AnswerHead:
        """The head of the answer."""
        try:
            data = await read_head_bytes(self.stream, seconds)
        except SilentError as error:
            raise self._silent() from error
        except RefusedError as error:
            raise self._unreadable() from error
        if data is None:
            raise UpstreamError(f"{self._name} closed the connection")
        try:
            self.head = parse_answer(data, self._ask.method)
        except RefusedError as error:
            raise self._unreadable() from error
        if self.head.status < 200 and not (self.head.status == 101 and self._ask.upgrade):
            raise UpstreamError(f"{self._name} sent an interim answer nobody asked for")
        if 300 <= self.head.status < 400 and self.head.status != 304:
            raise UpstreamError(f"{self._name} sent a redirect")
        return self.head

    async def whole(self, cap: int = JSON_BYTES, seconds: float | None = None) -> bytes:
        """The answer's body in memory, of which more must come every so many ``seconds``."""
        short = bodies.at_hand(self.stream, self.head.framing)
        if short is not None and len(short) <= cap:
            return short
        found, size = list[Piece](), 0
        async with aclosing(self.kept(seconds)) as pieces:
            async for parts in pieces:
                found += parts
                size += sum(map(len, parts))
                if size > cap:
                    raise TooLargeError(f"{self._name}'s answer is too large")
        return b"".join(found)

    async def kept(self, seconds: float | None = None) -> AsyncGenerator[Sequence[Piece]]:
        """The answer's body as it comes, for who keeps of it: what is long waits for its user's turn."""
        pieces, size = self.pieces(seconds), 0
        async for parts in pieces:
            yield parts
            size += sum(map(len, parts))
            if size > SHORT_ANSWER_BYTES and self._owner is not None:
                break
        else:
            return
        if self._owner.unread.busy:
            self.stream.hold()
        async with self._owner.unread.reading():
            self.stream.go_on()
            async for parts in pieces:
                yield parts

    async def pieces(self, seconds: float | None = None) -> AsyncIterator[Sequence[Piece]]:
        """The answer's body as it comes."""
        try:
            async for parts in bodies.pieces(self.stream, self.head.framing, seconds=seconds):
                yield parts
        except SilentError as error:
            raise self._silent() from error
        except ConnectionError as error:
            raise UpstreamError(f"{self._name}'s answer was cut short") from error
        except RefusedError as error:
            raise self._unreadable() from error

    def _silent(self) -> UpstreamError:
        return UpstreamError(f"{self._name} does not answer", status=504)

    def _unreadable(self) -> UpstreamError:
        """By the words for a user's own request nobody would know whose fault it is."""
        return UpstreamError(f"{self._name}'s answer cannot be read")

    def close(self) -> None:
        """Let go of the connection, at once."""
        self.stream.abort()


class Upstream:
    """A socket that answers HTTP: the engine, or ds01d."""

    def __init__(self, path: str, name: str, owner: Owner | None = None) -> None:
        self.path = path
        self._name = name
        self._owner = owner

    def asked_by(self, owner: Owner) -> Upstream:
        """The same, for one user."""
        return Upstream(self.path, self._name, owner)

    def send(self, ask: Ask, wire: bytes = b"") -> Sent:
        """Connect, and send the head and a body in memory as far as the kernel takes them. Raises UpstreamError.

        This needs no turn of the loop: who is asked works while it takes the connection over. ``wire`` is what was
        written beforehand.
        """
        data = wire or ask.wire()
        try:
            connection = reach(self.path)
        except OSError as error:
            raise UnreachableError(self._name) from error
        try:
            return Sent(ask, connection, memoryview(data)[_taken(connection, data) :])
        except OSError as error:
            connection.close()
            raise self._closed() from error

    async def opened(self, sent: Sent) -> Exchange:
        """What was sent as an exchange, and the rest of it."""
        stream = await stream_of(sent.connection)
        stream.belongs_to(self._owner)
        if sent.ask.stream:
            stream.in_bursts()
        exchange = Exchange(stream, sent.ask, self._name, self._owner)
        try:
            if sent.rest:
                await stream.write(sent.rest)
        except ConnectionError as error:
            exchange.close()
            raise self._closed() from error
        except BaseException:
            exchange.close()
            raise
        return exchange

    def _closed(self) -> UpstreamError:
        return UpstreamError(f"{self._name} closed the connection", status=503)

    async def open(self, ask: Ask) -> Exchange:
        """Connect and send the head, and the body when it is in memory."""
        return await self.opened(self.send(ask))

    async def answer(
        self, sent: Sent, seconds: float | None = HEAD_SECONDS, cap: int = JSON_BYTES
    ) -> tuple[AnswerHead, bytes]:
        """The whole answer to what was sent. ``seconds`` are how long its head, and more of its body, may take to come;
        None where it comes when it comes.
        """
        exchange = await self.opened(sent)
        try:
            head = await exchange.answered(seconds)
            return head, await exchange.whole(cap, seconds)
        finally:
            exchange.close()

    async def whole(self, ask: Ask, seconds: float | None = HEAD_SECONDS) -> tuple[AnswerHead, bytes]:
        """Ask, and read the whole answer."""
        return await self.answer(self.send(ask), seconds)


def _taken(connection: socket.socket, data: bytes) -> int:
    """How much of it the kernel takes at once."""
    try:
        return connection.send(data)
    except BlockingIOError:
        return 0


def parsed(data: bytes) -> Json:
    """JSON the engine sent: it is read as Python reads it, to be shown to one user."""
    try:
        found = shownjson.load(data)
    except ValueError as error:
        raise UpstreamError("the engine's answer is no JSON") from error
    return found


def parsed_object(data: bytes) -> dict[str, Any]:
    """The same, where an object is to come."""
    return as_object(parsed(data))


def parsed_list(data: bytes) -> list[dict[str, Any]]:
    """The same, where a list of objects is to come."""
    found = parsed(data)
    if not isinstance(found, list):
        raise UpstreamError("the engine's answer is no list")
    return [as_object(each) for each in found]


def as_object(found: Json) -> dict[str, Any]:
    """What the engine sent, where that is to be an object. Raises UpstreamError."""
    if not isinstance(found, dict):
        raise UpstreamError("the engine's answer is no object")
    return found


def text_of(found: Mapping[str, Any], name: str) -> str:
    """A text that must be there, as an id. Raises UpstreamError."""
    value = found.get(name)
    if not isinstance(value, str) or not value:
        raise UpstreamError(f"the engine's answer says no {name}")
    return value
