"""What is offered instead of what was refused is possible: it is typed as it is offered, and is not refused."""

from __future__ import annotations

from datetime import timedelta
from fractions import Fraction

import pytest

from ds01.domain import errors
from ds01.domain.errors import Ds01Error, ErrorKind
from ds01.domain.limits import Value
from ds01.services.booking.book import book
from ds01.wire.bookings import Booked, BookRequest
from tests.server import SimServer, settings


async def refused(server: SimServer, kind: ErrorKind, **changes: object) -> str:
    with pytest.raises(Ds01Error) as caught:
        await server.launch(**changes)  # type: ignore[arg-type]
    assert caught.value.kind is kind
    return caught.value.problem.hint


@pytest.mark.parametrize(("quota", "each", "offered"), [(2, 3, "2"), (8, 6, "4"), (3, 3, "3")])
async def test_fewer_gpus_are_as_many_as_every_limit_and_the_server_allow(
    server: SimServer, quota: int, each: int, offered: str
) -> None:
    server.policy.settings = settings(gpus__max=Fraction(quota), gpus__per_container=each)
    hint = await refused(server, errors.GPU_QUOTA, gpus="7")
    assert hint == f"Ask for fewer: --gpus {offered}"
    assert (await server.launch(gpus=hint.rpartition(" ")[2])).gpus == int(offered)


async def test_a_shorter_time_is_what_the_limit_allows(server: SimServer) -> None:
    server.policy.settings = settings(runtime=timedelta(hours=2))
    hint = await refused(server, errors.BAD_REQUEST, time_seconds=3 * 3600)
    assert hint == "Ask for less: --time 2h"
    await server.launch(time_seconds=2 * 3600)


def booking(**changes: Value) -> dict[str, Value]:
    return {"gpus__max": Fraction(4), "gpus__per_container": 4, "bookings__who": "self", **changes}


async def booked(server: SimServer, begins: str, hours: int = 2, gpus: str = "1") -> Booked:
    return await book(
        server.world, await server.caller(), BookRequest(begins=begins, length_seconds=hours * 3600, gpus=gpus)
    )


async def test_the_soonest_that_is_offered_for_a_time_that_is_past_can_be_booked(server: SimServer) -> None:
    server.policy.settings = settings(**booking(bookings__notice=timedelta(0)))
    with pytest.raises(Ds01Error) as caught:
        await booked(server, "2026-03-02 08:00")
    soonest = caught.value.problem.hint.partition("--from '")[2].partition("'")[0]
    assert soonest
    assert (await booked(server, soonest)).dates


async def test_what_is_left_of_the_weekly_allowance_can_be_booked(server: SimServer) -> None:
    server.policy.settings = settings(**booking(bookings__notice=timedelta(0), bookings__per_week=timedelta(hours=6)))
    await booked(server, "2026-03-04 10:00", hours=4)
    with pytest.raises(Ds01Error) as caught:
        await booked(server, "2026-03-05 10:00", hours=4)
    assert "2h" in caught.value.problem.hint
    assert (await booked(server, "2026-03-05 10:00", hours=2)).dates
