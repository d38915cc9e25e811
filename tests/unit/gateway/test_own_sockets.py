"""Users' own sockets: a place that cannot be used keeps one user's from her, and nobody else's."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from ds01.domain.dockerpolicy.verdict import RefusedError
from ds01.gateway import own_sockets
from ds01.gateway.audit import Audit
from ds01.gateway.call import Gate
from ds01.gateway.door import Door
from ds01.gateway.engine import EngineFacts
from ds01.gateway.identity import Presence
from ds01.gateway.own_sockets import OwnSockets
from ds01.gateway.registry import Registry
from ds01.gateway.serve import Server
from ds01.gateway.table import TABLE
from ds01.gateway.upstream import Upstream
from ds01.wire.door import DoorAudit
from tests.unit.gateway.farm import Scripted, as_json, plain

HERS, OTHERS = 1001, 1002


class Told(Audit):
    """What was recorded."""

    def __init__(self) -> None:
        super().__init__(Door("/nowhere"))
        self.entries: list[DoorAudit] = []

    def record(self, entry: DoorAudit, **told: float) -> None:
        self.entries.append(entry)


def made(folder: Path) -> tuple[OwnSockets, Told]:
    upstream, door, told = Upstream(str(folder / "e.sock"), "the engine"), Door(str(folder / "d.sock")), Told()
    gate = Gate(engine=upstream, door=door, registry=Registry(door), audit=told, facts=EngineFacts(upstream, door))
    return OwnSockets(folder / "u", lambda: Server(gate, TABLE), Presence(), {}, told), told


def in_the_way(place: Path) -> None:
    (place / "docker.sock").mkdir(parents=True)


def a_file(place: Path) -> None:
    place.write_text("")


def somebodys(place: Path) -> None:
    place.mkdir()
    os.chown(place, HERS, HERS)


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
    mounts = [{"Mounts": [{"Source": str(tmp_path / f"u/{uid}/docker.sock")}]} for uid in (HERS, OTHERS)]
    engine = Scripted(answers={"/containers/json": as_json(mounts)})
    await engine.listen(tmp_path / "e.sock")
    (tmp_path / "u").mkdir()
    spoil(tmp_path / f"u/{HERS}")
    own, told = made(tmp_path)
    await own.again(Upstream(str(tmp_path / "e.sock"), "the engine"))
    assert not answers(own.path(HERS))
    assert answers(own.path(OTHERS))
    (entry,) = told.entries
    assert (entry.uid, entry.outcome, entry.path) == (HERS, "closed", str(own.path(HERS)))
    assert entry.reason
    await own.close()
    await engine.close()


@pytest.mark.parametrize("answer", [b"", plain(503), plain(200, b"no json")])
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
            await own.open(HERS)
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
        await own.open(HERS)
    assert "too long" in told.entries[0].reason
