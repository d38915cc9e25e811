"""``archive``: files into and out of a container (``docker cp``).

The engine copies as root. Where a folder of the host is mounted it would read what its owner may not and plant what
she could not; so containers with such folders are copied by ``ds01 cp``, as their owner. Engines before 29.5.1 can be
led astray while the container runs, and by compressed archives. What is copied in is read as a plain archive without
devices on its way, and no more of it than its owner has room for.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from ds01.domain.dockerpolicy.context import END, Context
from ds01.domain.dockerpolicy.verdict import absent, malformed, not_allowed
from ds01.gateway import flow
from ds01.gateway.body import Piece
from ds01.gateway.call import Call
from ds01.gateway.handlers.archives import reading, too_large
from ds01.gateway.upstream import Ask
from ds01.wire.door import DoorContainer

_INSTEAD = "Use ds01 cp, or stop the container first."


async def look(call: Call) -> None:
    """``HEAD``: what is at a path."""
    await call.nothing()
    container = await call.container()
    async with call.gate.moves.copying(container.id):
        await _check(call, container)
        await call.pass_whole(Ask(method="HEAD", target=_target(call, container)))


async def take(call: Call) -> None:
    """``GET``: a path as an archive."""
    await call.nothing()
    container = await call.container()
    async with call.gate.moves.copying(container.id):
        await _check(call, container)
        await flow.stream(call, Ask(method="GET", target=_target(call, container)))


async def put(call: Call) -> None:
    """``PUT``: an archive into a path."""
    container = await call.container()
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

    async with call.gate.moves.copying(container.id):
        await _check(call, container)
        ask = Ask(method="PUT", target=_target(call, container), stream=True, content_type="application/x-tar")
        await flow.upload(call, ask, through, end)


def _target(call: Call, container: DoorContainer) -> str:
    if not call.query.get("path"):
        raise malformed("archive.path", "The path is missing")
    return call.target(f"/containers/{container.id}/archive", call.query.values)


async def _check(call: Call, container: DoorContainer) -> None:
    """No folder of the host is in it; and where the engine is not safe otherwise, it does not run."""
    if container.binds:
        raise not_allowed("archive.binds", "copying files as root where your folders are mounted", "Use ds01 cp.")
    if call.gate.facts.copies_safely:
        return
    head, data = await call.gate.engine.whole(Ask(method="GET", target=call.target(f"/containers/{container.id}/json")))
    state = json.loads(data).get("State") if head.status == 200 else {}
    if head.status == 404:
        raise absent("container", call.names["container"])
    if not isinstance(state, dict) or state.get("Running") is not False:
        raise not_allowed("archive.running", "copying files of a running container with this engine", _INSTEAD)
