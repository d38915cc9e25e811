"""The ports of a create as the engine gets them: on loopback, but for the addresses that were asked for and granted."""

from __future__ import annotations

from collections.abc import Iterable

from ds01.domain.dockerpolicy.case import AskedAddress, Case
from ds01.domain.dockerpolicy.strictjson import Json
from ds01.domain.dockerpolicy.verdict import Change
from ds01.domain.publish import LOOPBACK, allowed, other
from ds01.wire.door import DoorGrant


def bindings(named: Json, case: Case, grant: DoorGrant, exposed: Iterable[str]) -> dict[str, Json]:
    """``PortBindings``. ``exposed`` are the ports that are published where all are."""
    given = {(each.port, each.place): each.address for each in case.addresses if allowed(each.address, grant.publish)}
    gone = {str(port) for port in grant.moved}
    found: dict[str, Json] = {
        port: [
            _binding(each, given.get((port, place), LOOPBACK), gone)
            for place, each in enumerate(many if isinstance(many, list) else [])
        ]
        for port, many in (named if isinstance(named, dict) else {}).items()
    }
    if case.publish_all:
        for port in exposed:
            found.setdefault(port if "/" in port else f"{port}/tcp", [{"HostIp": LOOPBACK, "HostPort": ""}])
    return found


def elsewhere(case: Case, grant: DoorGrant) -> tuple[Change, ...]:
    """What is told of addresses that were asked for and not granted."""
    return tuple(
        Change(rule="create.ports", text=_told(asked, other(grant.publish)), told=True)
        for asked in case.addresses
        if not allowed(asked.address, grant.publish)
    )


def _binding(named: Json, address: str, gone: set[str]) -> Json:
    """The engine chooses a free port for one that others have."""
    port = named.get("HostPort") if isinstance(named, dict) else ""
    return {"HostIp": address, "HostPort": "" if port in gone else port}


def _told(asked: AskedAddress, others: str) -> str:
    what = f"port {asked.port} is published on {LOOPBACK}, not {asked.address}"
    return f"{what}: your group may name {others}" if others else what
