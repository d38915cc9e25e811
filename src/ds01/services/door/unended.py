"""Whose it is what a name means after a pull that failed or was broken off.

The engine may still have brought it: who hangs up in the last moment has her image, and it counts as hers. But several
may pull one name at once, and only some of them may have what the registry keeps behind a password. What one of them is
known to have brought is nobody's whose own pull did not end. While another's still goes on, the end of that one tells.
What any of several that did not end may have brought goes again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ds01.domain.image import Image, covers
from ds01.services.door.weighing import take_away
from ds01.services.tickets import LATE_SECONDS, Names
from ds01.services.world import World


async def left_by(
    world: World, names: Names, there: Mapping[str, Image | None], late: Sequence[Names]
) -> dict[str, Image | None]:
    """Of what these names mean after her pull, which did not end, what it has brought. Where that is not known yet,
    they are looked at again. ``late`` are writings whose time is over and that are looked at as well.
    """
    known = await world.ledger.read(lambda books: {ref: tag.image for ref in there if (tag := books.tag(ref))})
    hers = dict(there)
    for ref, image in there.items():
        if image is None or image.id == names.before.get(ref):
            continue
        pulls = [*world.tickets.pulls(ref), *(one for one in late if one.pulling and covers(one.refs, ref))]
        others = [pull for pull in pulls if pull.caller.uid != names.caller.uid]
        brought = known.get(ref) == image.id
        if brought or others:
            del hers[ref]
        if not brought and any(not other.broken_off for other in others):
            world.tickets.keep(names, world.clock.monotonic() + LATE_SECONDS)
        elif not brought and others:
            await take_away(world, ref, image, names.before.get(ref, ""))
    return hers
