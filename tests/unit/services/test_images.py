"""Images in the ledger: reserved, recorded, removed, and forgotten when they are gone."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from ds01.domain.errors import IMAGE_IN_USE, NO_IMAGE, NOT_ALLOWED, Ds01Error
from ds01.domain.image import BaseImage, Ownership, Provenance, Tag, in_registry
from ds01.domain.limits import Group, Sourced
from ds01.domain.people import Uid, User
from ds01.domain.settings import ImageSettings
from ds01.services.door import going_on, removing, writing
from ds01.services.image_tidy import GONE_SECONDS, Gone
from ds01.services.images import build_settings, list_images, remove_image, resolve, show_image
from ds01.services.lost import find_again
from ds01.services.tickets import LATE_SECONDS
from ds01.sim.engine import SimEngine
from ds01.sim.facts import SimFacts
from ds01.sim.policy import SimPolicy
from ds01.wire.door import DoorImage, DoorRemoval, DoorWrite, DoorWritten, Writing
from tests.server import ALICE, BOB, SimServer, settings

REF = "lab/tool:1"
OF_BOB = f"ds01-u{BOB.uid}/lab/tool:1"


async def pulls(server: SimServer, user: User, *, done: bool = True, private: bool = False) -> tuple[DoorImage, ...]:
    """The user pulls; the engine has it from the first time on."""
    ask = DoorWrite(uid=user.uid, what=Writing.PULL, refs=(REF,), private=private)
    grant = await writing.grant(server.world, ask)
    if await server.engine.image(REF) is None:
        server.engine.add_image(REF)
    return await writing.over(server.world, DoorWritten(ticket=grant.ticket, asked=ask, done=done))


async def tag(server: SimServer) -> Tag | None:
    return await server.world.ledger.read(lambda books: books.tag(REF))


async def owners(server: SimServer) -> list[int]:
    found: tuple[Ownership, ...] = await server.world.ledger.read(lambda books: books.ownerships())
    return [each.uid for each in found]


async def test_what_was_pulled_is_everybodys_and_of_those_who_pulled(server: SimServer) -> None:
    (shown,) = await pulls(server, ALICE)
    assert shown.access.shared
    assert shown.owners == (f"{ALICE.uid}:1",)
    await pulls(server, BOB)
    assert await owners(server) == [ALICE.uid, BOB.uid]


async def test_a_password_keeps_it_from_others_until_somebody_needs_none(server: SimServer) -> None:
    (shown,) = await pulls(server, ALICE, private=True)
    assert not shown.access.named(REF, f"{BOB.uid}:1")
    (shown,) = await pulls(server, BOB, private=True)
    assert shown.access.named(REF, f"{BOB.uid}:1")
    (shown,) = await pulls(server, BOB)
    assert shown.access.shared
    (shown,) = await pulls(server, ALICE, private=True)
    assert shown.access.shared


async def test_a_pull_that_was_broken_off_is_hers_when_it_came_after_all(server: SimServer) -> None:
    ask = DoorWrite(uid=ALICE.uid, what=Writing.PULL, refs=(REF,))
    grant = await writing.grant(server.world, ask)
    await writing.over(server.world, DoorWritten(ticket=grant.ticket, asked=ask, done=False))
    assert await tag(server) is None
    server.engine.add_image(REF)
    await server.clock.advance(LATE_SECONDS + 1)
    await writing.lapse(server.world)
    found = await tag(server)
    assert found is not None
    assert found.provenance is Provenance.REGISTRY
    assert await owners(server) == [ALICE.uid]


async def pulling(
    server: SimServer, who: User, ref: str = REF, *, private: bool = False
) -> Callable[..., Awaitable[object]]:
    """Her pull has begun; call what is given when it is over."""
    ask = DoorWrite(uid=who.uid, what=Writing.PULL, refs=(ref,), private=private)
    grant = await writing.grant(server.world, ask)
    return lambda *, done: writing.over(server.world, DoorWritten(ticket=grant.ticket, asked=ask, done=done))


async def looked_again(server: SimServer) -> None:
    await server.clock.advance(LATE_SECONDS + 1)
    await writing.lapse(server.world)


@pytest.mark.parametrize("late", [False, True])
async def test_a_pull_that_failed_brings_nothing_that_another_brought(server: SimServer, late: bool) -> None:
    """However they meet: what Alice's password gets is no image of Bob's, who has none, and stays behind it."""
    alice, bob = await pulling(server, ALICE, private=True), await pulling(server, BOB)
    if late:
        await bob(done=False)
    server.engine.add_image(REF)
    if not late:
        await bob(done=False)
        assert await owners(server) == []
    await looked_again(server)
    assert await owners(server) == []
    await alice(done=True)
    await looked_again(server)
    found = await tag(server)
    assert found is not None
    assert (found.provenance, await owners(server)) == (Provenance.PRIVATE, [ALICE.uid])


@pytest.mark.parametrize("late", [False, True])
async def test_a_pull_of_a_digest_that_failed_brings_nothing_that_another_brought_by_its_tag(
    server: SimServer, late: bool
) -> None:
    digest = f"lab/tool@sha256:{'d' * 64}"
    alice, bob = await pulling(server, ALICE, private=True), await pulling(server, BOB, digest)
    image = server.engine.add_image(REF)
    server.engine.name_image(image, digest)
    if late:
        await alice(done=True)
    await bob(done=False)
    assert await owners(server) == ([ALICE.uid] if late else [])
    if not late:
        await alice(done=True)
    await looked_again(server)
    assert await owners(server) == [ALICE.uid]


async def test_a_pull_that_failed_just_before_another_began_brings_nothing_of_it(server: SimServer) -> None:
    bob = await pulling(server, BOB)
    await bob(done=False)
    alice = await pulling(server, ALICE, private=True)
    server.engine.add_image(REF)
    await alice(done=True)
    await looked_again(server)
    assert await owners(server) == [ALICE.uid]


async def test_a_pull_that_failed_brings_nothing_that_another_brought_before_a_restart(server: SimServer) -> None:
    ask = DoorWrite(uid=BOB.uid, what=Writing.PULL, refs=(REF,))
    held = (await writing.grant(server.world, ask)).held
    assert held is not None
    alice = await pulling(server, ALICE, private=True)
    server.engine.add_image(REF)
    await alice(done=True)
    server.world = server.another_world()
    await going_on.go_on(server.world, [held])
    await writing.over(server.world, DoorWritten(ticket=held.ticket, asked=ask, done=False))
    assert await owners(server) == [ALICE.uid]


async def test_what_either_of_two_pulls_may_have_brought_that_did_not_end_goes_again(server: SimServer) -> None:
    await pulls(server, BOB)
    old = await server.engine.image(REF)
    alice, bob = await pulling(server, ALICE, private=True), await pulling(server, BOB)
    await alice(done=False)
    await bob(done=False)
    new = server.engine.add_image(REF)
    await looked_again(server)
    there = await server.engine.image(REF)
    assert (there, await server.engine.image(new), await owners(server)) == (old, None, [BOB.uid])


async def test_a_pull_that_failed_beside_another_that_was_broken_off_is_looked_at_until_that_is_over(
    server: SimServer,
) -> None:
    alice, bob = await pulling(server, ALICE, private=True), await pulling(server, BOB)
    await bob(done=False)
    server.engine.add_image(REF)
    for _ in range(3):
        await looked_again(server)
    await alice(done=False)
    assert (await server.engine.image(REF), await owners(server)) == (None, [])


async def test_nobody_else_writes_a_name_that_is_being_written(server: SimServer) -> None:
    await writing.grant(server.world, DoorWrite(uid=ALICE.uid, what=Writing.LOAD, refs=(REF,)))
    for what in (Writing.TAG, Writing.COMMIT):
        grant = await writing.grant(server.world, DoorWrite(uid=BOB.uid, what=what, refs=(REF,)))
        assert grant.names == {REF: OF_BOB}
    grant = await writing.grant(server.world, DoorWrite(uid=BOB.uid, what=Writing.BUILD, refs=(REF,)))
    assert grant.names == {REF: OF_BOB}
    await writing.grant(server.world, DoorWrite(uid=ALICE.uid, what=Writing.TAG, refs=(REF,)))


async def test_a_ds01d_that_was_started_again_records_what_was_granted_before(server: SimServer) -> None:
    ask = DoorWrite(uid=ALICE.uid, what=Writing.LOAD, refs=(REF,))
    grant = await writing.grant(server.world, ask)
    image = server.engine.add_image(REF)
    server.world = server.another_world()
    written = DoorWritten(ticket=grant.ticket, asked=ask, done=True, images=(image,))
    await writing.over(server.world, written)
    found = await tag(server)
    assert found is not None
    assert found.owner == ALICE.uid
    assert await owners(server) == [ALICE.uid]


async def test_removing_a_project_forgets_everything_of_its_image(server: SimServer) -> None:
    image = await server.build()
    caller = await server.caller()
    await server.world.ledger.write(lambda books: writing.own(server.world, books, caller, image))
    await remove_image(server.world, caller, "thesis")
    assert await server.engine.image(image) is None
    assert await owners(server) == []
    assert await server.world.ledger.read(lambda books: books.tags(ALICE.uid)) == ()


async def test_an_image_of_somebody_else_too_stays(server: SimServer) -> None:
    image = await server.build()
    bob = await server.caller(BOB)
    await server.world.ledger.write(lambda books: writing.own(server.world, books, bob, image))
    with pytest.raises(Ds01Error):
        await remove_image(server.world, await server.caller(), "thesis")
    assert await server.engine.image(image) is not None
    await server.launch()
    with pytest.raises(Ds01Error) as refused:
        await remove_image(server.world, await server.caller(), "thesis")
    assert refused.value.kind is IMAGE_IN_USE


async def test_an_image_that_is_gone_is_absent(server: SimServer) -> None:
    with pytest.raises(Ds01Error) as refused:
        await removing.plan(server.world, DoorRemoval(uid=ALICE.uid, image="sha256:0", ref="x:1"))
    assert refused.value.kind is NO_IMAGE


async def test_what_the_engine_has_not_had_for_long_is_forgotten(server: SimServer) -> None:
    await pulls(server, ALICE)
    kept = await server.build()
    await server.engine.remove_image(REF)
    gone = Gone()
    await gone.forget(server.world)
    server.clock.jump(timedelta(hours=2))
    await gone.forget(server.world)
    await server.clock.advance(GONE_SECONDS - 60)
    await gone.forget(server.world)
    assert await tag(server) is not None
    server.engine.faults.away = True
    with pytest.raises(Ds01Error):
        await gone.forget(server.world)
    server.engine.faults.away = False
    await server.clock.advance(120)
    await gone.forget(server.world)
    assert await tag(server) is None
    assert await owners(server) == []
    assert [each.image for each in await server.world.ledger.read(lambda books: books.tags())] == [kept]
    assert isinstance(server.engine, SimEngine)


async def writes(server: SimServer, user: User, ref: str = REF) -> str:
    """The user loads an image under this name; the engine's name of it."""
    ask = DoorWrite(uid=user.uid, what=Writing.LOAD, refs=(ref,))
    grant = await writing.grant(server.world, ask)
    stored = grant.names.get(ref, ref)
    image = server.engine.add_image(stored)
    asked = replace(ask, refs=(stored,))
    await writing.over(server.world, DoorWritten(ticket=grant.ticket, asked=asked, done=True, images=(image,)))
    return stored


