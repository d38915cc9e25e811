"""``ds01 cancel``: give a job or a place in the queue up."""

from __future__ import annotations

from ds01.cli import show
from ds01.cli.call import Call
from ds01.domain.errors import NO_JOB, Ds01Error
from ds01.wire.jobs import JobsView


def run(call: Call, *, name: str, user: str | None) -> int:
    """Give it up, and say what that means."""
    jobs = _jobs(call, name, user or "")
    if jobs is not None:
        return _cancel(call, jobs, user or "")
    if call.talk.dry_run:
        call.talk.say(f"The place of {name} in the queue would be given up. Nothing was changed.")
        return 0
    place = call.client.cancel(name, user=user or "")
    if call.talk.json:
        call.talk.emit(place)
        return 0
    kept = " The GPUs that were kept for it go to the next one." if place.state == "reserved" else ""
    call.talk.done(f"{name} does not wait any more.{kept}")
    call.talk.next(f"ds01 launch {name}", "ds01 queue")
    return 0


def _jobs(call: Call, name: str, user: str) -> JobsView | None:
    """The jobs of this name; None when there is none that is open and something else waits under it."""
    try:
        found = call.client.job(name, user=user)
    except Ds01Error as error:
        if error.kind != NO_JOB:
            raise
        return None
    if any(job.state != "ended" for job in found.jobs):
        return found
    waits = any(place.name == name for place in call.client.queue(user=user).places)
    return None if waits else found


def _cancel(call: Call, jobs: JobsView, user: str) -> int:
    talk = call.talk
    open_ = [job for job in jobs.jobs if job.state != "ended"]
    if talk.dry_run and open_:
        running = [job.name for job in open_ if job.state == "running"]
        stopped = f"; {show.names(running)} would be stopped" if running else ""
        talk.say(f"{show.count(len(open_), 'job')} would be given up{stopped}. Nothing was changed.")
        return 0
    given_up = call.client.cancel_job(jobs.name, user=user)
    if talk.json:
        talk.emit(given_up)
        return 0
    running = [job.name for job in given_up.jobs if job.state == "running"]
    waited = len(given_up.jobs) - len(running)
    if waited:
        what = jobs.name if len(given_up.jobs) == 1 else show.count(waited, "job")
        talk.done(
            f"{what} {'is' if waited == 1 else 'are'} cancelled before {'its' if waited == 1 else 'their'} start."
        )
    if running:
        talk.done(
            f"{show.names(running)} {'is' if len(running) == 1 else 'are'} being stopped: SIGTERM, then the grace."
        )
    talk.next("ds01 runs", f"ds01 logs {given_up.jobs[0].name}" if running else f"ds01 why {jobs.name}")
    return 0
