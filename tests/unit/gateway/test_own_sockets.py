"""Users' own sockets: a place that cannot be used keeps one user's from her, and nobody else's."""

from __future__ import annotations

import asyncio
import os
import re
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from ds01.domain.dockerpolicy.verdict import RefusedError
from ds01.gateway import own_sockets
from ds01.gateway.audit import Audit
from ds01.gateway.call import Gate
from ds01.gateway.door import Door
from ds01.gateway.engine import EngineFacts
from ds01.gateway.identity import Presence
from ds01.gateway.listen import own_socket
from ds01.gateway.own_sockets import OwnSockets, Whose
from ds01.gateway.registry import Registry
from ds01.gateway.serve import Server
from ds01.gateway.table import TABLE
from ds01.gateway.upstream import Upstream
from ds01.wire import codec
from ds01.wire.door import DoorAudit, DoorUser
from tests.unit.gateway.farm import Farm, Scripted, as_json, farm, plain

HERS, OTHERS = Whose(1001, 1), Whose(1002, 1)


class Told(Audit):
    """What was recorded."""

    def __init__(self) -> None:
        super().__init__(Door("/nowhere"))
        self.entries: list[DoorAudit] = []

    def record(self, entry: DoorAudit, **told: float) -> None:
        self.entries.append(entry)


def user(whose: Whose) -> DoorUser:
    return DoorUser(uid=whose.uid, gid=whose.uid, login="x", admin=False, epoch=whose.epoch)


async def nobody_asked(uid: int) -> DoorUser | None:
    raise AssertionError(uid)


def made(folder: Path) -> tuple[OwnSockets, Told]:
    upstream, door, told = Upstream(str(folder / "e.sock"), "the engine"), Door(str(folder / "d.sock")), Told()
    gate = Gate(engine=upstream, door=door, registry=Registry(door), audit=told, facts=EngineFacts(upstream, door))
    return OwnSockets(folder / "u", lambda: Server(gate, TABLE), Presence(), {}, told, nobody_asked), told


def in_the_way(place: Path) -> None:
    (place / "docker.sock").mkdir(parents=True)


def a_file(place: Path) -> None:
    place.write_text("")


def somebodys(place: Path) -> None:
    place.mkdir()
    os.chown(place, HERS.uid, HERS.uid)


def answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(str(path))
        except OSError:
            return False
        return True


@pytest.mark.root
@pytest.mark.parametrize("spoil", [in_the_way, a_file, somebodys])
async def test_one_bad_place_keeps_nobody_elses_socket_closed(
    tmp_path: Path, spoil: Callable[[Path], None]
) -> None:  # fmt: skip
    """Both have containers with their sockets; the gateway starts with the one it has a place for."""
    mounts = [{"Mounts": [{"Source": str(tmp_path / f"u/{each.name}/docker.sock")}]} for each in (HERS, OTHERS)]
    engine = Scripted(answers={"/containers/json": as_json(mounts)})
    await engine.listen(tmp_path / "e.sock")
    (tmp_path / "u").mkdir()
    spoil(tmp_path / f"u/{HERS.name}")
    own, told = made(tmp_path)
    await own.again(Upstream(str(tmp_path / "e.sock"), "the engine"))
    assert not answers(own.path(HERS))
    assert answers(own.path(OTHERS))
    (entry,) = told.entries
    assert (entry.uid, entry.outcome, entry.path) == (HERS.uid, "closed", str(own.path(HERS)))
    assert entry.reason
    await own.close()
    await engine.close()


@pytest.mark.parametrize("answer", [b"", plain(503), plain(200, b"no json"), as_json(None), as_json([1])])
async def test_an_engine_that_does_not_tell_keeps_nobody_waiting_and_is_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: bytes
) -> None:
    """One that is just starting accepts connections long before it answers."""
    monkeypatch.setattr(own_sockets, "ANSWER_SECONDS", 0.05)
    (tmp_path / "u").mkdir()
    engine = Scripted(answers={"/containers/json": answer}, held=() if answer else ("/containers/json",))
    await engine.listen(tmp_path / "e.sock")
    own, _ = made(tmp_path)
    async with asyncio.timeout(60):
        await own.again(Upstream(str(tmp_path / "e.sock"), "the engine"))
    assert not answers(own.path(HERS))
    engine.held = ()
    engine.answers["/containers/json"] = as_json([{"Mounts": [{"Source": str(own.path(HERS))}]}])
    await own.try_again()
    assert answers(own.path(HERS))
    await own.try_again()
    assert len(engine.asked) == 2
    await own.close()
    await engine.close()


async def test_no_place_at_all_is_told_once_and_tried_again(tmp_path: Path) -> None:
    own, told = made(tmp_path)
    for _ in range(2):
        with pytest.raises(RefusedError) as refused:
            await own.open(user(HERS))
    assert refused.value.status == 503
    assert len(told.entries) == 1
    (tmp_path / "u").mkdir()
    await own.try_again()
    assert answers(own.path(HERS))
    await own.close()


async def test_a_path_that_is_too_long_for_a_socket_is_said_to_be(tmp_path: Path) -> None:
    folder = tmp_path / ("x" * 100)
    (folder / "u").mkdir(parents=True)
    own, told = made(folder)
    with pytest.raises(RefusedError):
        await own.open(user(HERS))
    assert "too long" in told.entries[0].reason


