"""Waiting for one's turn with an open connection: told what the queue says, woken when the turn comes.

Whoever hangs up gives her place up, unless she said that it stays. A ds01d that stops or dies gives up nothing: the
place is in the ledger, and asking again under the same name finds it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from ds01.domain.errors import REQUEST_ENDED, Ds01Error
from ds01.domain.queue.request import Request, RequestId, RequestState
from ds01.ports.ledger import Books
from ds01.services.caller import Caller
from ds01.services.lease import Want
from ds01.services.queue import turn
from ds01.services.queue.join import join
from ds01.services.queue.place import place
from ds01.services.steps import Abandoned, Steps
from ds01.services.world import World


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How somebody waits: ``at_most`` so long, and whether her place ``stays`` when she hangs up."""

    at_most: timedelta | None = None
    stays: bool = False


async def wait_for_turn(
    world: World, caller: Caller, want: Want, patience: Patience, steps: Steps, *, order: str
) -> None:
    """Get a place and return when slots are kept for it. Raises Ds01Error, or Abandoned when she hung up."""
    now = world.clock.now()
    until = None if patience.at_most is None else now + patience.at_most
    request = await world.ledger.write(lambda books: join(books, want, now, order=order, wait_until=until))
    async with _present(world, caller, request, patience):
        while not await _come(world, request.id):
            last = world.line.outlook
            steps.waits(last.places.get(request.id) or await place(world, request.id))
            await world.line.next(last.number, steps.left)
            steps.check()


async def hung_up(world: World, caller: Caller, name: str) -> None:
    """Whoever waited hung up while she took her turn: it is given up, unless somebody else waits for the same."""

    def write(books: Books) -> None:
        request = turn.named(books, caller.owner, name)
        if request is not None and not world.line.somebody(request.id):
            _give_up(books, world, caller, request.id)

    await world.ledger.write(write)


@asynccontextmanager
async def _present(world: World, caller: Caller, request: Request, patience: Patience) -> AsyncIterator[None]:
    """The last one to hang up gives the place up, unless somebody said that it stays."""
    line = world.line
    line.arrive(request.id, stays=patience.stays)
    abandoned = False
    try:
        yield
    except Abandoned:
        abandoned = True
        raise
    finally:
        if line.leave(request.id) and abandoned:
            await world.ledger.write(lambda books: _give_up(books, world, caller, request.id))


async def _come(world: World, request: RequestId) -> bool:
    """Whether her turn has come. Raises Ds01Error when it never will."""
    current = await world.ledger.read(lambda books: books.request(request))
    if current is None or current.state in (RequestState.CANCELLED, RequestState.EXPIRED):
        raise ended(current)
    return current.state in (RequestState.RESERVED, RequestState.TAKEN)


def ended(request: Request | None) -> Ds01Error:
    """She waits no more, and why."""
    name = request.name if request is not None else ""
    why = request.reason if request is not None else ""
    return Ds01Error(
        REQUEST_ENDED, f"'{name}' does not wait any more" + (f": {why}." if why else ": its place was given up."),
        hint=f"Ask again: ds01 launch {name} --wait",
    )  # fmt: skip


def _give_up(books: Books, world: World, caller: Caller, request: RequestId) -> None:
    current = books.request(request)
    if current is not None and current.state.open:
        turn.give_up(books, current, world.clock.now(), actor=caller.actor, reason="whoever waited hung up")
