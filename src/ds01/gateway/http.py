"""HTTP/1.1, read strictly: one reading of every byte, or a refusal.

Two parsers that disagree about where a request ends are a hole. So: CRLF only, one Content-Length or one chunked
Transfer-Encoding, no folded lines, no spaces before a colon, origin-form targets, bounded everything. What passes is
never sent on: requests to the engine are written anew.
"""

from __future__ import annotations

import asyncio
import re
import string
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus

from ds01.domain.dockerpolicy.verdict import RefusedError, malformed
from ds01.gateway.stream import SilentError, Stream

HEAD_BYTES = 32 * 1024
HEADERS = 100
_HEAD_END = b"\r\n\r\n"
_REQUEST = re.compile(r"([!-~]+) ([!-~]+) HTTP/([0-9])\.([0-9])")
_STATUS = re.compile(r"HTTP/1\.[01] ([1-5][0-9][0-9])(?: [\t -~\x80-\xff]*)?")
_TOKEN = f"!#$%&'*+.^_`|~-{string.digits}{string.ascii_letters}"
"""What the name of a header is made of."""

_OF_REQUESTS = bytes([*b"\t\r\n", *range(0x20, 0x7F)])
"""What lines are made of."""

_OF_ANSWERS = _OF_REQUESTS + bytes(range(0x80, 0x100))
_LENGTH = re.compile(r"[0-9]{1,18}")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"})
_ONCE = frozenset(
    {"host", "content-length", "transfer-encoding", "content-type", "content-encoding", "expect", "upgrade",
     "x-registry-auth", "x-registry-config"}
)  # fmt: skip
_FRAMING = frozenset({"content-length", "transfer-encoding"})
"""A blank after their values is refused: some readers take it off, some do not."""


@dataclass(frozen=True, kw_only=True)
class Framing:
    """How a body ends: after ``length`` bytes, after a last chunk, or (``until_close``) with the connection."""

    length: int = 0
    chunked: bool = False
    until_close: bool = False

    @property
    def empty(self) -> bool:
        """Whether there is no body."""
        return not self.chunked and not self.until_close and self.length == 0


@dataclass(frozen=True, kw_only=True)
class Head:
    """The head of a request. Header names are lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    framing: Framing

    @property
    def close(self) -> bool:
        """Whether the client wants the connection closed after the answer."""
        return "close" in self._connection

    @property
    def upgrade(self) -> str:
        """The protocol the client wants to change to, or empty."""
        return self.headers.get("upgrade", "").lower() if "upgrade" in self._connection else ""

    @property
    def _connection(self) -> Sequence[str]:
        """What is said of the connection."""
        said = self.headers.get("connection")
        return _tokens(said) if said else ()


@dataclass(frozen=True, kw_only=True)
class AnswerHead:
    """The head of an answer of the engine or of ds01d."""

    status: int
    headers: Mapping[str, str]
    framing: Framing


def _tokens(value: str) -> list[str]:
    return [token.strip().lower() for token in value.split(",")]


async def read_head_bytes(stream: Stream, seconds: float | None = None) -> bytes | None:
    """Everything up to the empty line, without it; None when the connection ended before a first byte. Raises
    SilentError when nothing comes for so long.
    """
    held = b""
    while True:
        chunk = await stream.read(seconds)
        if not chunk:
            if held:
                raise malformed("http.head", "The connection ended in the middle of a request")
            return None
        start = max(0, len(held) - 3)
        held = held + chunk if held else chunk
        end = held.find(_HEAD_END, start)
        if end > HEAD_BYTES or (end < 0 and len(held) > HEAD_BYTES):
            raise RefusedError("http.head", f"The request's head is larger than {HEAD_BYTES} bytes", status=431)
        if end >= 0:
            stream.unread(held[end + len(_HEAD_END) :])
            return held[:end]


def parse_request(head: bytes) -> Head:
    """A request's head. Raises RefusedError for everything that could be read in two ways."""
    first, lines = _lines(head)
    match = _REQUEST.fullmatch(first)
    if match is None:
        raise malformed("http.request-line", "The first line is no HTTP/1.1 request")
    method, target = match[1], match[2]
    if (match[3], match[4]) != ("1", "1"):
        raise malformed("http.version", "Only HTTP/1.1 is spoken here")
    if method not in _METHODS:
        raise RefusedError("http.method", f"The method {method[:20]} is not served", status=405)
    headers = _headers(head, lines, _OF_REQUESTS)
    if "host" not in headers:
        raise malformed("http.host", "The request has no Host header")
    if not target.startswith("/") or "#" in target:
        raise malformed("http.target", "The target must be a path")
    return Head(method=method, target=target, headers=headers, framing=_request_framing(headers))


