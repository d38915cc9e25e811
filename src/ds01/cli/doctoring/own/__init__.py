"""The doctor's checks of what is the caller's own: one file each, found by listing this folder.

A file has one ``CHECK``: its name is the file's. What a check finds comes with how it is put right, so ``ds01 doctor``
shows it and ``ds01 doctor --fix`` mends it. Each takes nothing away that is in use, and is said before it is done.

What concerns the server is ds01d's to look at, and not mended here: a switch that an admin turned off would be turned
on behind her back. Those checks name the command instead.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping

from ds01.domain.record import record
from ds01.wire.status import CheckView

CHANGED = "it is not what it was when you were asked"
MEND = "ds01 doctor --fix"


@record
class Mend:
    """One thing: what is wrong, what would be done as a command line, and how. ``do`` raises OSError."""

    wrong: str
    todo: str
    do: Callable[[], object]


@record
class Check:
    """``well`` is the sentence when ``look``, which is given a home, finds nothing."""

    well: str
    look: Callable[[str], Iterator[Mend]]

    def view(self, name: str, home: str) -> CheckView:
        """As ``ds01 doctor`` shows it, next to those of the server."""
        found = list(self.look(home))
        if not found:
            return CheckView(name=name, state="ok", text=self.well)
        todo = "; ".join(each.todo for each in found)
        return CheckView(
            name=name, state="warning", text=" ".join(each.wrong for each in found), fix=f"{MEND}, which does: {todo}"
        )


def every() -> Mapping[str, Check]:
    """All by name."""
    return {
        module.name.replace("_", "-"): importlib.import_module(f"{__name__}.{module.name}").CHECK
        for module in pkgutil.iter_modules(__path__)
    }


def looked(home: str) -> tuple[CheckView, ...]:
    """What each of them finds now."""
    return tuple(check.view(name, home) for name, check in every().items())


def to_mend(home: str) -> Iterator[Mend]:
    """All that can be mended, one after the other."""
    for check in every().values():
        yield from check.look(home)
