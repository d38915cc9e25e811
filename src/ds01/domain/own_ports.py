"""Which ports of the server's loopback are a user's own: a range that follows from her uid and collides with few.

Nobody else is kept from them: a port is a number. What stands on one therefore asks who comes, and a port that is
taken is passed over.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

FIRST, BEHIND = 20000, 32768
"""Above what services of a server use, below what the kernel hands out to connections."""


def own_ports(uid: int, count: int) -> range:
    """The ``count`` ports of this user. Two uids share them only when they are a multiple of the ranges apart."""
    size = max(1, min(count, BEHIND - FIRST))
    first = FIRST + uid % ((BEHIND - FIRST) // size) * size
    return range(first, first + size)


def choose(
    ports: Sequence[int], wanted: int | None, taken: Callable[[int], bool]
) -> tuple[int | None, tuple[int, ...]]:
    """The port to use, ``wanted`` before all others, and those passed over because they are taken."""
    order = [wanted, *(port for port in ports if port != wanted)] if wanted else list(ports)
    passed: list[int] = []
    for port in order:
        if not taken(port):
            return port, tuple(passed)
        passed.append(port)
    return None, tuple(passed)
