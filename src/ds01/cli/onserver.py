"""What ``install`` and ``uninstall`` show of a plan."""

from __future__ import annotations

import os

from ds01.cli.style import wrap
from ds01.domain.errors import ADMIN_ONLY, INSTALL_BLOCKED, Ds01Error
from ds01.wire.install import InstallChangeView, InstallView

TYPE_CHECKING = False  # typing is slow to import, and only type checkers need it here
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ds01.cli.talk import Talk

_SIGNS = {"add": "+", "change": "~", "remove": "-", "restore": "~", "keep": "="}
SEVERAL = 3
"""So many names are said."""
_COLOURS = {"add": "green", "change": "yellow", "remove": "red", "restore": "yellow", "keep": "dim"}


def only_root(what: str, *, hint: str) -> None:
    """Raise Ds01Error for everybody else."""
    if os.geteuid() != 0:
        raise Ds01Error(ADMIN_ONLY, f"Only root may {what}.", hint=hint)


def refuse_manifest(error: OSError | ValueError) -> Ds01Error:
    """What DS01 wrote down about itself cannot be read."""
    return Ds01Error(
        INSTALL_BLOCKED, f"What is on this server cannot be read: {error}.",
        hint="Put the file right, or restore /var/lib/ds01/installed.json from your backup.",
    )  # fmt: skip


def plan_shown(talk: Talk, plan: InstallView) -> None:
    """The whole plan, for people."""
    for title, lines in (
        ("Accounts and groups", list(plan.accounts)),
        ("Files", list(_files(plan.changes, talk))),
        ("Started anew", [", ".join(plan.restarts)] if plan.restarts else []),
        ("Containers that run now", list(_running(plan, talk))),
    ):  # fmt: skip
        if lines:
            talk.data(talk.out("cyan", title))
        for line in lines:
            talk.data(f"  {line}")
    talk.data()
    if plan.stops:
        talk.warn(f"The engine's restart ends {len(plan.stops)} containers: {', '.join(plan.stops)}.")
    for note in plan.notes:
        talk.warn(note)


def _running(plan: InstallView, talk: Talk) -> Iterator[str]:
    for each in plan.containers:
        yield f"{each.name} of {each.owner}" if each.owner else each.name
        yield from wrap(talk.out("dim", each.becomes), talk.out.width - 2, indent="    ")


def _files(changes: tuple[InstallChangeView, ...], talk: Talk) -> Iterator[str]:
    """A line each; what is of one kind and in one folder, like the names of the command line, is one line together.

    Folders that are only there for what is in them go without saying.
    """
    together: dict[tuple[str, str, str], list[str]] = {}
    for change in changes:
        folder, _, name = change.path.rpartition("/")
        if not any(other.path.startswith(f"{change.path}/") for other in changes):
            together.setdefault((change.what, folder, change.why), []).append(name)
    for (what, folder, why), names in together.items():
        more = f" … ({len(names)} names)" if len(names) > SEVERAL else ""
        shown = f"{folder}: {', '.join(names[:SEVERAL])}{more}" if len(names) > 1 else f"{folder}/{names[0]}"
        yield f"{talk.out(_COLOURS[what], _SIGNS[what])} {shown}"
        yield from wrap(talk.out("dim", why), talk.out.width - 2, indent="    ") if why else ()
