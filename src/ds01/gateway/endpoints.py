"""A container's endpoint on a network, made anew with other links and aliases: the engine changes none.

For a moment the container is on that network no more. Whatever happens then, it is put back.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Mapping
from shlex import quote
from typing import Any

import structlog

from ds01.domain.dockerpolicy.strictjson import Json, dump
from ds01.domain.dockerpolicy.verdict import EngineWordsError, RefusedError, absent
from ds01.gateway.call import Call, error_text
from ds01.gateway.ongoing import before_the_end
from ds01.gateway.upstream import Ask, UnreachableError, UpstreamError, parsed_list

_LOG = structlog.get_logger("ds01.gateway.endpoints")
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
"""A network's name that can be in a path."""


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
    rows = parsed_list(data) if head.status == 200 else []
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
