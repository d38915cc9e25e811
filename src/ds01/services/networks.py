"""Networks of users: each her own, made when first needed, and those she makes through Docker.

DS01 chooses the addresses. What nobody has: the engine's other networks, the ways this host has to elsewhere.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from ipaddress import IPv4Network

from ds01.domain.errors import ENGINE_DOWN, NAME_TAKEN, NO_ADDRESSES, Ds01Error
from ds01.domain.events import Event, EventType
from ds01.domain.labels import Label
from ds01.domain.network import OWN, Network, check_networks, checked_range, free_range
from ds01.domain.seal import genuine_thing, sealed_thing
from ds01.ports.engine import NetworkSeen, NetworkSpec
from ds01.ports.ledger import Books
from ds01.services import fence
from ds01.services.caller import Caller
from ds01.services.seal import seal_key
from ds01.services.world import World

KIND = "network"
ATTEMPTS = 5
"""How often another range is tried when somebody else had the chosen one a moment earlier."""


async def own(world: World, caller: Caller) -> Network:
    """The user's own network; made when it is not there."""
    async with world.locks.hold(caller.uid, "network bridge", "create", told="Your network is busy"):
        found = await world.engine.networks(caller.user.network)
        ours = await _ours(world, found)
        for another in found:
            if another not in ours[:1]:
                await _clear(world, another)
        if ours:
            return await _known(world, caller, OWN, ours[0])
        return await _made(world, caller, OWN, caller.user.network, NetworkSpec(name="", labels={}, range=""))


async def _ours(world: World, found: Iterable[NetworkSeen]) -> list[NetworkSeen]:
    """Those that DS01 made, first what the ledger knows: a ds01d that was killed can leave two of one name."""
    key = await seal_key(world)
    known = world.ledger.glance(lambda books: {each.id for each in found if books.network(each.id) is not None})
    genuine = [each for each in found if each.id in known or genuine_thing(KIND, each.name, each.labels, key)]
    return sorted(genuine, key=lambda each: each.id not in known)


async def _clear(world: World, another: NetworkSeen) -> None:
    """One of the same name that somebody made past DS01 gives way, as long as nothing is on it."""
    try:
        await world.engine.remove_network(another.id)
    except Ds01Error as error:
        if error.kind is ENGINE_DOWN:
            raise
        raise Ds01Error(
            NAME_TAKEN, "Your own network cannot be used: somebody made one of its name past DS01.",
            reason=error.problem.reason or error.problem.message, hint="Ask an admin to look: ds01 doctor",
        ) from error  # fmt: skip


async def make(world: World, caller: Caller, name: str, stored: str, spec: NetworkSpec) -> Network:
    """Another network of hers. Raises Ds01Error when she has one of this name, or as many as she may have."""
    async with world.locks.hold(caller.uid, "networks of hers", "create", told="Your networks are busy"):
        if await world.engine.networks(stored):
            raise Ds01Error(NAME_TAKEN, f"network with name {name} already exists")
        mine = await world.ledger.read(lambda books: own_networks(books, caller))
        if caller.limits.networks is not None and len(mine) > caller.limits.networks:
            await tidy(world)
            mine = await world.ledger.read(lambda books: own_networks(books, caller))
        check_networks(mine, caller.limits)
        return await _made(world, caller, name, stored, spec)


def own_networks(books: Books, caller: Caller) -> tuple[Network, ...]:
    """Those of the account as it is now."""
    return tuple(network for network in books.networks(caller.uid) if network.epoch == caller.epoch)


async def _made(world: World, caller: Caller, name: str, stored: str, spec: NetworkSpec) -> Network:
    pool = world.settings().docker.networks
    owned = {**spec.labels, Label.OWNER: str(caller.uid), Label.EPOCH: str(caller.epoch)}
    labels = sealed_thing(KIND, stored, owned, await seal_key(world))
    chosen = checked_range(pool, spec.range) if spec.range else None
    refused: set[IPv4Network] = set()
    while True:
        range_ = chosen or free_range(pool, (await _taken(world)) | refused, stored)
        try:
            made = await world.engine.create_network(
                NetworkSpec(
                    name=stored, labels=labels, range=str(range_), gateway=spec.gateway, ip_range=spec.ip_range,
                    reserved=spec.reserved, internal=spec.internal, options=spec.options,
                )
            )  # fmt: skip
        except Ds01Error as error:
            if error.kind is not NO_ADDRESSES or chosen is not None or len(refused) >= ATTEMPTS:
                raise
            refused.add(range_)
            continue
        await fence.keep(world)
        seen = NetworkSeen(id=made, name=stored, labels=labels, created_at=world.clock.now())
        return await _known(world, caller, name, seen)


async def _taken(world: World) -> set[IPv4Network]:
    ranges = {each for seen in await world.engine.networks() for each in seen.ranges if ":" not in each}
    return {IPv4Network(each, strict=False) for each in ranges} | set(await world.facts.routes())


async def _known(world: World, caller: Caller, name: str, seen: NetworkSeen) -> Network:
    """Written down, when it is not yet. A network of a former owner of the uid is not handed on."""
    known = world.ledger.glance(lambda books: books.network(seen.id))
    if known is not None and known.epoch == caller.epoch:
        return known
    if known is not None and name != OWN:
        raise Ds01Error(NAME_TAKEN, f"network with name {name} already exists")
    network = Network(
        id=seen.id, uid=caller.uid, epoch=caller.epoch, name=name, stored=seen.name, created_at=world.clock.now()
    )
    await world.ledger.write(lambda books: _record(books, world, caller, network))
    return network


def _record(books: Books, world: World, caller: Caller, network: Network) -> None:
    for other in books.networks(caller.uid):
        if other.stored == network.stored and other.id != network.id:
            books.drop_network(other.id)
            books.record(_event(world, EventType.NETWORK_REMOVED, other))
    books.put_network(network)
    books.record(_event(world, EventType.NETWORK_CREATED, network))


def _event(world: World, kind: EventType, network: Network) -> Event:
    return Event(
        at=world.clock.now(), type=kind, actor=network.uid, uid=network.uid, subject=network.id,
        details={"name": network.name},
    )  # fmt: skip


async def tidy(world: World) -> None:
    """Forget what the engine no longer has. The ledger is read first: what is in it then was made before, and its id is
    never another's.
    """
    known = await world.ledger.read(lambda books: books.networks())
    there = {seen.id for seen in await world.engine.networks()}
    await removed(world, [network for network in known if network.id not in there])


async def removed(world: World, gone: Collection[Network]) -> None:
    """The engine has removed these: take them out of the ledger."""
    if gone:
        await world.ledger.write(lambda books: _drop(books, world, gone))


def _drop(books: Books, world: World, gone: Iterable[Network]) -> None:
    for network in gone:
        if books.network(network.id) is not None:
            books.drop_network(network.id)
            books.record(_event(world, EventType.NETWORK_REMOVED, network))
