"""After the ledger was lost: images, volumes and networks are written down again by what their names and labels say.

The key of the seal is kept beside the ledger: labels are believed under it. Where it was lost as well there is nothing
else than what they say. Where DS01 starts for the first time nothing was lost, and a ledger that is whole knows all
of them: what it does not know somebody made past DS01, and is nobody's, whatever it says of itself.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ds01.domain.errors import DAEMON_UNSURE, Ds01Error
from ds01.domain.image import Image, Ownership, Provenance, Tag
from ds01.domain.labels import Label
from ds01.domain.names import image_repository, user_network
from ds01.domain.network import OWN, Network
from ds01.domain.own_images import owner_of
from ds01.domain.people import Account, Uid
from ds01.domain.seal import genuine_thing
from ds01.domain.volume import Volume
from ds01.ports.engine import NetworkSeen, VolumeSeen
from ds01.ports.ledger import Books
from ds01.services.networks import KIND as NETWORK
from ds01.services.seal import older_key, sealed_alone
from ds01.services.volumes import KIND as VOLUME
from ds01.services.world import World

_log = logging.getLogger(__name__)
FIRST = "ledger.first"
"""The ledger's note that there was none before it."""
MOST_NAMED = 10
"""Of those that are named in one sentence."""
_STORED = re.compile(r"(.+)\._\.([0-9]+)")


def is_lost(books: Books) -> bool:
    """Of an empty ledger: whether there was another one before it."""
    return books.note(FIRST) is None


def nothing_before(books: Books) -> None:
    """This ledger is the first one of this server."""
    books.put_note(FIRST, "yes")


async def check_nothing_runs(world: World, mark: Path) -> None:
    """Before the very first start: whatever runs and says it is DS01's was made past DS01, or the state folder was lost
    with its ledger. To believe it would be a way in, and to stop it would end a night's work: an admin says which it
    is. ``mark`` is the file that says DS01 was here before. Raises Ds01Error (``daemon.unsure``).
    """
    names = sorted(
        each.stored_name for each in await world.engine.list() if each.running and Label.OWNER in each.labels
    )
    if names:
        shown = " ".join(names[:MOST_NAMED]) + (f" and {len(names) - MOST_NAMED} more" if names[MOST_NAMED:] else "")
        raise Ds01Error(
            DAEMON_UNSURE, "Containers run that say they are DS01's, and DS01 was never on this server.",
            reason=f"Either {mark.parent} was lost, or somebody made them before DS01 came: {shown}.",
            hint=f"When it was lost: touch {mark}. Else, as root: docker rm --force. Then start ds01d again",
        )  # fmt: skip


async def find_again(world: World) -> None:
    """Write down whose everything is. Containers are the reconciler's."""
    engine, now = world.engine, world.clock.now()
    images, volumes, networks = await engine.images(), await engine.volumes(), await engine.networks()

    def write(books: Books) -> list[str]:
        seals = Seals(older_key(books))
        ours = list(map(seals.of_image, images))
        return [
            *_tags(books, ours), *_brought(books, ours, now), *_volumes(books, filter(seals.volume, volumes), now),
            *_networks(books, filter(seals.network, networks), now),
        ]  # fmt: skip

    found = await world.ledger.write(write)
    if found:
        _log.warning("found what was lost", extra={"names": found})


@dataclass(frozen=True)
class Seals:
    """What is believed: everything, or under this key what bears its seal."""

    key: str | None

    def of_image(self, image: Image) -> Image:
        """The image, with what its labels say of an owner when that is believed."""
        return image if self.key is None else sealed_alone(image, self.key)

    def volume(self, seen: VolumeSeen) -> bool:
        """Whether its labels are believed."""
        return self.key is None or genuine_thing(VOLUME, seen.name, seen.labels, self.key)

    def network(self, seen: NetworkSeen) -> bool:
        """Whether its labels are believed."""
        return self.key is None or genuine_thing(NETWORK, seen.name, seen.labels, self.key)


def _tags(books: Books, images: Iterable[Image]) -> Iterator[str]:
    for image in images:
        for ref, uid in _owners(image).items():
            if books.tag(ref) is None:
                books.put_tag(Tag(ref=ref, image=image.id, provenance=Provenance.USER, owner=uid))
                yield ref


def _brought(books: Books, images: Iterable[Image], now: datetime) -> Iterator[str]:
    """Builds without a name say whose they are."""
    for image in images:
        foreign = Label.INTERNAL in image.labels or any(map(image.is_from, image.tags))
        owner = None if foreign else _owner(books, image.labels)
        if owner is not None and not books.ownerships(image=image.id):
            books.put_ownership(Ownership(image=image.id, uid=owner.uid, epoch=owner.epoch, at=now))
            yield image.id


def _owners(image: Image) -> dict[str, Uid]:
    """Names in a name space of one user's own only DS01 writes; images of projects say whose they are."""
    if Label.INTERNAL in image.labels:
        return {}
    label = image.labels.get(Label.OWNER, "")
    own = {ref: Uid(uid) for ref in image.tags if (uid := owner_of(ref)) is not None}
    projects = image_repository(int(label), "") if label.isdecimal() else ""
    return own | {ref: Uid(int(label)) for ref in image.tags if projects and ref.startswith(projects)}


def _volumes(books: Books, volumes: Iterable[VolumeSeen], now: datetime) -> Iterator[str]:
    for seen in volumes:
        stored, owner = _STORED.fullmatch(seen.name), _owner(books, seen.labels)
        if stored and owner and int(stored[2]) == owner.uid and books.volume(seen.name) is None:
            volume = Volume(id=seen.name, uid=owner.uid, epoch=owner.epoch, name=stored[1], created_at=now)
            books.put_volume(volume)
            yield seen.name


def _networks(books: Books, networks: Iterable[NetworkSeen], now: datetime) -> Iterator[str]:
    for seen in networks:
        owner = _owner(books, seen.labels)
        name = _network_name(seen, owner.uid) if owner is not None else ""
        if owner is not None and name and books.network(seen.id) is None:
            books.put_network(
                Network(id=seen.id, uid=owner.uid, epoch=owner.epoch, name=name, stored=seen.name, created_at=now)
            )
            yield seen.name


def _network_name(seen: NetworkSeen, uid: Uid) -> str:
    if seen.name == user_network(uid):
        return OWN
    stored = _STORED.fullmatch(seen.name)
    return stored[1] if stored and int(stored[2]) == uid else ""


def _owner(books: Books, labels: Mapping[str, str]) -> Account | None:
    """The account that its labels name, as it was then; written down when nobody is known under this uid."""
    uid, epoch = labels.get(Label.OWNER, ""), labels.get(Label.EPOCH, "")
    if not (uid.isdecimal() and epoch.isdecimal()):
        return None
    named = Account(uid=Uid(int(uid)), login="", epoch=int(epoch))
    if books.account(named.uid) is None:
        books.put_account(named)
    return named
