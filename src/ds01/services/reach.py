"""Who can open a socket or write a file of the host: its mode, its group, and the folders above it."""

from __future__ import annotations

import asyncio
from pathlib import PurePath

from ds01.domain.container import Door
from ds01.domain.limits import effective
from ds01.ports.facts import FileFacts, HostFacts
from ds01.services.world import World

_WRITE_OTHERS, _WRITE_GROUP = 0o002, 0o020
_ENTER_OTHERS, _ENTER_GROUP = 0o001, 0o010


async def open_to_all(facts: HostFacts, path: str) -> bool:
    """Whether everybody on the host can open it for writing."""
    found = await facts.file(path)
    if found is None or not found.mode & _WRITE_OTHERS:
        return False
    return all(folder.mode & _ENTER_OTHERS for folder in await _above(facts, path))


async def open_to_group(facts: HostFacts, path: str) -> str:
    """The Unix group whose members can open it for writing, ``""`` when there is none but root's."""
    found = await facts.file(path)
    if found is None or not found.mode & _WRITE_GROUP or found.group in ("root", "0"):
        return ""
    return found.group if all(_enters(folder, found.group) for folder in await _above(facts, path)) else ""


async def not_admins(world: World, group: str) -> tuple[str, ...]:
    """Members of a Unix group who are no admins of DS01; its own accounts are no people."""
    policy, now = world.settings().policy, world.clock.now()
    logins = sorted(await world.facts.members(group))
    users = await asyncio.to_thread(lambda: [world.directory.by_login(login) for login in logins])
    people = [user for user in users if user is not None and user.uid != 0 and not user.login.startswith("ds01-")]
    return tuple(user.login for user in people if not effective(policy, user, Door.DS01, now).admin)


async def _above(facts: HostFacts, path: str) -> list[FileFacts]:
    found = [await facts.file(str(folder)) for folder in PurePath(path).parents]
    return [folder for folder in found if folder is not None]


def _enters(folder: FileFacts, group: str) -> bool:
    return bool(folder.mode & _ENTER_OTHERS) or (folder.group == group and bool(folder.mode & _ENTER_GROUP))
