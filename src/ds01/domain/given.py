"""What a running container has by a limit of its owner's alone, and loses with it: devices besides GPUs, addresses.

Everything else it has was granted for as long as it is there.
"""

from __future__ import annotations

from dataclasses import dataclass

from ds01.domain import devices, publish
from ds01.domain.confinement import Confinement
from ds01.domain.limits import Limits
from ds01.domain.people import Uid


@dataclass(frozen=True, kw_only=True)
class Given:
    """``nodes`` are device files of the host, ``addresses`` those its ports are published on."""

    uid: Uid
    nodes: frozenset[str] = frozenset()
    addresses: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.nodes or self.addresses)


def asked(uid: Uid, found: Confinement) -> Given:
    """What only a limit could have given a container with these walls."""
    return Given(
        uid=uid, nodes=frozenset(filter(devices.grantable, found.nodes)), addresses=frozenset(found.published)
    )  # fmt: skip


def still(had: Given, limits: Limits) -> Given:
    """What of it these limits give."""
    return Given(
        uid=had.uid,
        nodes=frozenset(node for node in had.nodes if devices.allowed(node, limits.devices)),
        addresses=frozenset(address for address in had.addresses if publish.allowed(address, limits.publish)),
    )
