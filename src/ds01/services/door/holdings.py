"""Volumes and networks through the Docker door: ds01d makes them, because whose they are is the ledger's to say."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from ds01.domain.errors import NOT_ALLOWED, Ds01Error
from ds01.domain.labels import Label
from ds01.domain.names import stored_network
from ds01.domain.network import Network
from ds01.domain.volume import Volume
from ds01.ports.engine import NetworkSpec
from ds01.services import networks, volumes
from ds01.services.caller import Caller, identify
from ds01.services.door.known import network_shown, volume_shown
from ds01.services.world import World
from ds01.wire.holdings import DoorDropped, DoorNetwork, DoorNetworkAsk, DoorVolume, DoorVolumeAsk, Kind

T = TypeVar("T", Volume, Network)


async def make_volume(world: World, ask: DoorVolumeAsk) -> DoorVolume:
    """The volume of this name, made when it is not there."""
    caller = await _caller(world, ask.uid)
    return volume_shown((await volumes.make(world, caller, ask.name, ask.labels, ask.options)).volume)


async def make_network(world: World, ask: DoorNetworkAsk) -> DoorNetwork:
    """A network of this name."""
    caller = await _caller(world, ask.uid)
    spec = NetworkSpec(
        name="", labels={**ask.labels, Label.NAME: ask.name}, range=ask.range, gateway=ask.gateway,
        ip_range=ask.ip_range, reserved=ask.reserved, internal=ask.internal, options=ask.options,
    )  # fmt: skip
    return network_shown(await networks.make(world, caller, ask.name, stored_network(ask.name, caller.uid), spec))


async def own_network(world: World, uid: int) -> DoorNetwork:
    """The user's own network, made when it is not there."""
    return network_shown(await networks.own(world, await _caller(world, uid)))


async def dropped(world: World, ask: DoorDropped) -> None:
    """The engine has removed these."""
    caller, gone = await identify(world, ask.uid), frozenset(ask.ids)
    if ask.kind is Kind.VOLUME:
        await volumes.removed(world, await world.ledger.read(lambda books: _of(caller, books.volumes(), gone)))
    else:
        await networks.removed(world, await world.ledger.read(lambda books: _of(caller, books.networks(), gone)))


def _of(caller: Caller, there: Iterable[T], ids: frozenset[str]) -> list[T]:
    return [each for each in there if each.id in ids and _may(caller, each)]


def _may(caller: Caller, found: Volume | Network) -> bool:
    return caller.admin or caller.owns(found)


async def _caller(world: World, uid: int) -> Caller:
    caller = await identify(world, uid)
    if caller.uid == 0:
        raise Ds01Error(NOT_ALLOWED, "root makes nothing here.", hint="Use an ordinary account")
    return caller
