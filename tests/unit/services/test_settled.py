"""Work beside other work is over when that is, whichever of the two fails."""

from __future__ import annotations

import asyncio

import pytest

from ds01.services.settled import beside, settle_together


class Work:
    """Takes a while, and says how it went."""

    def __init__(self, error: Exception | None = None) -> None:
        self.ended = ""
        self._error = error

    async def run(self) -> str:
        await asyncio.sleep(0)
        self.ended = "done"
        if self._error is not None:
            raise self._error
        return "made"


async def test_what_comes_of_it_is_there_where_it_is_needed() -> None:
    async with beside(Work().run()) as work:
        assert await work == "made"


async def test_a_block_that_fails_leaves_nothing_half_done() -> None:
    work = Work(ValueError("too late to matter"))
    with pytest.raises(KeyError):
        async with beside(work.run()):
            raise KeyError
    assert work.ended == "done"


async def test_its_failure_is_the_blocks_who_waits_for_it() -> None:
    with pytest.raises(ValueError, match="no"):
        async with beside(Work(ValueError("no")).run()) as work:
            await work


async def test_who_cancels_the_end_of_the_block_cancels_it_too() -> None:
    begun, ended = asyncio.Event(), list[str]()

    async def endless() -> None:
        try:
            begun.set()
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            ended.append("taken back")

    async def block() -> None:
        async with beside(endless()):
            await begun.wait()

    task = asyncio.create_task(block())
    await begun.wait()
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended == ["taken back"]


async def test_taken_together_each_is_taken_whatever_becomes_of_the_others() -> None:
    works = [Work(), Work(ValueError("no")), Work()]
    (failed,) = await settle_together([work.run for work in works])
    assert str(failed) == "no"
    assert [work.ended for work in works] == ["done"] * 3
    assert await settle_together([]) == []


async def test_who_cancels_what_is_taken_together_waits_until_it_is_over() -> None:
    begun, ended = asyncio.Event(), list[str]()

    async def endless() -> None:
        try:
            begun.set()
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            ended.append("taken back")

    task = asyncio.create_task(settle_together([endless, endless]))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended == ["taken back"] * 2
