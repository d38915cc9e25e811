"""How many places of a container something is mounted at, and how many volumes come to be with it.

It is judged before anything is opened: every folder is pinned on the host, and every volume made, before its container.
"""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterable

from ds01.domain.binds import MOST
from ds01.domain.dockerpolicy.case import Case
from ds01.domain.dockerpolicy.verdict import malformed


def check_mounts(case: Case, of_image: Iterable[str], inherited: Collection[str]) -> None:
    """Raises RefusedError when there are more. ``inherited`` are the places of what comes from other containers."""
    asked = len(case.binds) + len(case.sockets) + len(case.tmpfs) + sum(bool(each.name) for each in case.volumes)
    number = asked + len(inherited) + nameless(case, of_image, inherited)
    if number > MOST:
        raise malformed(
            "create.mounts.number", f"The container has {number} mounts, and may have {MOST}",
            "Mount the folder that the others are in.",
        )  # fmt: skip


def nameless(case: Case, of_image: Iterable[str], inherited: Iterable[str] = ()) -> int:
    """How many volumes the engine makes for this container alone. ``of_image`` are the places its image wants some at.

    It makes none where something is mounted already; but for ``--tmpfs``, which it learns of later.
    """
    mounted = {bind.target for bind in case.binds} | {volume.target for volume in case.volumes}
    mounted |= {socket.target for socket in case.sockets} | {each.target for each in case.tmpfs if each.mount}
    wanted = {*case.anonymous, *(posixpath.normpath(place) for place in of_image)}
    return len(wanted - mounted.union(inherited)) + sum(not each.name for each in case.volumes)
