"""Notices of what has happened are open until their owner meets them in a ds01 command. Who never types one, because
she works with docker or in her editor alone, was told by other channels: after a while they are over all the same.

She still meets them if she comes back: over is not read. Long after they are over, notices are forgotten: each has its
whole text, a lab's make more bytes in a year than its events, and what was told, when and by what is an event as well.
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


async def forget(world: World) -> int:
    """Those that were over longer ago than the limits file says; how many."""
    keep = world.settings().keep.notices
    if keep is None:
        return 0
    before, gone = world.clock.now() - keep, 0
    while some := await world.ledger.write(lambda books: books.drop_notices(before, AT_ONCE)):
        gone += some
    if gone:
        _log.info("old notices forgotten", extra={"notices": gone})
    return gone


def _end(books: Books, world: World) -> int:
    now = world.clock.now()
    old = books.unread_notices(now - KEEP, AT_ONCE)
    for notice in old:
        books.put_notice(replace(notice, ended_at=now))
    return len(old)
