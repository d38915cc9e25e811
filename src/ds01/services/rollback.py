"""What to take back when a later step fails.

Every step of a launch that changes something says at once how to undo it. When a step fails, or the client hangs up,
all of it is undone, last first. Where something cannot be undone now (the engine is gone), what it stands on is left as
well: a GPU is not given back while the container that may use it is there. The reconciler finds it later: a reserved
lease expires, a container nobody recorded is removed.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

from ds01.domain.errors import Ds01Error

_log = logging.getLogger(__name__)


class Rollback:
    """Use as ``async with Rollback() as rollback``; ``keep()`` when everything is done and recorded."""

    def __init__(self) -> None:
        self._acts: list[tuple[str, Callable[[], Awaitable[object]]]] = []

    def add(self, what: str, act: Callable[[], Awaitable[object]]) -> None:
        """Remember how to take back what was just done."""
        self._acts.append((what, act))

    def keep(self) -> None:
        """It stands: forget how to take it back."""
        self._acts.clear()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        while error is not None and self._acts:
            what, act = self._acts.pop()
            try:
                await act()
            except Ds01Error as failed:
                extra = {"what": self._left(what), "why": failed.problem.reason}
                _log.warning("left to the reconciler", extra=extra)
                return
            except Exception:  # noqa: BLE001  the error that began it is the one to raise
                _log.exception("left to the reconciler", extra={"what": self._left(what)})
                return

    def _left(self, what: str) -> list[str]:
        return [what, *(each for each, _ in reversed(self._acts))]
