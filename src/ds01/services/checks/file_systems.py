"""Do the file systems people may mount ignore setuid files and device nodes?

Root in a container with a writable folder of the host could plant a setuid file there and be root outside. Where the
file system does not forbid it, DS01 runs everything in such a container as its owner; only a container that does not
is a hole.
"""

from __future__ import annotations

from ds01.domain.container import Container
from ds01.domain.quantity import many
from ds01.ports.facts import MountFacts
from ds01.services.checks import Check, Finding, failed, ok, warning
from ds01.services.world import World

FIX = "Add nosuid,nodev to their lines in /etc/fstab and run: mount -o remount,nosuid,nodev <mount point>"
_NEEDED = frozenset({"nosuid", "nodev"})


async def _run(world: World) -> Finding:
    containers = await world.ledger.read(lambda books: books.containers())
    exposed = [container.name for container in containers if await _exposed(world, container)]
    if exposed:
        return failed(
            "Containers that may run as root mount folders from file systems without nosuid,nodev "
            f"({many(len(exposed), 'container')}).",
            f"Stop them. {FIX}",
            exposed,
        )
    users = {user.home for c in containers if (user := world.directory.by_uid(c.uid)) is not None}
    places = {"/home", *users, *world.settings().shares}
    mounts = [mount for place in sorted(places) if (mount := await world.facts.mount(place)) is not None]
    open_ = sorted({mount.point for mount in mounts if _unsafe(mount)})
    if open_:
        return warning(
            f"{', '.join(open_)}: mounted without nosuid,nodev; containers with folders from there run everything as "
            "their owner, never as root.",
            FIX,
        )
    return ok("Folders of users are on file systems with nosuid,nodev.")


async def _exposed(world: World, container: Container) -> bool:
    if container.forced_user:
        return False
    for mount in container.mounts:
        found = await world.facts.mount(mount.shown or mount.source)
        if not mount.read_only and found is not None and _unsafe(found):
            return True
    return False


def _unsafe(mount: MountFacts) -> bool:
    return not mount.options >= _NEEDED


CHECK = Check(about="folders people may mount are on file systems with nosuid,nodev", run=_run)
