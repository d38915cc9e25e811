"""Volumes and networks in the engine's answers, as their user knows them."""

from __future__ import annotations

import ipaddress
from typing import Any

from ds01.domain.labels import Label
from ds01.gateway.registry import Registry
from ds01.wire.door import DoorContainer, DoorUser
from ds01.wire.holdings import DoorNetwork

Found = dict[str, Any]
"""An object the engine sent."""

OURS = "com.docker.network.bridge.host_binding_ipv4"
"""An option DS01 sets on every network."""

NO_NETWORK = "none"
"""The one network of the engine that everybody may be on: it leads nowhere."""


class Things:
    """How one user sees volumes and networks."""

    def __init__(self, registry: Registry, user: DoorUser) -> None:
        self._registry = registry
        self._user = user

    def volume(self, row: Found) -> Found | None:
        """One volume, None when it is not hers."""
        known = self._registry.volume_by_id(self._user, str(row.get("Name", "")))
        if known is None:
            return row if self._user.admin else None
        name = self._registry.called(self._user, known)
        row["Mountpoint"] = str(row.get("Mountpoint") or "").replace(f"/{known.id}/", f"/{name}/")
        row["Name"], row["Labels"] = name, plain(row.get("Labels")) or None
        return row

    def networks(self, found: Any) -> list[Found]:
        """The networks of ``/networks`` that are hers, and the one that leads nowhere."""
        return [shown for row in found or () if (shown := self.network(row)) is not None]

    def network(self, row: Found) -> Found | None:
        """One network, None when it is not hers."""
        known = self._registry.network_by_id(self._user, str(row.get("Id", "")))
        if known is None and not self._user.admin and row.get("Name") != NO_NETWORK:
            return None
        if known is not None:
            row["Name"], row["Labels"] = self._registry.called(self._user, known), plain(row.get("Labels"))
            _gateway(row)
            row["Options"] = {key: value for key, value in (row.get("Options") or {}).items() if key != OURS}
        if "Containers" in row:
            row["Containers"] = self._members(row["Containers"])
        return row

    def _members(self, found: Any) -> Found:
        """Who is on it, of those she may see."""
        members: Found = {}
        for container_id, end in (found or {}).items():
            known = self._registry.by_id(self._user, container_id)
            if known is not None:
                members[container_id] = {**end, "Name": self._registry.named(self._user, known)}
            elif self._user.admin:
                members[container_id] = end
        return members

    def mounts(self, found: Any) -> None:
        """Write her names over the engine's, in a container's mounts."""
        for mount in found if isinstance(found, list) else ():
            for field in ("Name", "Source"):
                known = self._registry.volume_by_id(self._user, str(mount.get(field) or ""))
                if mount.get("Type") == "volume" and known is not None:
                    name = self._registry.called(self._user, known)
                    if field == "Name":
                        mount["Source"] = str(mount.get("Source") or "").replace(f"/{known.id}/", f"/{name}/")
                    mount[field] = name

    def binds(self, found: Any) -> Any:
        """``HostConfig.Binds``: of ours only those of volumes."""
        if not isinstance(found, list):
            return found
        return [":".join((self._volume_name(name), *rest)) for name, *rest in (str(bind).split(":") for bind in found)]

    def _volume_name(self, name: str) -> str:
        known = self._registry.volume_by_id(self._user, name)
        return name if known is None else self._registry.called(self._user, known)

    def network_name(self, stored: str) -> str:
        """A network as ``HostConfig.NetworkMode`` names it."""
        known = self._named(stored)
        return stored if known is None else self._registry.called(self._user, known)

    def endpoints(self, settings: Any, container: DoorContainer) -> None:
        """``NetworkSettings.Networks``: by her names; one of another's that an admin put it on is not shown."""
        ends = settings.get("Networks") if isinstance(settings, dict) else None
        if not isinstance(ends, dict):
            return
        settings["Networks"] = {
            self.network_name(name): end
            for name, end in ends.items()
            if self._user.admin or name == NO_NETWORK or self._named(name) is not None
        }
        for end in settings["Networks"].values():
            _names(end, container)

    def _named(self, stored: str) -> DoorNetwork | None:
        return self._registry.network_stored(self._user, stored)


def _names(end: Found, container: DoorContainer) -> None:
    """A container's names on a network without the one that DS01 added before those that were asked for."""
    asked = list(end.get("Aliases") or ())
    if asked[:1] == [container.name]:
        end["Aliases"] = asked[1:] or None
    if end.get("DNSNames"):
        known = (container.name if name == container.stored_name else name for name in end["DNSNames"])
        end["DNSNames"] = list(dict.fromkeys(known))


def _gateway(row: Found) -> None:
    """The engine says where a network's gateway is when it chose the range itself; it is the same place here."""
    for addresses in (row.get("IPAM") or {}).get("Config") or ():
        if addresses.get("Subnet") and not addresses.get("Gateway"):
            addresses["Gateway"] = str(ipaddress.ip_network(addresses["Subnet"])[1])


def plain(labels: Any) -> dict[str, str]:
    """Labels without DS01's."""
    return {key: value for key, value in (labels or {}).items() if not key.startswith(Label.PREFIX)}
