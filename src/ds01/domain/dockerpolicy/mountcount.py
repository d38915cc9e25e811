"""How many places of a container something is mounted at, and how many volumes come to be with it."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable

from ds01.domain.dockerpolicy.case import Case


def nameless(case: Case, of_image: Iterable[str]) -> int:
    """How many volumes the engine makes for this container alone. ``of_image`` are the places its image wants some at.

    It makes none where something is mounted already; but for ``--tmpfs``, which it learns of later.
    """
    mounted = {bind.target for bind in case.binds} | {volume.target for volume in case.volumes}
    mounted |= {socket.target for socket in case.sockets} | {each.target for each in case.tmpfs if each.mount}
    wanted = {*case.anonymous, *(posixpath.normpath(place) for place in of_image)}
    return len(wanted - mounted) + sum(not each.name for each in case.volumes)
