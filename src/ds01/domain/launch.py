"""What a launch does, decided from what exists: the one idempotent verb.

Running: attach. Paused: unpause. Stopped: start. None: create, after a build when the image is missing or behind the
project file. A container is never replaced by itself: a rebuilt image makes it *stale*, and only ``recreate`` acts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

from ds01.domain.container import Container, ContainerState, Door
from ds01.domain.errors import BAD_WORKSPACE, CONTAINER_QUOTA, WRONG_STATE, Ds01Error
from ds01.domain.image import UNBUILT, Image, stale_reason
from ds01.domain.limits import Limits


class Action(StrEnum):
    """What a launch does with the container."""

    ATTACH = "attach"
    UNPAUSE = "unpause"
    START = "start"
    CREATE = "create"
    RECREATE = "recreate"

    @property
    def creates(self) -> bool:
        """Whether a container is made, for which an image must be there."""
        return self in (Action.CREATE, Action.RECREATE)


@dataclass(frozen=True, kw_only=True)
class Situation:
    """What exists when somebody launches.

    ``image`` is what the wanted reference names now. ``own`` says that it is the project's image, to be built from
    its recipe with hash ``spec`` on a base whose image id is ``base`` (``""`` where unknown).
    """

    container: Container | None
    image: Image | None
    own: bool
    spec: str = ""
    base: str = ""
    recreate: bool = False


@dataclass(frozen=True, kw_only=True)
class Decision:
    """``build`` is why the image must be built first; ``stale`` why an existing container is behind its image."""

    action: Action
    build: str = ""
    stale: str = ""


def decide(situation: Situation) -> Decision:
    """Raises Ds01Error (``container.state``) for a container that is out of service."""
    action = _action(situation)
    if action.creates:
        return Decision(action=action, build=_build(situation))
    return Decision(action=action, stale=_stale(situation))


def _action(situation: Situation) -> Action:
    container = situation.container
    if container is None:
        return Action.CREATE
    if container.state is ContainerState.QUARANTINED:
        raise out_of_service(container)
    if container.door is Door.JOB and (situation.recreate or container.state is not ContainerState.RUNNING):
        raise of_a_job(container)
    return Action.RECREATE if situation.recreate else _existing(container.state)


def _existing(state: ContainerState) -> Action:
    match state:
        case ContainerState.RUNNING:
            return Action.ATTACH
        case ContainerState.PAUSED:
            return Action.UNPAUSE
        case ContainerState.STOPPED | ContainerState.CREATING:
            return Action.START
        case ContainerState.REMOVED | ContainerState.QUARANTINED:
            return Action.CREATE
        case _:
            assert_never(state)


def _build(situation: Situation) -> str:
    if not situation.own:
        return ""
    if situation.image is None:
        return UNBUILT
    return stale_reason(situation.image, situation.spec, situation.base)


def _stale(situation: Situation) -> str:
    container, image = situation.container, situation.image
    if container is None or image is None:
        return ""
    return container_stale(container, image.id) or (_build(situation) if situation.own else "")


def container_stale(container: Container, latest: str) -> str:
    """Why a container is behind the image its name stands for now; ``""`` when it is not."""
    return "its image was rebuilt since" if latest and container.image != latest else ""


def check_containers(containers: Sequence[Container], limits: Limits) -> None:
    """Raises Ds01Error (``container.quota``) when one more container of this user would be too many."""
    limit = limits.containers
    if limit is None or len(containers) < limit:
        return
    names = sorted(container.name for container in containers)
    idle = next((c.name for c in containers if c.state is ContainerState.STOPPED), names[0] if names else "NAME")
    source = limits.sources["containers"].source
    raise Ds01Error(
        CONTAINER_QUOTA,
        f"You have {len(names)} of {limit} containers: {', '.join(names)}.",
        reason=f"The limit of {limit} comes from {source}.",
        hint=f"ds01 retire {idle}",
        used=str(len(names)),
        limit=str(limit),
        source=source,
    )


def check_workspace(workspace: str) -> None:
    """Raises Ds01Error where none was named for a container of DS01's own: work in it would go with it."""
    if not workspace:
        raise Ds01Error(
            BAD_WORKSPACE, "A container of DS01's has a workspace, and none was named.",
            reason="Work that is not in one goes with the container.", hint="Name a folder of yours: --workspace DIR",
        )  # fmt: skip


def of_a_job(container: Container) -> Ds01Error:
    """The error for whoever would start or replace a job's container."""
    return Ds01Error(
        WRONG_STATE,
        f"'{container.name}' is a job.",
        reason="A job runs once, in a container of its own.",
        hint="Run it again: ds01 run -- COMMAND" if container.state is ContainerState.STOPPED
        else f"Look into it: ds01 attach {container.name}",
    )  # fmt: skip


def out_of_service(container: Container) -> Ds01Error:
    """The error for every verb but removal on a quarantined container."""
    return Ds01Error(
        WRONG_STATE,
        f"Container '{container.name}' is out of service.",
        reason=container.reason_detail or "DS01 found it using a GPU that is not leased to it.",
        hint=f"ds01 why {container.name}",
    )
