"""``archive``: files into and out of a container (``docker cp``).

The engine copies as root. Where a folder of the host is mounted it would read what its owner may not and plant what
she could not; so containers with such folders are copied by ``ds01 cp``, as their owner. Engines before 29.5.1 can be
led astray by what runs (``still.py``), and by compressed archives. What is copied in is read as a plain archive without
devices on its way, and no more of it than its owner has room for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ds01.domain.dockerpolicy.context import END, Context
from ds01.domain.dockerpolicy.verdict import malformed, not_allowed
from ds01.gateway import flow
from ds01.gateway.body import Piece
from ds01.gateway.call import Call
from ds01.gateway.entries import TAR, reading, too_large
from ds01.gateway.handlers.still import copying
from ds01.gateway.upstream import Ask
from ds01.wire.door import DoorContainer


async def look(call: Call) -> None:
    """``HEAD``: what is at a path."""
    await call.nothing()
    container = await call.container()
    _check(container)
    async with copying(call, container):
        await call.pass_whole(Ask(method="HEAD", target=_target(call, container)))


async def take(call: Call) -> None:
    """``GET``: a path as an archive."""
    await call.nothing()
    container = await call.container()
    _check(container)
    async with copying(call, container):
        await flow.stream(call, Ask(method="GET", target=_target(call, container)))


async def put(call: Call) -> None:
    """``PUT``: an archive into a path."""
    container = await call.container()
    _check(container)
    reader = Context(wanted=frozenset())
    left = (await call.gate.door.room(container.uid, image=False)).left_bytes
    read, passed = reading(reader), 0

    def through(data: Piece) -> Iterator[Piece]:
        nonlocal passed
        passed += len(data)
        if left is not None and passed > left:
            raise too_large("The archive", left)
        yield from read(data)

    async def end() -> Sequence[bytes]:
        reader.finish()
        return [END]

    async with copying(call, container):
        ask = Ask(method="PUT", target=_target(call, container), stream=True, content_type=TAR)
        await flow.upload(call, ask, through, end)


def _target(call: Call, container: DoorContainer) -> str:
    if not call.query.get("path"):
        raise malformed("archive.path", "The path is missing")
    return call.target(f"/containers/{container.id}/archive", call.query.values)


def _check(container: DoorContainer) -> None:
    """No folder of the host is in it."""
    if container.binds:
        raise not_allowed("archive.binds", "copying files as root where your folders are mounted", "Use ds01 cp.")
