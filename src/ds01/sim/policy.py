"""A limits file in memory: what a test says is in force."""

from __future__ import annotations

from ds01.domain.settings import Settings
from ds01.ports.policy import Reload


class SimPolicy:
    """Settings that a test sets; ``change`` is what an admin's editor does."""

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings()
        self.problem = ""
        self._changed = False

    def change(self, settings: Settings | None, problem: str = "") -> None:
        """New settings, or a file that cannot be read and changes nothing."""
        self.settings = settings or self.settings
        self.problem = problem
        self._changed = True

    def reload(self) -> Reload | None:
        """The change, once."""
        if not self._changed:
            return None
        self._changed = False
        return Reload(file="limits.yaml", settings=self.settings, problem=self.problem)
