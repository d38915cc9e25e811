"""Waiting for a piece of work whatever becomes of it, so that what it raised is an answer and not an interruption."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

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
