"""The queue: who waits, taking one's turn, giving up."""

from __future__ import annotations

from fastapi import APIRouter

from ds01.api.identity import Everybody, TheCaller, TheWorld
from ds01.api.routers.launches import STREAM, outcome
from ds01.api.stream import Client, Lines
from ds01.services import launch as launching
from ds01.services.queue import give_up, show
from ds01.wire.queue import PlaceView, QueueView

router = APIRouter(prefix="/queue", tags=["queue"])


@router.get("")
async def show_queue(world: TheWorld, caller: TheCaller, everybody: Everybody) -> QueueView:
    """The caller's places, and how many others wait."""
    return await show.show(world, caller, everybody=everybody)


@router.post("/{name}/claim", response_class=Lines, responses=STREAM)
async def claim(world: TheWorld, caller: TheCaller, name: str) -> Lines:
    """Take the GPUs that are kept for this name: launch it as it was asked for."""

    async def work(client: Client) -> None:
        client.say(await outcome(world, caller, lambda steps: launching.claim(world, caller, name, steps), client))

    return Lines(work)


@router.delete("/{name}")
async def cancel(world: TheWorld, caller: TheCaller, name: str) -> PlaceView:
    """Give a place up; what was kept for it goes back. The answer is the place as it was."""
    return await give_up.give_up(world, caller, name)
