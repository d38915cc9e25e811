"""The server's directory is asked who somebody is: where it hangs, nothing else does."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from ds01.gateway import aside, people
from ds01.gateway.door import Door
from ds01.gateway.owner import Owners
from ds01.gateway.people import People
from ds01.wire.door import DoorUser

UIDS = range(1001, 1065)


class Everybody(Door):
    """A ds01d that knows every uid."""

    def __init__(self) -> None:
        super().__init__("/nowhere")

    async def user(self, uid: int) -> DoorUser | None:
        return DoorUser(uid=uid, gid=uid, login="alice", admin=False)


class Hanging:
    """A directory that does not answer until the test is over."""

    def __init__(self) -> None:
        self.asked: list[int] = []
        self.over = threading.Event()

    def login(self, uid: int) -> str:
        self.asked.append(uid)
        self.over.wait()
        return "alice"


@pytest.fixture
def hanging(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hanging]:
    monkeypatch.setattr(people, "LOOK_SECONDS", 0.05)
    made = Hanging()
    yield made
    made.over.set()


async def test_s13_a_directory_that_hangs_is_asked_once_for_each_and_keeps_nobody_else(hanging: Hanging) -> None:
    now = 1000.0
    known = People(Everybody(), lambda: now, hanging.login, lambda _: None, lambda _, __: True)
    for uid in UIDS:
        await known.user(uid)
    try:
        for _ in range(2):
            now += 1
            found = await asyncio.gather(*(known.user(uid, since=now) for uid in [*UIDS, *UIDS]))
            assert all(found)
        assert sorted(hanging.asked) == list(UIDS)
        async with asyncio.timeout(5):
            assert await aside.judged(Owners().of(1), aside.SHORT + 1, lambda: "judged") == "judged"
    finally:
        hanging.over.set()


async def test_s13_what_an_earlier_look_tells_is_no_look_of_a_connection_that_began_since(hanging: Hanging) -> None:
    now = 1000.0
    known = People(Everybody(), lambda: now, hanging.login, lambda _: None, lambda _, __: True)
    await known.user(1001)
    now += 1
    assert await known.user(1001, since=now)
    now += 1
    later = asyncio.create_task(known.user(1001, since=now))
    await asyncio.sleep(0)
    hanging.over.set()
    assert await later
    assert await known.user(1001, since=now)
    assert hanging.asked == [1001, 1001]


class Slow(Everybody):
    """A ds01d whose answers take until the test lets them go."""

    def __init__(self) -> None:
        super().__init__()
        self.admin = True
        self.asked = 0
        self.go_on = asyncio.Event()

    async def user(self, uid: int) -> DoorUser | None:
        self.asked += 1
        found = DoorUser(uid=uid, gid=uid, login="alice", admin=self.admin)
        await self.go_on.wait()
        return found


async def test_s13_an_answer_that_was_on_its_way_when_people_changed_is_not_kept() -> None:
    door = Slow()
    known = People(door, lambda: 1000.0, lambda _: "alice", lambda _: "alice", lambda _, __: True)
    before = asyncio.create_task(known.user(1001))
    await asyncio.sleep(0)
    door.admin = False
    known.changed()
    door.go_on.set()
    await before
    found = await known.user(1001)
    assert found is not None
    assert (found.admin, door.asked) == (False, 2)
    assert await known.user(1001) == found
    assert door.asked == 2


STUCK = """
import asyncio, threading
from ds01.gateway import people
from tests.unit.gateway.test_people import Everybody
people.LOOK_SECONDS = 0.05
async def main():
    known = people.People(Everybody(), iter(range(9)).__next__, lambda _: threading.Event().wait(), lambda _: None, all)
    await known.user(1001)
    await known.user(1001, since=5)
asyncio.run(main())
"""


def test_a_directory_that_hangs_does_not_keep_the_gateway_from_ending() -> None:
    subprocess.run([sys.executable, "-c", STUCK], timeout=20, check=True)
