"""Copies of files and starts: never both of one container, nor of two that have a volume in common.

An engine before 29.5.1 follows a path as root among all that is mounted in a container, and what runs there could lead
it elsewhere. So the gateway says for how long it copies with such an engine. What it starts itself it knows; what ds01d
starts waits here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from ds01.domain.errors import BUSY, Ds01Error


class Copies:
    """What goes on now: containers by their ids, volumes by the engine's names."""

    def __init__(self) -> None:
        self._copying: Counter[str] = Counter()
        self._starting: Counter[str] = Counter()

    @contextmanager
    def copying(self, names: Iterable[str]) -> Iterator[bool]:
        """While files of these are copied; whether they may be: none of them is being started."""
        taken = frozenset(names)
        if any(self._starting[name] for name in taken):
            yield False
            return
        self._copying.update(taken)
        try:
            yield True
        finally:
            _remove(self._copying, taken)

    def check(self, *names: str) -> None:
        """Raises Ds01Error (``container.busy``) while files of one of these are copied. The engine keeps a container
        to itself for as long: whoever is to be refused is, before it is asked for anything.
        """
        if any(self._copying[name] for name in names):
            raise Ds01Error(
                BUSY, "Files of this container, or of a volume in it, are being copied.",
                reason="With this version of Docker nothing may run there meanwhile.",
                hint="Try again in a moment",
            )  # fmt: skip

    @contextmanager
    def starting(self, container: str) -> Iterator[Callable[[Iterable[str]], None]]:
        """While a container is started: what this gives is to be called with its volumes, before the engine starts it.
        Raises Ds01Error (``container.busy``) while files of it, or of one of them, are copied.
        """
        taken = set[str]()

        def take(names: Iterable[str]) -> None:
            fresh = frozenset(names) - taken
            self.check(*fresh)
            self._starting.update(fresh)
            taken.update(fresh)

        try:
            take((container,))
            yield take
        finally:
            _remove(self._starting, taken)


def _remove(counted: Counter[str], names: Iterable[str]) -> None:
    for name in names:
        counted[name] -= 1
        if not counted[name]:
            del counted[name]
