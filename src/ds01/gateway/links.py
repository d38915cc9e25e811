"""``--link`` between containers on their user's own network, as it is on the engine's default bridge.

On networks that somebody made the engine knows links as names on an endpoint, and forgets those of ``HostConfig``. A
user's own network is one of these, and means the default one to her: so links are written to the endpoint, shown where
she wrote them, and the variables of the linked container are set here, with its alias where the engine has an address.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

from ds01.domain.dockerpolicy.case import Joined, Plan
from ds01.domain.dockerpolicy.strictjson import Json, dump
from ds01.domain.dockerpolicy.verdict import absent
from ds01.gateway.call import Call
from ds01.gateway.upstream import Ask, parsed
from ds01.wire.door import DoorContainer

_NOT_TOLD = ("HOME", "PATH")


async def environment(call: Call, plan: Plan, others: Mapping[str, DoorContainer]) -> list[str]:
    """The variables of the containers that are linked over her own network."""
    links = plan.host.get("Links")
    if not isinstance(links, list) or plan.case.network or not plan.case.wants_network:
        return []
    found: list[str] = []
    for link in links:
        if isinstance(link, Joined):
            alias = link.suffix.lstrip(":/")
            config = (await inspected(call, others[link.ref].id)).get("Config") or {}
            found += _variables(f"/{plan.name}/{alias}", alias, config)
    return found


async def inspected(call: Call, container_id: str) -> dict[str, Any]:
    """A container as the engine has it. Raises AbsentError."""
    ask = Ask(method="GET", target=call.target(f"/containers/{container_id}/json"))
    head, data = await call.gate.engine.whole(ask)
    if head.status != 200:
        raise absent("container", container_id)
    return cast(dict[str, Any], parsed(data))


def _variables(path: str, alias: str, config: Mapping[str, Any]) -> Iterator[str]:
    name = alias.replace("-", "_").upper()
    ports = sorted(port.partition("/")[::2] for port in config.get("ExposedPorts") or ())
    for index, (port, kind) in enumerate(ports):
        address = f"{kind or 'tcp'}://{alias}:{port}"
        if index == 0:
            yield f"{name}_PORT={address}"
        own = f"{name}_PORT_{port}_{(kind or 'tcp').upper()}"
        yield from (f"{own}={address}", f"{own}_ADDR={alias}", f"{own}_PORT={port}", f"{own}_PROTO={kind or 'tcp'}")
    yield f"{name}_NAME={path}"
    for entry in config.get("Env") or ():
        key, equals, value = entry.partition("=")
        if equals and key not in _NOT_TOLD:
            yield f"{name}_ENV_{key}={value}"


async def unlink(call: Call) -> None:
    """``DELETE /containers/{id}/{alias}?link=1``: the link goes, both containers stay."""
    await call.nothing()
    path = f"{call.names['container']}/{call.names['alias']}"
    if not call.query.on("link"):
        raise absent("container", path)
    container = await call.container()
    found = await inspected(call, container.id)
    end = (found["NetworkSettings"]["Networks"] or {}).get(call.asker.network) or {}
    left = [link for link in end.get("Links") or () if link.rpartition(":")[2] != call.names["alias"]]
    if len(left) == len(end.get("Links") or ()):
        raise absent("container", path)
    await reconnect(call, container.id, end, links=left, aliases=end.get("Aliases") or ())
    await call.answer(204)


async def reconnect(
    call: Call, container_id: str, end: Mapping[str, Any], *, links: Iterable[str], aliases: Iterable[str]
) -> None:  # fmt: skip
    """Put a container on a network anew: an endpoint cannot be changed."""
    short, network = container_id[:12], end["NetworkID"]
    settings: dict[str, Json] = {"Links": [*links], "Aliases": [name for name in aliases if name != short]}
    if end.get("IPAMConfig"):
        settings["IPAMConfig"] = end["IPAMConfig"]
    bodies: dict[str, dict[str, Json]] = {
        "disconnect": {"Container": container_id, "Force": False},
        "connect": {"Container": container_id, "EndpointConfig": settings},
    }
    for what, body in bodies.items():
        await call.gate.engine.whole(
            Ask(method="POST", target=call.target(f"/networks/{network}/{what}"), body=dump(body))
        )  # fmt: skip
