"""``ds01 container logs``: output to stdout, errors to stderr, byte by byte as they were written."""

from __future__ import annotations

import sys
from datetime import datetime

from ds01.cli import here, joblog
from ds01.cli.call import Call
from ds01.cli.shell import docker
from ds01.domain.errors import BAD_REQUEST, NO_CONTAINER, NO_JOB, Ds01Error
from ds01.wire.containers import ContainerView
from ds01.wire.jobs import JobView


def run(
    call: Call, *, name: str | None, follow: bool, tail: str | None, since: str | None, timestamps: bool,
    user: str | None,
) -> int:  # fmt: skip
    """Print the log, and stay with ``--follow``."""
    here.whose(call, user)
    found = _found(call, here.meant(call, name))
    if isinstance(found, JobView):
        if since or timestamps:
            raise Ds01Error(
                BAD_REQUEST, "The log of a job has no times.", reason="It is what the command printed, as it was.",
                hint=f"ds01 logs {found.name}{call.whose}",
            )  # fmt: skip
        return joblog.follow(call, found, tail) if follow else joblog.read(call, found, tail)
    container = found
    call.standing = f"{container.name} goes on; only the log was left."
    pieces = docker(call).logs(
        container.id, follow=follow, tail=tail or "all", since=_stamp(since), timestamps=timestamps
    )  # fmt: skip
    nothing = True
    for kind, piece in pieces:
        stream = sys.stderr if kind == 2 else sys.stdout
        stream.buffer.write(piece)
        stream.buffer.flush()
        nothing = False
    if nothing and not follow:
        call.talk.say(f"{container.name} has written nothing.")
    return 0


def _found(call: Call, name: str) -> ContainerView | JobView:
    """The container of this name, unless it is a job's; else the job. Raises Ds01Error."""
    try:
        container = call.client.container(name, user=call.user)
    except Ds01Error as error:
        if error.kind != NO_CONTAINER:
            raise
        return _job(call, name, error)
    return container if container.door != "job" else _job(call, name, None)


def _job(call: Call, name: str, otherwise: Ds01Error | None) -> JobView:
    try:
        jobs = call.client.job(name, user=call.user).jobs
    except Ds01Error as error:
        raise (otherwise if otherwise is not None and error.kind == NO_JOB else error) from None
    if len(jobs) > 1:
        raise Ds01Error(
            BAD_REQUEST, f"{name} is an array; each of its {len(jobs)} tasks has a log.",
            hint=f"ds01 logs {jobs[0].name}{call.whose}",
        )  # fmt: skip
    return jobs[0]


def _stamp(since: str | None) -> str:
    """The engine counts seconds."""
    return f"{datetime.fromisoformat(since).timestamp():.3f}" if since else ""
