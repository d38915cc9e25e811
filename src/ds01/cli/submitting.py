"""The flow of a submission: read the project, ask ds01d what would be submitted, build if needed, submit.

What a job is made from is fixed here as far as the user's side knows it: the project's settings, the folder she is in,
and which commit her files are.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from ds01.cli.bases import base_id
from ds01.cli.call import Call
from ds01.cli.image_first import build_first
from ds01.cli.project import meant
from ds01.domain.errors import BAD_REQUEST, Ds01Error
from ds01.domain.project import Project
from ds01.domain.quantity import duration, size
from ds01.domain.record import record, replace
from ds01.projects import prepare
from ds01.projects.recipe import Recipe
from ds01.projects.version import commit
from ds01.wire.jobs import JobPlan, JobRequest, JobsView


@record
class Wish:
    """What was typed."""

    command: Sequence[str]
    project: str | None = None
    gpus: str | None = None
    time: int | None = None
    mem: int | None = None
    name: str | None = None
    array: str | None = None
    after: Sequence[str] = ()
    env: Sequence[tuple[str, str]] = ()
    image: str | None = None
    data: Sequence[str] = ()
    workspace: str | None = None
    retries: int | None = None
    no_build: bool = False


def submit(call: Call, wish: Wish) -> JobsView | None:
    """Submit it. None when it was only looked at."""
    call.standing = "Nothing was submitted."
    if not wish.command:
        raise Ds01Error(
            BAD_REQUEST, "What is to be run?", reason="The command comes after --.", hint="ds01 run -- python train.py"
        )
    project = meant(call, wish.project)
    request, recipe = _request(call, wish, project)
    plan = call.client.plan_job(request)
    if call.talk.dry_run:
        _show(call, request, plan)
        return None
    build_first(call, plan, project, recipe, as_it_is=wish.no_build)
    call.standing = "It may be submitted already: ds01 runs shows it."
    submitted = call.client.submit(request)
    call.standing = f"{submitted.name} is submitted and goes on: ds01 why {submitted.name}"
    return submitted


def _request(call: Call, wish: Wish, project: Project) -> tuple[JobRequest, Recipe | None]:
    run = project.run
    workspace = os.path.abspath(wish.workspace) if wish.workspace else project.folder
    request = JobRequest(
        command=tuple(wish.command),
        project=project.name,
        workspace=workspace,
        name=wish.name or "",
        image=wish.image or "",
        folder=_folder(call, workspace),
        gpus=wish.gpus or run.gpus,
        memory_bytes=wish.mem or (size(run.memory) if run.memory else 0),
        data=tuple(os.path.abspath(os.path.expanduser(folder)) for folder in wish.data or run.data),
        environment=run.environment | dict(wish.env),
        time_seconds=wish.time or (int(duration(run.time).total_seconds()) if run.time else None),
        array=wish.array or "",
        after=tuple(wish.after),
        retries=2 if wish.retries is None else wish.retries,
        commit=commit(workspace),
        on_stop=run.on_stop,
    )
    if wish.image:
        return request, None
    settings = call.client.build_settings()
    recipe = prepare.recipe(project, settings)
    return replace(request, spec=recipe.spec, base=base_id(call, recipe, settings)), recipe


def _folder(call: Call, workspace: str) -> str:
    """Where in the workspace the command was typed; its top, when it was typed somewhere else."""
    try:
        inside = os.path.relpath(os.path.realpath(call.here), os.path.realpath(workspace))
    except (FileNotFoundError, ValueError):
        return ""
    return "" if inside == "." or inside.split(os.sep)[0] == ".." else inside


def _show(call: Call, request: JobRequest, plan: JobPlan) -> None:
    talk = call.talk
    if talk.json:
        talk.emit(plan)
        return
    from datetime import timedelta

    from ds01.domain.quantity import show_duration

    if plan.build:
        talk.say(f"The image would be built first: {plan.build}.")
    tasks = f" with {plan.tasks} tasks" if plan.tasks > 1 else ""
    time = "" if plan.planned_seconds is None else f", at most {show_duration(timedelta(seconds=plan.planned_seconds))}"
    talk.say(f"{plan.name} would be submitted{tasks}: --gpus {plan.gpus}{time}, in {request.workspace}.")
    talk.say("Nothing was changed.")
