"""What DS01 promises, as programs: one function a promise, on a real engine, as ordinary users.

Each uses the product as people do, through the ``ds01`` command and plain ``docker`` on the gateway, and looks at the
host and the engine as root to see whether it is true. ``make demo`` tells them as a story; tests/e2e runs them by id.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from dev.promises import containers, fairness, images, packages, workspaces
from dev.promises.lab import BrokenError, Lab


@dataclass(frozen=True, kw_only=True)
class Promise:
    """One promise: its id in the mission, what it says, and the function that sees whether it holds."""

    id: str
    says: str
    check: Callable[[Lab], str]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a promise fared. ``what`` is what was seen, or how it was broken."""

    id: str
    ok: bool
    seconds: float
    what: str


def _all() -> Iterable[Promise]:
    for module in (images, containers, workspaces, packages, fairness):
        for name, check in vars(module).items():
            identity, _, _ = name.partition("_")
            if identity[:1] in "cewpf" and identity[1:].isdecimal() and callable(check):
                yield Promise(id=identity.upper(), says=" ".join((check.__doc__ or "").split()), check=check)


PROMISES: tuple[Promise, ...] = tuple(_all())


def keep(promise: Promise, lab: Lab) -> Outcome:
    """Check one promise, from a lab without containers."""
    began = time.monotonic()
    try:
        lab.fresh()
        began = time.monotonic()
        seen, ok = promise.check(lab), True
    except BrokenError as broken:
        seen, ok = f"{promise.says} Broken: {broken}", False
    return Outcome(id=promise.id, ok=ok, seconds=round(time.monotonic() - began, 2), what=seen)
