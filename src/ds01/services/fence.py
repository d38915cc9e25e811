"""Keeping the fence around users' networks up: when a network is made, and again every few seconds."""

from __future__ import annotations

import logging
import zlib
from collections.abc import Iterator
from datetime import datetime
from ipaddress import IPv4Network
from pathlib import Path

from ds01.domain.events import Event, EventType
from ds01.domain.fence import Bridge, BridgeRule, FencePlan, interface
from ds01.domain.labels import Label
from ds01.ports.engine import NetworkSeen
from ds01.ports.ledger import Books
from ds01.services.caller import Caller, require_admin
from ds01.services.world import World
from ds01.wire.admin import FenceView

_log = logging.getLogger(__name__)
_USUAL = Path("/run/ds01")
_DOWN = "fence.down"


async def plan(world: World) -> FencePlan:
    """The rules as they should be now."""
    settings = world.settings().docker
    seen = await world.engine.networks()
    ours = (network for network in seen if Label.OWNER in network.labels)
    inside = {bridge for network in ours for bridge in _bridges(network)}
    closed = settings.default_bridge is BridgeRule.CLOSED
    return FencePlan(
        name=name_of(world.paths.run), pool=settings.networks, ports=settings.host_ports,
        default=next((bridge for network in seen for bridge in _default(network)), None) if closed else None,
        networks=tuple(sorted(each for each in inside if each.range.subnet_of(settings.networks))),
    )  # fmt: skip


def _bridges(network: NetworkSeen) -> Iterator[Bridge]:
    for each in network.ranges:
        if ":" not in each:
            yield Bridge(range=IPv4Network(each, strict=False), interface=interface(network.id))


def _default(network: NetworkSeen) -> Iterator[Bridge]:
    """The engine's own network, if this is it."""
    for each in network.ranges:
        if network.default_bridge and ":" not in each:
            yield Bridge(range=IPv4Network(each, strict=False), interface=network.default_bridge)


async def keep(world: World) -> None:
    """Put up what does not stand, unless an admin took it down."""
    if await is_down(world):
        return
    await _stand(world)


async def is_down(world: World) -> bool:
    """Whether an admin took it down on purpose."""
    return bool(await world.ledger.read(lambda books: books.note(_DOWN)))


async def show(world: World, caller: Caller) -> FenceView:
    """Whether it stands. Raises Ds01Error (``admin.only``)."""
    require_admin(caller, "see the server's firewall")
    return FenceView(down=await is_down(world), missing=await world.fence.missing(await plan(world)))


async def leave_down(world: World, caller: Caller) -> FenceView:
    """Take it down until somebody puts it up again. Written down first: ds01d would put it up meanwhile."""
    require_admin(caller, "take the fence around users' networks down")
    await world.ledger.write(lambda books: _tell(books, caller, world.clock.now(), down=True))
    await take_down(world)
    return await show(world, caller)


async def keep_up(world: World, caller: Caller) -> FenceView:
    """Put it up again."""
    require_admin(caller, "put the fence around users' networks up")
    await world.ledger.write(lambda books: _tell(books, caller, world.clock.now(), down=False))
    await keep(world)
    return await show(world, caller)


def _tell(books: Books, caller: Caller, now: datetime, *, down: bool) -> None:
    books.put_note(_DOWN, "yes" if down else "")
    kind = EventType.FENCE_TAKEN_DOWN if down else EventType.FENCE_PUT_UP
    books.record(Event(at=now, type=kind, actor=caller.actor, uid=None, subject="fence"))


async def _stand(world: World) -> None:
    wanted = await plan(world)
    missing = await world.fence.missing(wanted)
    if missing:
        _log.warning("putting up the fence around users' networks", extra={"why": missing})
        await world.fence.put_up(wanted)


async def take_down(world: World) -> None:
    """Remove DS01's rules from the firewall."""
    await world.fence.take_down(await plan(world))


def name_of(run: Path) -> str:
    """One DS01 on a host is the usual; another has its own name."""
    return "DS01" if run == _USUAL else f"DS01-{zlib.crc32(str(run).encode()):08x}"
