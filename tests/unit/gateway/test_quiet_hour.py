"""An hour of the event loop's time, with the timeouts that ship: what is silent goes on, what is not read does not."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from ds01.gateway.call import Timeouts
from tests.unit.gateway.farm import MINE, Farm, farm, plain
from tests.unit.gateway.test_timeouts import ATTACHED, LOGS, SILENT

HOUR = 3600
MORE = {"logs": b"4\r\nmore\r\n", "wait": b"4\r\nmore\r\n", "attach": b"more"}
LONG_BYTES = 4 * 1024 * 1024


class Ahead(asyncio.SelectorEventLoop):
    """A loop whose time is moved on: what is due by then is done, and nobody waits for it."""

    ahead = 0.0

    def time(self) -> float:
        """The machine's, and what was skipped of it."""
        return super().time() + self.ahead

    async def skip(self, seconds: float) -> None:
        """A second at a time, so that a clock that is wound up again runs out again."""
        for _ in range(int(seconds)):
            self.ahead += 1
            for _ in range(5):
                await asyncio.sleep(0)


def at_a_gateway(folder: Path, test: Callable[[Farm, Ahead], Awaitable[None]]) -> None:
    """A test on such a loop."""
    loop = Ahead()

    async def run() -> None:
        async with farm(folder) as place:
            place.engine.answers |= {"/logs": LOGS, "/wait": LOGS, "/attach": ATTACHED}
            place.engine.held = tuple(place.engine.answers)
            place.engine.answers["/top"] = plain(200, b"x" * LONG_BYTES)
            await test(place, loop)

    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(run())


async def soon(what: Awaitable[bytes]) -> bytes:
    """What comes without any time to be skipped."""
    return await asyncio.wait_for(what, 60)


@pytest.mark.parametrize("what", SILENT)
def test_p17_a_stream_that_is_silent_for_an_hour_is_there_afterwards(tmp_path: Path, what: str) -> None:
    async def test(place: Farm, loop: Ahead) -> None:
        reader, writer = await asyncio.open_unix_connection(place.socket)
        writer.write(SILENT[what].encode())
        await soon(reader.readuntil(b"hello"))
        await loop.skip(HOUR)
        heard, says = place.engine.open[-1]
        says.write(MORE[what])
        assert (await soon(reader.readuntil(b"more"))).endswith(b"more")
        if what == "attach":
            writer.write(b"typed")
            assert await soon(heard.readexactly(5)) == b"typed"
        writer.close()

    at_a_gateway(tmp_path, test)


@pytest.mark.parametrize("times", [0.5, 3])
def test_p17_an_answer_that_is_not_read_is_kept_for_a_while_and_no_longer(tmp_path: Path, times: float) -> None:
    """For half of what may pass it is there to the end, after three times as long it is not."""

    async def test(place: Farm, loop: Ahead) -> None:
        reader, writer = await asyncio.open_unix_connection(place.socket, limit=2)
        writer.write(f"GET /v1.41/containers/{MINE}/top HTTP/1.1\r\nHost: d\r\nConnection: close\r\n\r\n".encode())
        await soon(reader.readexactly(1))
        await loop.skip(times * Timeouts().unread_seconds)
        size = 1
        while piece := await soon(reader.read(LONG_BYTES)):
            size += len(piece)
        assert (size > LONG_BYTES) == (times < 1)
        writer.close()

    at_a_gateway(tmp_path, test)
