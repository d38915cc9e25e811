"""Classes: opening one, seeing who is in, closing it, and what its people launch with."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from ds01.api.identity import Everybody, TheCaller, TheWorld
from ds01.services.booking import classes, close, room
from ds01.wire.classes import ClassClosed, ClassOpened, ClassRequest, ClassSeat, ClassView

router = APIRouter(prefix="/classes", tags=["classes"])

AllDates = Annotated[bool, Query(description="Also all dates that are to come")]
CheckOnly = Annotated[bool, Query(description="Only say what would be closed")]


@router.get("")
async def list_classes(world: TheWorld, caller: TheCaller, everybody: Everybody) -> tuple[ClassView, ...]:
    """The classes the caller opened and those she is in."""
    return await room.list_classes(world, caller, everybody=everybody)


@router.post("")
async def open_class(world: TheWorld, caller: TheCaller, request: ClassRequest) -> ClassOpened:
    """Book seats for everybody on a roster. A roster with mistakes is refused with all of them."""
    return await classes.open_class(world, caller, request)


@router.get("/{name}")
async def show(world: TheWorld, caller: TheCaller, name: str) -> ClassView:
    """The instructor's view: who is in, who waits, who has not come, on which GPU."""
    return await room.show_class(world, caller, name)


@router.get("/{name}/seat")
async def seat(world: TheWorld, caller: TheCaller, name: str) -> ClassSeat:
    """What somebody on the roster launches with."""
    return await classes.seat_of(world, caller, name)


@router.delete("/{name}")
async def close_class(
    world: TheWorld, caller: TheCaller, name: str, all_dates: AllDates = False, check_only: CheckOnly = False
) -> ClassClosed:
    """End the date that is on and retire what is left of it; workspaces stay."""
    return await close.close(world, caller, name, all_dates=all_dates, check_only=check_only)
