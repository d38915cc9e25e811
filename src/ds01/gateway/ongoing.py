"""What goes on long after its request was judged: terminals, logs, events, sessions, BuildKit's connections.

A stream can last for days. Meanwhile its user's account may be deleted or its uid be somebody else's, she may be no
admin any more, and DS01 may have put the container out of service. Then it ends, as soon as ds01d says so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from ds01.wire.door import DoorUser


@dataclass(kw_only=True, eq=False)
class Going:
    """One stream of ``user``'s. ``subject`` is the container it is about, or another id that no container has."""

    user: DoorUser
    subject: str = ""
    over: asyncio.Event = field(default_factory=asyncio.Event)


class Ongoing:
    """All that go on."""

    def __init__(self) -> None:
        self._going: set[Going] = set()

    @contextmanager
    def going(self, user: DoorUser, subject: str) -> Iterator[Going]:
        """For as long as it lasts. Whoever serves it stops when it is over."""
        one = Going(user=user, subject=subject)
        self._going.add(one)
        try:
            yield one
        finally:
            self._going.discard(one)

    def uids(self) -> set[int]:
        """Whose they are."""
        return {one.user.uid for one in self._going}

    def end(self, ends: Callable[[Going], bool]) -> None:
        """End those of which this is true."""
        for one in self._going:
            if ends(one):
                one.over.set()
