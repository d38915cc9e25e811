"""``ds01 job show``: everything that is known about a job."""

from __future__ import annotations

import shlex
from datetime import timedelta

from ds01.cli import here, show
from ds01.cli.call import Call
from ds01.cli.commands.job.list import lines
from ds01.cli.table import pairs
from ds01.domain.quantity import show_duration
from ds01.wire.jobs import JobView


def run(call: Call, *, name: str, user: str | None) -> int:
    """Print it."""
    here.whose(call, user)
    found = call.client.job(name, user=call.user)
    if call.talk.json:
        call.talk.emit(found)
        return 0
    if len(found.jobs) > 1:
        for line in lines(found.jobs, call.talk.out, tasks=True):
            call.talk.data(line)
        call.talk.next(f"ds01 job show {found.jobs[0].name}{call.whose}", f"ds01 why {name}{call.whose}")
        return 0
    (job,) = found.jobs
    for line in pairs([(key, value) for key, value in facts(job).items() if value], call.talk.out):
        call.talk.data(line)
    call.talk.next(f"ds01 logs {name}{call.whose}", f"ds01 why {name}{call.whose}")
    return 0


def facts(job: JobView) -> dict[str, str]:
    """What there is to say, in the order people ask."""
    planned = "" if job.planned_seconds is None else show_duration(timedelta(seconds=job.planned_seconds))
    return {
        "name": job.name,
        "state": job.told.rstrip(".") or job.text,
        "exit code": "" if job.exit_code is None else str(job.exit_code),
        "command": shlex.join(job.command),
        "folder": f"/workspace/{job.folder}".rstrip("/"),
        "log": job.log,
        "image": f"{job.image} ({job.image_id.removeprefix('sha256:')[:12]})",
        "commit": _commit(job.commit),
        "variables": ", ".join(f"{name}={value}" for name, value in job.environment.items()),
        "data": ", ".join(job.data),
        "asked": job.asked + (f" --time {planned}" if planned else ""),
        "GPUs": ", ".join(job.gpus),
        "after": ", ".join(job.after),
        "submitted": show.clock(job.submitted_at),
        "started": show.clock(job.started_at) if job.started_at else "",
        "ended": show.clock(job.ended_at) if job.ended_at else "",
        "attempt": f"{job.attempt} of at most {job.retries + 1}" if job.attempt else "",
    }


def _commit(commit: str) -> str:
    plain = commit.removesuffix("+")
    return plain[:12] + (", with changes of yours that are in no commit" if plain != commit else "")