async def test_a_name_of_two_users_is_each_ones_own(server: SimServer) -> None:
    """Also when she who had it first has it no more: nothing of the other's moves."""
    alice, bob = await server.caller(ALICE), await server.caller(BOB)
    assert [await writes(server, ALICE), await writes(server, BOB)] == [REF, OF_BOB]
    for caller, stored in ((alice, REF), (bob, OF_BOB)):
        (shown,) = await list_images(server.world, caller)
        assert shown.tags == (REF,)
        meant = await resolve(server.world, caller, REF)
        assert meant is not None
        assert meant.tags == (stored,)
        assert (await show_image(server.world, caller, REF)).id == meant.id
    assert await resolve(server.world, bob, OF_BOB) is None
    assert (await remove_image(server.world, alice, REF)).removed == (REF,)
    assert await list_images(server.world, alice) == ()
    assert await resolve(server.world, alice, REF) is None
    assert await writes(server, BOB) == OF_BOB
    assert (await remove_image(server.world, bob, REF)).removed == (REF,)
    assert await server.engine.image(OF_BOB) is None
    assert await writes(server, BOB) == REF


async def test_a_name_of_ones_own_is_not_written_as_it_is_stored(server: SimServer) -> None:
    for user in (ALICE, BOB):
        with pytest.raises(Ds01Error) as refused:
            await writing.grant(server.world, DoorWrite(uid=user.uid, what=Writing.TAG, refs=(OF_BOB,)))
        assert refused.value.kind is NOT_ALLOWED


