"""Addresses on which ports are published: looked at again whenever a container starts, for the engine moves no port."""

from __future__ import annotations

from collections.abc import Iterable

from ds01.domain.container import Container
from ds01.domain.errors import NOT_ALLOWED, Ds01Error
from ds01.domain.limits import effective
from ds01.domain.people import User
from ds01.domain.publish import LOOPBACK, allowed, other
from ds01.services.world import World

RULE = "create.ports"


def check_start(world: World, user: User, container: Container, addresses: Iterable[str]) -> None:
    """Raises Ds01Error (``door.denied``) when its owner may not publish on one of a container's ``addresses`` now."""
    given = effective(world.settings().policy, user, container.door, world.clock.now()).publish
    address = next((each for each in addresses if not allowed(each, given)), "")
    if not address:
        return
    others = other(given)
    raise Ds01Error(
        NOT_ALLOWED,
        f"'{container.name}' publishes ports on {address}, where it may not any more.",
        reason=f"Ports of your group are published on {LOOPBACK}{f', or where named on {others}' if others else ''}."
        " An admin decides, with 'publish' in limits.yaml.",
        hint=f"Remove it and make it anew without {address}",
        rule=RULE,
    )
