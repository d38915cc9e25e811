"""What each user, and all together, have taken of something there is only so much of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ds01.domain.dockerpolicy.verdict import RefusedError

MIB = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Most:
    """So many bytes at a time, and what is said to who would have more."""

    size: int
    rule: str
    what: str
    advice: str


class Shares:
    """Everybody's. What each takes is given back when what it was taken for is over."""

    def __init__(self, *, own: Most, every: Most) -> None:
        """How much one user may have, and all together."""
        self.own = own
        self.every = every
        self._taken: Counter[int] = Counter()

    def take(self, uid: int, size: int) -> None:
        """So much more for this user, before it is used. Raises RefusedError (429, 503)."""
        for most, taken, status in ((self.own, self._taken[uid], 429), (self.every, self._taken.total(), 503)):
            if taken + size > most.size:
                raise RefusedError(most.rule, most.what, most.advice, status=status)
        self._taken[uid] += size

    def give_back(self, uid: int, size: int) -> None:
        """So much of what was taken is over."""
        self._taken[uid] -= size
        if not self._taken[uid]:
            del self._taken[uid]

    @contextmanager
    def taking(self, uid: int) -> Iterator[Callable[[int], None]]:
        """What takes for this user until it is over."""
        taken = 0

        def take(size: int) -> None:
            nonlocal taken
            self.take(uid, size)
            taken += size

        try:
            yield take
        finally:
            self.give_back(uid, taken)


def unpackings() -> Shares:
    """The memory that unpacking takes. A stream of xz or zstd says at its beginning how far back it points, and all of
    that is kept until it ends.
    """
    return Shares(
        own=Most(size=288 * MIB, rule="unpack.many",
                 what="Your archives that are being unpacked take all memory there is for that",
                 advice="Wait for one of them, or send this one unpacked."),
        every=Most(size=1280 * MIB, rule="unpack.busy",
                   what="So many archives are being unpacked that there is no memory for another",
                   advice="Try again in a moment, or send it unpacked."),
    )  # fmt: skip


def long_bodies() -> Shares:
    """The memory of requests with long bodies. A body in JSON is read whole, and what is read of it takes several times
    its length, for as long as the request is worked on: a create may wait for a GPU for minutes.
    """
    return Shares(
        own=Most(size=64 * MIB, rule="body.many",
                 what="Your requests that are being worked on take all memory there is for that",
                 advice="Wait for some of them."),
        every=Most(size=512 * MIB, rule="body.busy",
                   what="So many long requests are being worked on that there is no memory for one",
                   advice="Try again in a moment."),
    )  # fmt: skip


def unfinished() -> Shares:
    """Messages of BuildKit's API whose calls are not over. A message is judged when all of it is there: who announces
    many large ones and never ends them, or asks for more than is judged at a time, would fill the memory.
    """
    own = 32 * MIB
    return Shares(
        own=Most(size=own, rule="grpc.unfinished",
                 what=f"Your builds hold {own // MIB} MiB of messages that are worked on",
                 advice="Wait for a build of yours, or end it."),
        every=Most(size=512 * MIB, rule="grpc.busy",
                   what="So many builds are being asked for that there is no memory for another",
                   advice="Try again in a moment."),
    )  # fmt: skip
