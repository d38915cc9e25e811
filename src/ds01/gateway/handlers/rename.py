"""``rename``: another name, also where other containers look for it.

The name on a network is an alias that DS01 gave, and an alias can only be changed by taking the container off the
network and putting it on again. Nothing is lost by that while the container does not run. While it runs its connections
break, which a rename may cost only where Docker promises the name: on networks its user made, not on her own one, and
not where ports of the host would become others.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog

from ds01.domain.dockerpolicy.names import container_name
from ds01.domain.dockerpolicy.verdict import AbsentError, EngineWordsError, RefusedError, absent
from ds01.domain.names import user_network
from ds01.gateway.call import Call
from ds01.gateway.endpoints import OffNetworkError, reconnect
from ds01.gateway.things import NO_NETWORK
from ds01.gateway.upstream import UpstreamError
from ds01.wire.door import DoorContainer, DoorRename

_LOG = structlog.get_logger("ds01.gateway.rename")


async def rename(call: Call) -> None:
    """``rename``: among her own names, which are nobody else's. It has its name also when the answer is that a network
    does not have it any more.
    """
    await call.nothing()
    if not call.query.get("name"):
        raise EngineWordsError("create.name", "Neither old nor new names may be empty", status=400)
    container = await call.container()
    try:
        renamed = await _renamed(call, container)
    except AbsentError as error:
        raise absent("container", call.names["container"]) from error
    except EngineWordsError as error:
        what = f"Error when allocating new name: {error.what}".replace("name (", "name (/", 1)
        raise EngineWordsError(error.rule, what, status=error.status) from error
    try:
        await _found_by(call, renamed, container.name)
    except OffNetworkError:
        raise
    except (UpstreamError, RefusedError) as error:
        _LOG.warning("rename.unknown", container=container.id, reason=str(error))  # it has its name all the same
    await call.answer(204)


async def _renamed(call: Call, container: DoorContainer) -> DoorContainer:
    name = container_name(call.query.get("name"))
    if container.name == name:
        what = "Renaming a container with the same name as its current name"
        raise RefusedError("create.name", what, status=400)
    renamed = await call.gate.door.rename(DoorRename(uid=container.uid, id=container.id, name=name))
    call.gate.registry.learn(renamed)
    return renamed


async def _found_by(call: Call, container: DoorContainer, before: str) -> None:
    """Its new name on every network where DS01 gave it one, and the names its user gave it there as they were. Where
    an admin put it past DS01, the name is DS01's only where it is the one it had ``before``.
    """
    found = await call.engine_container(container.id)
    for network, end in (found["NetworkSettings"].get("Networks") or {}).items():
        aliases = list(end.get("Aliases") or ())
        if network == NO_NETWORK or not aliases or container.id.startswith(aliases[0]):
            continue
        if aliases[0] != before and not _of_a_user(call, container, network):
            continue
        if not found["State"]["Running"] or (network != user_network(container.uid) and not _moves_ports(found)):
            await reconnect(
                call, container.id, network, end, links=end.get("Links") or (),
                aliases=[container.name, *aliases[1:]],
            )  # fmt: skip


def _of_a_user(call: Call, container: DoorContainer, network: str) -> bool:
    """Whether DS01 gives every container a name on it, which is the first."""
    return network == user_network(container.uid) or call.gate.registry.network_stored(call.user, network) is not None


def _moves_ports(found: Mapping[str, Any]) -> bool:
    """Whether the engine chose ports of the host for it: it would choose again."""
    bindings = (found.get("HostConfig") or {}).get("PortBindings") or {}
    return any(not each.get("HostPort") for many in bindings.values() for each in many or ())
