"""Packages added by hand, kept for the project before their container goes: on record, and in its workspace.

Her own ``ds01 retire`` asks her and writes into her project itself. Where nobody is there to ask (a container hold that
ended, a class that is over) ds01d notes them in the workspace with her rights, and says where. What cannot be noted
there keeps no container: the record has it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ds01.domain.changes import Findings, Package, findings
from ds01.domain.container import Container, Observed
from ds01.domain.errors import Ds01Error
from ds01.domain.events import EventType
from ds01.domain.people import Uid, User
from ds01.domain.suggestions import FILE, installs, line
from ds01.ports.ledger import Books
from ds01.services.requested import asked_for
from ds01.services.tell import tell
from ds01.services.world import World


@dataclass(frozen=True, kw_only=True)
class Suggested:
    """``packages`` as pip writes them, with spaces between; ``file`` has them, or ``problem`` says why it has not."""

    packages: str = ""
    file: str = ""
    problem: str = ""


async def found_in(world: World, container: Container, seen: Observed | None) -> Findings:
    """What would be lost with it, each package with whether somebody asked for it."""
    changes = await world.engine.changes(container.id)
    found = await asyncio.to_thread(findings, changes, seen.mounted if seen else ())
    return Findings(files=found.files, packages=await asked_for(world, container, found.packages))


def named(packages: Sequence[Package]) -> Suggested:
    """Those somebody asked for; what came along as a dependency comes along again."""
    return Suggested(packages=" ".join((installs(p) or p.name).replace(" ", "") for p in packages if p.requested))


async def noted(world: World, user: User | None, container: Container, packages: Sequence[Package]) -> Suggested:
    """Note them in the workspace, with its owner's rights. Without an account, or a workspace, there is nowhere to."""
    known = named(packages)
    if not known.packages or user is None or not container.workspace:
        return known
    lines = [line(package) for package in packages if package.requested]
    try:
        await asyncio.to_thread(world.host.add_lines, user, container.workspace, FILE, lines)
    except Ds01Error as error:
        return Suggested(packages=known.packages, problem=error.problem.message)
    return Suggested(packages=known.packages, file=f"{container.workspace}/{FILE}")


def record(books: Books, container: Container, suggested: Suggested, *, at: datetime, actor: Uid | None) -> None:
    """The event of it; none when there is nothing to keep."""
    if suggested.packages:
        tell(
            books, EventType.PACKAGES_SUGGESTED, container, at=at, actor=actor, packages=suggested.packages,
            file=suggested.file, problem=suggested.problem,
        )  # fmt: skip
