"""What goes on long after its request was judged: terminals, logs, events, sessions, BuildKit's connections.

A stream can last for days. Meanwhile its user's account may be deleted or its uid be somebody else's, she may be no
admin any more, and DS01 may have put the container out of service. Then it ends, as soon as ds01d says so.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from ds01.wire.door import DoorUser

LAST_SECONDS = 5
"""How long a gateway that stops waits for what must still be done."""

T = TypeVar("T")


def _not_yet() -> asyncio.Future[None]:
    return asyncio.get_running_loop().create_future()


@dataclass(kw_only=True, eq=False)
class Going:
    """One stream of ``user``'s. ``subject`` is the container it is about, or another id that no container has."""

    user: DoorUser
    subject: str = ""
    over: asyncio.Future[None] = field(default_factory=_not_yet)


class Ongoing:
    """All that go on."""

    def __init__(self) -> None:
        self._going: set[Going] = set()

    @contextmanager
    def going(self, user: DoorUser, subject: str) -> Iterator[Going]:
        """For as long as it lasts. Whoever serves it stops when it is over."""
        one = Going(user=user, subject=subject)
        self._going.add(one)
        try:
            yield one
        finally:
            self._going.discard(one)

    def uids(self) -> set[int]:
        """Whose they are."""
        return {one.user.uid for one in self._going}

    def end(self, ends: Callable[[Going], bool]) -> None:
        """End those of which this is true."""
        for one in self._going:
            if ends(one) and not one.over.done():
                one.over.set_result(None)


async def while_there(leaving: asyncio.Future[None], work: Coroutine[Any, Any, T]) -> T:
    """Do ``work`` until ``leaving`` is done. Raises ConnectionError when that comes first."""
    try:
        async with asyncio.timeout(None) as bound:
            leave = partial(_leave, bound)
            leaving.add_done_callback(leave)
            try:
                return await work
            finally:
                leaving.remove_done_callback(leave)
    except TimeoutError as error:
        if bound.expired():
            raise ConnectionResetError("the client left") from error
        raise


async def before_the_end(work: Coroutine[Any, Any, None]) -> None:
    """Do ``work`` though its request is broken off, because the gateway stops. Raises TimeoutError when it takes long;
    then it goes on for as long as there is a loop. (``asyncio.timeout`` of Python 3.11.2 raises CancelledError instead
    in a task that was cancelled before.)
    """
    doing = asyncio.ensure_future(work)
    done, _ = await asyncio.wait((doing,), timeout=LAST_SECONDS)
    if not done:
        doing.add_done_callback(_heard)
        raise TimeoutError
    await doing


def _heard(done: asyncio.Future[None]) -> None:
    """Whoever would want to know how it ended is not there any more."""
    if not done.cancelled():
        done.exception()


def _leave(bound: asyncio.Timeout, leaving: asyncio.Future[None]) -> None:
    """Break off now; where the work ended in the same moment there is nothing to break off."""
    del leaving
    with contextlib.suppress(RuntimeError):
        bound.reschedule(0)
