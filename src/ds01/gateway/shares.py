"""What each user, and all together, have taken of something there is only so much of."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Shares(ABC):
    """Everybody's. What each takes is given back when what it was taken for is over."""

    def __init__(self) -> None:
        self._own: Counter[int] = Counter()

    @abstractmethod
    def check(self, own: int, every: int) -> None:
        """Whether one user may have so much, and all together. Raises RefusedError."""

    def take(self, uid: int, size: int) -> None:
        """So much more for this user, before it is used. Raises RefusedError."""
        self.check(self._own[uid] + size, self._own.total() + size)
        self._own[uid] += size

    def give_back(self, uid: int, size: int) -> None:
        """So much of what was taken is over."""
        self._own[uid] -= size
        if not self._own[uid]:
            del self._own[uid]

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