async def test_names_of_ones_own_are_found_again_when_the_ledger_was_lost(server: SimServer) -> None:
    image = server.engine.add_image(OF_BOB)
    await find_again(server.world)
    known = await server.world.ledger.read(lambda books: books.tag(OF_BOB))
    assert known == Tag(ref=OF_BOB, image=image, provenance=Provenance.USER, owner=Uid(BOB.uid))
    (shown,) = await list_images(server.world, await server.caller(BOB))
    assert shown.tags == (REF,)


BASE = BaseImage(name="torch", reference="docker.io/pytorch/pytorch:2.5.1", description="PyTorch")


def with_bases(server: SimServer) -> None:
    found = server.policy.settings
    images = replace(found.images, bases=(*found.images.bases, BASE))
    server.policy.settings = replace(found, images=images)


async def test_whoever_builds_on_a_base_first_fetches_it_for_everybody(server: SimServer) -> None:
    with_bases(server)
    ref = "pytorch/pytorch:2.5.1"
    ask = DoorWrite(uid=ALICE.uid, what=Writing.PULL, refs=(ref,))
    grant = await writing.grant(server.world, ask)
    await writing.grant(server.world, replace(ask, uid=BOB.uid))  # both at once
    server.engine.add_image(ref)
    (shown,) = await writing.over(server.world, DoorWritten(ticket=grant.ticket, asked=ask, done=True))
    assert shown.access.named(ref, f"{BOB.uid}:1")


