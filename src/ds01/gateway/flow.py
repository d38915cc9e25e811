"""Answers that last: streams of lines and bytes, and connections that change protocols."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Iterator, Sequence
from typing import Any, TypeVar

from ds01.domain.dockerpolicy.strictjson import dump
from ds01.domain.dockerpolicy.verdict import Change, EngineWordsError, RefusedError
from ds01.gateway import body as bodies
from ds01.gateway import relay
from ds01.gateway.body import LAST_CHUNK, Piece, chunk
from ds01.gateway.call import Call, error_text, passed_headers
from ds01.gateway.held import LATER, DoorDownError
from ds01.gateway.http import AnswerHead, head_bytes, status_line
from ds01.gateway.ongoing import while_there
from ds01.gateway.stream import SilentError, Stream
from ds01.gateway.upstream import HEAD_SECONDS, Ask, Exchange, TooLargeError, UpstreamError

T = TypeVar("T")
Serve = Callable[[Stream, Stream], Coroutine[Any, Any, None]]
"""What is done with client and engine once they have changed protocols."""

Rewrite = Callable[[bytes], bytes]
"""What becomes of one line; empty drops it."""

BATCH_BYTES = 1024 * 1024
"""How much of a body is sent at a time."""

BREATH: Piece = b""
"""A piece of nothing: so much was read meanwhile, of which little or nothing passes, that others get their turn."""

LINE_BYTES = 16 * 1024 * 1024
RAW_TYPES = frozenset({"application/vnd.docker.raw-stream", "application/vnd.docker.multiplexed-stream"})


async def while_allowed(call: Call, work: Coroutine[Any, Any, T]) -> T:
    """Do ``work`` for as long as its user may. Raises ConnectionError when that is over."""
    with call.gate.registry.people.ongoing.going(call.user, call.subject) as going:
        return await while_there(going.over, work)


async def patiently(call: Call, ask: Ask) -> tuple[AnswerHead, bytes]:
    """The whole answer to what may take its time: a stop with its grace, a large removal. It comes when it comes, and
    once the client has left within the usual time, so that what came of it is written down. Raises UpstreamError.
    """
    asked = asyncio.ensure_future(call.gate.engine.whole(ask, None))
    try:
        await asyncio.wait((asked, call.client.gone), return_when=asyncio.FIRST_COMPLETED)
        async with asyncio.timeout(None if asked.done() else HEAD_SECONDS):
            return await asked
    except TimeoutError as error:
        raise UpstreamError("the engine does not answer", status=504) from error
    finally:
        asked.cancel()


class LastLine(Exception):  # noqa: N818  no error: the answer ends here
    """Raised by a ``Rewrite`` that wants no more lines: the engine is left, the client gets this one."""

    def __init__(self, line: bytes) -> None:
        super().__init__()
        self.line = line


Settle = Callable[[], Awaitable[None]]
"""What is done before the client hears the end of a progress: an answer of messages, of which the last may be an error.
When the engine goes away in the middle, that is said as its last message.
"""

CUT_SHORT = "DS01: The engine went away before this was done. Try again in a moment."


async def stream(
    call: Call, ask: Ask, rewrite: Rewrite | None = None, settle: Settle | None = None, sure: Settle | None = None,
    seconds: float | None = None,
) -> None:  # fmt: skip
    """Ask the engine and pass its answer as it comes; ``rewrite`` changes or drops whole lines, and ``settle`` says
    that it is a progress. ``sure`` looks, before anything is passed, whether it may be. ``seconds`` is in how many
    something must come of it and be taken; None where both sides may pause.
    """
    exchange = await call.gate.engine.open(ask)
    try:
        work = while_there(call.client.gone, _stream(call, exchange, rewrite, settle, sure, seconds))
        await while_allowed(call, work)
    finally:
        exchange.close()


async def _stream(
    call: Call, exchange: Exchange, rewrite: Rewrite | None, settle: Settle | None, sure: Settle | None = None,
    seconds: float | None = None,
) -> None:  # fmt: skip
    head = await exchange.answered(seconds)
    if head.status >= 400:
        await call.answer_error(head.status, await exchange.whole())
        return
    if sure is not None:
        await sure()
    if head.framing.empty:
        await call.answer(head.status, b"", passed_headers(head))
        return
    await begin(call, head, seconds)
    try:
        await (_bytes(call, exchange, seconds) if rewrite is None else _lines(call, exchange, rewrite))
    except LastLine as last:
        exchange.close()
        await call.client.write_many(chunk([last.line]))
    except UpstreamError:
        if settle is None:
            raise
        await call.client.write_many(chunk([_message(CUT_SHORT)]))
    if settle is not None:
        await _settled(call, settle)
    await call.client.write(LAST_CHUNK)


async def _settled(call: Call, settle: Settle) -> None:
    """What may not stay after all, or is written down later, is said as the last message."""
    try:
        await settle()
        return
    except RefusedError as error:
        if not isinstance(error, EngineWordsError):
            call.denied(error)
        change, said = Change(rule=error.rule, text=error.what), error.message
    except DoorDownError as error:
        change, said = Change(rule="ds01d.away", text=f"written down later: {error}"), LATER
    except UpstreamError as error:
        change, said = Change(rule="engine.away", text=error.sentence), CUT_SHORT
    call.changes.append(change)
    await call.client.write_many(chunk([_message(said)]))


async def more(call: Call, ask: Ask, rewrite: Rewrite) -> None:
    """Within ``settle``: ask the engine for more and pass it as the same progress. Raises RefusedError."""
    exchange = await call.gate.engine.open(ask)
    try:
        head = await exchange.answered(None)
        if head.status >= 400:
            text = call.shown(error_text(await exchange.whole()))
            raise EngineWordsError("engine.refused", text, status=head.status)
        await _lines(call, exchange, rewrite)
    finally:
        exchange.close()


def _message(text: str) -> bytes:
    """A progress's last message, on a line of its own whatever was cut short before it."""
    return b"\r\n" + dump({"errorDetail": {"message": text}, "error": text}) + b"\r\n"


