"""Images of a user: hers by the ledger's record of tags, never by a name's pattern.

Removing an image removes its tags and never a Dockerfile or a workspace; one that containers still use stays.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ds01.domain.dockerpolicy.tags import looked_up
from ds01.domain.errors import BAD_LIMITS_FILE, IMAGE_IN_USE, NO_IMAGE, Ds01Error
from ds01.domain.image import BaseImage, Image, ImageId, in_registry, with_tag
from ds01.domain.labels import Label
from ds01.domain.names import image_repository, nearest
from ds01.domain.own_images import is_stored, plain_image, stored_image
from ds01.domain.queue.plan import Owner
from ds01.ports.ledger import Books
from ds01.services.booking.seat import lenders
from ds01.services.caller import Caller
from ds01.services.door.removing import forgotten, planned
from ds01.services.find import mine, whose
from ds01.services.image_records import access_of
from ds01.services.world import World
from ds01.wire.door import DoorRemoval, DoorRemoved
from ds01.wire.images import BaseView, BuildSettings, ImageView, RemovedImage


async def resolve(world: World, caller: Caller, reference: str) -> Image | None:
    """What a reference names for this caller: None when it is not here, or not hers to see."""
    if is_stored(looked_up(reference)) and not caller.admin:
        return None
    meant = world.ledger.glance(lambda books: _meant_by(books, caller, reference))
    image = await world.engine.image(with_tag(meant))
    if image is None:
        return None
    visible = world.ledger.glance(lambda books: _may_use(world, books, caller, image, meant, reference))
    return image if visible else None


def _meant_by(books: Books, caller: Caller, reference: str) -> str:
    """The engine's name of what she means: what lies in her own name space comes first, then what lies in that of
    whoever lends it to her.
    """
    for uid in (caller.uid, *(one.uid for one in lenders(books, caller.uid, reference))):
        tag = books.tag(stored_image(looked_up(reference), uid))
        if tag is not None and tag.owner == uid:
            return tag.ref
    return reference


def _may_use(world: World, books: Books, caller: Caller, image: Image, meant: str, reference: str) -> bool:
    """Whether this caller may run an image under this name: for herself, or because it is lent to her by who may."""
    lent = (Owner(one.uid, one.epoch) for one in lenders(books, caller.uid, reference))
    return caller.admin or any(_may(world, books, one, image, meant) for one in (caller.owner, *lent))


def _may(world: World, books: Books, one: Owner, image: Image, meant: str) -> bool:
    found, name, account = access_of(world, books, image), looked_up(meant), f"{one.uid}:{one.epoch}"
    by_name = name in (*image.tags, *image.digests)
    return found.named(name, account) if by_name else found.seen_by(account)


async def may_lend(world: World, caller: Caller, reference: str) -> bool:
    """Whether others can be lent what a reference names for this caller: an admin sees more than is hers to lend."""
    image = await resolve(world, caller, reference)
    return image is not None and world.ledger.glance(
        lambda books: _may(world, books, caller.owner, image, _meant_by(books, caller, reference))
    )


@dataclass(frozen=True, kw_only=True)
class _Owned:
    """An image and which of its tags are the caller's: as she calls them, with the engine's name of each."""

    image: Image
    stored: Mapping[str, str]

    @property
    def tags(self) -> tuple[str, ...]:
        """What she calls it."""
        return tuple(self.stored)


async def list_images(world: World, caller: Caller) -> tuple[ImageView, ...]:
    """The caller's images, newest first."""
    owned = await _owned(world, caller)
    containers = await world.ledger.read(lambda books: mine(books, caller))
    views = [_view(world, caller, each, [c.name for c in containers if c.image == each.image.id]) for each in owned]
    return tuple(sorted(views, key=lambda view: view.created_at, reverse=True))


async def show_image(world: World, caller: Caller, reference: str) -> ImageView:
    """One image, by project or by reference. Raises Ds01Error (``image.unknown``)."""
    owned = await _owned(world, caller)
    refs = _meant(caller, with_tag(reference), owned)
    found = next((each for each in owned if set(refs) & set(each.tags) or each.image.id == reference), None)
    if found is None:
        raise _unknown(caller, reference, owned)
    containers = await world.ledger.read(lambda books: mine(books, caller))
    return _view(world, caller, found, [c.name for c in containers if c.image == found.image.id])


async def remove_image(world: World, caller: Caller, reference: str) -> RemovedImage:
    """Remove a project's image with all its builds, or one tag when the reference says which."""
    owned = await _owned(world, caller)
    refs = _meant(caller, reference, owned)
    if not refs:
        raise _unknown(caller, reference, owned)
    stored = {ref: name for each in owned for ref, name in each.stored.items() if ref in refs}
    going = {each.image.id for each in owned if set(each.image.tags) <= set(stored.values())}
    containers = await world.ledger.read(lambda books: mine(books, caller))
    users = sorted(container.name for container in containers if container.image in going)
    if users:
        raise Ds01Error(
            IMAGE_IN_USE, f"Image '{reference}' is still used by: {', '.join(users)}.",
            reason="A container needs the image it was created from.", hint=f"ds01 retire {users[0]}",
        )  # fmt: skip
    ids = {ref: each.image.id for each in owned for ref in each.tags}
    for ref in refs:
        await _remove_tag(world, caller, ids[ref], stored[ref])
    return RemovedImage(
        reference=reference, removed=refs, kept="The project's folder, its Dockerfile and every workspace file stay."
    )


