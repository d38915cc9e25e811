"""Builds a project's image: as the user, through a Docker socket (the gateway's; the engine's is the same to it).

Decides first whether there is anything to do: an image whose labels carry the recipe's hash and the digest of the base
as it is now needs no build. The build itself is one request whose answer is the log; ending the connection (Ctrl-C)
ends the build, and the image of before stays.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from datetime import datetime
from typing import Any

from ds01.client.docker import Docker
from ds01.client.http import BadAnswerError
from ds01.domain.errors import BUILD_FAILED, ENGINE_ERROR, NO_IMAGE, NOT_ALLOWED, Ds01Error
from ds01.domain.labels import Label
from ds01.domain.names import image_reference, image_repository
from ds01.domain.people import User
from ds01.domain.record import record, replace
from ds01.projects import context, dockerfile
from ds01.projects.buildlog import BuildEvent, BuildLog
from ds01.projects.diagnosis import diagnose
from ds01.projects.recipe import Recipe

SHOWN_LINES = 12
LINE_LENGTH = 160


@record
class Order:
    """What to build and for whom. ``socket`` is the Docker socket; ``anew`` ignores what was built before."""

    socket: str
    owner: User
    project: str
    folder: str
    recipe: Recipe
    anew: bool = False

    @property
    def reference(self) -> str:
        """The name of the project's image."""
        return image_reference(self.owner.uid, self.project)


@record
class Built:
    """The image a project has now. ``changed`` is False when it was this one already."""

    image_id: str
    reference: str
    spec: str
    changed: bool
    tag: str = ""
    seconds: float = 0.0
    installs: tuple[str, ...] = ()
    """What it has on top of the base, as it was resolved before."""


def quiet(_: BuildEvent) -> None:
    """For callers that do not want to hear of the steps."""


def build(order: Order, *, now: datetime, say: Callable[[BuildEvent], None] = quiet) -> Built:
    """Make the project's image what its recipe says. Raises Ds01Error (``image.build`` with the likely cause)."""
    began = time.monotonic()
    before = inspect(order.socket, order.reference)
    base = fetch_base(order, say)
    if before is not None and not order.anew and _current(before, order.recipe, base):
        return Built(image_id=str(before["Id"]), reference=order.reference, spec=order.recipe.spec, changed=False)
    tag = f"{image_repository(order.owner.uid, order.project)}:{now:%Y%m%d-%H%M%S}"
    pieces = context.pieces(_sent(order, base), order.folder)
    image = _run(order, _parameters(order, base, tag, now), pieces, say)
    return Built(
        image_id=image, reference=order.reference, spec=order.recipe.spec, tag=tag,
        changed=before is None or before["Id"] != image, seconds=round(time.monotonic() - began, 2),
    )  # fmt: skip


def inspect(socket: str, reference: str) -> dict[str, Any] | None:
    """An image as the engine describes it, or None. Raises Ds01Error."""
    return Docker(socket).image(reference)


def labels(image: Mapping[str, Any]) -> dict[str, str]:
    """The labels of an inspected image."""
    return dict((image.get("Config") or {}).get("Labels") or {})


def _current(image: Mapping[str, Any], recipe: Recipe, base: str) -> bool:
    """A user's own Dockerfile copies files whose content only the engine compares: it is always asked."""
    found = labels(image)
    return recipe.generated and found.get(Label.SPEC) == recipe.spec and found.get(Label.BASE) == base


def _sent(order: Order, base: str) -> Recipe:
    """The recipe as it is sent. BuildKit gets pip's cache with it, but for a build that takes nothing from before.

    What is sent is not what is hashed and written down: the image is the same, whoever builds it.
    """
    recipe, owner = order.recipe, order.owner
    if not recipe.buildkit or order.anew:
        return recipe
    return replace(recipe, dockerfile=dockerfile.mounted(recipe.steps, base, owner.uid, owner.gid))


_FETCHING = "Fetching the base"


