"""``docker ps``: what the engine is asked, and what its user gets of its answer."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from ds01.wire.door import DoorContainer
from tests.unit.gateway.farm import UID, Farm, as_json, farm

NAMES = ["job", "web-new", "other", "web-old"]
"""The newest first, as the engine lists them."""


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Farm]:
    async with farm(tmp_path) as made:
        for name in NAMES:
            made.registry.learn(DoorContainer(id=number(name), uid=UID, name=name, stored_name=f"{name}._.{UID}"))
        made.engine.answers["/containers/json"] = as_json([{"Id": number(name), "Names": ["/x"]} for name in NAMES])
        yield made


def number(name: str) -> str:
    return f"{NAMES.index(name):064x}"


async def listed(place: Farm, query: str, **filters: list[str]) -> tuple[list[str], dict[str, Any]]:
    """The names she gets, and the parameters of what the engine was asked."""
    status, found = await place.get(f"/v1.41/containers/json?{query}&filters={quote(json.dumps(filters))}")
    assert status == 200, found
    asked = parse_qs(urlsplit(place.engine.asked[-1].split(" ")[1]).query)
    return [row["Names"][0] for row in found], asked


@pytest.mark.parametrize(
    ("limit", "names"), [(1, ["/web-new"]), (2, ["/web-new", "/web-old"]), (9, ["/web-new", "/web-old"])]
)
async def test_f2_the_last_of_a_name_are_the_last_that_have_it(place: Farm, limit: int, names: list[str]) -> None:
    """``docker ps -n 1 -f name=web``: the engine knows other names, so it cannot count."""
    for _ in range(2):
        found, asked = await listed(place, f"limit={limit}", name=["web"])
        assert found == names
        assert (asked["all"], asked["limit"]) == (["1"], ["0"])


async def test_without_a_name_the_engine_counts(place: Farm) -> None:
    _, asked = await listed(place, "limit=1", status=["running"])
    assert (asked["limit"], asked.get("all")) == (["1"], None)


async def test_what_a_former_owner_of_her_uid_left_is_not_counted(place: Farm) -> None:
    _, asked = await listed(place, "limit=1")
    assert set(json.loads(asked["filters"][0])["label"]) == {f"ds01.owner.uid={UID}", "ds01.owner.epoch=0"}


@pytest.mark.parametrize("limit", ["0", "-1"])
async def test_no_limit_is_none_with_a_name_too(place: Farm, limit: str) -> None:
    """Python's client says ``limit=-1`` always: the list is then of what runs."""
    found, asked = await listed(place, f"limit={limit}&all=0", name=["web"])
    assert (found, asked["all"]) == (["/web-new", "/web-old"], ["0"])


async def test_an_admin_finds_hers_by_the_name_she_sees(place: Farm) -> None:
    """And somebody else's by the engine's, which is what she sees of it; the engine is not asked for either."""
    place.daemon.answers[f"/door/users/{UID}"] = as_json({"uid": UID, "gid": UID, "login": "root", "admin": True})
    theirs = DoorContainer(id="f" * 64, uid=UID + 1, name="job", stored_name=f"job._.{UID + 1}")
    place.registry.learn(theirs)
    rows = [{"Id": number("job"), "Names": [f"/job._.{UID}"]}, {"Id": theirs.id, "Names": [f"/{theirs.stored_name}"]}]
    place.engine.answers["/containers/json"] = as_json(rows)
    found, asked = await listed(place, "all=1", name=["^job$"])
    assert (found, "filters" in asked) == (["/job"], False)
    found, _ = await listed(place, "all=1&limit=1", name=[f"^/job._.{UID + 1}$"])
    assert found == [f"/{theirs.stored_name}"]
