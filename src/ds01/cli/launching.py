"""The flow of a launch: read the project, and let ds01d make the container; where there is more to it than a new one,
ds01d answers with a plan, and what has to be built, said or asked comes first.

The project file is read here, as the user; ds01d decides from what exists. Nothing is built, replaced or removed
without a word, and a project file with a mistake in it keeps nobody out of a container that is there already.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice

from ds01.cli.bases import base_id
from ds01.cli.call import Call
from ds01.cli.variables import shell_variables
from ds01.client.first_shell import FirstShell
from ds01.domain.errors import BAD_PROJECT_FILE, NO_BOOKING, NO_PROJECT, NO_ROUTE, Ds01Error
from ds01.domain.names import checked
from ds01.domain.project import Project
from ds01.domain.quantity import duration, show_size, size
from ds01.domain.record import record, replace
from ds01.projects import file, prepare
from ds01.projects.recipe import Recipe
from ds01.wire.containers import ContainerView, RetireRequest
from ds01.wire.launches import LaunchEvent, LaunchPlan, LaunchRequest, TerminalAsk

_NOTHING = "Nothing was launched."


@record
class Wish:
    """What was typed."""

    project: str | None
    gpus: str | None = None
    mem: int | None = None
    image: str | None = None
    data: Sequence[str] = ()
    workspace: str | None = None
    name: str | None = None
    recreate: bool = False
    no_build: bool = False
    create_only: bool = False
    time: int | None = None
    wait: int | bool | None = None
    """Wait for a GPU: for ever, or so many seconds; False: do not; None: ask."""
    stays: bool = False


@record
class Target:
    """What was meant: the request for ds01d, and what to build when the image is the project's own."""

    request: LaunchRequest
    project: Project | None = None
    recipe: Recipe | None = None


@record
class Launched:
    """The container, and whether it is new. None when it was only looked at, or not wanted after all. ``shell`` is one
    that may have begun with it.
    """

    container: ContainerView | None
    new: bool = False
    simulated: bool = False
    shell: FirstShell | None = None


def launch(call: Call, wish: Wish, *, stepping_in: bool = False) -> Launched:
    """Make the container run (or, with ``create_only``, exist), for somebody who is ``stepping_in`` with a shell."""
    call.standing = _NOTHING
    target = resolve(call, wish)
    call.wanted = target.request.name
    if call.talk.dry_run:
        _show_plan(call, call.client.plan(target.request))
        return Launched(container=None)
    shell = FirstShell() if stepping_in else None
    ended = _do(call, wish, replace(_on(target.request, shell), if_new=True), partial(_meanwhile, target, shell))
    plan = ended.plan
    if plan is None:
        return Launched(container=ended.container, new=True, simulated=ended.simulated, shell=shell)
    call.standing = _NOTHING
    request = _first(call, wish, target, plan)
    if request is None:
        return Launched(container=None)
    shell = shell if plan.action in ("create", "recreate", "start") else None
    ended = _do(call, wish, _on(request, shell))
    new = plan.action in ("create", "recreate")
    return Launched(container=ended.container, new=new, simulated=ended.simulated, shell=shell)


def _on(request: LaunchRequest, shell: FirstShell | None) -> LaunchRequest:
    """The request of somebody whose shell begins with the container."""
    if shell is None:
        return request
    plainly, marked = (shell_variables(request.name, simulated=simulated) for simulated in (False, True))
    return replace(request, terminal=TerminalAsk(path=shell.path, environment=plainly, simulated=marked))


# what is meant -----------------------------------------------------------------------------------------


def resolve(call: Call, wish: Wish, *, building: bool = False) -> Target:
    """The project or container that is meant, as a request; ``building`` with a recipe that can be built. Raises
    Ds01Error.
    """
    try:
        project = _project(call, wish)
    except Ds01Error as error:
        if (seat := _seat(call, wish, error)) is not None:
            return Target(request=seat)
        there = _existing(call, wish, error)
        return Target(request=_request(call, wish, there.project or there.name, there.workspace, container=there.name))
    if project is None:
        name = checked(wish.project or "", "project name")
        workspace = wish.workspace or os.path.join(file.workspaces(call.home), name)
        return Target(request=_request(call, wish, name, _folder(call, workspace)))
    workspace = os.path.abspath(wish.workspace) if wish.workspace else project.folder
    request = _request(call, wish, project.name, workspace, project=project)
    if wish.image:
        return Target(request=request, project=project)
    settings = call.client.build_settings(brief=not building)
    recipe = prepare.recipe(project, settings)
    base = base_id(call, recipe, settings)
    return Target(request=replace(request, spec=recipe.spec, base=base), project=project, recipe=recipe)


