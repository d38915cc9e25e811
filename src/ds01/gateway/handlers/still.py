"""What stands still while files are copied, with engines that can be led astray by what runs (before 29.5.1).

Such an engine follows a path as root among all that is mounted in the container. So the container does not run, nor
does another that has a volume of it: that one could swap a folder there for a link. Neither is started meanwhile, by
this gateway or by ds01d.

Folders of the host need no look here. Where one is mounted nothing is copied at all (``archive.binds``), so what others
have of such folders is in none that is copied.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast

from ds01.domain.dockerpolicy.verdict import RefusedError, absent, not_allowed
from ds01.gateway.call import Call
from ds01.gateway.moves import BUSY
from ds01.gateway.upstream import Ask, UpstreamError, parsed
from ds01.wire.door import DoorContainer
from ds01.wire.holdings import DoorCopy

_INSTEAD = "Use ds01 cp, or stop the container first."
_STILL = ("created", "exited", "dead")
"""What the engine calls a container in which nothing runs, nor is about to by itself."""


@asynccontextmanager
async def copying(call: Call, container: DoorContainer) -> AsyncIterator[None]:
    """Files are copied. Raises RefusedError where something runs that must not, or is being started."""
    if call.gate.facts.copies_safely:
        async with call.gate.moves.copying(container.id):
            yield
        return
    volumes = await _volumes(call, container)
    async with call.gate.moves.copying(container.id, *volumes), _nothing_started(call, container, volumes):
        await _check_itself(call, container)
        if volumes:
            await _check_others(call, container, volumes)
        yield


@asynccontextmanager
async def starting(call: Call, container: DoorContainer) -> AsyncIterator[None]:
    """It is started. Raises RefusedError (409) while files of it, or of one that has a volume of it, are copied."""
    async with call.gate.moves.starting(container.id, *await _volumes(call, container)):
        yield


@asynccontextmanager
async def _nothing_started(call: Call, container: DoorContainer, volumes: Sequence[str]) -> AsyncIterator[None]:
    """By ds01d, either. Raises RefusedError (409) where it does so now; when it goes away the copy is broken off."""
    asked = DoorCopy(id=container.id, volumes=tuple(volumes))
    async with call.gate.door.copying(asked, call.client.abort) as free:
        if not free:
            what = "The container, or one that has a volume in common with it, is being started"
            raise RefusedError(BUSY, what, "Try again in a moment.", status=409)
        yield


async def _volumes(call: Call, container: DoorContainer) -> list[str]:
    """The engine's names of its volumes, which stay the same as long as it is there; none where they do not matter."""
    if call.gate.facts.copies_safely:
        return []
    mounts = (await _seen(call, container)).get("Mounts") or ()
    return [str(mount["Name"]) for mount in mounts if mount.get("Name")]


async def _check_itself(call: Call, container: DoorContainer) -> None:
    seen = await _seen(call, container)
    if not seen:
        raise absent("container", call.names["container"])
    state = seen.get("State")
    if not isinstance(state, dict) or state.get("Running") is not False:
        raise not_allowed("archive.running", "copying files of a running container with this engine", _INSTEAD)


async def _check_others(call: Call, container: DoorContainer, volumes: Sequence[str]) -> None:
    """The engine's list has all that have one of the volumes, whoever's they are."""
    ask = Ask(method="GET", target=call.target("/containers/json", {"all": ["1"]}, {"volume": volumes}))
    head, data = await call.gate.engine.whole(ask)
    if head.status != 200:
        raise UpstreamError("the engine does not say who has a volume")
    for other in cast(list[dict[str, Any]], parsed(data)):
        if other["Id"] != container.id and other["State"] not in _STILL:
            name = call.shown(str(other["Names"][0]).removeprefix("/"))
            what = f"copying files with this engine while '{name}' runs, which has a volume of this container,"
            raise not_allowed("archive.shared", what, f"Use ds01 cp with '{name}', or stop it first.")


async def _seen(call: Call, container: DoorContainer) -> dict[str, Any]:
    """The container as the engine has it, nothing when it is gone. Raises UpstreamError when it does not say."""
    ask = Ask(method="GET", target=call.target(f"/containers/{container.id}/json"))
    head, data = await call.gate.engine.whole(ask)
    if head.status not in (200, 404):
        raise UpstreamError("the engine does not say what a container mounts")
    return cast(dict[str, Any], parsed(data)) if head.status == 200 else {}
