"""A copy and a start of one container: never both, and neither is refused for a moment of the other."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack

import pytest

from ds01.domain.dockerpolicy.verdict import RefusedError
from ds01.gateway import moves
from ds01.gateway.moves import Moves

C, OTHER = "c" * 64, "d" * 64


async def test_a_start_waits_for_the_end_of_a_copy() -> None:
    going, seen = Moves(), list[str]()

    async def start() -> None:
        async with going.starting(C):
            seen.append("started")

    async with going.copying(C), going.copying(C):
        waiting = asyncio.create_task(start())
        async with going.starting(OTHER):
            seen.append("another's")
        await asyncio.sleep(0)
        seen.append("copied")
    await waiting
    assert seen == ["another's", "copied", "started"]


async def test_who_waits_for_one_container_is_woken_by_no_other(wakes: list[asyncio.Event]) -> None:
    going, seen = Moves(), list[str]()

    async def start() -> None:
        async with going.starting(C):
            seen.append("started")

    async with going.copying(C):
        waiting = asyncio.create_task(start())
        for _ in range(5):
            async with going.copying(OTHER):
                await asyncio.sleep(0)
        assert (seen, wakes) == ([], [])
    await waiting
    assert (seen, len(wakes)) == (["started"], 1)


async def test_who_waits_too_long_is_told_what_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moves, "PATIENCE_SECONDS", 0.01)
    going = Moves()
    async with going.copying(C):
        with pytest.raises(RefusedError) as error:
            async with going.starting(C):
                pytest.fail("a start beside a copy")
    assert (error.value.status, error.value.what) == (409, "The container is having files copied")
    async with going.starting(C):
        with pytest.raises(RefusedError):
            async with going.copying(C):
                pytest.fail("a copy beside a start")


async def test_who_shares_something_waits_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moves, "PATIENCE_SECONDS", 0.01)
    going = Moves()
    async with going.copying(C, "v", "w"):
        async with going.starting(OTHER, "u"), going.starting(OTHER):
            pass
        with pytest.raises(RefusedError, match="that has a volume in common with it is having files copied"):
            async with going.starting(OTHER, "u", "w"):
                pytest.fail("a start beside a copy")
    async with going.starting(OTHER, "w"), going.starting(C, "w"):
        with pytest.raises(RefusedError, match="that has a volume in common with it is being started"):
            async with going.copying("e" * 64, "w"):
                pytest.fail("a copy beside a start")
    async with going.copying(C, "v", "w"), going.copying(OTHER, "w"):
        pass


async def test_nothing_is_held_by_who_still_waits() -> None:
    going = Moves()
    async with going.copying(C, "v"):
        waiting = asyncio.create_task(_started(going, OTHER, "u", "v"))
        await asyncio.sleep(0)
        async with going.copying(OTHER, "u"):
            pass
    await waiting


async def _started(going: Moves, *keys: str) -> None:
    async with going.starting(*keys):
        pass


async def test_a_copy_that_is_broken_off_keeps_nobody_from_starting() -> None:
    going = Moves()
    with pytest.raises(ConnectionResetError):
        async with going.copying(C):
            raise ConnectionResetError
    async with going.starting(C):
        pass


def test_streams_of_events_are_so_many() -> None:
    going = Moves()
    with ExitStack() as open_:
        for _ in range(moves.EVENTS):
            open_.enter_context(going.listening(1))
        with pytest.raises(RefusedError, match="streams of events"), going.listening(1):
            pytest.fail("one more")
        open_.enter_context(going.listening(2))
    with going.listening(1):
        pass
