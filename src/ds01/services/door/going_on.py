"""Writings of image names that go on: the gateway says so again and again, and to a ds01d that was started since.

A build may last for days, and its names are its user's until it is over. What nobody speaks of any more lapses soon:
its gateway is gone, and with the connection the engine has given it up.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ds01.domain.errors import DOOR_ANEW, Ds01Error
from ds01.domain.people import Uid
from ds01.services.caller import Caller, identify
from ds01.services.tickets import WRITING_LIFE_SECONDS, Names
from ds01.services.world import World
from ds01.wire.door import DoorHeld


def held(names: Names) -> DoorHeld:
    """A reservation in the gateway's hands."""
    return DoorHeld(
        ticket=names.id, uid=names.caller.uid, epoch=names.caller.epoch, refs=tuple(sorted(names.refs)),
        before=dict(names.before), own=dict(names.own), aside=dict(names.aside), pins=tuple(sorted(names.pins)),
        pulling=names.pulling, private=names.private, kit=names.kit,
    )  # fmt: skip


def check_heard(world: World) -> None:
    """Raises Ds01Error as long as nobody has said what goes on: a name may be somebody's already."""
    if world.tickets.anew:
        raise Ds01Error(
            DOOR_ANEW, "ds01d was just started.", reason="It does not know yet which image names are being written.",
            hint="Try again in a moment",
        )  # fmt: skip


async def go_on(world: World, said: Sequence[DoorHeld]) -> None:
    """These go on, and names may be given from now on. Of others nothing is heard, and they lapse by themselves."""
    callers = [(each, await _caller(world, each)) for each in said]
    async with world.tickets.turn(None):
        monotonic = world.clock.monotonic()
        for each, caller in callers:
            known = world.tickets.renew(each.ticket, monotonic) or world.tickets.is_over(each.ticket)
            if not known and caller is not None:
                world.tickets.take_up(_names(world, each, caller, monotonic))
        world.tickets.anew = False


async def _caller(world: World, said: DoorHeld) -> Caller | None:
    """Whose it is; nobody's any more when the uid is somebody else's by now."""
    try:
        caller = await identify(world, said.uid)
    except Ds01Error:
        return None
    return caller if caller.epoch == said.epoch else None


def _names(world: World, said: DoorHeld, caller: Caller, monotonic: float) -> Names:
    refs = frozenset(_free(world, said.refs, caller, monotonic))
    return Names(
        id=said.ticket, caller=caller, refs=refs, expires_at=monotonic + WRITING_LIFE_SECONDS,
        before={ref: image for ref, image in said.before.items() if ref in refs}, pulling=said.pulling,
        private=said.private, own=said.own, aside={ref: Uid(uid) for ref, uid in said.aside.items()}, kit=said.kit,
        pins=frozenset(said.pins),
    )  # fmt: skip


def _free(world: World, refs: Iterable[str], caller: Caller, monotonic: float) -> Iterable[str]:
    """Those that nobody else has reserved meanwhile."""
    for ref in refs:
        writer = world.tickets.writing(ref, caller.uid, monotonic)
        if writer is None or writer.caller.uid == caller.uid:
            yield ref
