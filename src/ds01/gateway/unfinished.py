"""How many bytes of messages that are not complete are held, for each user.

A message is judged when all of it is there. Who announces many large ones and never ends them would fill the memory.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ds01.domain.dockerpolicy.verdict import RefusedError

OWN_BYTES = 32 * 1024 * 1024
"""Eight of the largest messages."""


class Unfinished:
    """What is held of everybody's messages."""

    def __init__(self) -> None:
        self._own: Counter[int] = Counter()

    @contextmanager
    def coming(self, uid: int) -> Iterator[Callable[[int], None]]:
        """While a message of this user's comes: what is told how much more of it is held. It raises RefusedError."""
        taken = 0

        def hold(size: int) -> None:
            nonlocal taken
            if self._own[uid] + size > OWN_BYTES:
                raise RefusedError(
                    "grpc.unfinished", f"You have sent {OWN_BYTES >> 20} MiB of messages without their ends",
                    "Wait for a build of yours, or end it.", status=429,
                )  # fmt: skip
            self._own[uid] += size
            taken += size

        try:
            yield hold
        finally:
            self._own[uid] -= taken
            if not self._own[uid]:
                del self._own[uid]