LIST = b"GET /containers/json HTTP/1.1\r\nHost: d\r\n\r\n"


def who_is(whose: Whose) -> bytes:
    return as_json(codec.plain(replace(user(whose), login="mallory")))


@asynccontextmanager
async def served(folder: Path, **passed: socket.socket) -> AsyncIterator[tuple[Farm, OwnSockets]]:
    """The sockets of a gateway whose ds01d says who is who. ``passed`` are those that were kept."""
    async with farm(folder) as place:
        place.daemon.answers[f"/door/users/{HERS.uid}"] = who_is(HERS)
        place.engine.answers["/containers/json"] = as_json([])
        engine, door = Upstream(str(folder / "e.sock"), "the engine"), Door(str(folder / "d.sock"))
        gate = Gate(engine=engine, door=door, registry=place.registry, audit=place.audit, facts=place.facts)
        (folder / "u").mkdir(exist_ok=True)
        who = place.registry.people.user
        own = OwnSockets(folder / "u", lambda: Server(gate, TABLE), Presence(), passed, place.audit, who)
        yield place, own
        await own.close()


async def told_at(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> int:
    """The status of an answer to who asks on a connection what there is of hers."""
    writer.write(LIST)
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 60)
    if length := re.search(rb"\r\nContent-Length: ([0-9]+)", head, re.IGNORECASE):
        await reader.readexactly(int(length[1]))
    return int(head.split()[1])


async def told_by(path: Path | str) -> int:
    """The same on a connection of its own."""
    reader, writer = await asyncio.open_unix_connection(path)
    status = await told_at(reader, writer)
    writer.close()
    await writer.wait_closed()
    return status


async def test_s13_the_socket_of_an_account_is_not_the_next_owners(tmp_path: Path) -> None:
    """A container goes on after its account, and has its socket: on it, whoever has the uid now is not asked for."""
    async with served(tmp_path) as (place, own):
        before = await own.open(user(HERS))
        former = await asyncio.open_unix_connection(before)
        assert await told_at(*former) == 200
        later = Whose(HERS.uid, HERS.epoch + 1)
        place.daemon.answers[f"/door/users/{HERS.uid}"] = who_is(later)
        await place.registry.follow_once()
        assert await told_at(*former) == 403
        assert await told_by(before) == 403
        now = await own.open(user(later))
        assert now != before
        assert await told_by(now) == 200
        former[1].close()


async def test_s13_what_a_former_owner_leaves_connected_does_not_count_for_long(tmp_path: Path) -> None:
    async with served(tmp_path) as (place, own):
        before = await own.open(user(HERS))
        former = await asyncio.open_unix_connection(before)
        assert await told_at(*former) == 200
        await own.end_former()
        assert await told_at(*former) == 200
        place.daemon.answers[f"/door/users/{HERS.uid}"] = who_is(Whose(HERS.uid, HERS.epoch + 1))
        await place.registry.follow_once()
        await own.end_former()
        assert await asyncio.wait_for(former[0].read(), 60) == b""
        assert not answers(Path(before))
        former[1].close()


async def test_s13_a_socket_that_was_kept_is_the_account_it_was_made_for(tmp_path: Path) -> None:
    place = tmp_path / "u" / HERS.name
    place.mkdir(parents=True)
    listening = own_socket(place / "docker.sock")
    async with served(tmp_path, **{HERS.name: listening}) as (farmed, own):
        await own.again(Upstream(str(tmp_path / "e.sock"), "the engine"))
        assert await told_by(own.path(HERS)) == 200
        farmed.daemon.answers[f"/door/users/{HERS.uid}"] = who_is(Whose(HERS.uid, HERS.epoch + 1))
        await farmed.registry.follow_once()
        assert await told_by(own.path(HERS)) == 403


async def test_closing_all_closes_each_though_one_is_opened_meanwhile(tmp_path: Path) -> None:
    async with served(tmp_path) as (_, own):
        before = [Path(await own.open(user(each))) for each in (HERS, OTHERS)]
        connected = await asyncio.open_unix_connection(before[0])
        assert await told_at(*connected) == 200
        closing = asyncio.create_task(own.close())
        await asyncio.sleep(0)
        await own.open(user(Whose(1003, 1)))
        await asyncio.wait({closing})
        left = [path for path in before if answers(path)]
        connected[1].close()
    assert (closing.exception(), left) == (None, [])


async def test_a_socket_that_was_kept_and_has_no_path_is_kept_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """systemd would have two of the name, and pass the wrong one."""
    (tmp_path / "u" / HERS.name).mkdir(parents=True)
    former = own_socket(tmp_path / "u" / HERS.name / "docker.sock")
    (tmp_path / "u" / HERS.name / "docker.sock").unlink()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        async with served(tmp_path, **{HERS.name: former}) as (_, own):
            await own.again(Upstream(str(tmp_path / "e.sock"), "the engine"))
            assert answers(own.path(HERS))
        name = f"FDNAME=ds01-door-{HERS.name}"
        assert systemd.recv(1000).decode() == f"FDSTOREREMOVE=1\n{name}"
        assert systemd.recv(1000).decode() == f"FDSTORE=1\n{name}"
    assert former.fileno() == -1
