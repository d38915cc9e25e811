"""``POST /session``: the engine asks the client for files, and the Dockerfile among them is judged on its way."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from ds01.domain.dockerpolicy.session import METHODS, SYNC, judge_session
from ds01.domain.dockerpolicy.verdict import RefusedError, malformed
from ds01.gateway import denied, flow
from ds01.gateway.call import Call
from ds01.gateway.h2 import files, grpc, link
from ds01.gateway.h2.grpc import Method, RefusedCallError
from ds01.gateway.h2.link import Link
from ds01.gateway.held import DoorDownError
from ds01.gateway.sessions import Session
from ds01.gateway.stream import Stream
from ds01.gateway.upstream import Ask, UpstreamError

DOCKERFILE = "dockerfile"
"""How the files begin to be called among which the Dockerfile is; an option of a build may name no others."""

GRPC = "gRPC"
"""The method of calls that are written down, and no requests of HTTP."""

_NO_BUILD = (
    "no build of this session has asked for this Dockerfile, so nothing could judge it. Run it with docker build or "
    "docker buildx build"
)
_LOG = structlog.get_logger("ds01.gateway.session")


async def session(call: Call) -> None:
    """A session, for as long as both sides stay."""
    await call.nothing()
    if call.head.upgrade != "h2c":
        raise malformed("session.upgrade", "A session is asked for with Upgrade: h2c")
    offer = judge_session(call.head.headers, call.user.account)
    call.subject = offer.id
    with call.gate.sessions.opened(call.user, offer.id) as opened:
        ask = Ask(method="POST", target=call.target("/session"), upgrade="h2c", repeated=offer.headers())
        await flow.upgrade(call, ask, lambda client, engine: serve(call, client, engine, opened))


async def serve(call: Call, client: Stream, engine: Stream, opened: Session) -> None:
    """Two connections of HTTP/2, one call at a time between them. Who is refused is the engine, for this user."""
    far = Link(client)

    async def accept(near: link.Call) -> None:
        await accepted(call, near, "session.call", lambda asked: _asked(near, far, opened, asked))

    await both(Link(engine, accept), far, (client, engine), opened.over)


async def accepted(call: Call, near: link.Call, rule: str, serve: Callable[[Method], Awaitable[None]]) -> None:
    """Serve one call of gRPC. Whatever is not served ends in a status, and a refusal is on the record: one that names
    no rule by ``rule``.
    """
    path = ""
    try:
        asked = grpc.method(near.headers)
        path = asked.path
        await serve(asked)
    except RefusedCallError as error:
        call.denied(RefusedError(rule, str(error)), method=GRPC, path=path)
        await grpc.refuse(near, error.code, str(error))
    except RefusedError as error:
        call.denied(error, method=GRPC, path=path)
        await grpc.refuse(near, grpc.code_of(error), error.message)
    except (DoorDownError, UpstreamError) as error:
        await grpc.refuse(near, grpc.Code.UNAVAILABLE, denied.away(error).message)


async def both(near: Link, far: Link, streams: tuple[Stream, Stream], over: asyncio.Event | None = None) -> None:
    """Run both sides until one of them ends, or it is over. What ends one by a mistake of ours is in the log."""
    tasks = [asyncio.ensure_future(each) for each in (near.run(), far.run(), (over or asyncio.Event()).wait())]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        for ended in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(ended, Exception):
                _LOG.error("internal", exc_info=ended)
        for stream in streams:
            stream.close()


async def _asked(near: link.Call, far: Link, opened: Session, asked: Method) -> None:
    """One wish of the engine's."""
    if asked.path not in METHODS:
        raise RefusedCallError(grpc.Code.UNIMPLEMENTED, f"{asked.path} is not served here")
    if asked.path == SYNC and asked.get("dir-name").startswith(DOCKERFILE):
        await _dockerfile(near, far, opened, asked)
    else:
        await grpc.relay(near, far, grpc.request(asked, keep=lambda _: True))


async def _dockerfile(near: link.Call, far: Link, opened: Session, asked: Method) -> None:
    judges = [*opened.looks] if opened.rewrite is None else [opened.rewrite]
    if not judges:
        raise RefusedCallError(grpc.Code.PERMISSION_DENIED, _NO_BUILD)
    try:
        entries = await files.fetch(far, asked)
        for judge in judges:
            entries = await files.judged(entries, judge)
    except RefusedError as error:
        await files.fail(near, grpc.code_of(error), error.message)
    except RefusedCallError as error:
        await files.fail(near, error.code, str(error))
    except (DoorDownError, UpstreamError) as error:
        await files.fail(near, grpc.Code.UNAVAILABLE, denied.away(error).message)
    else:
        await files.hand_on(near, entries)
