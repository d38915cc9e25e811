"""``ds01 list``: the user's containers as a table, as records where it is narrow, or as JSON."""

from __future__ import annotations

import time
from collections.abc import Sequence

from ds01.cli import show
from ds01.cli.call import Call
from ds01.cli.style import Style
from ds01.cli.table import Cell, Column, Painted, table
from ds01.domain.errors import ADMIN_ONLY, BAD_REQUEST, Ds01Error
from ds01.wire.containers import ContainerView

WATCH_SECONDS = 2
COLUMNS = (
    Column("NAME", flexible=True, least=14),
    Column("STATE", flexible=True, least=16),
    Column("GPU"),
    Column("BUSY", right=True),
    Column("MEMORY", right=True),
    Column("IDLE LEFT", right=True),
    Column("TIME LEFT", right=True),
    Column("IMAGE"),
    Column("DOOR"),
    Column("OWNER"),
)


def run(call: Call, *, all_: bool, watch: bool) -> int:
    """Print the list, once or until Ctrl-C."""
    if watch:
        return _watch(call, all_)
    containers = _containers(call, all_)
    if call.talk.json:
        call.talk.emit(containers)
        return 0
    for line in lines(containers, call.talk.out):
        call.talk.data(line)
    _next(call, containers)
    return 0


def lines(containers: Sequence[ContainerView], style: Style) -> list[str]:
    """The table. The owner is shown only where there are several."""
    if not containers:
        return []
    several = len({container.owner for container in containers}) > 1
    return table(COLUMNS, [_row(container, owner=several) for container in containers], style)


def _row(container: ContainerView, *, owner: bool) -> list[Cell]:
    return [
        container.name,
        Painted(show.described(container), show.colour(container)),
        show.gpus(container),
        show.percent(container.gpu_utilisation),
        show.size(container.memory_bytes),
        show.left(container.idle_left_seconds),
        show.left(container.runtime_left_seconds),
        Painted("stale" if container.stale else "", "yellow"),
        "" if container.door == "ds01" else container.door,
        container.owner if owner else "",
    ]


def _containers(call: Call, everything: bool) -> tuple[ContainerView, ...]:
    if not everything:
        return call.client.containers()
    try:
        return call.client.containers(removed=True, everybody=True)
    except Ds01Error as error:
        if error.kind != ADMIN_ONLY:
            raise
        return call.client.containers(removed=True)


def _next(call: Call, containers: Sequence[ContainerView]) -> None:
    if not containers:
        call.talk.say("You have no containers.")
        call.talk.next("ds01 launch NAME", "ds01 init NAME for a new project")
        return
    stale = [container.name for container in containers if container.stale and container.state != "removed"]
    if stale:
        call.talk.say(f"{show.names(stale)}: made from an older image. ds01 launch offers to recreate it.")
    there = next((container for container in containers if container.state != "removed"), None)
    if there is None:
        call.talk.next("ds01 launch NAME", f"ds01 why {containers[0].name}")
        return
    enter = "attach" if there.state == "running" else "start"
    call.talk.next(f"ds01 {'launch' if there.project else enter} {there.name}", f"ds01 why {there.name}")


def _watch(call: Call, everything: bool) -> int:
    talk = call.talk
    if talk.json:
        while True:
            talk.record(_containers(call, everything))
            time.sleep(WATCH_SECONDS)
    if not talk.stdout.isatty():
        raise Ds01Error(BAD_REQUEST, "--watch needs a terminal, or --json.", hint="ds01 list")
    while True:
        shown = lines(_containers(call, everything), talk.out) or ["You have no containers."]
        talk.stdout.write("\x1b[H\x1b[2J" + "\n".join(shown) + "\n\n" + talk.out("dim", "Ctrl-C ends this.") + "\n")
        talk.stdout.flush()
        time.sleep(WATCH_SECONDS)
