"""Images that say too much of themselves go again, and nobody has more images than she may."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from ds01.domain.dockerpolicy.weight import LABELS_TOGETHER
from ds01.domain.errors import IMAGE_HEAVY, IMAGE_QUOTA, Ds01Error
from ds01.domain.image import ImageId
from ds01.domain.people import User
from ds01.services.door import building, writing
from ds01.services.tickets import LATE_SECONDS
from ds01.wire.door import DoorBuild, DoorTicket, DoorWrite, DoorWritten, Writing
from tests.server import ALICE, BOB, MINIMAL, SimServer, settings

WHY = "its labels are too long"


async def loaded(server: SimServer, user: User, refs: Sequence[str], *, heavy: str = WHY, done: bool = True) -> ImageId:
    """An archive with one image comes, under these names."""
    ask = DoorWrite(uid=user.uid, what=Writing.LOAD, refs=tuple(refs))
    grant = await writing.grant(server.world, ask)
    image = server.engine.add_image(refs[0] if refs else "nothing:1", heavy=heavy)
    if not refs:
        server.engine.name_image(ImageId("none"), "nothing:1")
    for ref in refs:
        server.engine.name_image(image, ref)
    written = DoorWritten(ticket=grant.ticket, asked=ask, done=done, images=(image,) if done else ())
    await writing.over(server.world, written)
    return image


async def images(server: SimServer) -> list[ImageId]:
    """What there is besides the server's own."""
    return [image.id for image in await server.engine.images() if MINIMAL not in image.tags]


async def there(server: SimServer, ref: str) -> ImageId | None:
    found = await server.engine.image(ref)
    return found.id if found is not None else None


@pytest.mark.parametrize("refs", [["app:1"], ["app:1", "app:2"], []])
async def test_e33_what_is_too_heavy_goes_again(server: SimServer, refs: list[str]) -> None:
    with pytest.raises(Ds01Error, match=WHY) as refused:
        await loaded(server, ALICE, refs)
    assert refused.value.kind is IMAGE_HEAVY
    assert not await images(server)


async def test_e33_a_name_means_what_it_meant_before(server: SimServer) -> None:
    before = await loaded(server, ALICE, ["app:1"], heavy="")
    with pytest.raises(Ds01Error, match=WHY):
        await loaded(server, ALICE, ["app:1"])
    assert await images(server) == [before]
    assert await there(server, "app:1") == before


async def test_e33_who_hangs_up_in_the_last_moment_gains_nothing(server: SimServer) -> None:
    ask = DoorWrite(uid=ALICE.uid, what=Writing.LOAD, refs=("app:1",))
    grant = await writing.grant(server.world, ask)
    await writing.over(server.world, DoorWritten(ticket=grant.ticket, asked=ask, done=False))
    server.engine.add_image("app:1", heavy=WHY)
    await server.clock.advance(LATE_SECONDS + 1)
    await writing.lapse(server.world)
    assert not await images(server)


async def test_e33_a_pull_and_a_build_are_no_other_way(server: SimServer) -> None:
    ask = DoorWrite(uid=ALICE.uid, what=Writing.PULL, refs=("lab:5000/tool:*",))
    grant = await writing.grant(server.world, ask)
    server.engine.add_image("lab:5000/tool:1", heavy=WHY)
    kept = server.engine.add_image("lab:5000/tool:2")
    with pytest.raises(Ds01Error, match=WHY):
        await writing.over(server.world, DoorWritten(ticket=grant.ticket, asked=ask, done=True))
    build = await building.grant(server.world, DoorBuild(uid=ALICE.uid, refs=("app:1",)))
    server.engine.add_image("app:1", labels=dict(build.labels), heavy=WHY)
    with pytest.raises(Ds01Error, match=WHY):
        await building.over(server.world, DoorTicket(ticket=build.ticket))
    assert await images(server) == [kept]


async def test_what_others_have_or_an_admin_chose_stays(server: SimServer) -> None:
    theirs = server.engine.add_image("bob/app:1", heavy=WHY)
    ask = DoorWrite(uid=ALICE.uid, what=Writing.LOAD, refs=())
    grant = await writing.grant(server.world, ask)
    await writing.over(server.world, DoorWritten(ticket=grant.ticket, asked=ask, done=True, images=(theirs,)))
    assert await there(server, "bob/app:1") == theirs
    server.policy.settings = settings(admin=True)
    assert await loaded(server, ALICE, ["tool:1"]) == await there(server, "tool:1")


