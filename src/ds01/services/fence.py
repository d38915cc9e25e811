"""Keeping the fence around users' networks up: when a network is made, and again every few seconds."""

from __future__ import annotations

import logging
import zlib
from ipaddress import IPv4Network
from pathlib import Path

from ds01.domain.container import Label
from ds01.domain.fence import FencePlan
from ds01.services.world import World

_log = logging.getLogger(__name__)
_USUAL = Path("/run/ds01")


async def plan(world: World) -> FencePlan:
    """The rules as they should be now."""
    settings = world.settings().docker
    seen = await world.engine.networks()
    ranges = {each for network in seen if Label.OWNER in network.labels for each in network.ranges}
    inside = (IPv4Network(each, strict=False) for each in ranges if ":" not in each)
    return FencePlan(
        name=_name(world.paths.run), pool=settings.networks, ports=settings.host_ports,
        networks=tuple(sorted(each for each in inside if each.subnet_of(settings.networks))),
    )  # fmt: skip


async def keep(world: World) -> None:
    """Put up what does not stand."""
    wanted = await plan(world)
    missing = await world.fence.missing(wanted)
    if missing:
        _log.warning("putting up the fence around users' networks", extra={"why": missing})
        await world.fence.put_up(wanted)


async def take_down(world: World) -> None:
    """Remove DS01's rules from the firewall."""
    await world.fence.take_down(await plan(world))


def _name(run: Path) -> str:
    """One DS01 on a host is the usual; another has its own name."""
    return "DS01" if run == _USUAL else f"DS01-{zlib.crc32(str(run).encode()):08x}"
