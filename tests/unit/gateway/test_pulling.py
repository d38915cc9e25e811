"""A pull of all tags of a repository, of which no more images come than may."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from ds01.domain.dockerpolicy.context import END
from ds01.domain.dockerpolicy.tarhead import entry
from ds01.gateway.held import LATER
from tests.unit.gateway.farm import UID, Farm, as_json, farm, plain


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Farm]:
    async with farm(tmp_path) as made:
        user = {"uid": UID, "gid": UID, "login": "mallory", "admin": False, "registries": ["docker.io"]}
        made.daemon.answers |= {
            f"/door/users/{UID}": as_json(user),
            "/door/writes": as_json({"ticket": "t", "left_images": 2, "has": ["sha256:a"]}),
            "/door/writes/commit": as_json([]),
        }
        yield made


async def pulled(place: Farm, *digests: str) -> list[dict[str, Any]]:
    """What the client reads of a pull that brings a tag for each of these."""
    said = [{"id": f"v{number}", "status": "Pulling from lab/tool"} for number in range(len(digests))]
    came = [{"status": f"Digest: sha256:{digest}"} for digest in digests]
    lines = [line for both in zip(said, came, strict=True) for line in both]
    lines.append({"status": "Status: Downloaded newer image for lab/tool"})
    place.engine.answers["/images/create"] = plain(200, b"".join(json.dumps(line).encode() + b"\r\n" for line in lines))
    answer = await place.send(b"POST /v1.41/images/create?fromImage=lab/tool HTTP/1.1\r\nHost: d\r\n"
                              b"Connection: close\r\nContent-Length: 0\r\n\r\n")  # fmt: skip
    return [json.loads(line) for line in answer.partition(b"\r\n\r\n")[2].splitlines() if line.startswith(b"{")]


async def test_e33_more_images_than_may_come_break_it_off(place: Farm) -> None:
    *_, last = await pulled(place, "a", "b", "c", "d", "e")
    assert "more images than the 2 that you may still have" in last["error"]
    assert json.loads(place.daemon.told[-1])["done"] is False


async def test_a_pull_whose_end_ds01d_does_not_hear_says_so(place: Farm) -> None:
    def away() -> None:
        place.daemon.up = False

    place.daemon.upon["/door/writes/commit"] = away
    *_, last = await pulled(place, "a")
    assert last["error"] == LATER


async def test_a_pull_that_ds01d_has_no_room_to_write_down_says_so(place: Farm) -> None:
    full = {"error": {"code": "disk.full", "message": "The disk of the ledger is full."}}
    place.daemon.answers["/door/writes/commit"] = as_json(full, 507)
    *_, last = await pulled(place, "a")
    assert last["error"] == LATER


async def test_tags_of_one_image_and_what_she_has_are_no_more_images(place: Farm) -> None:
    *_, last = await pulled(place, "b", "a", "b", "c", "c", "a")
    assert last == {"status": "Status: Downloaded newer image for lab/tool"}


async def test_who_builds_from_what_she_has_not_reads_that_she_may_pull_it(place: Farm) -> None:
    place.may_build()
    context = entry("Dockerfile", b"FROM elsewhere.org/lab/tool\n") + END
    head = f"POST /v1.41/build HTTP/1.1\r\nHost: d\r\nConnection: close\r\nContent-Length: {len(context)}\r\n\r\n"
    answer = await place.send(head.encode() + context)
    assert b"403" in answer.partition(b"\r\n")[0]
    assert b"(build.from). Use one of: docker images; or get it first: docker pull. " in answer
