"""Facts for the gateway: who a uid is, whose a container or an image is."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Sequence

from ds01.domain.container import Container, ContainerState
from ds01.domain.errors import NO_IMAGE, Ds01Error
from ds01.domain.guard import as_owner
from ds01.domain.names import stored_container
from ds01.domain.network import Network
from ds01.domain.people import Uid
from ds01.domain.settings import RootRule
from ds01.domain.volume import Volume
from ds01.ports.ledger import Books
from ds01.services.caller import identify
from ds01.services.door.own import unknown
from ds01.services.glass import why_open
from ds01.services.image_records import shown as image_shown
from ds01.services.world import World
from ds01.wire.door import DoorContainer, DoorImage, DoorUser
from ds01.wire.holdings import DoorNetwork, DoorVolume

_HEX = re.compile(r"[0-9a-f]{1,64}")


async def user(world: World, uid: int) -> DoorUser:
    """An identity. Its account is made or renewed here, so that a uid that changed hands inherits nothing."""
    caller = await identify(world, uid)
    found = caller.user
    return DoorUser(
        uid=found.uid, gid=found.gid, login=found.login, admin=caller.limits.admin,
        epoch=caller.epoch, registries=world.settings().images.registries,
        observed=world.settings().docker.observing(world.clock.now()), glass=await why_open(world, caller),
    )  # fmt: skip


async def container(world: World, ref: str, uid: int | None) -> DoorContainer:
    """The container ``uid`` calls ``ref``; anybody's for None. Raises Ds01Error (``container.unknown``)."""
    found = await world.ledger.read(lambda books: _find(books, ref, uid))
    if found is None:
        raise unknown(ref)
    return await shown(world, found)


def _find(books: Books, ref: str, uid: int | None) -> Container | None:
    live = list(visible(books, None if uid is None else Uid(uid)))
    exact = [c for c in live if c.id == ref] or [c for c in live if uid is not None and c.name == ref]
    exact = exact or [c for c in live if stored_container(c.name, c.uid) == ref]
    if exact:
        return exact[0]
    prefixed = [c for c in live if c.id.startswith(ref)] if _HEX.fullmatch(ref) else []
    return prefixed[0] if len(prefixed) == 1 else None


def visible(books: Books, uid: Uid | None) -> Iterable[Container]:
    """Live containers of accounts as they are now: what a former owner of a uid left is nobody's."""
    epochs: dict[Uid, int] = {}
    for found in books.containers(uid):
        if found.uid not in epochs:
            account = books.account(found.uid)
            epochs[found.uid] = account.epoch if account is not None else -1
        if found.epoch == epochs[found.uid] and found.state is not ContainerState.QUARANTINED:
            yield found


async def shown(world: World, found: Container) -> DoorContainer:
    """A container as the gateway needs it."""
    (container,) = await all_shown(world, (found,))
    return container


async def all_shown(world: World, found: Sequence[Container]) -> list[DoorContainer]:
    """Containers as the gateway needs them. The directory is asked in a thread: it may take its time."""
    return await asyncio.to_thread(lambda: [_shown(world, each) for each in found]) if found else []


def _shown(world: World, found: Container) -> DoorContainer:
    """What DS01 made itself is its owner's alone, whatever the settings say."""
    forced = as_owner(found) or world.settings().docker.root_rule is RootRule.DENIED
    owner = world.directory.by_uid(found.uid) if forced else None
    return DoorContainer(
        id=found.id,
        uid=found.uid,
        name=found.name,
        stored_name=stored_container(found.name, found.uid),
        image_ref=found.image_ref,
        force_user="" if not forced else f"{found.uid}:{owner.gid if owner else found.uid}",
        binds={mount.source: mount.shown for mount in found.mounts},
        epoch=found.epoch,
    )


def volume_shown(found: Volume) -> DoorVolume:
    """A volume as the gateway needs it."""
    return DoorVolume(id=found.id, uid=found.uid, name=found.name, epoch=found.epoch, anonymous=found.anonymous)


def network_shown(found: Network) -> DoorNetwork:
    """A network as the gateway needs it."""
    return DoorNetwork(id=found.id, uid=found.uid, name=found.name, stored=found.stored, epoch=found.epoch)


async def image(world: World, image_id: str) -> DoorImage:
    """Whose an image is. Raises Ds01Error (``image.unknown``)."""
    found = await world.engine.image(image_id)
    if found is None:
        raise Ds01Error(NO_IMAGE, f"No such image: {image_id}")
    return await world.ledger.read(lambda books: image_shown(world, books, found))
