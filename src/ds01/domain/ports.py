"""Ports of the host: whoever named one first has it for as long as her container is there.

Two users of one compose file name the same port. The second one's container would not start; so the engine chooses a
free port for her, and she is told. Her own containers contend with each other as anywhere.

There are some 25,000 to name, and each that is published costs a process of the engine's which no limit of hers bounds.
So they are counted.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from ds01.domain.container import Container
from ds01.domain.errors import PORT_QUOTA, Ds01Error
from ds01.domain.people import Uid

MOST_OF_CONTAINER = 64
MOST_OF_USER = 256
"""A hundredth of those there are to name: a hundred users who take all they may leave nobody without. It is enough for
the services of several large compose files.
"""


def check_published(containers: Iterable[Container], more: int) -> None:
    """Raises Ds01Error (``port.quota``) when so many more are too many for the owner of these containers."""
    have = sum(container.published for container in containers)
    if more and have + more > MOST_OF_USER:
        raise Ds01Error(
            PORT_QUOTA,
            f"Your containers publish {have} of {MOST_OF_USER} ports, and this needs {more} more.",
            reason="Containers that are stopped keep theirs.",
            hint="docker ps -a",
        )


def moved(
    asked: Iterable[int], uid: Uid, containers: Iterable[Container], listening: Collection[int]
) -> tuple[int, ...]:  # fmt: skip
    """Those of ``asked`` that another has: a container of somebody else, or a program of the host."""
    own: set[int] = set()
    others: set[int] = set()
    for container in containers:
        (own if container.uid == uid else others).update(container.ports)
    return tuple(port for port in asked if port in others or (port in listening and port not in own))