async def through(
    call: Call, ask: Ask, change: Callable[[Piece], Iterable[Piece]], end: Callable[[], Iterable[Piece]],
    sure: Settle | None = None,
) -> None:  # fmt: skip
    """Ask the engine and pass its long answer through ``change``, then what ``end`` adds; ``sure`` as in ``stream``."""
    exchange = await call.gate.engine.open(ask)
    try:
        await while_allowed(call, while_there(call.client.gone, _through(call, exchange, change, end, sure)))
    finally:
        exchange.close()


async def _through(
    call: Call, exchange: Exchange, change: Callable[[Piece], Iterable[Piece]], end: Callable[[], Iterable[Piece]],
    sure: Settle | None,
) -> None:  # fmt: skip
    head = await exchange.answered(None)
    if head.status >= 400:
        await call.answer_error(head.status, await exchange.whole())
        return
    if sure is not None:
        await sure()
    await begin(call, head)

    async def send(batch: Sequence[Piece]) -> None:
        await call.client.write_many(chunk(batch))

    async for parts in exchange.pieces():
        await _passed(call, (piece for part in parts for piece in change(part)), send)
    await _passed(call, end(), send)
    await call.client.write(LAST_CHUNK)


async def begin(call: Call, head: AnswerHead, seconds: float | None = None) -> None:
    """The head of an answer whose length nobody knows; the connection ends with it. ``seconds`` is in how many
    something of it must be taken.
    """
    call.answered, call.keep, call.status = True, False, head.status
    call.client.taken_within = seconds
    found = {"Server": "ds01-gateway", **passed_headers(head), "Transfer-Encoding": "chunked", "Connection": "close"}
    await call.client.write(head_bytes(status_line(head.status), found))


async def _bytes(call: Call, exchange: Exchange, seconds: float | None) -> None:
    async for parts in exchange.pieces(seconds):
        await call.client.write_many(chunk(parts))


async def lines(exchange: Exchange) -> AsyncIterator[bytes]:
    """The lines of an answer that nobody is shown as they come."""
    async for together in _as_they_come(exchange):
        for line in together:
            yield line


async def _as_they_come(exchange: Exchange) -> AsyncIterator[Sequence[bytes]]:
    """The lines of an answer, as many at once as came at once."""
    held = b""
    async for parts in exchange.pieces():
        *whole, held = (held + b"".join(parts)).split(b"\n")
        if len(held) > LINE_BYTES:
            raise TooLargeError("a line of the engine's answer is too long")
        yield whole
    if held.strip():
        yield [held]


async def _lines(call: Call, exchange: Exchange, rewrite: Rewrite) -> None:
    async for together in _as_they_come(exchange):
        await call.client.write_many(chunk([kept for line in together if (kept := rewrite(line))]))
        if exchange.stream.holding:
            await exchange.stream.turn()


async def upgrade(call: Call, ask: Ask, serve: Serve = relay.raw) -> None:
    """Ask the engine to change protocols and ``serve`` both sides once it has said so; pass any other answer.

    What the client sends before that is held: the engine would lose it.
    """
    exchange = await call.gate.engine.open(ask)
    try:
        head = await while_there(call.client.left, exchange.answered(None))
        if not _is_raw(head, ask):
            await _pass_plain(call, exchange, head)
            return
        call.answered, call.keep, call.status = True, False, head.status
        call.client.taken_within = None
        await call.client.write(_raw_head(head, ask))
        call.record()
        await call.client.taken()
        await while_allowed(call, serve(call.client, exchange.stream))
    finally:
        exchange.close()


