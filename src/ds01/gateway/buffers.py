"""How many bytes are held for one user over all her connections: what came and is not read, what is sent and not taken.

A connection holds little. A thousand that are not read hold much, and the gateway has one memory for everybody. So a
user who holds a lot is read more sparingly, and the connection by which it becomes far too much is closed.
"""

from __future__ import annotations

from dataclasses import dataclass

import structlog

OWN_BYTES, MOST_BYTES = 64 * 1024 * 1024, 256 * 1024 * 1024
"""From where on one user's connections hold little each; what they never hold together."""

ALL_BYTES = 1536 * 1024 * 1024
"""All users': while they hold more, none who holds much (``OWN_BYTES``) may hold more."""

_LOG = structlog.get_logger("ds01.gateway")


@dataclass
class Total:
    """What is held of everybody's."""

    held: int = 0


class Buffers:
    """What is held of one user's."""

    def __init__(self, uid: int, every: Total) -> None:
        self._uid = uid
        self._every = every
        self.held = 0
        self._told = False

    def add(self, size: int) -> bool:
        """Count so many; False when they are far too much, and the connection they are of must be closed."""
        self.held += size
        self._every.held += size
        most = MOST_BYTES if self._every.held < ALL_BYTES else OWN_BYTES
        if self.held < most:
            return True
        if not self._told:
            self._told = True
            _LOG.warning("buffers.full", uid=self._uid, mib=self.held >> 20)
        return False

    def remove(self, size: int) -> None:
        """So many are not held any more."""
        self.held -= size
        self._every.held -= size
        if self.held < OWN_BYTES:
            self._told = False

    @property
    def many(self) -> bool:
        """Whether each of her connections should hold little."""
        return self.held >= OWN_BYTES
