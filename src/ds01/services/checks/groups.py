"""Is anybody root by another way: member of a Unix group that opens disks, machines or other engines?"""

from __future__ import annotations

from ds01.domain.quantity import many
from ds01.services import reach
from ds01.services.checks import Check, Finding, failed, ok, warning
from ds01.services.world import World

ROOT = ("disk", "lxd", "incus", "incus-admin", "libvirt")
"""Whoever is in one of these can become root."""

STRONG = ("sudo", "wheel", "adm", "kvm")
"""Whoever is in one of these can do or see more than a user of DS01 should."""


async def _run(world: World) -> Finding:
    roots, strong = await _members(world, ROOT), await _members(world, STRONG)
    if roots:
        return failed(
            f"Users who are no admins are in a Unix group that makes them root ({many(len(roots), 'case')}).",
            "gpasswd -d <login> <group>, or make them admins in the limits file.",
            (*roots, *strong),
        )
    if strong:
        return warning(
            f"Users who are no admins are in a Unix group with rights of its own ({many(len(strong), 'case')}).",
            "gpasswd -d <login> <group>, or make them admins in the limits file.",
            strong,
        )
    return ok("Nobody but admins is in a Unix group that makes root.")


async def _members(world: World, groups: tuple[str, ...]) -> list[str]:
    found = {group: await reach.not_admins(world, group) for group in groups}
    return [f"{login} in {group}" for group, logins in found.items() for login in logins]


CHECK = Check(about="nobody but admins is in a Unix group that makes root", run=_run)
