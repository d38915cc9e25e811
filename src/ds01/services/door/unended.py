"""Whose it is what a name means after a pull that failed or was broken off.

The engine may still have brought it: who hangs up in the last moment has her image, and it counts as hers. But several
may pull one name at once, and only some of them may have what the registry keeps behind a password. What one of them is
known to have brought is nobody's whose own pull did not end. While another's still goes on, the end of that one tells.
What any of several that did not end may have brought goes again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ds01.domain.image import Image, covers, repository
from ds01.ports.ledger import Books
from ds01.services.door.weighing import take_away
from ds01.services.tickets import LATE_SECONDS, Names
from ds01.services.world import World


async def left_by(
    world: World, names: Names, there: Mapping[str, Image | None], late: Sequence[Names]
) -> dict[str, Image | None]:
    """Of what these names mean after her pull, which did not end, what it has brought. Where that is not known yet,
    they are looked at again. ``late`` are writings whose time is over and that are looked at as well.
    """
    brought = await world.ledger.read(lambda books: {ref for ref, image in there.items() if _known(books, ref, image)})
    hers, pulls = dict(there), (*world.tickets.pulls(), *late)
    for ref, image in there.items():
        if image is None or image.id == names.before.get(ref):
            continue
        others = [pull for pull in pulls if pull.caller.uid != names.caller.uid and _may_bring(pull, ref)]
        if ref in brought or others:
            del hers[ref]
        if ref not in brought and any(not other.broken_off for other in others):
            world.tickets.keep(names, world.clock.monotonic() + LATE_SECONDS)
        elif ref not in brought and others:
            await take_away(world, ref, image, names.before.get(ref, ""))
    return hers


def _known(books: Books, ref: str, image: Image | None) -> bool:
    """Whether it is written down that this is what the name means. That of a digest comes with any tag of it, and is
    known when the image is somebody's.
    """
    if image is None:
        return False
    if "@" in ref:
        return bool(books.ownerships(image=image.id))
    tag = books.tag(ref)
    return tag is not None and tag.image == image.id


def _may_bring(pull: Names, ref: str) -> bool:
    """Whether a pull may bring what ``ref`` means: a digest is one of its repository, whatever tag is pulled."""
    digest = "@" in ref and repository(ref) in map(repository, pull.refs)
    return pull.pulling and (digest or covers(pull.refs, ref))
