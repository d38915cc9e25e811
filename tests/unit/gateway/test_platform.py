"""What is asked for another machine is refused, and not made for this one in silence."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ds01.domain.dockerpolicy.context import END
from ds01.domain.dockerpolicy.tarhead import entry
from tests.unit.gateway.farm import Farm, as_json, farm

CREATE = "/v1.41/containers/create?name=x"


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Farm]:
    async with farm(tmp_path) as made:
        made.may_build()
        made.engine.answers["/images/bb:latest/json"] = as_json({"Id": "sha256:1", "RepoTags": ["bb:latest"]})
        yield made


async def built(place: Farm, dockerfile: str, query: str = "") -> bytes:
    """The answer to a build."""
    context = entry("Dockerfile", dockerfile.encode()) + END
    head = (f"POST /v1.41/build?{query} HTTP/1.1\r\nHost: d\r\nConnection: close\r\n"
            f"Content-Length: {len(context)}\r\n\r\n")  # fmt: skip
    return await place.send(head.encode() + context)


async def test_a_container_for_another_machine_is_refused(place: Farm) -> None:
    status, found = await place.ask("POST", f"{CREATE}&platform=linux%2Farm64", {"Image": "bb"})
    assert (status, found["message"]) == (
        403, "DS01: a container for linux/arm64 is not allowed here (create.platform). This server runs linux/amd64. "
        "More: ds01 why-refused",
    )  # fmt: skip


@pytest.mark.parametrize("platform", ["", "linux%2Famd64", "linux"])
async def test_one_for_this_server_is_not(place: Farm, platform: str) -> None:
    _, found = await place.ask("POST", f"{CREATE}&platform={platform}", {"Image": "absent"})
    assert found == {"message": "No such image: absent:latest"}


@pytest.mark.parametrize("query", ["platform=linux%2Farm64", "version=2&platform=linux%2Farm64"])
async def test_a_build_for_another_machine_is_refused(place: Farm, query: str) -> None:
    answer = await built(place, "FROM bb", query)
    assert b"building for linux/arm64 is not allowed here (build.platform). This server runs linux/amd64." in answer


@pytest.mark.parametrize("query", ["", "platform=", "platform=linux%2Famd64"])
async def test_a_stage_for_another_machine_is_refused(place: Farm, query: str) -> None:
    answer = await built(place, "FROM --platform=linux/arm64 bb", query)
    assert b"building for linux/arm64 is not allowed here (build.platform). This server runs linux/amd64." in answer


@pytest.mark.parametrize("query", ["", "platform=", "platform=linux%2Famd64"])
async def test_a_build_for_this_server_is_not(place: Farm, query: str) -> None:
    answer = await built(place, "FROM --platform=$BUILDPLATFORM absent", query)
    assert b"(build.from)" in answer
