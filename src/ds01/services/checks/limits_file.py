"""Is the limits file in force as it lies there, closed to others, and does it fit this machine and its people?"""

from __future__ import annotations

import asyncio
import stat
from collections.abc import Sequence
from pathlib import PurePath

from ds01.domain.gpu import slots_of
from ds01.domain.limits import Layer, Policy
from ds01.domain.machine import machine, shortfalls
from ds01.domain.publish import ANY
from ds01.domain.quantity import many
from ds01.ports.directory import Directory
from ds01.services import reach
from ds01.services.checks import Check, Finding, failed, ok, warning
from ds01.services.world import World


async def _run(world: World) -> Finding:
    path, settings = str(world.paths.limits), world.policy.settings
    if world.policy.problem:
        return failed(
            "The limits file has a mistake; the last good one is in force.",
            f"ds01 admin limits check {path} says where; correct it, and ds01d reads it again by itself.",
            world.policy.problem.splitlines(),
        )
    if await _open_to_others(world, path):
        fix = f"chmod 0644 {path} and keep it in a folder that only root may write, like /etc/ds01."
        return failed(f"Others than its owner may write {path}: they set everybody's limits.", fix)
    if settings.source == "built-in":
        return warning(
            f"There is no limits file {path}: the built-in limits are in force.",
            f"cp ds01/config/limits.example.yaml {path}, from where DS01 is installed, and change what is yours.",
        )
    short, empty, odd = await _shortfalls(world), await _empty_groups(world), await _odd(world, path)
    if short or empty or odd:
        nobody = [f"groups.{group}: nobody is in the Unix group '{unix}'" for group, unix in empty]
        named, told = [*short, *nobody], ""
        if named:  # what is odd may name people, so only admins are told of it
            told, named = f" {named[0].rstrip('.')}.", named[1:]
        return warning(
            f"The limits file is in force, but does not fit this server in "
            f"{many(len(short) + len(empty) + len(odd), 'place')}.{told}",
            _remedy(path, [unix for _, unix in empty], short=bool(short), odd=bool(odd)),
            [*named, *odd],
        )
    groups = ", ".join(group.name for group in settings.policy.groups) or "none"
    return ok(f"The limits file {settings.source} is in force (groups: {groups}).")


def _remedy(path: str, empty: Sequence[str], *, short: bool, odd: bool) -> str:
    """What to type: a group without anybody wants somebody in it, and only what is too much may be left as it is."""
    edit = f"sudoedit {path}"
    if short and not odd:
        edit += ", or leave it: more than there is means all there is."
    adding = "; ".join(f"gpasswd -a <login> {unix}" for unix in dict.fromkeys(empty))
    if not adding:
        return edit
    return f"{adding}; for the rest: {edit}" if short or odd else adding


async def _open_to_others(world: World, path: str) -> bool:
    """Whether somebody else may write the file, or replace it in its folder."""
    for place in (path, str(PurePath(path).parent)):
        found = await world.facts.file(place)
        replaceable = found is not None and (found.kind != "folder" or not found.mode & stat.S_ISVTX)
        if replaceable and await reach.open_to_all(world.facts, place):
            return True
    return bool(await reach.open_to_group(world.facts, path))


async def _odd(world: World, path: str) -> list[str]:
    """What is valid and does not fit: the people, the addresses and the files it names."""
    settings = world.policy.settings
    people = await asyncio.to_thread(_strangers, settings.policy, world.directory)
    odd = [*people, *await _others_addresses(world)]
    if settings.images.ca and await world.facts.file(settings.images.ca) is None:
        odd.append(f"images.ca: there is no file {settings.images.ca}")
    own = await world.facts.file(path)
    if own is not None and own.owner_uid != 0:
        odd.append(f"{path} belongs to the user with the number {own.owner_uid}, who can change everybody's limits")
    return odd


async def _shortfalls(world: World) -> tuple[str, ...]:
    hardware = await world.facts.hardware()
    gpus = await asyncio.to_thread(world.devices.inventory)
    disk = await world.facts.disk("/home")
    return shortfalls(
        world.policy.settings,
        machine(
            cpus=hardware.cpus,
            memory_bytes=hardware.memory_bytes,
            slots=(slot for gpu in gpus for slot in slots_of(gpu)),
            disk_bytes=disk.total_bytes if disk is not None else 0,
        ),
    )


async def _empty_groups(world: World) -> list[tuple[str, str]]:
    """Groups of the file, each with a Unix group of it that nobody is in: nobody gets those limits."""
    named = [(group.name, unix) for group in world.settings().policy.groups for unix in sorted(group.unix_groups)]
    return [(group, unix) for group, unix in named if not await world.facts.members(unix)]


async def _others_addresses(world: World) -> list[str]:
    """Addresses the file lets groups publish ports on that are not this server's: no container with one starts."""
    policy = world.settings().policy
    layers = {"defaults": policy.defaults} | {f"users.{login}": layer for login, layer in policy.users.items()}
    layers |= {f"groups.{group.name}": group.layer for group in policy.groups}
    named = [(place, address) for place, layer in layers.items() for address in _addresses(layer)]
    return [f"{place}: this server has no address {address} to publish ports on" for place, address in named
            if not await world.facts.has_address(address)]  # fmt: skip


def _addresses(layer: Layer) -> tuple[str, ...]:
    found = layer["publish"].value if "publish" in layer else ()
    return tuple(address for address in found if address != ANY) if isinstance(found, tuple) else ()


def _strangers(policy: Policy, directory: Directory) -> list[str]:
    """Logins the file names that this server does not know: a slip of the pen, or somebody who left."""
    named = {login: f"users.{login}" for login in policy.users}
    named |= {login: f"groups.{group.name}" for group in policy.groups for login in group.members if login != "*"}
    named |= {exemption.login: exemption.source for exemption in policy.exemptions}
    unknown = [login for login in named if directory.by_login(login) is None]
    return [f"{named[login]}: this server knows no '{login}'" for login in unknown]


CHECK = Check(about="the limits file is valid, closed to others and fits this server", run=_run)
