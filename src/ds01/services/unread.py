"""Notices of what has happened are open until their owner meets them in a ds01 command. Who never types one, because
she works with docker or in her editor alone, was told by other channels: after a while they are over all the same.

She still meets them if she comes back: over is not read.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta

from ds01.ports.ledger import Books
from ds01.services.world import World

_log = logging.getLogger(__name__)

KEEP = timedelta(days=90)
AT_ONCE = 200
"""Notices in one transaction: whoever wants to write meanwhile waits for no more than these."""


async def end(world: World) -> int:
    """End those that nobody read for so long; how many."""
    ended = 0
    while some := await world.ledger.write(lambda books: _end(books, world)):
        ended += some
    if ended:
        _log.info("notices that nobody read are over", extra={"notices": ended})
    return ended


def _end(books: Books, world: World) -> int:
    now = world.clock.now()
    old = books.unread_notices(now - KEEP, AT_ONCE)
    for notice in old:
        books.put_notice(replace(notice, ended_at=now))
    return len(old)
