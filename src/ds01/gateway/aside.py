"""What takes long to judge is judged beside everybody's requests, which get their turn every few milliseconds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from ds01.gateway.owner import Owner

P = ParamSpec("P")
T = TypeVar("T")

SHORT = 4096
"""Characters that are judged where they are read: a thread costs more."""


async def judged(owner: Owner, length: int, judge: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What ``judge`` says of a text of this many characters of ``owner``'s. Raises what it raises."""
    if length <= SHORT:
        return judge(*args, **kwargs)
    await owner.aside.acquire()
    work = asyncio.ensure_future(asyncio.to_thread(judge, *args, **kwargs))
    work.add_done_callback(lambda _: owner.aside.release())
    return await asyncio.shield(work)  # the thread goes on when nobody waits for it any more
