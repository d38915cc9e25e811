"""How much memory requests with long bodies take, for each user and for all together.

A body in JSON is read whole, and what is read of it takes several times its length, for as long as the request is
worked on. A create may wait for a GPU for minutes.
"""

from __future__ import annotations

from ds01.domain.dockerpolicy.verdict import RefusedError
from ds01.gateway.shares import Shares

SHORT_BODY_BYTES = 8 * 1024
"""A body that is not longer is not counted."""

TIMES = 8
"""How much more memory its values take than it has bytes."""

OWN_BYTES, ALL_BYTES = 64 * 1024 * 1024, 512 * 1024 * 1024


class LongBodies(Shares):
    """What everybody's requests take."""

    def check(self, own: int, every: int) -> None:
        """Raises RefusedError (429, 503)."""
        if own > OWN_BYTES:
            raise RefusedError("body.many", "Your requests that are being worked on take all memory there is for that",
                               "Wait for some of them.", status=429)  # fmt: skip
        if every > ALL_BYTES:
            raise RefusedError("body.busy", "So many long requests are being worked on that there is no memory for one",
                               "Try again in a moment.", status=503)  # fmt: skip
