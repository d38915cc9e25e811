"""The admin's limits file, as a port: what is in force now, and whether the file has a mistake."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from ds01.domain.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Reload:
    """The file was read again. ``problem`` is ``""`` when it is in force now, else every mistake with its line."""

    file: str
    settings: Settings
    problem: str = ""


class PolicyFile(Protocol):
    """Holds the last good settings; a broken file never replaces them."""

    @property
    def settings(self) -> Settings:
        """What is in force."""
        ...

    @property
    def problem(self) -> str:
        """Why the file as it is now is not in force, ``""`` when it is."""
        ...

    def reload(self) -> Reload | None:
        """Read the file again if it changed; None when it did not."""
        ...
