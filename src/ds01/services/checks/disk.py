"""Is there space left for the ledger, for images and containers, and for people's work? If not: what takes it, and what
can go.
"""

from __future__ import annotations

from collections.abc import Iterable

from ds01.domain.disk import Use
from ds01.domain.errors import Ds01Error
from ds01.domain.people import Uid
from ds01.domain.quantity import show_size
from ds01.services.checks import Check, Finding, failed, ok, warning
from ds01.services.disk import uses
from ds01.services.people import names
from ds01.services.space import Place, Space, spaces
from ds01.services.world import World

_FIXES = {
    Place.STATE: "The ledger needs room: free some on its disk (du -xsh /var/*), or shorten"
    " policy.keep.jobs in the limits file",
    Place.ENGINE: "sudo docker builder prune -a empties the build cache, sudo docker image prune removes what has no"
    " name any more; the rest is people's: ds01 list --everybody, ds01 status --user LOGIN",
    Place.HOME: "Find what grows: du -xsh /home/*/workspace",
}
_MOST = 3


async def _run(world: World) -> Finding:
    found = await spaces(world)
    low = [space for space in found if space.low]
    if not low:
        return ok(f"There is space ({_told(found)}).")
    details = [detail for space in low for detail in await _what_takes_it(world, space)]
    fix = "; ".join(_FIXES[space.place] for space in low) + "."
    if full := [space for space in low if space.full]:
        return failed(f"The disk is nearly full ({_told(full)}).", fix, details)
    return warning(f"The disk is filling up ({_told(low)}).", fix, details)


def _told(found: Iterable[Space]) -> str:
    return ", ".join(
        f"{space.path}: {show_size(space.free_bytes)} of {show_size(space.total_bytes)} free" for space in found
    )


async def _what_takes_it(world: World, space: Space) -> list[str]:
    """For admins, who are the only ones that read details: they name people."""
    if space.place is Place.ENGINE:
        return await _in_the_engine(world)
    if space.place is Place.STATE:
        return await _in_the_state(world)
    return []


async def _in_the_engine(world: World) -> list[str]:
    try:
        found = await uses(world)
    except Ds01Error:
        return []
    largest = sorted(found.items(), key=lambda each: -each[1].total_bytes)[:_MOST]
    called = await world.ledger.read(
        lambda books: {account: names(books)(Uid(int(account.partition(":")[0]))) for account, _ in largest}
    )
    whose = [f"{called[account]} {show_size(use.total_bytes)} ({use.parts})" for account, use in largest if _some(use)]
    return [f"In the engine most is taken by {'; '.join(whose)}"] if whose else []


def _some(use: Use) -> bool:
    return use.total_bytes > 0


async def _in_the_state(world: World) -> list[str]:
    ledger = world.paths.state / "ledger.db"
    sizes = [facts.size_bytes for name in (ledger, f"{ledger}-wal") if (facts := await world.facts.file(str(name)))]
    return [f"The ledger takes {show_size(sum(sizes))}"] if sizes else []


CHECK = Check(about="there is space for the ledger, for images and for people's work", run=_run)
