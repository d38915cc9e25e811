"""How a job is and how it ended, in words, and the exit code of whoever waited for it."""

from __future__ import annotations

from ds01.domain.container import StopReason
from ds01.domain.jobs.job import Job, JobEnd
from ds01.domain.reasons import exit_meaning
from ds01.domain.reasons import words as reason_words

CODES = {JobEnd.CANCELLED: 130, JobEnd.OOM: 137, JobEnd.RUNTIME: 124}
"""Exit codes for ends that are not the program's own: as of Ctrl-C, SIGKILL and ``timeout``; all others are 1."""

_WORDS = {
    JobEnd.IDLE: "stopped: it left its GPU idle",
    JobEnd.ENGINE: "lost: the Docker engine stopped",
    JobEnd.HOST_RESTART: "lost: the server restarted",
    JobEnd.PREEMPTED: reason_words(StopReason.PREEMPTED),
}
_ADVICE = {
    JobEnd.OOM: "Load less at once (smaller batches, fewer workers), and run it again.",
    JobEnd.RUNTIME: "Give it more time (--time), or let it go on from what it saved.",
    JobEnd.ENGINE: "Run it again; it was no fault of its own.",
    JobEnd.HOST_RESTART: "Run it again; it was no fault of its own.",
    JobEnd.QUARANTINE: "Run it again; it was no fault of its own.",
}


def words(end: JobEnd, detail: str) -> str:
    """``done``, ``failed: exit code 3``, ``cancelled by you``: no full stop."""
    match end:
        case JobEnd.EXIT:
            return _exit(detail)
        case JobEnd.OOM:
            return reason_words(StopReason.OOM, detail)
        case JobEnd.CANCELLED:
            return f"cancelled by admin {detail}" if detail else "cancelled"
        case JobEnd.RUNTIME:
            return f"out of time: it had {detail}" if detail else "out of time"
        case JobEnd.DEPENDENCY:
            return f"not run: {detail} did not succeed"
        case JobEnd.START:
            return f"could not start: {detail}"
        case JobEnd.QUARANTINE:
            return f"lost: its GPU failed ({detail})" if detail else "lost: its GPU failed"
        case _:
            return _WORDS[end]


def sentence(name: str, end: JobEnd, detail: str) -> str:
    """The same as a sentence about the job, without its full stop: ``thesis-17 failed with exit code 3``."""
    told = words(end, detail)
    match end:
        case JobEnd.EXIT:
            return f"{name} is done" if detail == "0" else f"{name} {told.replace(': exit code', ' with exit code')}"
        case JobEnd.OOM | JobEnd.RUNTIME:
            return f"{name} ran {told}"
        case JobEnd.START | JobEnd.PREEMPTED:
            return f"{name} {told}"
        case _:
            return f"{name} was {told}"


def advice(end: JobEnd) -> str:
    """What its owner can do next; ``""`` when the words say enough."""
    return _ADVICE.get(end, "")


def code(job: Job) -> int:
    """The exit code of a command that waited for it."""
    if job.end is JobEnd.EXIT and job.exit_code is not None:
        return job.exit_code
    return 1 if job.end is None else CODES.get(job.end, 1)


def _exit(detail: str) -> str:
    if detail == "0":
        return "done"
    if not detail.isdecimal():
        return "failed"
    meaning = exit_meaning(int(detail))
    return f"failed: exit code {detail}" + ("" if meaning.startswith("failed") else f", it {meaning}")