def _lines(head: bytes) -> tuple[str, list[str]]:
    """The first line and the others, a character for each byte."""
    if not head.count(b"\r") == head.count(b"\n") == head.count(b"\r\n"):
        raise malformed("http.line", "Lines end with CR LF, both")
    lines = head.decode("latin-1").split("\r\n")
    if len(lines) > HEADERS + 1:
        raise RefusedError("http.headers", f"The request has more than {HEADERS} headers", status=431)
    return lines[0], lines[1:]


def _headers(head: bytes, lines: Iterable[str], plain: bytes) -> dict[str, str]:
    """The lines of a head that may be made of no other bytes than ``plain``. It is looked at by what is in it, not
    matched: this is done twice for every request, and patterns took half of the time that one takes here.
    """
    found: dict[str, str] = {}
    if head.translate(None, plain):
        raise malformed("http.header", "A header line is malformed")
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name or name.strip(_TOKEN):
            raise malformed("http.header", "A header line is malformed")
        name, value = name.lower(), value.strip(" \t")
        if name in _FRAMING and line.endswith((" ", "\t")):
            raise malformed("http.framing", f"The header {name} ends with a blank")
        if name in found:
            if name in _ONCE:
                raise malformed("http.header", f"The header {name} is there twice")
            value = f"{found[name]}, {value}"
        found[name] = value
    return found


def _request_framing(headers: Mapping[str, str]) -> Framing:
    length, encoding = headers.get("content-length"), headers.get("transfer-encoding")
    if encoding is not None:
        if length is not None or encoding.lower() != "chunked":
            raise malformed("http.framing", "A body is framed by one Content-Length or by chunked, not otherwise")
        return Framing(chunked=True)
    if length is None:
        return Framing()
    if not _LENGTH.fullmatch(length):
        raise malformed("http.framing", "Content-Length is no number")
    return Framing(length=int(length))


def parse_answer(head: bytes, method: str) -> AnswerHead:
    """An answer's head."""
    first, lines = _lines(head)
    match = _STATUS.fullmatch(first)
    if match is None:
        raise malformed("upstream.status", "The engine's answer is no HTTP")
    status = int(match[1])
    headers = _headers(head, lines, _OF_ANSWERS)
    return AnswerHead(status=status, headers=headers, framing=_answer_framing(status, headers, method))


def _answer_framing(status: int, headers: Mapping[str, str], method: str) -> Framing:
    if method == "HEAD" or status in (204, 304) or status < 200:
        return Framing()
    length, encoding = headers.get("content-length"), headers.get("transfer-encoding")
    if encoding is not None:
        if length is not None or encoding.lower() != "chunked":
            raise malformed("upstream.framing", "The engine framed its answer in an unknown way")
        return Framing(chunked=True)
    if length is None:
        return Framing(until_close=True)
    if not _LENGTH.fullmatch(length):
        raise malformed("upstream.framing", "The engine's Content-Length is no number")
    return Framing(length=int(length))


def head_bytes(first: str, headers: Mapping[str, str], repeated: Iterable[tuple[str, str]] = ()) -> bytes:
    """A head for the wire; header values were checked or are ours."""
    lines = [first, *[f"{name}: {value}" for name, value in (*headers.items(), *repeated)], "", ""]
    return "\r\n".join(lines).encode("latin-1")


@cache
def status_line(status: int) -> str:
    """``HTTP/1.1 404 Not Found``."""
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "Unknown"
    return f"HTTP/1.1 {status} {phrase}"


class TooSlowError(Exception):
    """A client that takes too long."""


async def read_request(stream: Stream, first_byte_seconds: float, head_seconds: float) -> Head | None:
    """The next request; None when the client is done. Raises TooSlowError, RefusedError."""
    try:
        chunk = await stream.read(first_byte_seconds)
    except SilentError:
        return None
    if not chunk:
        return None
    end = chunk.find(_HEAD_END)
    if 0 <= end <= HEAD_BYTES:
        stream.unread(chunk[end + len(_HEAD_END) :])
        return parse_request(chunk[:end])
    stream.unread(chunk)
    head = await _slow_head_bytes(stream, head_seconds)
    return None if head is None else parse_request(head)


async def _slow_head_bytes(stream: Stream, seconds: float) -> bytes | None:
    """A head that comes in pieces: all of it in so many seconds."""
    try:
        async with asyncio.timeout(seconds):
            return await read_head_bytes(stream)
    except TimeoutError as error:
        raise TooSlowError from error
