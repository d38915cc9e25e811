"""``ds01 list``: the user's containers as a table, as records where it is narrow, or as JSON."""

from __future__ import annotations

import time
from collections.abc import Sequence

from ds01.cli import here, show
from ds01.cli.call import Call
from ds01.cli.style import Style
from ds01.cli.table import Cell, Column, Painted, table
from ds01.domain.errors import ADMIN_ONLY, BAD_REQUEST, Ds01Error
from ds01.domain.record import record
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
HISTORY = (
    Column("NAME", flexible=True, least=14), Column("STATE"), Column("WHEN"), Column("WHY", flexible=True, least=16),
    Column("OWNER"),
)  # fmt: skip
LATEST = 20
"""So many of those that are there or gone are shown on a screen."""


@record
class Wish:
    """Whose are listed: ``everything`` with those that are removed, for an admin of everybody."""

    everything: bool
    everybody: bool
    limit: int | None = None


def run(call: Call, *, all_: bool, limit: int | None, everybody: bool, user: str | None, watch: bool) -> int:
    """Print the list, once or until Ctrl-C."""
    if everybody and user:
        raise Ds01Error(BAD_REQUEST, "Either --everybody or --user, not both.", hint=f"ds01 list --user {user}")
    if limit is not None and not all_:
        raise Ds01Error(BAD_REQUEST, "--limit goes with --all.", hint=f"ds01 list --all --limit {limit}")
    here.whose(call, user)
    wish = Wish(everything=all_, everybody=everybody, limit=limit)
    if watch:
        return _watch(call, wish)
    containers = _containers(call, wish)
    if call.talk.json:
        call.talk.emit(containers if limit is None else _latest(containers, limit))
        return 0
    for line in _shown(wish, containers, call.talk.out):
        call.talk.data(line)
    older = len(containers) - _most(wish, containers, call.talk.out) if all_ else 0
    if older > 0:
        call.talk.say(f"… {older} older: ds01 list --all{call.whose} --limit {len(containers)}")
    _next(call, wish, containers)
    return 0


def lines(containers: Sequence[ContainerView], style: Style) -> list[str]:
    """The table. The owner is shown only where there are several."""
    if not containers:
        return []
    several = len({container.owner for container in containers}) > 1
    return table(COLUMNS, [_row(container, owner=several) for container in containers], style)


def _shown(wish: Wish, containers: Sequence[ContainerView], style: Style) -> list[str]:
    """The table of what is there, or of what was, the newest last."""
    if not wish.everything or not containers:
        return lines(containers, style)
    several = len({container.owner for container in containers}) > 1
    found = _latest(containers, _most(wish, containers, style))
    return table(HISTORY, [_past(container, owner=several) for container in found], style)


def _most(wish: Wish, containers: Sequence[ContainerView], style: Style) -> int:
    return wish.limit or (LATEST if style.cut else len(containers))


def _latest(containers: Sequence[ContainerView], limit: int) -> list[ContainerView]:
    return sorted(containers, key=_when)[-limit:]


def _when(container: ContainerView) -> str:
    """When it came to be what it is; times on the wire sort as they are written."""
    if container.state == "running":
        return container.started_at or container.created_at
    return container.removed_at or container.stopped_at or container.started_at or container.created_at


def _past(container: ContainerView, *, owner: bool) -> list[Cell]:
    return [
        container.name,
        Painted(container.state, show.colour(container)),
        show.clock(_when(container)),
        container.reason,
        container.owner if owner else "",
    ]


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


def _containers(call: Call, wish: Wish) -> tuple[ContainerView, ...]:
    if wish.everybody or call.user or not wish.everything:
        return call.client.containers(removed=wish.everything, everybody=wish.everybody, user=call.user)
    try:
        return call.client.containers(removed=True, everybody=True)
    except Ds01Error as error:
        if error.kind != ADMIN_ONLY:
            raise
        return call.client.containers(removed=True)


def _next(call: Call, wish: Wish, containers: Sequence[ContainerView]) -> None:
    if wish.everybody or call.user:
        _of_others(call, containers)
    elif not containers:
        call.talk.say("You have no containers.")
        call.talk.next("ds01 launch NAME", "ds01 init NAME for a new project")
    else:
        _mine(call, containers)


def _of_others(call: Call, containers: Sequence[ContainerView]) -> None:
    if not containers:
        call.talk.say(f"{call.user} has no containers." if call.user else "Nobody has a container.")
    there = [f"ds01 why {first.name} --user {first.owner}" for first in containers[:1]]
    call.talk.next(*there, "ds01 gpus")


def _mine(call: Call, containers: Sequence[ContainerView]) -> None:
    stale = [container.name for container in containers if container.stale and container.state != "removed"]
    if stale:
        call.talk.say(f"{show.names(stale)}: made from an older image. ds01 launch NAME --recreate replaces it.")
    there = next((container for container in containers if container.state != "removed"), None)
    if there is None:
        call.talk.next("ds01 launch NAME", f"ds01 why {containers[0].name}")
        return
    enter = "attach" if there.state == "running" else "start"
    call.talk.next(f"ds01 {'launch' if there.project else enter} {there.name}", f"ds01 why {there.name}")


def _watch(call: Call, wish: Wish) -> int:
    talk = call.talk
    if talk.json:
        while True:
            talk.record(_containers(call, wish))
            time.sleep(WATCH_SECONDS)
    if not talk.stdout.isatty():
        raise Ds01Error(BAD_REQUEST, "--watch needs a terminal, or --json.", hint="ds01 list")
    while True:
        shown = _shown(wish, _containers(call, wish), talk.out) or ["There are no containers."]
        talk.stdout.write("\x1b[H\x1b[2J" + "\n".join(shown) + "\n\n" + talk.out("dim", "Ctrl-C ends this.") + "\n")
        talk.stdout.flush()
        time.sleep(WATCH_SECONDS)
