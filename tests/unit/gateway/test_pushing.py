"""All tags of a repository are pushed one by one: those that were looked at, and nobody else's."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.unit.gateway.farm import UID, Farm, as_json, farm, plain

TAGS = ("lab/tool:1", "lab/tool:2")
ASKED = [f"POST /v1.41/images/lab/tool/push?tag={tag}" for tag in ("1", "2")]


def said(*lines: dict[str, Any]) -> bytes:
    return plain(200, b"".join(json.dumps(line).encode() + b"\r\n" for line in lines))


GOES_TO = {"status": "The push refers to repository [docker.io/lab/tool]"}
PUSHED = said(GOES_TO, {"status": "done"})


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Farm]:
    async with farm(tmp_path) as made:
        user = {"uid": UID, "gid": UID, "login": "mallory", "admin": False, "registries": ["docker.io"]}
        image = {"id": "sha256:7", "refs": dict.fromkeys(TAGS, "everybody")}
        made.daemon.answers |= {f"/door/users/{UID}": as_json(user), "/door/images/sha256%3A7": as_json(image)}
        found = as_json({"Id": "sha256:7", "RepoTags": TAGS})
        made.engine.answers |= {f"/{ref}/json": found for ref in TAGS}
        made.engine.answers |= {"/images/json": as_json([{"RepoTags": TAGS}]), "/push": PUSHED}
        yield made


async def pushed(place: Farm) -> list[dict[str, Any]]:
    """What the client reads of a push without a tag."""
    answer = await place.send(b"POST /v1.41/images/lab/tool/push HTTP/1.1\r\nHost: d\r\n"
                              b"Connection: close\r\nContent-Length: 0\r\n\r\n")  # fmt: skip
    return [json.loads(line) for line in answer.partition(b"\r\n\r\n")[2].splitlines() if line.startswith(b"{")]


def asked(place: Farm) -> list[str]:
    return [each for each in place.engine.asked if each.startswith("POST")]


async def test_a_repository_is_pushed_tag_by_tag_and_told_as_one(place: Farm) -> None:
    assert await pushed(place) == [GOES_TO, {"status": "done"}, {"status": "done"}]
    assert asked(place) == ASKED


async def test_nothing_is_pushed_when_the_engine_cannot_say_which_tags_there_are(place: Farm) -> None:
    place.engine.answers["/images/json"] = as_json({"message": "oh"}, 500)
    (refused,) = await pushed(place)
    assert "cannot say which tags" in refused["message"]
    assert asked(place) == []


async def test_a_tag_that_becomes_somebody_elses_meanwhile_stays_here(place: Farm) -> None:
    place.engine.after["/push"] = {"/lab/tool:2/json": as_json({"Id": "sha256:8", "RepoTags": TAGS[1:]})}
    *_, last = await pushed(place)
    assert last["error"] == "No such image: lab/tool:2"
    assert asked(place) == ASKED[:1]


@pytest.mark.parametrize("failed", [said({"errorDetail": {"message": "no"}, "error": "no"}), plain(404, b"{}")])
async def test_a_push_ends_with_its_first_error(place: Farm, failed: bytes) -> None:
    place.engine.answers["/push"] = failed
    await pushed(place)
    assert asked(place) == ASKED[:1]


async def test_the_engines_words_about_a_later_tag_are_the_last(place: Farm) -> None:
    place.engine.after["push"] = {"/push": as_json({"message": "too many pushes"}, 500)}
    place.engine.answers["/push"] = PUSHED
    *_, last = await pushed(place)
    assert last["error"] == "too many pushes"


async def test_a_repository_that_is_not_here_has_its_registry_said_of_it_once(place: Farm) -> None:
    place.engine.answers["/images/json"] = as_json([])
    answer = await place.send(b"POST /v1.41/images/registry-1.docker.io/own/push?tag=1 HTTP/1.1\r\nHost: d\r\n"
                              b"Connection: close\r\nContent-Length: 0\r\n\r\n")  # fmt: skip
    assert b"The push refers to repository [registry-1.docker.io/own]" in answer


async def test_a_push_takes_no_body_like_any_request_without_one(place: Farm) -> None:
    status, said = await place.ask("POST", "/images/lab/tool/push", {"password": "x"})
    assert (status, "This request takes no body (body.none)" in said["message"]) == (400, True)
    assert asked(place) == []
