"""``--link`` between containers on their user's own network, as it is on the engine's default bridge.

On networks that somebody made the engine knows links as names on an endpoint, and forgets those of ``HostConfig``. A
user's own network is one of these, and means the default one to her: so links are written to the endpoint, shown where
she wrote them, and the variables of the linked container are set here, with its alias where the engine has an address.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from shlex import quote
from typing import Any, cast

import structlog

from ds01.domain.dockerpolicy import entries, weight
from ds01.domain.dockerpolicy.case import Joined, Plan
from ds01.domain.dockerpolicy.strictjson import Json, dump
from ds01.domain.dockerpolicy.verdict import EngineWordsError, RefusedError, absent, malformed
from ds01.domain.names import user_network
from ds01.domain.ports import MOST_OF_CONTAINER
from ds01.domain.quantity import show_size
from ds01.gateway.call import Call, error_text
from ds01.gateway.ongoing import before_the_end
from ds01.gateway.upstream import Ask, UnreachableError, UpstreamError, parsed
from ds01.wire.door import DoorContainer

_LOG = structlog.get_logger("ds01.gateway.links")
_NOT_TOLD = ("HOME", "PATH")
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
"""A network's name that can be in a path."""


async def environment(call: Call, plan: Plan, others: Mapping[str, DoorContainer]) -> list[str]:
    """The variables of the containers that are linked over her own network."""
    links = plan.host.get("Links")
    if not isinstance(links, list) or plan.case.network or not plan.case.wants_network:
        return []
    found: list[str] = []
    for link in links:
        if isinstance(link, Joined):
            alias = link.suffix.lstrip(":/")
            config = (await engine_container(call, others[link.ref].id)).get("Config") or {}
            found += variables(f"/{plan.name}/{alias}", alias, config)
            check(found)
    return found


def check(found: Sequence[str]) -> None:
    """Each link may bring as much as an image may say: raises RefusedError when all bring more than one may."""
    entries.check("Env", found)
    if sum(map(len, found)) > weight.CONFIG:
        most = show_size(weight.CONFIG)
        raise malformed(
            "create.links", f"The variables of what is linked are longer than {most} together", "Link less."
        )


async def engine_container(call: Call, container_id: str) -> dict[str, Any]:
    """A container as the engine has it. Raises AbsentError."""
    ask = Ask(method="GET", target=call.target(f"/containers/{container_id}/json"))
    head, data = await call.gate.engine.whole(ask)
    if head.status != 200:
        raise absent("container", container_id)
    return cast(dict[str, Any], parsed(data))


def variables(path: str, alias: str, config: Mapping[str, Any]) -> Iterator[str]:
    """What a container is told of one it is linked to, with as many of its ports as one may publish."""
    name = alias.replace("-", "_").upper()
    for index, (port, kind) in enumerate(_ports(config)[:MOST_OF_CONTAINER]):
        address = f"{kind}://{alias}:{port}"
        if index == 0:
            yield f"{name}_PORT={address}"
        own = f"{name}_PORT_{port}_{kind.upper()}"
        yield from (f"{own}={address}", f"{own}_ADDR={alias}", f"{own}_PORT={port}", f"{own}_PROTO={kind}")
    yield f"{name}_NAME={path}"
    for entry in config.get("Env") or ():
        key, equals, value = entry.partition("=")
        if equals and key not in _NOT_TOLD:
            yield f"{name}_ENV_{key}={value}"


