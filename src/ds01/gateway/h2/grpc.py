"""gRPC on HTTP/2: which method, its messages, its end; and calls made again on the other side.

What passes is rebuilt: method, a few metadata by name, messages, status. Messages are never compressed here, so that
what is judged is what is read.
"""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType
from urllib.parse import quote, unquote

from ds01.domain.dockerpolicy import protobuf
from ds01.domain.dockerpolicy.verdict import RefusedError
from ds01.gateway.h2.link import Call, Headers, Link
from ds01.gateway.held import LATER, DoorDownError


class Code(IntEnum):
    """How a call ends, by gRPC's own numbers; those that are said here."""

    OK = 0
    INVALID_ARGUMENT = 3
    NOT_FOUND = 5
    ALREADY_EXISTS = 6
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    ABORTED = 10
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14


MESSAGE_BYTES = 4 * 1024 * 1024
"""The largest message that is read into memory: gRPC's own default."""

PREFIX_BYTES = 5
"""What stands before a message: whether it is compressed, and how long it is."""

ANSWER_BYTES = 16 * 1024 * 1024
"""The largest message of an answer that is rewritten: BuildKit's own limit."""
_METHOD = re.compile(r"/[A-Za-z0-9_.]+/[A-Za-z0-9_]+")
_KEY = re.compile(r"[a-z0-9_.-]+")
_VALUE = re.compile(r"[ -~]*")
_TIMEOUT = re.compile(r"[0-9]{1,8}[HMSmun]")
_STATUS = ("grpc-status", "grpc-message", "grpc-status-details-bin")
_OF_HTTP = frozenset({"te", "content-type", "user-agent", "connection", "host", "content-length", "trailer"})
_CODES = {
    400: Code.INVALID_ARGUMENT, 403: Code.PERMISSION_DENIED, 404: Code.NOT_FOUND, 409: Code.ALREADY_EXISTS,
    413: Code.RESOURCE_EXHAUSTED, 429: Code.RESOURCE_EXHAUSTED, 503: Code.UNAVAILABLE,
}  # fmt: skip


class RefusedCallError(Exception):
    """A call that may not pass, in gRPC's terms."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, kw_only=True)
class Method:
    """A call as it came: ``path`` names service and method."""

    path: str
    metadata: Headers

    def get(self, name: str) -> str:
        """A metadatum that is there once, or empty."""
        found = [value for key, value in self.metadata if key == name]
        return found[0] if len(found) == 1 else ""


def method(headers: Headers) -> Method:
    """Read a call's headers. Raises RefusedCallError."""
    pseudo = {name: value for name, value in headers if name.startswith(":")}
    plain = [(name, value) for name, value in headers if not name.startswith(":")]
    path = pseudo.get(":path", "")
    if pseudo.get(":method") != "POST" or not _METHOD.fullmatch(path):
        raise RefusedCallError(Code.UNIMPLEMENTED, "this is no call of a method")
    kinds = [value for name, value in plain if name == "content-type"]
    if len(kinds) != 1 or kinds[0] not in ("application/grpc", "application/grpc+proto"):
        raise RefusedCallError(Code.INVALID_ARGUMENT, "only gRPC is spoken here")
    if any(name == "grpc-encoding" and value != "identity" for name, value in plain):
        raise RefusedCallError(Code.UNIMPLEMENTED, "messages are not compressed here")
    if any(not _KEY.fullmatch(name) or not _VALUE.fullmatch(value) for name, value in plain):
        raise RefusedCallError(Code.INVALID_ARGUMENT, "the metadata are malformed")
    kept = [(name, value) for name, value in plain if name not in _OF_HTTP and not name.startswith("grpc-accept")]
    return Method(path=path, metadata=kept)


def request(asked: Method, keep: Callable[[str], bool]) -> Headers:
    """The headers of the call that is made instead."""
    timeouts = [value for name, value in asked.metadata if name == "grpc-timeout" and _TIMEOUT.fullmatch(value)]
    return [
        (":method", "POST"), (":scheme", "http"), (":authority", "localhost"), (":path", asked.path),
        ("content-type", "application/grpc"), ("te", "trailers"), ("user-agent", "ds01-gateway"),
        *((("grpc-timeout", timeouts[0]),) if timeouts else ()),
        *((name, value) for name, value in asked.metadata if not name.startswith("grpc-") and keep(name)),
    ]  # fmt: skip


ANSWER: Headers = [(":status", "200"), ("content-type", "application/grpc")]
DONE: Headers = [("grpc-status", str(Code.OK))]


async def refuse(call: Call, code: int, message: str) -> None:
    """End a call with a status before anything was answered."""
    await call.send_headers([*ANSWER, *as_status(code, message)], end=True)


def as_status(code: int, message: str) -> Headers:
    """How a call ends."""
    return [("grpc-status", str(code)), ("grpc-message", _spelled(message))]


def code_of(error: RefusedError) -> int:
    """The code of a refusal that has a status of HTTP."""
    return _CODES.get(error.status, Code.PERMISSION_DENIED)


def _spelled(message: str) -> str:
    return quote(message, safe=" !\"#$&'()*+,-./:;<=>?@[\\]^_`{|}~")


def _uncounted(size: int) -> None:
    """Where something else bounds how much comes."""


