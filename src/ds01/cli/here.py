"""Which container is meant: the one named, else that of the project one stands in, else the only one there is."""

from __future__ import annotations

import os

from ds01.cli.call import Call
from ds01.domain.doors import BY_DOCKER
from ds01.domain.errors import BAD_REQUEST, NO_CONTAINER, Ds01Error
from ds01.domain.names import nearest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ds01.wire.containers import ContainerView

WORKSPACES = "workspace"


def whose(call: Call, user: str | None, reason: str | None = None) -> None:
    """Whose things the command is about, when an admin names somebody, and why."""
    if reason and not user:
        raise Ds01Error(BAD_REQUEST, "--reason goes with --user.", reason="It is for whoever's container it is.")
    call.user, call.reason = user or "", reason or ""


def meant(call: Call, name: str | None) -> str:
    """The name of the container that is meant. Raises Ds01Error when it cannot be known.

    Of somebody else's it is never the project one stands in.
    """
    call.wanted = name or ("" if call.user else project_here(call))
    return call.wanted or _only_one(call)


def _only_one(call: Call) -> str:
    mine = [container.name for container in call.client.containers(user=call.user)]
    if len(mine) == 1:
        return mine[0]
    if call.user:
        raise Ds01Error(
            BAD_REQUEST, "Which container?" if mine else f"{call.user} has no container.",
            reason=f"{call.user} has {', '.join(mine)}." if mine else "",
            hint=f"Name one: ds01 {call.path.removeprefix('container ')} {mine[0]}{call.whose}" if mine else "",
        )  # fmt: skip
    raise Ds01Error(
        BAD_REQUEST,
        "Which container?" if mine else "You have no container.",
        reason=f"You have {', '.join(mine)}, and this folder belongs to no project." if mine else "",
        hint=f"Name one: ds01 {call.path.removeprefix('container ')} {mine[0]}" if mine else "ds01 launch",
    )


def project_here(call: Call) -> str:
    """The project whose folder the command was typed in, or ``""``."""
    try:
        here = os.path.realpath(call.here)
    except FileNotFoundError:  # the folder was removed meanwhile
        return ""
    inside = os.path.relpath(here, os.path.join(os.path.realpath(call.home), WORKSPACES))
    first = inside.split(os.sep)[0]
    return "" if first in (".", "..") else first


def has_project(call: Call, name: str) -> bool:
    """Whether the user has a project of this name, which a launch would make a container of."""
    from ds01.projects import file  # reads TOML, and only an error asks

    return file.has_file(os.path.join(call.home, WORKSPACES, name))


def by_docker(door: str) -> bool:
    """Whether a container came to be through one of Docker's own clients."""
    return door in BY_DOCKER


def back_in(container: ContainerView) -> str:
    """The command that takes her into a container again, started where it does not run."""
    if not by_docker(container.door):
        return f"ds01 launch {container.name}"
    return f"ds01 {'attach' if container.state == 'running' else 'start'} {container.name}"


def again(call: Call, name: str, project: str, door: str) -> tuple[str, ...]:
    """The launch that makes a container that is gone again. None of what came through Docker makes one: that is of no
    project, unless the user has one of this name.
    """
    wanted = project or name
    return () if by_docker(door) and not has_project(call, wanted) else (f"ds01 launch {wanted}",)


def with_nearest(call: Call, error: Ds01Error) -> Ds01Error:
    """The same error, with the name that was probably meant when there is no such container."""
    problem = error.problem
    if problem.kind != NO_CONTAINER or not call.wanted or "mean" in problem.message + problem.hint:
        return error
    try:
        close = nearest(call.wanted, [container.name for container in call.client.containers(user=call.user)])
    except Ds01Error:
        return error
    if close is None and not call.user and has_project(call, call.wanted):
        return Ds01Error(problem.kind, problem.message, reason=problem.reason, hint=f"ds01 launch {call.wanted}")
    if close is None:
        return error
    return Ds01Error(problem.kind, problem.message, reason=problem.reason, hint=f"Did you mean '{close}'?")
