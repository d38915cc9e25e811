"""A build's ticket: asked for before, redeemed after, whatever happens in between."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from ds01.gateway.call import Call
from ds01.gateway.flow import Settle
from ds01.wire.door import DoorBuild, DoorBuildGrant, DoorTicket


@asynccontextmanager
async def granted(
    call: Call, refs: Sequence[str], memory_bytes: int, *, buildkit: bool = False
) -> AsyncIterator[tuple[DoorBuildGrant, Settle]]:
    """What ds01d grants a build, and how to settle it before the client hears the end: who builds and runs in one
    breath finds her image.
    """
    ask = DoorBuild(uid=call.user.uid, refs=tuple(refs), memory_bytes=memory_bytes, buildkit=buildkit)
    grant = await call.gate.door.build(ask)
    call.gate.registry.granted(call.user, refs, grant.names)
    settled = False

    async def settle() -> None:
        nonlocal settled
        if settled:
            return
        settled = True
        for image in await call.gate.door.built(DoorTicket(ticket=grant.ticket)):
            call.gate.registry.learn(image)
            call.subject = image.id

    try:
        yield grant, settle
    finally:
        await settle()
