"""A job's log on a terminal: read from the workspace, as the user, while the job goes on or long after.

A ds01d that restarts meanwhile is waited for: the job and its log go on without it.
"""

from __future__ import annotations

import os
import sys
import time

from ds01.cli import show
from ds01.cli.call import Call
from ds01.cli.progress import Line
from ds01.client.patience import changes
from ds01.domain.errors import DAEMON_DOWN, NO_FILE, Ds01Error
from ds01.wire.jobs import JobsView, JobView

TYPE_CHECKING = False  # typing is slow to import, and only type checkers need it here
if TYPE_CHECKING:
    from typing import BinaryIO

LOOK_SECONDS = 0.2
ASK_SECONDS = 1.0
PIECE = 1 << 16


def how(job: JobView) -> str:
    """How it is, to go on from its name: ``is running``, ``is 2nd of 3 in the queue: …``."""
    if job.state == "running" and job.text == "running":
        return "is running"
    if job.state == "ended":
        return f"has ended: {job.text}"
    return f"is {job.text}" if job.text[:1].isdecimal() or job.text.startswith("in ") else job.text


def read(call: Call, job: JobView, tail: str | None) -> int:
    """Print what there is."""
    file = _opened(job)
    if file is None:
        raise _none(job)
    with file:
        _print(file, tail)
    return 0


def follow(call: Call, job: JobView, tail: str | None = None) -> int:
    """Print what there is and what comes until the job has ended; its exit code."""
    call.standing = f"{job.name} goes on; only watching it ended. End it with: ds01 cancel {job.name}"
    line, file, asked, begun = Line(call.talk), None, time.monotonic(), False
    try:
        while True:
            over = job.state == "ended"
            if file is not None:
                _drain(file)
            elif (file := _opened(job)) is not None:
                line.clear()
                _print(file, tail)
            elif not over:
                (line.keep if begun else line.show)(f"{job.name} {how(job)}")
                begun = True
            if over:
                break
            time.sleep(LOOK_SECONDS)
            if time.monotonic() - asked >= ASK_SECONDS:
                job, asked = _asked(call, job), time.monotonic()
    finally:
        line.clear()
        if file is not None:
            file.close()
    return ended(call, JobsView(name=job.name, jobs=(job,)))


def wait(call: Call, name: str) -> int:
    """Wait until it has ended, or all its tasks have; the exit code."""
    call.standing = f"{name} goes on; only the waiting ended. End it with: ds01 cancel {name}"
    line = Line(call.talk)
    last: JobsView | None = None
    try:
        line.show(name)
        for last in changes(call.client, name, lambda: line.keep("ds01d went away; the job goes on")):
            line.keep(f"{name}: {_counts(last)}" if len(last.jobs) > 1 else f"{name} {how(last.jobs[0])}")
    finally:
        line.clear()
    if last is None:
        return 1
    code = ended(call, last)
    if not call.talk.json:
        call.talk.next(_output(last), "ds01 runs")
    return code


def _output(view: JobsView) -> str:
    """Where to read what it wrote: of several the first that failed."""
    job = next((job for job in view.jobs if job.code), view.jobs[0])
    return f"ds01 {'logs' if job.ran else 'why'} {job.name}"


def ended(call: Call, view: JobsView) -> int:
    """Say how it ended; the exit code: of several the largest."""
    talk = call.talk
    if talk.json:
        talk.emit(view)
    elif len(view.jobs) > 1:
        talk.say(f"{view.name} has ended: {_counts(view)}.")
    else:
        (job,) = view.jobs
        took = f" It ran for {_took(job)}." if job.started_at and job.ended_at else ""
        (talk.warn if job.code else talk.done)(f"{job.told}{took}")
    return max(1 if job.code is None else job.code for job in view.jobs)


def _counts(view: JobsView) -> str:
    found: dict[str, int] = {}
    for job in view.jobs:
        word = job.state if job.state != "ended" else "done" if not job.code else "failed"
        found[word] = found.get(word, 0) + 1
    return ", ".join(f"{count} {word}" for word, count in found.items())


def _took(job: JobView) -> str:
    from datetime import datetime

    ran = datetime.fromisoformat(job.ended_at or "") - datetime.fromisoformat(job.started_at or "")
    return show.duration(ran.total_seconds())


def _asked(call: Call, job: JobView) -> JobView:
    """The job as it is now; as it was, while ds01d is away."""
    try:
        return call.client.job(job.name, user=call.user).jobs[0]
    except Ds01Error as error:
        if error.kind != DAEMON_DOWN:
            raise
        return job


def _opened(job: JobView) -> BinaryIO | None:
    """Its log, once its command runs. Before another attempt that is the one of the last."""
    if not job.ran:
        return None
    try:
        return open(job.log, "rb")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Ds01Error(
            NO_FILE, f"The log of {job.name} cannot be read.", reason=f"{job.log}: {error.strerror}.",
            hint=f"ds01 job show {job.name}",
        ) from error  # fmt: skip


def _none(job: JobView) -> Ds01Error:
    if job.state in ("waiting", "queued"):
        return Ds01Error(
            NO_FILE, f"{job.name} has no log yet; it {how(job)}.", hint=f"ds01 logs {job.name} --follow"
        )  # fmt: skip
    reason = f"{job.log} is not there." if job.ran else "It never ran."
    return Ds01Error(NO_FILE, f"{job.name} has no log.", reason=reason, hint=f"ds01 why {job.name}")


def _print(file: BinaryIO, lines: str | None) -> None:
    """The last lines, or all of it."""
    if lines is None or lines == "all":
        _drain(file)
    else:
        _out(_last(file, int(lines)))


def _last(file: BinaryIO, lines: int) -> bytes:
    """The last lines, read from the end; the file is at its end afterwards."""
    at = end = file.seek(0, os.SEEK_END)
    kept = b""
    while at > 0 and kept.count(b"\n") <= lines:
        size = min(PIECE, at)
        at = file.seek(at - size)
        kept = file.read(size) + kept
    file.seek(end)
    return b"".join(kept.splitlines(keepends=True)[-lines:]) if lines else b""


def _drain(file: BinaryIO) -> None:
    while piece := file.read(PIECE):
        _out(piece)


def _out(piece: bytes) -> None:
    sys.stdout.buffer.write(piece)
    sys.stdout.buffer.flush()
