"""BuildKit's cache: each sees, pays for and prunes what her own builds left in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.engine.clients.desk import Desk, at_once, tagged
from tests.engine.gateway.ground import IMAGE, Ground

pytestmark = [pytest.mark.engine, pytest.mark.root]
WAYS = ("HTTP", "BuildKit's own")


@pytest.fixture
def desks(place: Ground) -> Iterator[tuple[Desk, Desk]]:
    """Alice's and Mallory's, with an empty cache."""
    place.root("POST", "/build/prune?all=1")
    found = [Desk(user=user, folder=user.folder("cache")) for user in (place.alice, place.mallory)]
    for desk in found:
        login = desk.user.person.login
        lines = (f"FROM {IMAGE}", f"RUN echo {login} > /left && dd if=/dev/zero of=/big bs=1024 count=64",
                 f"RUN --mount=type=cache,target=/kept echo {login} > /kept/{login}", f"FROM {IMAGE}",
                 f"COPY --from=0 /left /{login}")  # fmt: skip
        desk.write("Dockerfile", "".join(f"{line}\n" for line in lines))
    yield found[0], found[1]
    place.clear(set())
    for desk in found:
        place.clear_images(desk.user.uid)
    for ref in tagged(place):
        place.root("DELETE", f"/images/{ref}?force=1")
    place.root("POST", "/build/prune?all=1")


def rows(desk: Desk) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = desk.user.call("GET", "/v1.41/system/df").json["BuildCache"]
    return found


def there(place: Ground) -> dict[str, dict[str, Any]]:
    return {row["ID"]: row for row in place.root("GET", "/system/df").json["BuildCache"] or ()}


def build(desk: Desk, *options: str) -> None:
    desk.docker("build", *options, "-t", "cached", ".", kit="1")


def prune(desk: Desk, way: str) -> None:
    if way == "HTTP":
        done = desk.user.call("POST", "/v1.41/build/prune?all=1")
        assert done.status == 200, done.body
        assert done.json["SpaceReclaimed"] > 64 * 1024
    else:
        assert "Total" in desk.ok("docker", "buildx", "prune", "-af")


@pytest.mark.parametrize("way", WAYS)
def test_d7_d18_d24_each_sees_and_prunes_her_own(place: Ground, desks: tuple[Desk, Desk], way: str) -> None:
    for desk in desks:
        build(desk)
    for desk, other in (desks, desks[::-1]):
        mine, theirs = desk.user.person.login, other.user.person.login
        said = " ".join(row["Description"] for row in rows(desk))
        assert f"echo {mine} > /left" in said
        assert f"echo {mine} > /kept" in said
        assert theirs not in said
        assert sum(row["Size"] for row in rows(desk)) > 64 * 1024
        listed = desk.ok("docker", "buildx", "du", "--verbose")
        assert f"echo {mine} > /left" in listed
        assert theirs not in listed
    hers, his = desks
    kept = {row["ID"] for row in rows(his)}
    prune(hers, way)
    assert kept <= there(place).keys()
    assert not [row for row in there(place).values() if f"echo {hers.user.person.login}" in row["Description"]]
    assert not [row for row in rows(hers) if not row["Shared"]]
    assert {row["ID"] for row in rows(his)} == kept
    build(his)


def pruned(desk: Desk, way: str) -> str:
    """What she is told when all that may go goes."""
    if way == "HTTP":
        return desk.user.call("POST", "/v1.41/build/prune?all=1").body.decode()
    return desk.ok("docker", "buildx", "prune", "-af", "--verbose")


@pytest.mark.parametrize("way", WAYS)
def test_d18_what_two_build_at_once_goes_with_the_last_who_wants_it_gone(
    place: Ground, desks: tuple[Desk, Desk], way: str
) -> None:
    at_once(*(lambda desk=desk: build(desk) for desk in desks))
    for desk, other in (desks, desks[::-1]):
        assert other.user.person.login not in pruned(desk, way)
    logins = [desk.user.person.login for desk in desks]
    assert not [row for row in there(place).values() if any(login in row["Description"] for login in logins)]


def test_d7_what_two_build_at_once_is_seen_by_nobody_else(place: Ground, desks: tuple[Desk, Desk]) -> None:
    """Who of them made a step is not known at first; to show it would tell what the other one builds."""
    at_once(*(lambda desk=desk: build(desk) for desk in desks))
    for desk, other in (desks, desks[::-1]):
        assert other.user.person.login not in " ".join(row["Description"] for row in rows(desk))
    for desk in desks:
        build(desk, "--no-cache")
    for desk, other in (desks, desks[::-1]):
        said = " ".join(row["Description"] for row in rows(desk))
        assert f"echo {desk.user.person.login} > /left" in said
        assert other.user.person.login not in said
