"""Mistakes in a limits file: all of them at once, each with its place and what was expected there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ds01.domain.errors import BAD_LIMITS_FILE, Ds01Error


@dataclass(frozen=True, kw_only=True, order=True)
class Fault:
    """One mistake. ``line`` and ``column`` count from 1; ``key`` is the dotted path, ``""`` for the file itself."""

    line: int
    column: int
    key: str
    text: str

    def shown(self, file: str) -> str:
        """``/etc/ds01/limits.yaml:12:5 groups.student.gpu: no such key; did you mean gpus?``"""
        place = f"{file}:{self.line}:{self.column}" if self.line else file
        return f"{place} {self.key}: {self.text}" if self.key else f"{place} {self.text}"


def refusal(file: str, faults: Sequence[Fault]) -> Ds01Error:
    """The error for a file with these mistakes, in the order they stand in it."""
    lines = [fault.shown(file) for fault in sorted(faults)]
    count = "a mistake" if len(lines) == 1 else f"{len(lines)} mistakes"
    return Ds01Error(
        BAD_LIMITS_FILE,
        f"The limits file {file} has {count} and is not in force.",
        reason="\n".join(lines),
        hint="Correct what is named. Every key: docs/reference/limits.md",
        file=file,
        mistakes=str(len(lines)),
    )