async def test_a_base_that_is_here_is_moved_by_nobody_but_an_admin(server: SimServer) -> None:
    with_bases(server)
    ref = "pytorch/pytorch:2.5.1"
    server.engine.add_image(ref)
    for what in (Writing.PULL, Writing.TAG, Writing.LOAD, Writing.BUILD):
        with pytest.raises(Ds01Error) as refused:
            await writing.grant(server.world, DoorWrite(uid=ALICE.uid, what=what, refs=(ref,)))
        assert refused.value.kind is NOT_ALLOWED
    found = server.policy.settings
    layer = {"admin": Sourced(value=True, source="limits.yaml:9")}
    ops = Group(name="ops", members=frozenset({ALICE.login}), layer=layer)
    server.policy.settings = replace(found, policy=replace(found.policy, groups=(ops, *found.policy.groups)))
    await writing.grant(server.world, DoorWrite(uid=ALICE.uid, what=Writing.PULL, refs=(ref,)))
    with pytest.raises(Ds01Error):
        await writing.grant(server.world, DoorWrite(uid=ALICE.uid, what=Writing.TAG, refs=(ref,)))


async def test_a_base_that_came_from_a_registry_is_told_by_its_digest(server: SimServer) -> None:
    with_bases(server)
    server.engine.add_image(BASE.reference)
    found = await server.engine.image(BASE.reference)
    assert found is not None
    digest = "pytorch/pytorch@sha256:" + "d" * 64
    for digests, pinned in (
        ((digest,), digest),
        (("other/pytorch@sha256:" + "d" * 64,), ""),
        ((f"pytorch/pytorch@{found.id}",), ""),
        ((), ""),
    ):
        assert in_registry(replace(found, digests=digests), BASE.reference) == pinned
    shown = {base.name: base for base in (await build_settings(server.world)).bases}
    assert (shown["torch"].here, shown["tensorflow"].here) == (True, False)


async def test_who_only_looks_gets_the_certificates_hash_alone(server: SimServer, tmp_path: Path) -> None:
    bundle = tmp_path / "lab.pem"
    bundle.write_text("PEM")
    found = settings()
    server.policy = SimPolicy(type(found)(policy=found.policy, images=ImageSettings(ca=str(bundle))))
    world = server.another_world()
    whole, brief = await build_settings(world), await build_settings(world, brief=True)
    assert (whole.ca_pem, brief.ca_pem) == ("PEM", "")
    assert whole.ca_sha256 == brief.ca_sha256 == hashlib.sha256(b"PEM").hexdigest()
    server.policy = SimPolicy(found)
    assert (await build_settings(server.another_world())).ca_sha256 == ""


async def test_buildkit_builds_where_its_steps_are_guarded(server: SimServer) -> None:
    assert not (await build_settings(server.world)).buildkit
    assert isinstance(server.world.facts, SimFacts)
    server.world.facts.guards[server.world.paths.engine.removeprefix("unix://")] = "/guard"
    assert (await build_settings(server.world)).buildkit
