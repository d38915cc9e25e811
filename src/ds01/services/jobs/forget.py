"""Forgetting jobs that ended long ago: the ledger does not grow for ever. What they used, what happened to them, and
their logs in the workspace are kept elsewhere and stay.

A user's latest job is never forgotten, because her next one is numbered after it and writes its log in a folder of that
number; nor is one that a job which has not ended comes after.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from ds01.domain.jobs.after import read
from ds01.domain.people import Uid
from ds01.ports.ledger import Books
from ds01.services.world import World

_log = logging.getLogger(__name__)

AT_ONCE = 200
"""Submissions in one transaction: whoever wants to write meanwhile waits for no more than these."""

Submission = tuple[Uid, int]


async def forget(world: World) -> int:
    """Those that ended longer ago than the limits file says; how many submissions."""
    keep = world.settings().keep.jobs
    if keep is None:
        return 0
    before = world.clock.now() - keep
    old = await world.ledger.read(lambda books: books.ended_jobs(before))
    gone = 0
    for start in range(0, len(old), AT_ONCE):
        gone += await _forget(world, old[start : start + AT_ONCE])
    if gone:
        _log.info("old jobs forgotten", extra={"submissions": gone})
    return gone


async def _forget(world: World, some: Sequence[Submission]) -> int:
    """What has ended stays so; only what comes after it may be new."""

    def write(books: Books) -> int:
        wanted = _wanted(books)
        going = [each for each in some if each not in wanted]
        for uid, number in going:
            books.drop_jobs(uid, number)
        return len(going)

    return await world.ledger.write(write)


def _wanted(books: Books) -> set[Submission]:
    """What a job that has not ended comes after."""
    return {(job.uid, read(kept).number) for job in books.open_jobs() for kept in job.after}
