"""How much memory unpacking takes, for each user and for all together.

A stream of xz or zstd says at its beginning how far back it points, and all of that is kept until it ends. So the
memory is taken before it is used: who has enough of it waits, and all together leave the gateway what it needs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ds01.domain.dockerpolicy.verdict import RefusedError

OWN_BYTES, ALL_BYTES = 288 * 1024 * 1024, 1280 * 1024 * 1024


class Unpackings:
    """What archives that are being unpacked have taken."""

    def __init__(self) -> None:
        self._own: Counter[int] = Counter()

    @contextmanager
    def unpacking(self, uid: int) -> Iterator[Callable[[int], None]]:
        """While an archive of this user's comes: what takes so many bytes for it. It raises RefusedError (429, 503)."""
        taken = 0

        def take(size: int) -> None:
            nonlocal taken
            self._check(uid, size)
            self._own[uid] += size
            taken += size

        try:
            yield take
        finally:
            self._own[uid] -= taken
            if not self._own[uid]:
                del self._own[uid]

    def _check(self, uid: int, size: int) -> None:
        if self._own[uid] + size > OWN_BYTES:
            raise RefusedError("unpack.many", "Your archives that are being unpacked take all memory there is for that",
                               "Wait for one of them, or send this one unpacked.", status=429)  # fmt: skip
        if self._own.total() + size > ALL_BYTES:
            raise RefusedError("unpack.busy", "So many archives are being unpacked that there is no memory for another",
                               "Try again in a moment, or send it unpacked.", status=503)  # fmt: skip
