"""Bookings: making one, seeing them, giving one up."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from ds01.api.identity import Everybody, TheCaller, TheWorld
from ds01.services.booking import book, cancel, show
from ds01.wire.bookings import Booked, BookingsView, BookRequest

router = APIRouter(prefix="/bookings", tags=["bookings"])

CALENDAR = "text/calendar; charset=utf-8"

Over = Annotated[bool, Query(description="Also those of this week that ended")]
Date = Annotated[str, Query(description="Only this date, like 2026-12-08")]
CheckOnly = Annotated[bool, Query(description="Only say which dates it would be")]


@router.get("")
async def list_bookings(
    world: TheWorld, caller: TheCaller, everybody: Everybody, over: Over = False
) -> BookingsView:  # fmt: skip
    """The caller's bookings and those she may use, every date of them, the next one first."""
    return await show.show(world, caller, everybody=everybody, over=over)


@router.get("/calendar", response_class=Response, responses={200: {"content": {"text/calendar": {}}}})
async def calendar(world: TheWorld, caller: TheCaller, everybody: Everybody) -> Response:
    """The same as an iCalendar file (RFC 5545)."""
    return Response(await show.calendar(world, caller, everybody=everybody), media_type=CALENDAR)


@router.post("")
async def make(world: TheWorld, caller: TheCaller, request: BookRequest) -> Booked:
    """Book GPUs. What cannot be booked is refused with the nearest booking that is possible."""
    return await book.book(world, caller, request)


@router.delete("/{name}")
async def give_up(
    world: TheWorld, caller: TheCaller, name: str, date: Date = "", check_only: CheckOnly = False
) -> Booked:
    """Give up a booking, or one date of it. The answer has the dates that were given up."""
    return await cancel.cancel(world, caller, name, date, check_only=check_only)