def _project(call: Call, wish: Wish) -> Project | None:
    """The project; None for another image without a project."""
    if wish.project is None:
        folder = file.enclosing(call.here)
        if folder is not None:
            return file.load(folder)
        from ds01.cli.project import choose  # only who names none and is in none has to choose

        return file.named(choose(call), call.home)
    try:
        return file.named(wish.project, call.home)
    except Ds01Error as error:
        if error.kind == NO_PROJECT and wish.image:
            return None
        raise


def _seat(call: Call, wish: Wish, error: Ds01Error) -> LaunchRequest | None:
    """The request of somebody who is in a class of this name and has no project of it: all that is needed is known."""
    if error.kind != NO_PROJECT or not wish.project or wish.image:
        return None
    try:
        seat = call.client.class_seat(wish.project)
    except Ds01Error as failure:
        if failure.kind not in (NO_BOOKING, NO_ROUTE):  # an older ds01d knows of no classes
            raise
        return None
    workspace = wish.workspace or os.path.join(file.workspaces(call.home), seat.name)
    meant = replace(
        wish, image=seat.image, gpus=wish.gpus or seat.gpus, mem=wish.mem or seat.memory_bytes or None
    )  # fmt: skip
    return _request(call, meant, seat.name, _folder(call, workspace))


def _existing(call: Call, wish: Wish, error: Ds01Error) -> ContainerView:
    """The container of this name, for which no project file is needed; else the error stands."""
    name = wish.name or wish.project or os.path.basename(file.enclosing(call.here) or "")
    if error.kind not in (NO_PROJECT, BAD_PROJECT_FILE) or wish.recreate:
        raise error
    for container in call.client.containers():
        if container.name == name:
            if error.kind == BAD_PROJECT_FILE:
                call.talk.warn(f"{error} The container is there already and is used as it is.")
            return container
    raise error


def _request(
    call: Call, wish: Wish, name: str, workspace: str, *, project: Project | None = None, container: str = ""
) -> LaunchRequest:
    run = project.run if project else None
    return LaunchRequest(
        project=name,
        workspace=workspace,
        name=wish.name or container or name,
        image=wish.image or "",
        gpus=wish.gpus or (run.gpus if run else None),
        memory_bytes=wish.mem or (size(run.memory) if run and run.memory else 0),
        data=tuple(os.path.abspath(os.path.expanduser(folder)) for folder in wish.data or (run.data if run else ())),
        environment=dict(run.environment) if run else {},
        recreate=wish.recreate,
        on_stop=run.on_stop if run else "",
        create_only=wish.create_only,
        time_seconds=wish.time or (int(duration(run.time).total_seconds()) if run and run.time else None),
        wait=bool(wish.wait),
        wait_seconds=None if isinstance(wish.wait, bool) else wish.wait,
        stays=wish.stays,
    )


def _folder(call: Call, workspace: str) -> str:
    """The workspace of a container without a project, made by its owner where it is missing."""
    path = os.path.abspath(workspace)
    if not call.talk.dry_run:
        os.makedirs(path, exist_ok=True)
    return path


def _unused(call: Call, wish: Wish, plan: LaunchPlan) -> None:
    """Say which of the options count only for a new container, and so for nothing now."""
    there = plan.container
    words: dict[str, Sequence[str | None]] = {
        "--gpus": [wish.gpus] if wish.gpus and wish.gpus != plan.gpus else [], "--image": [wish.image],
        "--mem": [show_size(wish.mem)] if wish.mem else [], "--data": wish.data, "--workspace": [wish.workspace],
    }  # fmt: skip
    given = {flag: [word for value in values if value for word in (flag, value)] for flag, values in words.items()}
    ignored = [shlex.join(each) for each in given.values() if each]
    if there is None or not ignored:
        return
    has = f", with {_how_many(there)}" if given["--gpus"] else ""
    was = "was" if len(ignored) == 1 else "were"
    told = f"{there.name} {'runs' if there.state == 'running' else 'is there'} already{has};"
    named = ["ds01", "launch", wish.project or there.name, *(("--name", wish.name) if wish.name else ())]
    call.talk.warn(
        f"{told} {' and '.join(ignored)} {was} not heeded. "
        f"To change it: {' '.join([shlex.join(named), *ignored])} --recreate"
    )


