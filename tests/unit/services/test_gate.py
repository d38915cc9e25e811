"""The gate of a class: no more than so many start at a time, in the order they came, whoever goes away meanwhile."""

from __future__ import annotations

import asyncio

from ds01.services.booking.gate import Gate
from ds01.services.steps import Steps
from ds01.sim.clock import SimClock

MOST = 3


class Door:
    """Somebody starts when she is let in, and takes as many turns of the loop as her number."""

    def __init__(self) -> None:
        self.gate = Gate()
        self.inside: set[int] = set()
        self.most = 0
        self.seen: list[int] = []

    async def enter(self, number: int) -> None:
        async with self.gate.through("ml101", MOST, Steps(SimClock())):
            self.inside.add(number)
            self.seen.append(number)
            self.most = max(self.most, len(self.inside))
            for _ in range(1 + number % 4):
                await asyncio.sleep(0)
            self.inside.remove(number)


async def test_thirty_go_through_three_at_a_time_in_order() -> None:
    door = Door()
    await asyncio.gather(*(door.enter(number) for number in range(30)))
    assert (door.most, door.seen) == (MOST, list(range(30)))


async def test_who_goes_away_while_she_waits_keeps_nobody_out() -> None:
    door = Door()
    tasks = [asyncio.create_task(door.enter(number)) for number in range(12)]
    await asyncio.sleep(0)
    for gone in (4, 7, 11):
        tasks[gone].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert door.most == MOST
    assert sorted(door.seen) == [number for number in range(12) if number not in (4, 7, 11)]
