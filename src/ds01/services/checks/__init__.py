"""The doctor's checks: one file each, found by listing this folder.

A file has one ``CHECK``: its name is the file's. A check looks and reports; it repairs nothing. What names people
or other people's containers goes into ``details``, which only admins are shown.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from ds01.services.world import World


class State(StrEnum):
    """How a check ended. Only ``failed`` makes a server unhealthy."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What a check found: one sentence, what to do about it, and who or what exactly."""

    state: State
    text: str
    fix: str = ""
    details: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Check:
    """One check: what it is about, for the list of checks, and how it is done."""

    about: str
    run: Callable[[World], Awaitable[Finding]]


def ok(text: str, details: Iterable[str] = ()) -> Finding:
    """All is well."""
    return Finding(state=State.OK, text=text, details=tuple(details))


def warning(text: str, fix: str, details: Iterable[str] = ()) -> Finding:
    """It works, and somebody should know."""
    return Finding(state=State.WARNING, text=text, fix=fix, details=tuple(details))


def failed(text: str, fix: str, details: Iterable[str] = ()) -> Finding:
    """Something does not work or is not safe."""
    return Finding(state=State.FAILED, text=text, fix=fix, details=tuple(details))
