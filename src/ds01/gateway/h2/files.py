"""Files as BuildKit asks a client for them: the few of the Dockerfile's folder are fetched here, and handed on judged.

Both sides speak in packets: a listing, wishes for entries of it by number, their bytes, and a farewell both ways. The
engine keeps what it got and asks again only for what changed by its time: so the time handed on follows the content.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ds01.domain.dockerpolicy import protobuf
from ds01.domain.dockerpolicy.dockerfile import is_ignore
from ds01.domain.dockerpolicy.protobuf import Field
from ds01.domain.dockerpolicy.verdict import not_allowed
from ds01.gateway.h2 import grpc
from ds01.gateway.h2.grpc import Method, RefusedCallError
from ds01.gateway.h2.link import Call, Link
from ds01.gateway.sessions import Judge

STAT, WISH, DATA, END, FAILED = range(5)
ENTRIES = 64
TOTAL_BYTES = 4 * 1024 * 1024
_TYPE, _STAT, _NUMBER, _BYTES = 1, 2, 3, 4
_PATH, _MODE, _SIZE, _TIME, _LINK = 1, 2, 5, 6, 7
_NOT_REGULAR = 0x8F280000
"""The bits by which Go marks folders, links, devices, pipes, sockets and the irregular."""
FAREWELL_SECONDS = 5.0
"""How long the engine may take to end a call that failed."""
_PIECE = 32 * 1024


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One entry of the listing, with its fields as they came."""

    stat: Sequence[Field]
    path: str
    regular: bool
    data: bytes = b""


def _packet(kind: int, number: int = 0, *more: Field) -> bytes:
    return grpc.framed(protobuf.render([
        *([protobuf.of(_TYPE, kind)] if kind else []), *([protobuf.of(_NUMBER, number)] if number else []), *more,
    ]))  # fmt: skip


def _count(fields: Sequence[Field], number: int) -> int:
    found = protobuf.one(fields, number)
    return found.count if found is not None else 0


async def fetch(far: Link, asked: Method) -> list[Entry]:
    """Everything the client lists for this wish. Raises RefusedCallError, RefusedError, CallLostError."""
    made = await far.call(grpc.request(asked, keep=lambda _: True))
    try:
        return await _Fetching(made).run()
    finally:
        await made.give_up()


class _Fetching:
    """One fetch, as the receiving side."""

    def __init__(self, made: Call) -> None:
        self._made = made
        self._entries: list[Entry] = []
        self._open: set[int] = set()
        self._parts: dict[int, list[bytes]] = {}
        self._total = 0
        self._done = False

    async def run(self) -> list[Entry]:
        """All of it. Old clients say farewell by ending the call, newer ones by a packet before that."""
        async for message in grpc.messages(self._made):
            fields = protobuf.fields(message)
            if await self._took(_count(fields, _TYPE), fields):
                break
        else:
            self._check_status()
        if not self._done:
            raise RefusedCallError(grpc.Code.UNAVAILABLE, "the client left")
        return [self._whole(number, entry) for number, entry in enumerate(self._entries)]

    def _check_status(self) -> None:
        status = dict([*self._made.headers, *self._made.trailers])
        code = status.get("grpc-status", "")
        if code != "0":
            raise RefusedCallError(
                int(code) if code.isdecimal() else grpc.Code.INTERNAL, status.get("grpc-message", "")
            )

    async def _took(self, kind: int, fields: Sequence[Field]) -> bool:
        """One packet; whether it was the last."""
        if kind == STAT:
            await self._listed(protobuf.one(fields, _STAT))
        elif kind == DATA:
            await self._data(_count(fields, _NUMBER), protobuf.one(fields, _BYTES))
        elif kind == FAILED:
            found = protobuf.one(fields, _BYTES)
            raise RefusedCallError(grpc.Code.INTERNAL, found.text if found is not None else "the client failed")
        return kind == END

    async def _listed(self, stat: Field | None) -> None:
        if stat is None:
            self._open = {number for number, entry in enumerate(self._entries) if entry.regular}
            for number in sorted(self._open):
                await self._made.write(_packet(WISH, number))
            await self._complete()
            return
        fields = protobuf.fields(stat.data)
        regular = _count(fields, _MODE) & _NOT_REGULAR == 0
        self._entries.append(Entry(stat=fields, path=protobuf.text(fields, _PATH), regular=regular))
        self._spend(len(stat.data))
        if len(self._entries) > ENTRIES:
            raise RefusedCallError(
                grpc.Code.RESOURCE_EXHAUSTED,
                f"there are more than {ENTRIES} files beside the Dockerfile; leave out what the build does not need",
            )

    async def _data(self, number: int, data: Field | None) -> None:
        if number not in self._open:
            raise protobuf.broken("bytes nobody asked for")
        if data is None or not data.data:
            self._open.discard(number)
            await self._complete()
            return
        self._spend(len(data.data))
        self._parts.setdefault(number, []).append(data.data)

    def _spend(self, count: int) -> None:
        self._total += count
        if self._total > TOTAL_BYTES:
            raise RefusedCallError(
                grpc.Code.RESOURCE_EXHAUSTED,
                f"the Dockerfile and what comes with it is larger than {TOTAL_BYTES} bytes; COPY what is long",
            )

    async def _complete(self) -> None:
        if not self._open:
            self._done = True
            await self._made.write(_packet(END))

    def _whole(self, number: int, entry: Entry) -> Entry:
        return replace(entry, data=b"".join(self._parts.get(number, ())))


