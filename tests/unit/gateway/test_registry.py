"""The mirror of the ledger: what is learned at once is not undone by what is told late."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from ds01.gateway.door import Door
from ds01.gateway.held import DoorDownError
from ds01.gateway.people import STALE_SECONDS
from ds01.gateway.registry import Registry
from ds01.wire import codec
from ds01.wire.door import DoorImage, DoorUpdate, DoorUser
from tests.unit.gateway.farm import Scripted, as_json, plain

ALICE = DoorUser(uid=1001, gid=1001, login="alice", admin=False)
BEFORE = DoorImage(id="sha256:1", owners=("1001:0",))
NOW = DoorImage(id="sha256:1", owners=("1001:0",), refs={"app:latest": "1001:0"})


async def told(folder: Path, *, answer: bytes, later: float = 0) -> list[str]:
    """Alice's names when she has learned one, and the stream tells the image as it was before."""
    lines = (DoorUpdate(image=BEFORE), DoorUpdate(ready=True))
    daemon, now = Scripted(), 1000.0
    daemon.answers = {
        "/registry": plain(200, b"".join(json.dumps(codec.plain(line)).encode() + b"\n" for line in lines)),
        "/images/sha256%3A1": answer,
    }
    await daemon.listen(folder / "d.sock")
    clock = [now]
    registry = Registry(Door(str(folder / "d.sock")), lambda: clock[0])
    registry.learn(NOW)
    clock[0] += later
    await registry.follow_once()
    await daemon.close()
    return [ref for image in registry.images(ALICE) for ref in image.refs]


async def test_an_image_that_was_learned_lately_is_asked_for_by_itself(tmp_path: Path) -> None:
    assert await told(tmp_path, answer=as_json(codec.plain(NOW))) == ["app:latest"]


async def test_one_that_is_gone_meanwhile_is_forgotten(tmp_path: Path) -> None:
    assert await told(tmp_path, answer=plain(404, b"{}")) == []


async def test_one_that_was_learned_long_ago_is_as_it_is_told(tmp_path: Path) -> None:
    assert await told(tmp_path, answer=as_json(codec.plain(NOW)), later=STALE_SECONDS) == []


async def test_an_engine_that_is_away_for_a_moment_does_not_end_the_mirror(tmp_path: Path) -> None:
    """ds01d cannot tell of the image that was learned lately, and the registry is followed again."""
    daemon = Scripted()
    lines = (DoorUpdate(image=BEFORE), DoorUpdate(ready=True))
    told = plain(200, b"".join(json.dumps(codec.plain(line)).encode() + b"\n" for line in lines))
    away = {"error": {"code": "engine.unreachable", "message": "Docker does not answer.", "reason": "", "hint": ""}}
    daemon.answers = {"/registry": told, "/images/sha256%3A1": as_json(away, 503)}
    await daemon.listen(tmp_path / "d.sock")
    registry = Registry(Door(str(tmp_path / "d.sock")))
    registry.learn(NOW)
    following = asyncio.create_task(registry.follow())
    async with asyncio.timeout(60):
        await registry.check()
    following.cancel()
    await daemon.close()
    assert "GET /v1/door/images/sha256%3A1" in daemon.asked
    assert registry.image(ALICE, "sha256:1") == BEFORE


def test_what_was_removed_behind_the_gateway_hides_nothing_she_writes_afterwards() -> None:
    registry = Registry(Door("/nowhere"))
    refs = {f"ds01-u1001/{name}": "1001:0" for name in ("app:latest", "kept:1")}
    registry.learn(DoorImage(id="sha256:1", owners=("1001:0",), refs=refs))
    registry.granted(ALICE, ["app:latest", "kept:1"], {"kept:1": "ds01-u1001/kept:1"})
    assert registry.own_images(ALICE) == {"kept:1": "ds01-u1001/kept:1"}


@pytest.mark.parametrize(("name", "asked"), [("alice", 1), ("", 2), ("anna", 2)])
async def test_s13_a_connection_that_begins_later_is_judged_by_who_the_account_is_now(
    tmp_path: Path, name: str, asked: int
) -> None:
    """It is deleted, or its uid is another's: ds01d is asked again, which does not wait for the old answer's end."""
    daemon, now = Scripted(), 1000.0
    daemon.answers = {"/door/users/1001": as_json(codec.plain(ALICE))}
    await daemon.listen(tmp_path / "d.sock")
    registry = Registry(Door(str(tmp_path / "d.sock")), lambda: now, lambda _: name)
    assert await registry.people.user(1001, since=now) == ALICE
    assert await registry.people.user(1001, since=now) == ALICE
    assert len(daemon.asked) == 1
    now += 1
    assert await registry.people.user(1001, since=now) == ALICE
    assert await registry.people.user(1001, since=now) == ALICE
    assert len(daemon.asked) == asked
    await daemon.close()


async def test_s13_without_ds01d_an_account_that_is_gone_is_nobody(tmp_path: Path) -> None:
    daemon, now = Scripted(), 1000.0
    daemon.answers = {"/door/users/1001": as_json(codec.plain(ALICE))}
    await daemon.listen(tmp_path / "d.sock")
    names = {1001: "alice"}
    registry = Registry(Door(str(tmp_path / "d.sock")), lambda: now, lambda uid: names.get(uid, ""))
    assert await registry.people.user(1001, since=now) == ALICE
    await daemon.close()
    now += 30
    assert await registry.people.user(1001, since=now) == ALICE
    names.clear()
    now += 1
    with pytest.raises(DoorDownError):
        await registry.people.user(1001, since=now)