async def messages(
    call: Call, cap: int = MESSAGE_BYTES, hold: Callable[[int], None] = _uncounted
) -> AsyncIterator[bytes]:
    """The messages of a call, one by one; ``hold`` is told how many bytes are, before they are. Raises
    RefusedCallError, CallLostError.
    """
    held = bytearray()
    while True:
        while len(held) >= PREFIX_BYTES:
            size = int.from_bytes(held[1:PREFIX_BYTES], "big")
            if size > cap:
                raise RefusedCallError(Code.RESOURCE_EXHAUSTED, f"a message is larger than {cap} bytes")
            if held[0]:
                raise RefusedCallError(Code.UNIMPLEMENTED, "compressed messages are not read here")
            if len(held) < PREFIX_BYTES + size:
                break
            message = bytes(held[PREFIX_BYTES : PREFIX_BYTES + size])
            del held[: PREFIX_BYTES + size]
            yield message
        data = await call.read()
        if not data:
            if held:
                raise RefusedCallError(Code.INVALID_ARGUMENT, "a message was cut short")
            return
        hold(len(data))
        held += data


async def only(call: Call, cap: int = MESSAGE_BYTES, hold: Callable[[int], None] = _uncounted) -> bytes:
    """The one message of a call; ``hold`` as in ``messages``. Raises RefusedCallError."""
    found: bytes | None = None
    async for message in messages(call, cap, hold):
        if found is not None:
            raise RefusedCallError(Code.INVALID_ARGUMENT, "this method takes one message")
        found = message
    if found is None:
        raise RefusedCallError(Code.INVALID_ARGUMENT, "this method takes one message")
    return found


def framed(message: bytes) -> bytes:
    """A message for the wire."""
    return b"\0" + len(message).to_bytes(4, "big") + message


async def _nothing() -> None:
    """Nothing has to be settled before the caller hears the end."""


async def relay(
    near: Call, far: Link, headers: Headers, first: Iterable[bytes] = (), *, closed: bool = False,
    settle: Callable[[], Awaitable[None]] = _nothing, advice: Mapping[str, str] = MappingProxyType({}),
    view: Callable[[bytes], bytes] | None = None,
) -> None:  # fmt: skip
    """Make the call again on the other side and pass what comes, both ways. ``first`` goes before the caller's own
    bytes; ``closed`` says that nothing comes after it. ``settle`` is done before the caller hears the end; ``advice``
    has sentences to add to errors that say certain words; ``view`` rewrites each message of the answer.
    """
    made = await far.call(headers)
    sending = asyncio.create_task(_send(near, made, first, closed))
    try:
        await _answer(made, near, settle, advice, view)
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        await made.give_up()


async def _send(near: Call, made: Call, first: Iterable[bytes], closed: bool) -> None:
    for data in first:
        await made.write(data)
    while not closed and (data := await near.read()):
        await made.write(data)
    await made.end()


async def _answer(
    made: Call, near: Call, settle: Callable[[], Awaitable[None]], advice: Mapping[str, str],
    view: Callable[[bytes], bytes] | None,
) -> None:  # fmt: skip
    """Pass the answer: headers, bytes, and how it ended."""
    begun = await made.answered()
    if dict(begun).get(":status") != "200":
        await refuse(near, Code.INTERNAL, "the other side does not speak gRPC")
        return
    status = advised(_status(begun), advice)
    if status:
        await near.send_headers([*ANSWER, *status], end=True)
        return
    await near.send_headers(ANSWER)
    whole = await _passed(made, near, view)
    try:
        await settle()
    except RefusedError as error:
        await near.send_headers(as_status(code_of(error), error.message), end=True)
        return
    except DoorDownError:
        await near.send_headers(as_status(Code.UNAVAILABLE, LATER), end=True)
        return
    ended = advised(_status(made.trailers), advice) if whole else []
    await near.send_headers(ended or as_status(Code.INTERNAL, "the answer could not be read"), end=True)


async def _passed(made: Call, near: Call, view: Callable[[bytes], bytes] | None) -> bool:
    """Pass the messages of an answer; whether all of them could be read, where they are read.

    A message that is rewritten is kept whole, and what it becomes as well, until its client has taken it.
    """
    if view is None:
        while data := await made.read():
            await near.write(data)
        return True
    try:
        with near.keeping() as keep:
            async for message in messages(made, ANSWER_BYTES, keep):
                await near.write(framed(view(message)))
                keep(-PREFIX_BYTES - len(message))
    except RefusedCallError:
        return False
    return True


def advised(status: Headers, advice: Mapping[str, str]) -> Headers:
    """A status with the sentence that belongs to its words, in both places where clients look for its text."""
    text = unquote(dict(status).get("grpc-message", ""))
    added = next((sentence for words, sentence in advice.items() if words in text), "")
    return [(name, _told(name, value, added)) for name, value in status] if added else status


def _told(name: str, value: str, added: str) -> str:
    if name == "grpc-message":
        return _spelled(f"{unquote(value)}. {added}")
    if name != "grpc-status-details-bin":
        return value
    try:
        found = protobuf.fields(base64.b64decode(value + "=" * (-len(value) % 4), validate=True))
        text = protobuf.text(found, 2)
    except (ValueError, RefusedError):
        return value
    made = [protobuf.of(2, f"{text}. {added}") if field.number == 2 else field for field in found]
    return base64.b64encode(protobuf.render(made)).decode().rstrip("=")


def _status(headers: Headers) -> Headers:
    return [(name, value) for name, value in headers if name in _STATUS]
