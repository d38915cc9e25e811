"""``--link`` between containers on their user's own network, as it is on the engine's default bridge.

On networks that somebody made the engine knows links as names on an endpoint, and forgets those of ``HostConfig``. A
user's own network is one of these, and means the default one to her: so links are written to the endpoint, shown where
she wrote them, and the variables of the linked container are set here, with its alias where the engine has an address.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ds01.domain.dockerpolicy import entries, weight
from ds01.domain.dockerpolicy.case import Joined, Plan
from ds01.domain.dockerpolicy.verdict import malformed
from ds01.domain.ports import MOST_OF_CONTAINER
from ds01.domain.quantity import show_size
from ds01.gateway.call import Call
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
            config = (await call.engine_container(others[link.ref].id)).get("Config") or {}
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
