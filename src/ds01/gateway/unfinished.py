"""How many bytes of messages of BuildKit's API are held by calls that are not over, for each user and for all together.

A message is judged when all of it is there. Who announces many large ones and never ends them, or asks for more than is
judged at a time, would fill the memory.
"""

from __future__ import annotations

from ds01.domain.dockerpolicy.verdict import RefusedError
from ds01.gateway.shares import Shares

OWN_BYTES, ALL_BYTES = 32 * 1024 * 1024, 512 * 1024 * 1024


class Unfinished(Shares):
    """What is held of everybody's messages."""

    def check(self, own: int, every: int) -> None:
        """Raises RefusedError (429, 503)."""
        if own > OWN_BYTES:
            raise RefusedError(
                "grpc.unfinished", f"Your builds hold {OWN_BYTES >> 20} MiB of messages that are worked on",
                "Wait for a build of yours, or end it.", status=429,
            )  # fmt: skip
        if every > ALL_BYTES:
            raise RefusedError(
                "grpc.busy", "So many builds are being asked for that there is no memory for another",
                "Try again in a moment.", status=503,
            )  # fmt: skip
