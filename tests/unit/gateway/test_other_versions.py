"""A ds01d of another version, or an engine that says what none does: one request fails by it, never the gateway."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ds01.gateway.held import DoorDownError
from ds01.wire.door import DoorImage, DoorUser
from tests.unit.gateway.farm import MINE, UID, Farm, as_json, farm, plain

HER = DoorUser(uid=UID, gid=UID, login="mallory", admin=False)
VERSION = {"ApiVersion": "1.45", "Version": "26.1.5"}
OLDER = {"uid": UID, "login": "mallory"}
"""Who she is, as a ds01d says it that knows of no admins."""


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Farm]:
    async with farm(tmp_path) as made:
        yield made


async def test_nothing_that_goes_on_ends_because_an_answer_of_ds01d_lacks_a_field(place: Farm) -> None:
    place.engine.answers["/version"] = as_json(VERSION)
    place.daemon.answers |= {f"/door/users/{UID}": as_json(OLDER), "/door/engine": as_json({})}
    assert not await place.facts.refresh()
    with place.registry.people.ongoing.going(HER, MINE):
        await place.registry.people.end_of_people()
        assert place.registry.people.ongoing.uids() == {UID}


async def test_the_registry_is_followed_again_when_an_image_of_it_cannot_be_read(place: Farm) -> None:
    place.registry.learn(DoorImage(id="sha256:1"))
    place.daemon.answers["/images/sha256%3A1"] = as_json({"owners": []})
    with pytest.raises(DoorDownError, match=r"cannot be read: DoorImage.*different versions: restart both"):
        await place.registry.follow_once()


async def test_who_asks_is_told_that_the_versions_differ(place: Farm) -> None:
    place.daemon.answers[f"/door/users/{UID}"] = as_json(OLDER)
    place.registry.people.changed()
    status, found = await place.get("/containers/json")
    assert (status, found["message"]) == (
        503, "DS01: ds01d's answer cannot be read, so nothing can be granted (ds01d.away). Tell your admin: ds01d and "
        "the gateway are probably of different versions, and both are to be restarted.",
    )  # fmt: skip


@pytest.mark.parametrize(
    "answer", [as_json([]), as_json(None), as_json({"message": "no"}, 500), plain(200, b"no json")]
)
async def test_an_engine_that_tells_no_version_is_asked_again_later(place: Farm, answer: bytes) -> None:
    place.engine.answers["/version"] = answer
    assert not await place.facts.refresh()
    assert place.facts.version == (0,)


ODD = [b"no json", b"[]", b"null", b"7"]
NO_ID = b'{"Id":""}'
ASKED = {
    "GET /images/bb/json": ("/images/bb/json", [*ODD, NO_ID]),
    "GET /containers/web/json": (f"/containers/{MINE}/json", ODD),
    "POST /commit?container=web": ("/commit", [*ODD, NO_ID]),
    "POST /containers/web/exec": ("/exec", [*ODD, NO_ID]),
    "POST /images/prune?filters={}": ("/containers/json", [b"no json", b"7", b'[{"Id":"1"}]']),
}


@pytest.mark.parametrize(("asked", "odd"), [(asked, odd) for asked, (_, many) in ASKED.items() for odd in many])
async def test_what_the_engine_says_amiss_is_the_engines_fault(place: Farm, asked: str, odd: bytes) -> None:
    (method, path), end = asked.split(" "), ASKED[asked][0]
    place.engine.answers = {end: plain(201 if end in ("/commit", "/exec") else 200, odd)}
    place.daemon.answers |= {"/door/writes": as_json({"ticket": "t"}), "/door/writes/commit": as_json([])}
    status, found = await place.ask(method, path, {"Cmd": ["ls"]} if end == "/exec" else None)
    assert (status, found["message"].startswith("DS01: The engine's answer ")) == (502, True)
