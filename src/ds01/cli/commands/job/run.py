"""``ds01 run``: a command through the queue, to its end, without anybody there."""

from __future__ import annotations

from collections.abc import Sequence

from ds01.cli import joblog, submitting
from ds01.cli.call import Call
from ds01.cli.submitting import Wish
from ds01.domain.errors import BAD_REQUEST, Ds01Error
from ds01.wire.jobs import JobsView


def run(
    call: Call, *, command: Sequence[str], project: str | None, gpus: str | None, time: int | None, mem: int | None,
    name: str | None, array: str | None, after: Sequence[str], env: Sequence[tuple[str, str]], image: str | None,
    data: Sequence[str], workspace: str | None, retries: int | None, follow: bool, wait: bool, no_build: bool,
) -> int:  # fmt: skip
    """Submit it; stay with it where that was asked for."""
    if follow and array:
        raise Ds01Error(
            BAD_REQUEST, "--follow shows one log, and an array has many.",
            hint="Use --wait, or follow one task: ds01 logs NAME-0 --follow",
        )  # fmt: skip
    submitted = submitting.submit(
        call,
        Wish(
            command=command, project=project, gpus=gpus, time=time, mem=mem, name=name, array=array, after=after,
            env=env, image=image, data=data, workspace=workspace, retries=retries, no_build=no_build,
        ),
    )  # fmt: skip
    if submitted is None:
        return 0
    if follow:
        return joblog.follow(call, submitted.jobs[0])
    if wait:
        return joblog.wait(call, submitted.name)
    if call.talk.json:
        call.talk.emit(submitted)
        return 0
    _tell(call, submitted)
    return 0


def _tell(call: Call, submitted: JobsView) -> None:
    talk, first = call.talk, submitted.jobs[0]
    if first.array:
        talk.done(f"{submitted.name} is submitted: {len(submitted.jobs)} tasks, {first.name} first.")
        talk.say("They run as their turn comes, also when you log out.")
        talk.next(f"ds01 why {submitted.name}", f"ds01 logs {first.name} --follow", f"ds01 cancel {submitted.name}")
        return
    talk.done(f"{first.name} is submitted; it {joblog.how(first)}.")
    talk.say("It runs by itself, also when you log out.")
    talk.next(f"ds01 logs {first.name} --follow", f"ds01 why {first.name}", f"ds01 cancel {first.name}")
