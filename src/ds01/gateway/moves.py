"""A copy and a start of one container exclude each other: the check that it stands still must hold for the copy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from ds01.domain.dockerpolicy.verdict import RefusedError


class Moves:
    """What goes on with each container right now."""

    def __init__(self) -> None:
        self._copying: Counter[str] = Counter()
        self._starting: Counter[str] = Counter()

    @contextmanager
    def copying(self, container_id: str) -> Iterator[None]:
        """Raises RefusedError (409) while the container is being started."""
        with _among(self._copying, self._starting, container_id, "being started"):
            yield

    @contextmanager
    def starting(self, container_id: str) -> Iterator[None]:
        """Raises RefusedError (409) while files are being copied."""
        with _among(self._starting, self._copying, container_id, "having files copied"):
            yield


@contextmanager
def _among(mine: Counter[str], others: Counter[str], container_id: str, doing: str) -> Iterator[None]:
    if others[container_id]:
        raise RefusedError("container.busy", f"The container is {doing}", "Try again in a moment.", status=409)
    mine[container_id] += 1
    try:
        yield
    finally:
        mine[container_id] -= 1
        if not mine[container_id]:
            del mine[container_id]