async def build_settings(world: World, *, brief: bool = False) -> BuildSettings:
    """What every generated image and build gets from the server; ``brief`` for who only asks whether an image is
    behind: with the certificates' hash alone, and no word on BuildKit.
    """
    settings = world.settings().images
    bundle = await asyncio.to_thread(_ca, settings.ca)
    return BuildSettings(
        bases=tuple(await asyncio.gather(*(_base(world, base) for base in settings.bases))),
        ca_pem="" if brief else bundle,
        ca_sha256=hashlib.sha256(bundle.encode()).hexdigest() if bundle else "",
        environment=dict(settings.build_env),
        buildkit=not brief and bool(await world.facts.step_guard(world.paths.engine.removeprefix("unix://"))),
    )


async def _base(world: World, base: BaseImage) -> BaseView:
    image = await world.engine.image(with_tag(base.reference))
    return BaseView(
        name=base.name, reference=base.reference, description=base.description, cuda=base.cuda, driver=base.driver,
        digest=image.id if image else "", size_bytes=image.size_bytes if image else base.size_bytes,
        pinned=in_registry(image, base.reference) if image else "",
    )  # fmt: skip


def _ca(path: str) -> str:
    if not path:
        return ""
    try:
        return Path(path).read_text(encoding="ascii")
    except (OSError, ValueError) as error:
        raise Ds01Error(
            BAD_LIMITS_FILE, f"The certificates in '{path}' cannot be read.", reason=str(error),
            hint="Ask an admin to mend images.ca in limits.yaml",
        ) from error  # fmt: skip


async def _owned(world: World, caller: Caller) -> tuple[_Owned, ...]:
    tags = await world.ledger.read(lambda books: {tag.ref for tag in books.tags(caller.uid)})
    found = (_Owned(image=image, stored={plain_image(ref, caller.uid): ref for ref in image.tags if ref in tags})
             for image in await world.engine.images())  # fmt: skip
    return tuple(each for each in found if each.tags and Label.INTERNAL not in each.image.labels)


def _view(world: World, caller: Caller, owned: _Owned, containers: Sequence[str]) -> ImageView:
    image = owned.image
    first = sorted(owned.tags, key=lambda tag: (not tag.endswith(":latest"), tag))[0]
    return ImageView(
        id=image.id,
        reference=first,
        project=image.labels.get(Label.PROJECT, "") or first.rpartition(":")[0].rpartition("/")[2],
        tags=owned.tags,
        created_at=image.created_at.isoformat(),
        size_bytes=image.size_bytes,
        spec=image.labels.get(Label.SPEC, ""),
        base=image.labels.get(Label.BASE, ""),
        labels=image.labels,
        containers=tuple(sorted(containers)),
        owner=caller.user.login,
    )


def _reference(caller: Caller, reference: str) -> str:
    """A bare project name means the project's image."""
    return reference if "/" in reference else image_repository(caller.uid, reference)


def _meant(caller: Caller, reference: str, owned: Sequence[_Owned]) -> tuple[str, ...]:
    """Her names that are meant: a project's, or else one from another door."""
    mine_ = sorted(ref for each in owned for ref in each.tags)
    exact = ":" in reference.rpartition("/")[2]
    for wanted in dict.fromkeys((_reference(caller, reference), reference)):
        if found := [ref for ref in mine_ if ref == wanted or (not exact and ref.rpartition(":")[0] == wanted)]:
            return tuple(found)
    return ()


def _unknown(caller: Caller, reference: str, owned: Sequence[_Owned]) -> Ds01Error:
    known = {ref.rpartition(":")[0].rpartition("/")[2] for each in owned for ref in each.tags}
    meant = nearest(reference, known)
    return Ds01Error(
        NO_IMAGE, f"{whose(caller)} no image '{reference}'." + (f" Did you mean '{meant}'?" if meant else ""),
        reason=f"{whose(caller)}: {', '.join(sorted(known))}." if known else f"{whose(caller)} built no image yet.",
        hint="ds01 image list" if known else "ds01 image create",
    )  # fmt: skip


async def _remove_tag(world: World, caller: Caller, image: ImageId, ref: str) -> None:
    """Remove one name, by the rules of every door."""
    try:
        plan = await planned(world, caller, DoorRemoval(uid=caller.uid, image=image, ref=ref))
        for target in plan.targets:
            await world.engine.remove_image(target)
    except Ds01Error as error:
        if error.kind is not NO_IMAGE:
            raise
    await forgotten(world, caller, DoorRemoved(uid=caller.uid, image=image, refs=(ref,)))