def _how_many(container: ContainerView) -> str:
    count = container.gpu_count
    return f"{count or 'no'} GPU{'s' if count > 1 else ''}"


# what has to happen first ------------------------------------------------------------------------------


def _first(call: Call, wish: Wish, target: Target, plan: LaunchPlan) -> LaunchRequest | None:
    """Do and say what comes before a launch that is more than a new container. None: it is not wanted after all."""
    from ds01.cli.image_first import build_first  # most launches need nothing first

    if plan.build:
        target = resolve(call, wish, building=True)
    build_first(call, plan, target.project, target.recipe, as_it_is=wish.no_build)
    if plan.stale and not wish.create_only:
        call.talk.warn(f"{plan.name} is stale: {plan.stale}. It goes on as it is; --recreate replaces it.")
    if plan.container is not None and plan.action != "recreate":
        _unused(call, wish, plan)
    if plan.action != "recreate":
        return target.request
    say_goodbye = _goodbye(call, plan)
    return None if say_goodbye is None else replace(target.request, recreate=say_goodbye)


def _goodbye(call: Call, plan: LaunchPlan) -> bool | None:
    """Before replacing a container: show what goes, keep what is wanted. None: it stays.

    When files are rescued the old container is retired here, and nothing is left for ds01d to replace.
    """
    if plan.container is None:
        return False
    from ds01.cli import farewell

    preview = call.client.retire_preview(plan.container.name)
    farewell.show_preview(call.talk, preview)
    keep = farewell.decide(
        call.talk, preview, farewell.Keep(), question=f"Replace {preview.container.name} by a new container?"
    )
    if keep is None:
        call.talk.say("Nothing was replaced.")
        return None
    told = farewell.keep_packages(preview, keep)
    if told:
        call.talk.say(told)
    if keep.files:
        result = call.client.retire(preview.container.name, RetireRequest(rescue=True))
        call.talk.done(f"The files are in {result.rescued} of the workspace.")
    return not keep.files


# doing it ----------------------------------------------------------------------------------------------


def _do(
    call: Call, wish: Wish, request: LaunchRequest, meanwhile: Callable[[], None] = lambda: None
) -> LaunchEvent:  # fmt: skip
    begun = [call.client.launch_now(request)]
    from ds01.cli.waiting import follow, wants_to_wait  # what shows it is loaded while ds01d begins

    def launches() -> Iterator[LaunchEvent]:
        events = begun.pop() if begun else call.client.launch(request)
        yield from islice(events, 1)
        meanwhile()
        yield from events

    try:
        return follow(call, request.name, launches, stays=request.stays)
    except Ds01Error as error:
        if wish.wait is not None or not wants_to_wait(call, error):
            raise
    waits = replace(request, wait=True)
    return follow(call, request.name, lambda: call.client.launch(waits), stays=request.stays)


def _meanwhile(target: Target, shell: FirstShell | None) -> None:
    """What can be done while ds01d makes the container: what the shell is shown with is loaded, too."""
    if shell is not None:
        import ds01.cli.shell
        import ds01.client.pump  # noqa: F401
    if target.project is not None:
        from ds01.projects import editor_files

        editor_files.renew(target.project)
        file.keep(target.project.folder)


def _show_plan(call: Call, plan: LaunchPlan) -> None:
    talk = call.talk
    if talk.json:
        talk.emit(plan)
        return
    if not plan.steps:
        talk.say(f"{plan.name} runs already; launch would step in.")
    for number, step in enumerate(plan.steps, 1):
        talk.say(f"{number}. {step}")
    if plan.stale:
        talk.say(f"It is stale: {plan.stale}. --recreate would replace it.")
    talk.say("Nothing was changed.")


def told(container: ContainerView) -> str:
    """A running container in one sentence."""
    from ds01.cli import show

    gpus = f", with {show.which_gpus(container.gpus)}" if container.gpus else ", without a GPU"
    return f"{container.name} is {container.state}{gpus}."