def fetch_base(order: Order, say: Callable[[BuildEvent], None] = quiet) -> str:
    """The id of the base image; fetched first when it is not here, so that the image can be labelled with it."""
    if not order.recipe.base:
        return ""
    found = inspect(order.socket, order.recipe.base)
    if found is not None:
        return str(found["Id"])
    only = replace(
        order.recipe, dockerfile=f"FROM {order.recipe.base}\n", context={}, titles=(_FETCHING,), buildkit=False
    )  # fmt: skip
    try:
        return _run(replace(order, recipe=only), {"rm": "1"}, context.pieces(only, order.folder), say)
    except Ds01Error as error:
        if error.kind is BUILD_FAILED:
            raise _not_fetched(order.recipe, error) from error
        if error.kind is not NOT_ALLOWED:
            raise
        raise Ds01Error(
            NO_IMAGE, f"There is no base '{order.recipe.base}' on this server that you may build on.",
            reason=error.problem.message,
            hint="Write base = \"minimal\" under [image], or ask your admin to add it (images.bases in limits.yaml).",
        ) from error  # fmt: skip


def _not_fetched(recipe: Recipe, error: Ds01Error) -> Ds01Error:
    """Why the base could not be fetched, and what can be built on all the same."""
    here = " or ".join(f'base = "{name}"' for name in recipe.here)
    hint = f"These are here already, and build without a registry: {here} under [image]." if here else ""
    return Ds01Error(
        BUILD_FAILED, f"The base {recipe.base} could not be fetched. {error.problem.message}",
        reason=error.problem.reason, hint=hint or error.problem.hint,
    )  # fmt: skip


def _parameters(order: Order, base: str, tag: str, now: datetime) -> dict[str, Any]:
    recipe = order.recipe
    owner = order.owner
    arguments = {
        "DS01_UID": str(owner.uid), "DS01_GID": str(owner.gid), "DS01_USER": owner.name_inside,
        "DS01_PROJECT": order.project,
    }  # fmt: skip
    marks = {Label.SPEC: recipe.spec, Label.PROJECT: order.project}
    if recipe.generated:  # a time would make every rebuild of a user's own Dockerfile another image
        marks |= {Label.BASE: base, Label.BUILT_AT: now.isoformat(timespec="seconds"), Label.PACKAGES: recipe.asked}
    return {
        "t": [order.reference, tag],
        "dockerfile": recipe.path,
        "buildargs": json.dumps({**recipe.environment, **arguments}),
        "labels": json.dumps(marks),
        "rm": "1",
        "forcerm": "1",
        **({"nocache": "1"} if order.anew else {}),
        **({"version": "2"} if recipe.buildkit else {}),
    }


def _run(
    order: Order, parameters: Mapping[str, object], body: Iterator[bytes], say: Callable[[BuildEvent], None]
) -> str:
    """One build; returns the image's id."""
    log = _log(order.recipe, say)
    try:
        with closing(Docker(order.socket).build(body, parameters)) as messages:
            for message in messages:
                log.read(message)
    except (OSError, BadAnswerError) as failure:
        raise _ended(failure) from failure
    except Ds01Error as error:
        raise _refused(error) from error
    log.end()
    if log.error or not log.image_id:
        raise _failed(order.project, log)
    return log.image_id


def _log(recipe: Recipe, say: Callable[[BuildEvent], None]) -> BuildLog:
    if not recipe.buildkit:
        return BuildLog(recipe.titles, say, time.monotonic)
    from ds01.projects.kitlog import KitLog  # only where BuildKit builds

    return KitLog(dockerfile.counted(recipe.steps), say, time.monotonic)


def _refused(error: Ds01Error) -> Ds01Error:
    """What is wrong with a Dockerfile is told before the first step; anything else speaks for itself."""
    if error.kind is not ENGINE_ERROR:
        return error
    found = diagnose([], error.problem.message)
    return Ds01Error(found.kind, f"The image did not build: {found.cause}.", hint=found.hint)


def _failed(project: str, log: BuildLog) -> Ds01Error:
    found = diagnose(tuple(log.lines), log.error)
    last = list(log.lines)[-SHOWN_LINES:] or [log.error]
    return Ds01Error(
        found.kind,
        f"The image of '{project}' did not build: {found.cause}.",
        reason="\n".join([f"It failed at: {log.title or 'the engine'}.", *(f"  {_short(line)}" for line in last)]),
        hint=found.hint,
        step=log.title,
    )


def _short(line: str) -> str:
    return line if len(line) <= LINE_LENGTH else line[: LINE_LENGTH - 1] + "…"


def _ended(failure: Exception) -> Ds01Error:
    return Ds01Error(
        BUILD_FAILED, "The connection to the engine ended in the middle of the build.",
        reason=f"{failure}. The image of before is still there.", hint="Build again; steps that were done are kept.",
    )  # fmt: skip