async def test_what_an_admin_has_pulled_stays_when_anothers_pull_of_it_fails(server: SimServer) -> None:
    asks = [DoorWrite(uid=who.uid, what=Writing.PULL, refs=("lab:5000/tool:1",)) for who in (ALICE, BOB)]
    his = await writing.grant(server.world, asks[1])
    server.policy.settings = settings(admin=True)
    hers = await writing.grant(server.world, asks[0])
    server.policy.settings = settings()
    image = server.engine.add_image("lab:5000/tool:1", heavy=WHY)
    await writing.over(server.world, DoorWritten(ticket=hers.ticket, asked=asks[0], done=True))
    await writing.over(server.world, DoorWritten(ticket=his.ticket, asked=asks[1], done=False))
    await server.clock.advance(LATE_SECONDS + 1)
    await writing.lapse(server.world)
    assert await images(server) == [image]


async def test_e33_nobody_has_more_images_than_she_may(server: SimServer) -> None:
    server.policy.settings = settings(images=3)
    await loaded(server, ALICE, ["a:1", "a:2"], heavy="")
    with pytest.raises(Ds01Error, match="You have 2 of 3 images, and this would be 2 more") as refused:
        await loaded(server, ALICE, ["b:1", "b:2"], heavy="")
    assert (refused.value.kind, refused.value.problem.hint) == (IMAGE_QUOTA, "docker image prune -a")
    await loaded(server, ALICE, ["b:1"], heavy="")
    await server.clock.advance(60)
    for ask in (
        writing.grant(server.world, DoorWrite(uid=ALICE.uid, what=Writing.TAG, refs=("c:1",))),
        building.grant(server.world, DoorBuild(uid=ALICE.uid, refs=())),
        writing.room(server.world, ALICE.uid, image=True),
    ):
        with pytest.raises(Ds01Error, match="You have 3 of 3 images"):
            await ask
    assert (await writing.room(server.world, ALICE.uid, image=False)).left_bytes
    await loaded(server, BOB, ["d:1"], heavy="")


async def test_e33_images_without_a_name_count_before_they_are_there(server: SimServer) -> None:
    server.policy.settings = settings(images=3)
    hers = await loaded(server, ALICE, ["a:1"], heavy="")
    base = await there(server, MINIMAL)
    his = await loaded(server, BOB, ["b:1"], heavy="")
    new = tuple(ImageId(f"sha256:{digit * 64}") for digit in "12")
    ask = DoorWrite(uid=ALICE.uid, what=Writing.LOAD, refs=("c:1",), nameless=(hers, str(base), *new))
    with pytest.raises(Ds01Error, match="You have 1 of 3 images, and this would be 3 more"):
        await writing.grant(server.world, ask)
    with pytest.raises(Ds01Error, match="this would be 3 more"):
        await writing.grant(server.world, replace(ask, refs=(), nameless=(his, *new)))
    await writing.grant(server.world, replace(ask, nameless=(hers, str(base), new[0])))


async def test_e33_a_pull_of_all_tags_is_told_how_many_images_may_come(server: SimServer) -> None:
    server.policy.settings = settings(images=3)
    digest, other = f"lab/tool@sha256:{'a' * 64}", f"lab/other@sha256:{'c' * 64}"
    for user, ref, digests in (
        (ALICE, "lab/tool:1", (digest, other)),
        (BOB, "lab/tool:2", (f"lab/tool@sha256:{'b' * 64}",)),
    ):
        ask = DoorWrite(uid=user.uid, what=Writing.PULL, refs=(ref,))
        granted = await writing.grant(server.world, ask)
        server.engine.add_image(ref, digests=digests)
        await writing.over(server.world, DoorWritten(ticket=granted.ticket, asked=ask, done=True))
    ask = DoorWrite(uid=ALICE.uid, what=Writing.PULL, refs=("lab/tool:*",))
    grant = await writing.grant(server.world, ask)
    assert (grant.left_images, grant.has) == (2, (f"sha256:{'a' * 64}",))
    one = await writing.grant(server.world, replace(ask, refs=("lab/one:1",)))
    assert (one.left_images, one.has) == (None, ())
    server.policy.settings = settings(images=None)
    assert (await writing.grant(server.world, replace(ask, refs=("lab/two:*",)))).left_images is None


async def test_e33_the_labels_of_all_ones_images_are_bounded(server: SimServer) -> None:
    ask = DoorWrite(uid=ALICE.uid, what=Writing.LOAD, refs=("a:1",))
    grant = await writing.grant(server.world, ask)
    server.engine.add_image("a:1", labels={"x": "y" * LABELS_TOGETHER})
    await writing.over(server.world, DoorWritten(ticket=grant.ticket, asked=ask, done=True))
    await server.clock.advance(60)
    with pytest.raises(Ds01Error, match="labels of your images are longer than 4M"):
        await writing.grant(server.world, DoorWrite(uid=ALICE.uid, what=Writing.TAG, refs=("b:1",)))
    await writing.room(server.world, ALICE.uid, image=False)
