"""``archive``: files into and out of a container (``docker cp``).

The engine copies as root. Where a folder of the host is mounted it would read what its owner may not and plant what
she could not; so containers with such folders are copied by ``ds01 cp``, as their owner. Engines before 29.5.1 can be
led astray, by what changes meanwhile and by compressed archives: ds01d says whether files of a container may be copied,
and for how long (``services/door/copying.py``). What is copied in is read as a plain archive without devices on its
way, and no more of it than its owner has room for. The engine keeps a container to itself while it copies, so a copy in
which nothing moves is ended.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator, Sequence
from typing import Any

from ds01.domain.dockerpolicy.context import END, Context
from ds01.domain.dockerpolicy.verdict import UnrecordedError, malformed, not_allowed
from ds01.gateway import flow
from ds01.gateway.body import Piece
from ds01.gateway.call import Call
from ds01.gateway.entries import TAR, reading, too_large
from ds01.gateway.ongoing import while_there
from ds01.gateway.upstream import Ask, UpstreamError
from ds01.wire.door import DoorContainer
from ds01.wire.holdings import DoorCopy


async def look(call: Call) -> None:
    """``HEAD``: what is at a path."""
    await call.nothing()
    container = await call.container()
    _check(container)
    ask = Ask(method="HEAD", target=_target(call, container))
    await _while_free(call, container, lambda: call.pass_whole(ask))


async def take(call: Call) -> None:
    """``GET``: a path as an archive."""
    await call.nothing()
    container = await call.container()
    _check(container)
    ask = Ask(method="GET", target=_target(call, container))
    seconds = call.gate.timeouts.copied_seconds
    await _while_free(call, container, lambda: flow.stream(call, ask, seconds=seconds))


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

    ask = Ask(method="PUT", target=_target(call, container), stream=True, content_type=TAR)
    seconds = call.gate.timeouts.copied_seconds
    await _while_free(call, container, lambda: flow.upload(call, ask, through, end, seconds=seconds))


async def _while_free(call: Call, container: DoorContainer, work: Callable[[], Coroutine[Any, Any, object]]) -> None:
    """Do it for as long as ds01d says that it may be. Where that is over before an answer began, its client reads why;
    later nothing can be said any more. Raises RefusedError, and ConnectionError.
    """
    with call.gate.counts.copying(call.user.uid):
        async with call.gate.door.copying(DoorCopy(id=container.id)) as over:
            try:
                await while_there(over, work())
            except (ConnectionError, UpstreamError):
                if not over.done() or call.answered:
                    raise
                await _say_why(call)


async def _say_why(call: Call) -> None:
    """On the record it is as allowed: some of it may have been done."""
    what = "The copy was broken off: DS01 ends this container, or ds01d was started anew"
    call.record(what)
    call.leave()
    ended = UnrecordedError("archive.ended", what, "Try again in a moment.", status=503)
    await call.answer_json(ended.status, {"message": ended.message})


def _target(call: Call, container: DoorContainer) -> str:
    if not call.query.get("path"):
        raise malformed("archive.path", "The path is missing")
    return call.target(f"/containers/{container.id}/archive", call.query.values)


def _check(container: DoorContainer) -> None:
    """No folder of the host is in it."""
    if container.binds:
        raise not_allowed("archive.binds", "copying files as root where your folders are mounted", "Use ds01 cp.")
