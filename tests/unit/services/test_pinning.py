"""What a build may be made from: images by names that mean them whatever is written meanwhile."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime

import pytest

from ds01.domain.image import Image, ImageId, Provenance, Tag
from ds01.domain.image_pins import pinned
from ds01.domain.people import Uid
from ds01.domain.settings import ImageSettings
from ds01.services.door import building
from ds01.services.door.pinning import sweep
from ds01.sim.facts import SimFacts
from ds01.wire.door import DoorBuild, DoorBuildGrant, DoorTicket
from tests.server import ALICE, BOB, SimServer
from tests.unit.services.test_giving_way import means, pulled, wrote

REF, BASE = "lab:5000/tool:1", "ds01/minimal:latest"
PIN = f"ds01-b{ALICE.uid}/lab.port__5000/tool:1"
DIGEST = f"sha256:{'d' * 64}"
SETTINGS = ImageSettings(protected=("ds01/*",))


@pytest.fixture(autouse=True)
def guarded(server: SimServer) -> None:
    """BuildKit may be used."""
    facts = server.world.facts
    assert isinstance(facts, SimFacts)
    facts.guards[server.world.paths.engine.removeprefix("unix://")] = "/guard"


async def builds(server: SimServer) -> DoorBuildGrant:
    return await building.grant(server.world, DoorBuild(uid=ALICE.uid, refs=(), memory_bytes=0, buildkit=True))


async def over(server: SimServer, grant: DoorBuildGrant) -> None:
    await building.over(server.world, DoorTicket(ticket=grant.ticket))


async def test_what_she_wrote_is_what_her_build_gets_whoever_has_the_name_then(server: SimServer) -> None:
    hers = await wrote(server, ALICE)
    grant = await builds(server)
    assert grant.images == {BASE: BASE, REF: PIN}
    await pulled(server, BOB, private=True)
    bound = await server.engine.image(grant.images[REF])
    assert bound is not None
    assert bound.id == hers
    await over(server, grant)
    assert await server.engine.image(PIN) is None
    assert await means(server, ALICE) == hers


async def test_what_others_have_is_not_among_it(server: SimServer) -> None:
    await wrote(server, BOB)
    assert (await builds(server)).images == {BASE: BASE}
    await wrote(server, ALICE)
    assert (await builds(server)).images == {BASE: BASE, REF: f"ds01-u{ALICE.uid}/lab.port__5000/tool:1"}


async def test_two_builds_at_once_keep_it_until_both_are_over(server: SimServer) -> None:
    await wrote(server, ALICE)
    first, second = await builds(server), await builds(server)
    await over(server, first)
    assert await server.engine.image(PIN) is not None
    await over(server, second)
    assert await server.engine.image(PIN) is None


async def test_an_image_without_another_name_stays(server: SimServer) -> None:
    """She has built the name again meanwhile: what had it before is there as with any engine."""
    await server.build()
    hers = await wrote(server, ALICE)
    grant = await builds(server)
    await wrote(server, ALICE)
    await over(server, grant)
    left = await server.engine.image(hers)
    assert left is not None
    assert (left.tags, left.pins) == ((), ())


async def test_what_a_ds01d_left_that_was_killed_goes(server: SimServer) -> None:
    await wrote(server, ALICE)
    await builds(server)
    await sweep(server.world)
    assert await server.engine.image(PIN) is not None
    server.world = server.another_world()
    await sweep(server.world)
    assert await server.engine.image(PIN) is None
    assert await server.engine.image(REF) is not None


def image(*digests: str) -> Image:
    made = datetime(2026, 3, 2, tzinfo=UTC)
    return Image(id=ImageId("sha256:1"), tags=(), created_at=made, size_bytes=1, labels={}, digests=digests)


@pytest.mark.parametrize(
    ("ref", "digests", "name"),
    [
        (REF, [f"lab:5000/tool@{DIGEST}"], f"{REF}@{DIGEST}"), (REF, [f"lab:5000/other@{DIGEST}"], PIN),
        (REF, [], PIN), (f"lab:5000/tool@{DIGEST}", [], f"lab:5000/tool@{DIGEST}"),
        ("ds01/tiny:latest", [], "ds01/tiny:latest"), ("ds01-u1001/app:1", [], "ds01-u1001/app:1"),
        ("ds01-1001/thesis:latest", [], "ds01-1001/thesis:latest"), ("a" * 240 + ":1", [], ""),
    ],
)  # fmt: skip
def test_each_name_is_bound_by_what_nobody_else_writes(ref: str, digests: Collection[str], name: str) -> None:
    tag = Tag(ref=ref, image=ImageId("sha256:1"), provenance=Provenance.USER, owner=Uid(1001))
    assert pinned(image(*digests), ref, tag, Uid(1001), SETTINGS) == name
