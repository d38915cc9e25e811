"""A create through Docker when no GPU is free: refused in Docker's words, or waiting as long as its client said.

A Docker client has no command that waits, so what it is told is what to add to the one it has, and where to look.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from ds01.domain.dockerpolicy.waiting import LABEL, VARIABLE
from ds01.domain.errors import GPU_FULL, REQUEST_ENDED, Ds01Error
from ds01.services.caller import Caller
from ds01.services.lease import Want
from ds01.services.moments import lasting
from ds01.services.queue.wait import Patience, wait_for_turn
from ds01.services.steps import Abandoned, Steps
from ds01.services.world import World

T = TypeVar("T")

_WAIT = f"-e {VARIABLE}=10m, or the label {LABEL}=10m"


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
        raise in_docker(error, waited=True) from error


def in_docker(error: Ds01Error, *, waited: bool = False) -> Ds01Error:
    """The same refusal for somebody who has Docker only: what is the case in the message, what to do in the hint."""
    problem = error.problem
    if problem.kind is not GPU_FULL or "place" not in problem.details:
        return error
    why = f" {problem.reason[0].upper()}{problem.reason[1:]}." if problem.reason else ""
    hint = _hint(problem.details.get("fits_now", ""), waited)
    return Ds01Error(problem.kind, problem.message + why, hint=hint, **problem.details)


def _hint(fits: str, waited: bool) -> str:
    now = f"This would start now: {fits}. " if fits else ""
    wait = "" if waited else f"{'Or wait' if fits else 'Wait'} for your turn: {_WAIT}. "
    return f"{now}{wait}Who waits: ds01 queue"
