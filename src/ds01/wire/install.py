"""What ``ds01 install`` and ``ds01 uninstall`` print: the plan, and whether it was carried out. No socket is crossed:
these are words for programs.
"""

from __future__ import annotations

from ds01.domain.record import record


@record
class InstallChangeView:
    """One path. ``what`` is add, change, remove, restore or keep."""

    what: str
    path: str
    why: str = ""


@record
class RunningView:
    """A container that runs now. ``owner`` is empty for one that DS01 did not make; ``becomes`` is for people."""

    name: str
    owner: str
    becomes: str


@record
class InstallView:
    """A plan. ``done``: it was carried out; nothing to do counts as done."""

    done: bool
    accounts: tuple[str, ...] = ()
    changes: tuple[InstallChangeView, ...] = ()
    restarts: tuple[str, ...] = ()
    stops: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    containers: tuple[RunningView, ...] = ()
    """Those that run when DS01 is taken off."""
