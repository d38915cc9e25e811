"""What a job comes after: other jobs of the same user, and whether those must have succeeded.

It is kept as ``17``, ``17/3`` (one task of an array), ``17:any`` (however it ends): a number never means another job.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

ANY = ":any"


class Standing(StrEnum):
    """How it is with what a job comes after."""

    READY = "ready"
    NOT_YET = "not yet"
    NEVER = "never"


@dataclass(frozen=True, kw_only=True)
class After:
    """One job or array it comes after; ``index`` is one task of it."""

    number: int
    index: int | None = None
    anyhow: bool = False

    @property
    def kept(self) -> str:
        """As it is kept with the job."""
        task = "" if self.index is None else f"/{self.index}"
        return f"{self.number}{task}{ANY if self.anyhow else ''}"

    def standing(self, *, going: bool, failed: bool) -> Standing:
        """How it is, when some of what is meant has not ended, or has failed; what is not there any more holds up
        nothing.
        """
        if failed and not self.anyhow:
            return Standing.NEVER
        return Standing.NOT_YET if going else Standing.READY


def read(kept: str) -> After:
    """What was kept."""
    numbers = kept.removesuffix(ANY)
    number, _, index = numbers.partition("/")
    return After(number=int(number), index=int(index) if index else None, anyhow=kept.endswith(ANY))


def split(text: str) -> tuple[str, bool]:
    """``NAME`` or ``NAME:any`` as it is typed: the name, and whether any end will do."""
    name, colon, how = text.partition(":")
    if colon and how not in ("ok", "any"):
        raise ValueError("It is written NAME, or NAME:any")
    return name, how == "any"
