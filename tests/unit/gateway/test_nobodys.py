"""What an admin finds in a list and nobody owns: 404 as ever, with the reason and the way that leads there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.unit.gateway.farm import UID, Farm, as_json, farm

MADE_PAST = {"/containers/old/json": "container", "/volumes/old": "volume", "/networks/old": "network"}


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Farm]:
    async with farm(tmp_path) as made:
        made.engine.answers = {path: as_json({"Id": "c" * 64, "Name": "old"}) for path in MADE_PAST}
        made.daemon.answers[f"/door/users/{UID}/network"] = as_json({})
        yield made


def is_admin(place: Farm) -> None:
    place.daemon.answers[f"/door/users/{UID}"] = as_json({"uid": UID, "gid": UID, "login": "boss", "admin": True})
    place.registry.people.changed()


@pytest.mark.parametrize("path", MADE_PAST)
async def test_an_admin_is_told_that_it_is_nobodys_and_what_works(place: Farm, path: str) -> None:
    is_admin(place)
    assert await place.get(path) == (404, {
        "message": f"DS01: The {MADE_PAST[path]} old is nobody's: it was made past DS01 "
        '(own.nobodys). Go past DS01 as well: ds01 admin door open "what is to be done". More: ds01 why-refused'
    })  # fmt: skip


async def test_so_is_one_who_would_remove_it(place: Farm) -> None:
    is_admin(place)
    status, found = await place.ask("DELETE", "/containers/old")
    assert (status, "is nobody's" in found["message"]) == (404, True)


@pytest.mark.parametrize("path", MADE_PAST)
async def test_nobody_else_learns_that_it_is_there(place: Farm, path: str) -> None:
    status, found = await place.get(path)
    assert (status, "nobody" in found["message"]) == (404, False)
    assert path not in "".join(place.engine.asked)


@pytest.mark.parametrize("name", ["new", "a%20b"])
async def test_what_no_engine_has_is_not_there_for_an_admin_either(place: Farm, name: str) -> None:
    is_admin(place)
    status, found = await place.get(f"/containers/{name}/json")
    assert (status, found["message"]) == (404, f"No such container: {name.replace('%20', ' ')}")
