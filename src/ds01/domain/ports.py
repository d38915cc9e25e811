"""Ports of the host: whoever named one first has it for as long as her container is there.

Two users of one compose file name the same port. The second one's container would not start; so the engine chooses a
free port for her, and she is told. Her own containers contend with each other as anywhere.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from ds01.domain.container import Container
from ds01.domain.people import Uid


def moved(
    asked: Iterable[int], uid: Uid, containers: Iterable[Container], listening: Collection[int]
) -> tuple[int, ...]:  # fmt: skip
    """Those of ``asked`` that another has: a container of somebody else, or a program of the host."""
    own: set[int] = set()
    others: set[int] = set()
    for container in containers:
        (own if container.uid == uid else others).update(container.ports)
    return tuple(port for port in asked if port in others or (port in listening and port not in own))