def _ports(config: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The exposed ports with their protocols, in the engine's order: TCP first, then by number."""
    found = [
        (port, kind or "tcp") for port, _, kind in (each.partition("/") for each in config.get("ExposedPorts") or ())
    ]
    return sorted(found, key=_place)


def _place(port: tuple[str, str]) -> tuple[bool, str, int, str]:
    number, kind = port
    return kind != "tcp", kind, len(number), number


async def unlink(call: Call) -> None:
    """``DELETE /containers/{id}/{alias}?link=1``: the link goes, both containers stay."""
    await call.nothing()
    path = f"{call.names['container']}/{call.names['alias']}"
    if not call.query.on("link"):
        raise absent("container", path)
    container = await call.container()
    network = user_network(container.uid)
    end = ((await engine_container(call, container.id))["NetworkSettings"]["Networks"] or {}).get(network) or {}
    left = [link for link in end.get("Links") or () if link.rpartition(":")[2] != call.names["alias"]]
    if len(left) == len(end.get("Links") or ()):
        raise absent("container", path)
    await reconnect(call, container.id, network, end, links=left, aliases=end.get("Aliases") or ())
    await call.answer(204)


class OffNetworkError(RefusedError):
    """A container was taken off a network and could not be put back."""

    def __init__(self, container_id: str, network: str, reason: str, status: int) -> None:
        super().__init__(
            "engine.network", f"The container could not be put back on its network '{network}': {reason}",
            f"Put it there: docker network connect {quote(network)} {container_id[:12]}.", status=status,
        )  # fmt: skip


async def reconnect(
    call: Call, container_id: str, network: str, end: Mapping[str, Any], *, links: Iterable[str], aliases: Iterable[str]
) -> None:  # fmt: skip
    """Put a container on the network of this name anew: an endpoint cannot be changed. When that fails, or nobody can
    tell, it is put back as it was, also when the gateway stops meanwhile. Raises RefusedError with the engine's reason,
    UpstreamError, and OffNetworkError when it could not be put back.
    """
    before = _settings(container_id, end, end.get("Links") or (), end.get("Aliases") or ())
    after = _settings(container_id, end, links, aliases)
    ref, off = await _ref(call, network, end), False
    try:
        await _told(call, ref, "disconnect", {"Container": container_id, "Force": False})
        off = True
        await _told(call, ref, "connect", {"Container": container_id, "EndpointConfig": after})
    except (RefusedError, UpstreamError) as error:
        if off or not isinstance(error, RefusedError | UnreachableError):
            await _put_back(call, container_id, network, ref, before)
        raise
    except asyncio.CancelledError:
        await _put_back_at_the_end(call, container_id, network, ref, before)
        raise


async def _put_back_at_the_end(
    call: Call, container_id: str, network: str, ref: str, settings: dict[str, Json]
) -> None:  # fmt: skip
    """The same where nobody is told what came of it any more."""
    try:
        await before_the_end(_put_back(call, container_id, network, ref, settings))
    except (OffNetworkError, TimeoutError) as error:
        reason = str(error) or "the engine does not answer"
        _LOG.warning("network.off", container=container_id, network=network, reason=reason)


async def _put_back(call: Call, container_id: str, network: str, ref: str, settings: dict[str, Json]) -> None:
    try:
        await _told(call, ref, "connect", {"Container": container_id, "EndpointConfig": settings})
    except (RefusedError, UpstreamError) as error:
        raise OffNetworkError(container_id, call.shown(network), str(error), error.status) from error


async def _ref(call: Call, network: str, end: Mapping[str, Any]) -> str:
    """How the engine is asked about a network: one that somebody made past DS01 may have any name. Where a container
    never ran, the engine tells no id of its network. Raises AbsentError.
    """
    if known := call.gate.registry.network_stored(call.user, network):
        return known.id
    if _PLAIN.fullmatch(network):
        return network
    return str(end.get("NetworkID") or "") or await _looked_up(call, network)


async def _looked_up(call: Call, network: str) -> str:
    ask = Ask(method="GET", target=call.target("/networks", None, {"name": [network]}))
    head, data = await call.gate.engine.whole(ask)
    rows = cast(list[dict[str, Any]], parsed(data)) if head.status == 200 else []
    for row in rows:
        if row["Name"] == network:
            return str(row["Id"])
    raise absent("network", network)


def _settings(
    container_id: str, end: Mapping[str, Any], links: Iterable[str], aliases: Iterable[str]
) -> dict[str, Json]:  # fmt: skip
    """What is asked for of an endpoint; the engine adds the short id to the aliases by itself."""
    found: dict[str, Json] = {"Links": [*links], "Aliases": [name for name in aliases if name != container_id[:12]]}
    return {**found, "IPAMConfig": end["IPAMConfig"]} if end.get("IPAMConfig") else found


async def _told(call: Call, ref: str, what: str, body: dict[str, Json]) -> None:
    ask = Ask(method="POST", target=call.target(f"/networks/{ref}/{what}"), body=dump(body))
    head, data = await call.gate.engine.whole(ask)
    if head.status >= 400:
        raise EngineWordsError("engine.refused", call.shown(error_text(data)), status=head.status)
