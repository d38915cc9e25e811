"""Giving back a lease that nothing came of, at once or, when the disk is full, as soon as it can be written down.

A reservation would expire by itself, but not before minutes have passed, and its GPU would wait for nobody meanwhile.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

from ds01.domain.errors import Ds01Error
from ds01.domain.lease import Lease, LeaseId
from ds01.ports.ledger import Books
from ds01.services.running import give_back, put_back
from ds01.services.world import World

_log = logging.getLogger(__name__)


async def hand_back(world: World, lease: Lease, why: str, *, before: Lease | None = None) -> None:
    """Give a lease back, or make it what it was ``before``. Raises Ds01Error when the latter cannot be written."""
    try:
        await world.ledger.write(lambda books: put_back(books, lease, before, why, world.clock.now()))
    except Ds01Error as error:
        if before is not None:
            raise
        _log.warning("a GPU is given back later", extra={"lease": lease.id, "why": error.problem.message})
        world.owed.add(lease.id, why)


async def settle_owed(world: World) -> None:
    """Give back what could not be given back before. A disk that is still full keeps nobody from anything else, and
    nothing is forgotten.
    """
    if not world.owed:
        return
    try:
        world.owed.forget(await world.ledger.write(lambda books: _give_back(books, world, world.owed.all())))
    except Ds01Error as error:
        _log.warning("GPUs cannot be given back yet", extra={"why": error.problem.message})


def _give_back(books: Books, world: World, owed: Mapping[LeaseId, str]) -> list[LeaseId]:
    """Those that are done with. A reservation somebody has taken up since is hers; one in work may be taken up yet."""
    done = []
    for lease_id, why in owed.items():
        lease = books.lease(lease_id)
        if lease is not None and world.locks.busy(lease.uid, lease.name):
            continue
        if lease is not None and lease.container is None:
            give_back(books, lease, why, world.clock.now())
        done.append(lease_id)
    return done
