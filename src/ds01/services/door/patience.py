"""A create through Docker when no GPU is free: refused in Docker's words, or waiting as long as its client said.

A Docker client has no command that waits, so what it is told is where to look, not what to type instead.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from ds01.domain.errors import GPU_FULL, REQUEST_ENDED, Ds01Error
from ds01.services.caller import Caller
from ds01.services.lease import Want
from ds01.services.moments import lasting
from ds01.services.queue.wait import Patience, wait_for_turn
from ds01.services.steps import Abandoned, Steps
from ds01.services.world import World

T = TypeVar("T")


async def patiently(
    world: World, caller: Caller, want: Want, seconds: int, steps: Steps, attempt: Callable[[], Awaitable[T]]
) -> T:
    """Do it, after waiting for GPUs at most so many seconds: whoever waited in vain is told where she would stand.

    Raises Ds01Error.
    """
    try:
        return await attempt()
    except Ds01Error as error:
        if error.kind is not GPU_FULL or not seconds:
            raise in_docker(error) from error
    patience = Patience(at_most=lasting(seconds))
    try:
        await wait_for_turn(world, caller, want, patience, steps, order="")
    except Abandoned as gone:
        raise Ds01Error(REQUEST_ENDED, "Whoever waited hung up.") from gone
    except Ds01Error as error:
        if error.kind is not REQUEST_ENDED:
            raise
    try:
        return await attempt()
    except Ds01Error as error:
        raise in_docker(error) from error


def in_docker(error: Ds01Error) -> Ds01Error:
    """The same refusal for somebody who has Docker only."""
    problem = error.problem
    if problem.kind is not GPU_FULL or "place" not in problem.details:
        return error
    fits = problem.details.get("fits_now", "")
    hint = f"This would start now: {fits}. Who waits: ds01 queue" if fits else "Who waits: ds01 queue"
    return Ds01Error(problem.kind, problem.message, reason=problem.reason, hint=hint, **problem.details)
