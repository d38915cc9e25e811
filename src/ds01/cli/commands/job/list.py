"""``ds01 runs``: the user's jobs as a table, as records where it is narrow, or as JSON."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from datetime import UTC, datetime

from ds01.cli import show
from ds01.cli.call import Call
from ds01.cli.style import Style
from ds01.cli.table import Cell, Column, Painted, table
from ds01.domain.jobs.array import shown
from ds01.wire.jobs import JobView

COLUMNS = (
    Column("NAME", flexible=True, least=10),
    Column("USER", flexible=True, least=8),
    Column("STATE", flexible=True, least=14),
    Column("GPU"),
    Column("RAN", right=True),
    Column("SUBMITTED", right=True),
    Column("COMMAND", flexible=True, least=12),
)
_COLOURS = {"running": "green", "queued": "yellow", "waiting": "yellow"}


def run(call: Call, *, tasks: bool, open_: bool, limit: int | None, all_: bool) -> int:
    """Print the list."""
    found = (
        call.client.jobs(limit=limit or 20, everybody=all_) if tasks or call.talk.json else _folded(call, limit, all_)
    )
    jobs = [job for job in found if not open_ or job.state != "ended"]
    if call.talk.json:
        call.talk.emit(jobs)
        return 0
    for line in lines(jobs, call.talk.out, tasks=tasks, users=all_):
        call.talk.data(line)
    _next(call, jobs)
    return 0


def _folded(call: Call, limit: int | None, everybody: bool) -> Sequence[JobView]:
    """So many lines: of a large array many tasks are one."""
    wanted = limit or 20
    found = call.client.jobs(limit=wanted * 50, everybody=everybody)
    kept = sorted({(job.submitted_at, job.owner, job.number) for job in found})[-wanted:]
    return [job for job in found if (job.submitted_at, job.owner, job.number) in kept]


def lines(jobs: Sequence[JobView], style: Style, *, tasks: bool = False, users: bool = False) -> list[str]:
    """The table."""
    groups: dict[tuple[str, int, int | None], list[JobView]] = {}
    for job in jobs:
        groups.setdefault((job.owner, job.number, job.index if tasks else None), []).append(job)
    rows = [_row(group, tasks=tasks, users=users) for group in groups.values()]
    return table(COLUMNS, rows, style) if rows else []


def _row(group: Sequence[JobView], *, tasks: bool, users: bool) -> list[Cell]:
    job = group[0]
    array = job.array and not tasks
    return [
        job.array if array else job.name,
        job.owner if users else "",
        _states(group) if array else Painted(_state(job), _colour(job)),
        "" if array else ", ".join(job.gpus),
        "" if array else _ran(job),
        f"{show.ago(job.submitted_at)} ago",
        shlex.join(job.command),
    ]


def _state(job: JobView) -> str:
    """In few words: the list has many, and 'why' has more."""
    if job.state == "queued":
        return "starting" if job.text == "is about to start" else "in the queue"
    if job.end == "exit" and job.code:
        return f"failed, exit {job.exit_code}"
    return job.text.partition(":")[0].partition(" (")[0]


def _colour(job: JobView) -> str:
    if job.state == "ended":
        return "dim" if job.code == 0 else "red"
    return _COLOURS[job.state]


def _states(group: Sequence[JobView]) -> Cell:
    counts: dict[str, int] = {}
    for job in group:
        word = job.state if job.state != "ended" else "done" if job.code == 0 else "failed"
        counts[word] = counts.get(word, 0) + 1
    words = ", ".join(f"{count} {word}" for word, count in counts.items())
    indexes = tuple(job.index for job in group if job.index is not None)
    colour = "red" if "failed" in counts else "dim" if set(counts) == {"done"} else "green"
    return Painted(f"{shown(indexes)}: {words}", colour)


def _ran(job: JobView) -> str:
    if job.started_at is None:
        return ""
    until = datetime.fromisoformat(job.ended_at) if job.ended_at else datetime.now(UTC)
    return show.duration(max(0.0, (until - datetime.fromisoformat(job.started_at)).total_seconds()))


def _next(call: Call, jobs: Sequence[JobView]) -> None:
    if not jobs:
        call.talk.say("You have no jobs.")
        call.talk.next("ds01 run -- COMMAND")
        return
    last = jobs[-1]
    call.talk.next(f"ds01 why {last.array or last.name}", f"ds01 logs {last.name}", "ds01 run -- COMMAND")