async def judged(entries: Sequence[Entry], rewrite: Judge) -> list[Entry]:
    """The entries as the engine gets them: whatever could be taken for the Dockerfile was judged. Raises RefusedError.

    A list of what stays out is no Dockerfile, whatever is in it, as long as no other name leads to it.
    """
    if any(is_ignore(protobuf.text(entry.stat, _LINK)) for entry in entries):
        raise not_allowed("build.dockerfile", "a Dockerfile that is a link to a .dockerignore", "Make it a file.")
    return [
        _changed(entry, await rewrite(entry.data)) if entry.regular and not is_ignore(entry.path) else entry
        for entry in entries
    ]


async def fail(near: Call, code: int, message: str) -> None:
    """Say why the engine gets none, in a packet: it then ends the call itself.

    A status alone ends the call while the engine still compares what it has, and whichever of its two halves is the
    first to notice says what went wrong: the one that was interrupted only says that it was.
    """
    await near.send_headers(grpc.ANSWER)
    await near.write(_packet(FAILED, 0, protobuf.of(_BYTES, message)))
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(FAREWELL_SECONDS):
            while await near.read():
                pass
    await near.send_headers(grpc.as_status(code, message), end=True)


def _changed(entry: Entry, data: bytes) -> Entry:
    time = int.from_bytes(hashlib.sha256(data).digest()[:7], "big")
    kept = [field for field in entry.stat if field.number not in (_SIZE, _TIME)]
    return replace(entry, data=data, stat=[*kept, protobuf.of(_SIZE, len(data)), protobuf.of(_TIME, time)])


async def hand_on(near: Call, entries: Sequence[Entry]) -> None:
    """Serve these entries to the engine, as the sending side, until it has them or asks for what there is not."""
    await near.send_headers(grpc.ANSWER)
    for entry in entries:
        await near.write(_packet(STAT, 0, protobuf.of(_STAT, protobuf.render(entry.stat))))
    await near.write(_packet(STAT))
    async for message in grpc.messages(near):
        fields = protobuf.fields(message)
        kind, number = _count(fields, _TYPE), _count(fields, _NUMBER)
        if kind == WISH and number < len(entries):
            data = entries[number].data
            for at in range(0, len(data), _PIECE):
                await near.write(_packet(DATA, number, protobuf.of(_BYTES, data[at : at + _PIECE])))
            await near.write(_packet(DATA, number))
        elif kind == END:
            await near.write(_packet(END))
            break
        else:
            code = grpc.Code.ABORTED if kind == FAILED else grpc.Code.INVALID_ARGUMENT
            await near.send_headers(grpc.as_status(code, "the files were not taken"), end=True)
            return
    await near.send_headers(grpc.DONE, end=True)