def _is_raw(head: AnswerHead, ask: Ask) -> bool:
    if head.status == 101:
        return bool(ask.upgrade) and head.headers.get("upgrade", "").lower() == ask.upgrade
    return head.status == 200 and head.headers.get("content-type") in RAW_TYPES and head.framing.until_close


def _raw_head(head: AnswerHead, ask: Ask) -> bytes:
    kind = head.headers.get("content-type", "")
    found = {"Content-Type": kind} if kind in RAW_TYPES else {}
    for name in ("sec-websocket-accept", "sec-websocket-protocol"):
        if name in head.headers:
            found[name.title()] = head.headers[name]
    if head.status == 101:
        return head_bytes("HTTP/1.1 101 UPGRADED", {**found, "Connection": "Upgrade", "Upgrade": ask.upgrade})
    return head_bytes("HTTP/1.1 200 OK", {**found, "Connection": "close"})


async def _pass_plain(call: Call, exchange: Exchange, head: AnswerHead) -> None:
    data = await exchange.whole()
    if head.status >= 400:
        await call.answer_error(head.status, data)
    else:
        await call.answer(head.status, data, passed_headers(head))


async def upload(
    call: Call, ask: Ask, through: Callable[[Piece], Iterable[Piece]], end: Callable[[], Awaitable[Iterable[Piece]]],
    rewrite: Rewrite | None = None, settle: Settle | None = None, seconds: float | None = None,
) -> None:  # fmt: skip
    """Send a client's long body through ``through``, then what ``end`` adds, and pass the answer as it comes, like
    ``stream``. ``seconds`` is in how many something must move, on either side; None where the engine may pause.

    When the engine stops reading it has something to say: then that is passed.
    """
    exchange = await call.gate.engine.open(ask)
    try:
        exchange.stream.taken_within = seconds
        await while_allowed(call, _upload(call, exchange, through, end, rewrite, settle, seconds))
    finally:
        exchange.close()


async def _upload(
    call: Call, exchange: Exchange, through: Callable[[Piece], Iterable[Piece]],
    end: Callable[[], Awaitable[Iterable[Piece]]], rewrite: Rewrite | None, settle: Settle | None,
    seconds: float | None,
) -> None:  # fmt: skip
    await call.go_on()
    if await _sent(call, exchange, through, end, seconds):
        await while_there(call.client.gone, _stream(call, exchange, rewrite, settle, seconds=seconds))
    else:
        call.leave()
        await _stream(call, exchange, rewrite, settle, seconds=seconds)


async def _sent(
    call: Call,
    exchange: Exchange,
    through: Callable[[Piece], Iterable[Piece]],
    end: Callable[[], Awaitable[Iterable[Piece]]],
    seconds: float | None,
) -> bool:
    """Whether the engine took the whole body. What ``through`` makes of a piece may be much larger than the piece."""
    async for parts in _body(call, seconds):
        try:
            await _passed(call, (piece for part in parts for piece in through(part)), exchange.send_body)
        except ConnectionError:
            return False
    last = await end()
    try:
        await _passed(call, last, exchange.send_body)
        await exchange.end_body()
    except ConnectionError:
        return False
    return True


async def _body(call: Call, seconds: float | None) -> AsyncIterator[Sequence[Piece]]:
    """A client's long body as it comes. Raises RefusedError (408) when no more of it does."""
    seconds = seconds or call.gate.timeouts.stalled_seconds
    try:
        async for parts in bodies.pieces(call.client, call.head.framing, coarse=True, seconds=seconds):
            yield parts
    except SilentError as error:
        what = f"Nothing more of the body came for {seconds:g} seconds"
        raise RefusedError("body.stalled", what, "Send it again.", status=408) from error


async def _passed(
    call: Call, pieces: Iterable[Piece], send: Callable[[Sequence[Piece]], Coroutine[Any, Any, None]]
) -> None:
    """``send`` them; at a breath others get their turn."""
    for batch in _batches(pieces):
        await (send(batch) if batch else call.client.turn())


def _batches(pieces: Iterable[Piece]) -> Iterator[list[Piece]]:
    """Pieces, a good deal at a time; at a breath whatever there is, and a batch of nothing."""
    batch: list[Piece] = []
    size = 0
    for piece in pieces:
        if piece:
            batch.append(piece)
        size += len(piece)
        if batch and (size >= BATCH_BYTES or not piece):
            yield batch
            batch, size = [], 0
        if not piece:
            yield []
    if batch:
        yield batch
