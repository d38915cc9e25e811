"""What goes on now and only its number limits, counted for each user: builds, which are containers too, loads, pulls,
copies of files, and streams of figures and of events. What may not go on beside something else, ds01d knows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from ds01.domain.dockerpolicy.verdict import RefusedError
from ds01.domain.limits import BUILDS, LOADS, PULLS

WATCHED = 100
"""Streams of figures (``stats``) one user may follow at once: each has the engine read cgroups every second."""

EVENTS = 32
"""Streams of events one user may follow at once: for each, everybody's events are read to find hers."""

COPIES = 32
"""Copies of files (``docker cp``) of one user at once: for each, ds01d is listened to."""


class Counts:
    """What goes on right now of each user, and which removals somebody waits for."""

    def __init__(self) -> None:
        self._building: Counter[int] = Counter()
        self._loading: Counter[int] = Counter()
        self._pulling: Counter[int] = Counter()
        self._copying: Counter[int] = Counter()
        self._watching: Counter[int] = Counter()
        self._listening: Counter[int] = Counter()
        self._awaited: Counter[str] = Counter()

    @contextmanager
    def awaiting_removal(self, container_id: str) -> Iterator[None]:
        """A client waits until this container is removed."""
        self._awaited[container_id] += 1
        try:
            yield
        finally:
            self._awaited[container_id] -= 1
            if not self._awaited[container_id]:
                del self._awaited[container_id]

    def removal_awaited(self, container_id: str) -> bool:
        """Whether any client does."""
        return container_id in self._awaited

    @contextmanager
    def building(self, uid: int) -> Iterator[None]:
        """Raises RefusedError (429) when this user has too many builds already."""
        with _one_of(self._building, uid, BUILDS, "build.many", "builds"):
            yield

    @contextmanager
    def loading(self, uid: int) -> Iterator[None]:
        """Raises RefusedError (429) when this user has too many loads and imports already."""
        with _one_of(self._loading, uid, LOADS, "load.many", "loads and imports"):
            yield

    @contextmanager
    def pulling(self, uid: int) -> Iterator[None]:
        """Raises RefusedError (429) when this user has too many pulls and pushes already."""
        with _one_of(self._pulling, uid, PULLS, "pull.many", "pulls and pushes"):
            yield

    @contextmanager
    def copying(self, uid: int) -> Iterator[None]:
        """Raises RefusedError (429) when this user has too many copies of files already."""
        with _one_of(self._copying, uid, COPIES, "archive.many", "copies of files"):
            yield

    @contextmanager
    def watching(self, uid: int) -> Iterator[None]:
        """Raises RefusedError (429) when this user follows the figures of too many containers already."""
        with _one_of(self._watching, uid, WATCHED, "stats.many", "streams of figures"):
            yield

    @contextmanager
    def listening(self, uid: int) -> Iterator[None]:
        """Raises RefusedError (429) when this user follows too many streams of events already."""
        with _one_of(self._listening, uid, EVENTS, "events.many", "streams of events"):
            yield


@contextmanager
def _one_of(counted: Counter[int], uid: int, most: int, rule: str, what: str) -> Iterator[None]:
    if counted[uid] >= most:
        raise RefusedError(rule, f"You have {most} {what} going on", "Wait for one of them.", status=429)
    counted[uid] += 1
    try:
        yield
    finally:
        counted[uid] -= 1
        if not counted[uid]:
            del counted[uid]
