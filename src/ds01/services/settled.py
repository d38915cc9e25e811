"""Waiting for a piece of work whatever becomes of it, so that what it raised is an answer and not an interruption."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import TypeVar

from ds01.domain.errors import ENGINE_DOWN, Ds01Error

T = TypeVar("T")


async def settled(work: Awaitable[T]) -> asyncio.Future[T]:
    """Run it to its end: what comes back has its result or its exception. Whoever cancels us cancels it, and waits
    until it has taken back what it began.
    """
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait({task})
    except asyncio.CancelledError:
        task.cancel()
        await asyncio.wait({task})
        raise
    return task


@asynccontextmanager
async def beside(work: Awaitable[T]) -> AsyncIterator[asyncio.Future[T]]:
    """``work`` goes on beside the block, which waits for it where it needs what comes of it. However the block is left,
    it is over then.
    """
    task = asyncio.ensure_future(work)
    try:
        yield task
    finally:
        if not (await settled(task)).cancelled():
            task.exception()  # somebody has looked: who left the block before has another reason


async def settle_each(steps: Iterable[Callable[[], Awaitable[object]]]) -> list[BaseException]:
    """Take every step and return what failed. Without the engine there is no next step."""
    failed: list[BaseException] = []
    for step in steps:
        error = (await settled(step())).exception()
        if isinstance(error, Ds01Error) and error.kind is ENGINE_DOWN:
            raise error
        if error is not None:
            failed.append(error)
    return failed


async def settle_together(steps: Iterable[Callable[[], Awaitable[object]]]) -> list[BaseException]:
    """Take all steps at once and return what failed. Whoever cancels us cancels them, and waits for them."""
    tasks = [asyncio.ensure_future(step()) for step in steps]
    if not tasks:
        return []
    try:
        await asyncio.wait(tasks)
    except asyncio.CancelledError:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        raise
    return [error for task in tasks if (error := task.exception()) is not None]


def raise_first(failed: Sequence[BaseException]) -> None:
    """The first stands for all: the next round tells of the others."""
    if failed:
        raise failed[0]
