"""How much memory unpacking takes, for each user and for all together.

A stream of xz or zstd says at its beginning how far back it points, and all of that is kept until it ends. So the
memory is taken before it is used: who has enough of it waits, and all together leave the gateway what it needs.
"""

from __future__ import annotations

from ds01.domain.dockerpolicy.verdict import RefusedError
from ds01.gateway.shares import Shares

OWN_BYTES, ALL_BYTES = 288 * 1024 * 1024, 1280 * 1024 * 1024


class Unpackings(Shares):
    """What archives that are being unpacked have taken."""

    def check(self, own: int, every: int) -> None:
        """Raises RefusedError (429, 503)."""
        if own > OWN_BYTES:
            raise RefusedError("unpack.many", "Your archives that are being unpacked take all memory there is for that",
                               "Wait for one of them, or send this one unpacked.", status=429)  # fmt: skip
        if every > ALL_BYTES:
            raise RefusedError("unpack.busy", "So many archives are being unpacked that there is no memory for another",
                               "Try again in a moment, or send it unpacked.", status=503)  # fmt: skip
