"""Devices besides GPUs: who may have which, looked at when a container is made and again whenever it starts.

Only ds01d can say: whose they are is a limit, and what is at a path root alone sees. The engine is given the real path,
and the guard the numbers of what is there when it starts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from ds01.domain.container import Container
from ds01.domain.devices import allowed, grantable, never_this
from ds01.domain.errors import NOT_ALLOWED, Ds01Error
from ds01.domain.limits import effective
from ds01.domain.people import User
from ds01.services.caller import Caller
from ds01.services.world import World
from ds01.wire.door import DoorDevice

RULE = "create.devices"


async def for_asker(world: World, caller: Caller, asked: Sequence[DoorDevice]) -> tuple[DoorDevice, ...]:
    """The devices of a create by their real paths. Raises Ds01Error (``door.denied``) for one she may not have."""
    patterns = caller.limits.devices
    found = []
    for device in asked:
        real, why = await _look(world, patterns, device.host)
        if why:
            raise _refused(f"The device {device.host} is not allowed here.", why)
        if not real:
            raise _missing(f"The device {device.host} is not there.")
        found.append(replace(device, host=real))
    return tuple(found)


async def for_start(world: World, user: User, container: Container, devices: Sequence[str]) -> tuple[str, ...]:
    """The real paths of those of a container's ``devices`` that a limit gave it. Raises Ds01Error (``door.denied``)
    when one is given to its owner no more, or is gone. What no limit gives is its lease's, or nobody's, and the guard
    lets nothing start with that.
    """
    patterns = effective(world.settings().policy, user, container.door, world.clock.now()).devices
    found = []
    for path in filter(grantable, devices):
        real, why = await _look(world, patterns, path)
        if why:
            raise _refused(
                f"'{container.name}' has the device {path}, which it may not have any more.", why,
                hint=f"Remove it and make it anew without --device {path}",
            )  # fmt: skip
        if not real:
            raise _missing(f"'{container.name}' has the device {path}, which is not there now.")
        found.append(real)
    return tuple(found)


async def _look(world: World, patterns: Sequence[str], path: str) -> tuple[str, str]:
    """The real path, empty when nothing is there, and why it is not given, empty when it is. Of a path that is not
    given nobody learns whether there is anything.
    """
    if not allowed(path, patterns):
        return "", _given(patterns)
    node = await asyncio.to_thread(world.host.device, path)
    if node is None:
        return "", ""
    if not allowed(node.path, patterns):
        return "", f"It leads to {node.path}. {_given(patterns)}"
    never = never_this(node)
    return node.path, f"It is given to nobody: {never}." if never else ""


def _given(patterns: Sequence[str]) -> str:
    what = f"get: {' '.join(patterns)}." if patterns else "get none."
    return f"Containers of your group {what} An admin decides, with 'devices' in limits.yaml."


def _refused(what: str, why: str, hint: str = "") -> Ds01Error:
    return Ds01Error(NOT_ALLOWED, what, reason=why, hint=hint, rule=RULE)


def _missing(what: str) -> Ds01Error:
    return Ds01Error(
        NOT_ALLOWED, what, reason="This server has no such device now.", hint="Try again when it is there", rule=RULE
    )
