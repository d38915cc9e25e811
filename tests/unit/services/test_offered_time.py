"""A booking that is refused is told when it could begin: at that time it is booked, whoever takes a minute to type."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from ds01.domain.errors import Ds01Error
from ds01.domain.limits import Value
from ds01.services.booking.book import book
from ds01.sim.ledger import MemoryLedger
from ds01.wire.bookings import BookRequest
from tests.server import ALICE, BOB, SimServer
from tests.server import settings as policy

OFFER = re.compile(r"--from '([^']+)'")
BERLIN = ZoneInfo("Europe/Berlin")
NIGHTS = (
    datetime(2026, 3, 2, 9, tzinfo=UTC),
    datetime(2026, 3, 28, 22, tzinfo=UTC),
    datetime(2026, 10, 24, 22, tzinfo=UTC),
)
"""An ordinary morning, and the nights in which the clock is put forward and back."""

BOOKED = st.tuples(st.integers(0, 100), st.integers(1, 30), st.integers(1, 4))
"""Hours from now, hours, GPUs."""


@settings(max_examples=120, deadline=None)
@given(
    night=st.sampled_from(NIGHTS), seconds=st.integers(0, 6 * 3600), notice=st.integers(0, 30 * 60),
    begin=st.integers(-600, 6000), hours=st.integers(1, 30), gpus=st.integers(1, 4),
    ahead=st.integers(1, 8), a_week=st.integers(10, 200), booked=st.lists(BOOKED, max_size=5),
)  # fmt: skip
def test_the_time_that_is_offered_is_accepted(
    night: datetime, seconds: int, notice: int, begin: int, hours: int, gpus: int, ahead: int, a_week: int,
    booked: list[tuple[int, int, int]],
) -> None:  # fmt: skip
    rules: dict[str, Value] = {
        "gpus__max": Fraction(4), "gpus__per_container": 4, "bookings__who": "self",
        "bookings__per_week": timedelta(hours=a_week), "bookings__ahead": timedelta(days=ahead),
        "bookings__notice": timedelta(minutes=notice),
    }  # fmt: skip

    async def tried(server: SimServer, at: str) -> None:
        asked = BookRequest(begins=at, length_seconds=hours * 3600, gpus=str(gpus))
        await book(server.world, await server.caller(ALICE), asked)

    async def life(folder: Path) -> None:
        server = await SimServer(run=folder, ledger=MemoryLedger(), zone=BERLIN).open()
        await server.clock.advance((night - server.clock.now()).total_seconds() + seconds)
        free: dict[str, Value] = {"bookings__notice": timedelta(0), "bookings__ahead": None, "bookings__per_week": None}
        server.policy.settings = policy(**{**rules, **free})
        for at, long, many in booked:
            other = BookRequest(begins=f"in {at}h", length_seconds=long * 3600, gpus=str(many))
            try:
                await book(server.world, await server.caller(BOB), other)
            except Ds01Error:
                continue
        server.policy.settings = policy(**rules)
        wanted = (server.clock.now() + timedelta(minutes=begin)).isoformat()
        try:
            await tried(server, wanted)
        except Ds01Error as refused:
            offer = OFFER.search(refused.problem.hint)
            await server.clock.advance(60)
            if offer is not None:
                await tried(server, offer[1])

    with TemporaryDirectory() as folder:
        asyncio.run(life(Path(folder)))
