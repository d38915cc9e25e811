"""What is closed while a program below DS01 has a known hole, where the admin wants it closed and not only told.

Nobody but admins starts or builds anything on a runc with known ways out, or gets a GPU through NVIDIA's hooks while an
image can lead those astray, except in images of the server's own. A distribution that mends without a new number makes
the number prove nothing: so it is the admin's to say which she has.
"""

from __future__ import annotations

from collections.abc import Iterable

from ds01.domain.engine_versions import TOOLKIT_FIXED, HolesRule, numbers, runc_fixed
from ds01.domain.errors import KNOWN_HOLE, Ds01Error
from ds01.domain.image_access import is_common
from ds01.ports.ledger import Books
from ds01.services.caller import Caller
from ds01.services.measured import KNOWN_SECONDS, Versions
from ds01.services.world import World

TOOLKIT = "nvidia-ctk"
_HINT = "Tell your admin: ds01 doctor"


async def check(world: World, caller: Caller, *, gpus: int = 0, image: str = "") -> None:
    """Whether she may start or build something, with so many GPUs in the image of this id. Raises Ds01Error."""
    if world.settings().docker.known_holes is HolesRule.TOLD or caller.admin:
        return
    found = await _found(world)
    if not runc_fixed(found.runc):
        raise Ds01Error(
            KNOWN_HOLE, "Nothing is started here until runc is newer.", hint=_HINT,
            reason=f"There are known ways out of the containers of runc {found.runc or '(of unknown version)'}.",
        )  # fmt: skip
    if gpus and not world.devices.simulated and numbers(found.toolkit) < TOOLKIT_FIXED:
        seen = await world.engine.image(image)
        await world.ledger.read(lambda books: _check_common(books, world, seen.tags if seen else ()))


def _check_common(books: Books, world: World, names: Iterable[str]) -> None:
    """An image with one of these names is the server's own."""
    if not any(is_common(name, books.tag(name), world.settings().images) for name in names):
        raise Ds01Error(
            KNOWN_HOLE, "GPUs are for the server's own images here until NVIDIA's container toolkit is newer.",
            reason="An image could lead its programs astray, which run as root on this server.", hint=_HINT,
        )  # fmt: skip


async def _found(world: World) -> Versions:
    found, now = world.versions, world.clock.monotonic()
    if now - found.at >= KNOWN_SECONDS:
        found.runc = (await world.engine.version()).runc or await world.facts.version_of("runc")
        found.toolkit = "" if world.devices.simulated else await world.facts.version_of(TOOLKIT)
        found.at = now
    return found
