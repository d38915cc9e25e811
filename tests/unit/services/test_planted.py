"""What was made past DS01 while the gateway only watched: believed of nobody, and told when the gateway is in force."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from ds01.daemon.lock import BEGUN, is_first, lock
from ds01.daemon.main import begin
from ds01.daemon.sealkey import keep, kept
from ds01.domain.confinement import Confinement
from ds01.domain.container import ContainerId
from ds01.domain.errors import DAEMON_UNSURE, NAME_TAKEN, Ds01Error
from ds01.domain.events import EventType
from ds01.domain.labels import Label
from ds01.domain.settings import DockerSettings
from ds01.ports.engine import NetworkSpec
from ds01.ports.ledger import Books
from ds01.services import networks, volumes
from ds01.services.confine import Confiner
from ds01.services.door import building, known, report
from ds01.services.images import list_images, resolve
from ds01.services.lost import find_again, is_lost, nothing_before
from ds01.services.planted import YOUNG, planted
from ds01.services.reconcile import Reconciler
from ds01.services.seal import adopt_key, older_key, seal_key
from ds01.sim.ledger import MemoryLedger
from ds01.wire.door import DoorBuild, DoorTicket
from tests.server import ALICE, BOB, ROOT, SimServer
from tests.unit.services.test_giving_way import OF_ALICE, means, pulled, wrote

VOLUME, NETWORK = f"vscode._.{ALICE.uid}", f"ds01-u{ALICE.uid}"
OWNED = {Label.OWNER: str(ALICE.uid), Label.EPOCH: "1", Label.NAME: "web", Label.DOOR: "docker"}
NAMES = (f"ds01-u{ALICE.uid}/app:1", f"ds01-b{ALICE.uid}/app:1", f"ds01-{ALICE.uid}/stolen:latest")


async def beside(server: SimServer, name: str, restart: str) -> ContainerId:
    """A container that somebody makes past the gateway."""
    made = await server.container() or await server.launch()
    spec = replace(server.engine.spec(made.id), name=name, labels={}, cgroup_parent="")
    outside = await server.engine.create(spec)
    server.engine.alter(outside, Confinement(restart=restart))
    return outside


async def plant(server: SimServer) -> None:
    """One of each, and what is not meant: a container that ends for good, an admin's that she named."""
    for name, restart in (("miner", "always"), ("once", "no"), (f"web._.{ALICE.uid}", "no"), ("grafana", "always")):
        await beside(server, name, restart)
    for name in (*NAMES, "lab/tool:1"):
        server.engine.add_image(name, labels=OWNED)
    await server.engine.create_volume(VOLUME, OWNED, {})
    await server.engine.create_network(NetworkSpec(name=NETWORK + "0", labels=OWNED, range="10.202.9.0/26"))
    server.clock.jump(YOUNG + timedelta(seconds=1))


def watches(server: SimServer, hours: int) -> None:
    until = server.clock.now() + timedelta(hours=hours)
    docker = DockerSettings(observe_until=until, outside_allowed=("grafana",))
    server.policy.settings = replace(server.policy.settings, docker=docker)


async def in_force(server: SimServer) -> list[dict[str, str]]:
    found = await server.world.ledger.read(lambda books: books.events(types=(EventType.DOOR_IN_FORCE,)))
    return [dict(event.details) for event in found]


async def test_the_end_of_watching_tells_what_stays_and_only_that(server: SimServer) -> None:
    await server.launch()
    watches(server, 1)
    await server.reconciler.round()
    assert await in_force(server) == []
    await plant(server)
    assert {(each.kind, each.name) for each in await planted(server.world)} == {
        ("container", "miner"), ("container", f"web._.{ALICE.uid}"), *(("image", name) for name in NAMES),
        ("volume", VOLUME), ("network", NETWORK + "0"),
    }  # fmt: skip
    server.clock.jump(timedelta(hours=1))
    await server.reconciler.round()
    await server.reconciler.round()
    (told,) = await in_force(server)
    assert told["left"] == "2 containers, 3 images, 1 volume, 1 network"
    assert "container miner is started again by the engine (always)" in told["names"]
    found = await report.report(server.world, await server.caller(ROOT))
    assert len(found.planted) == 7


async def test_where_nothing_was_planted_the_end_of_watching_says_so(server: SimServer) -> None:
    await server.launch()
    watches(server, 1)
    await server.reconciler.round()
    server.clock.jump(timedelta(hours=1))
    await server.reconciler.round()
    assert await in_force(server) == [{}]


async def test_names_of_a_form_that_only_ds01_writes_are_nobodys_when_the_ledger_does_not_know_them(
    server: SimServer,
) -> None:
    await server.reconciler.round()
    await plant(server)
    server.world = server.another_world()
    await Reconciler(server.world).round()  # as after a restart
    alice = await server.caller()
    recorded = await server.world.ledger.read(lambda books: {tag.ref for tag in books.tags(ALICE.uid)})
    assert recorded.isdisjoint(NAMES)
    for ref in ("app:1", *NAMES):
        assert await resolve(server.world, alice, ref) is None
    assert [view.tags for view in await list_images(server.world, alice)] == [(f"ds01-{ALICE.uid}/thesis:latest",)]


async def test_a_volume_that_somebody_put_under_a_users_name_is_not_hers(server: SimServer) -> None:
    await server.engine.create_volume(VOLUME, OWNED, {})
    alice = await server.caller()
    with pytest.raises(Ds01Error) as refused:
        await volumes.make(server.world, alice, "vscode", {}, {})
    assert refused.value.kind is NAME_TAKEN
    mine = await volumes.make(server.world, alice, "data", {}, {})
    await server.world.ledger.write(lambda books: books.drop_volume(mine.volume.id))  # ds01d was killed in between
    assert (await volumes.make(server.world, alice, "data", {}, {})).volume.id == mine.volume.id


async def test_the_seal_of_one_volume_is_no_good_for_another(server: SimServer) -> None:
    alice = await server.caller()
    mine = await volumes.make(server.world, alice, "data", {}, {})
    seen = await server.engine.volume(mine.volume.id)
    assert seen is not None
    await server.engine.create_volume(VOLUME, seen.labels, {})
    with pytest.raises(Ds01Error):
        await volumes.make(server.world, alice, "vscode", {}, {})


async def test_a_network_that_somebody_put_under_a_users_name_gives_way_to_hers(server: SimServer) -> None:
    foreign = await server.engine.create_network(NetworkSpec(name=NETWORK, labels=OWNED, range="10.202.9.0/26"))
    alice = await server.caller()
    mine = await networks.own(server.world, alice)
    assert mine.id != foreign
    assert [each.id for each in await server.engine.networks(NETWORK)] == [mine.id]
    await server.world.ledger.write(lambda books: books.drop_network(mine.id))  # ds01d was killed in between
    assert (await networks.own(server.world, alice)).id == mine.id


async def test_what_an_images_labels_say_is_believed_only_under_the_seal(server: SimServer) -> None:
    planted_ = server.engine.add_image("lab/x:1", labels=OWNED)
    grant = await building.grant(server.world, DoorBuild(uid=ALICE.uid, refs=(), memory_bytes=0))
    hers = server.engine.add_image("lab/y:1", labels=grant.labels)
    assert [(await known.image(server.world, each)).owners for each in (planted_, hers)] == [(), (f"{ALICE.uid}:1",)]


async def test_a_build_that_fails_is_not_taken_for_what_somebody_put_there(server: SimServer) -> None:
    grant = await building.grant(server.world, DoorBuild(uid=ALICE.uid, refs=("lab/x:1",), memory_bytes=0))
    server.engine.add_image("lab/x:1", labels=OWNED)
    assert await building.over(server.world, DoorTicket(ticket=grant.ticket)) == ()
    assert await resolve(server.world, await server.caller(), "lab/x:1") is None


async def test_a_planted_name_costs_nobody_her_image_when_another_pulls(server: SimServer) -> None:
    hers = await wrote(server, ALICE)
    server.engine.add_image(OF_ALICE)
    await pulled(server, BOB)
    assert await means(server, ALICE) == hers


async def test_what_was_lost_with_the_ledger_is_found_again(server: SimServer) -> None:
    alice = await server.caller()
    volume = (await volumes.make(server.world, alice, "data", {}, {})).volume
    own = await networks.own(server.world, alice)
    image = await server.build()
    before = await server.world.ledger.read(lambda books: books.tags(ALICE.uid))

    def lose(books: Books) -> None:
        books.drop_volume(volume.id)
        books.drop_network(own.id)
        for tag in before:
            books.drop_tag(tag.ref)

    await server.world.ledger.write(lose)
    await find_again(server.world)
    again = await server.world.ledger.read(
        lambda books: (books.volume(volume.id), books.network(own.id), books.tags(ALICE.uid))
    )
    assert again[0] is not None
    assert again[1] is not None
    assert (again[0].name, again[1].name) == ("data", "bridge")
    assert {tag.image for tag in again[2]} == {image}


async def test_with_the_key_kept_beside_a_lost_ledger_only_what_ds01_made_is_found_again(server: SimServer) -> None:
    alice = await server.caller()
    made = await server.launch()
    volume = (await volumes.make(server.world, alice, "data", {}, {})).volume
    forged = replace(server.engine.spec(made.id), name=f"miner._.{ALICE.uid}")
    forged = replace(forged, labels={**forged.labels, Label.NAME: "miner", Label.LEASE: "", Label.SLOTS: ""})
    await server.engine.start(await server.engine.create(forged))
    await server.engine.create_volume(VOLUME, OWNED, {})
    server.engine.add_image("lab/x:1", labels=OWNED)
    built = await building.grant(server.world, DoorBuild(uid=ALICE.uid, refs=(), memory_bytes=0))
    hers = server.engine.add_image("lab/y:1", labels=built.labels)

    key = await seal_key(server.world)
    await server.lose_ledger(MemoryLedger())
    assert await adopt_key(server.world, key) == key
    await server.reconciler.round()
    found = await server.world.ledger.read(
        lambda books: (books.containers(), books.volumes(), books.networks(), books.ownerships())
    )
    assert [container.id for container in found[0]] == [made.id]
    assert [each.id for each in found[1]] == [volume.id]
    assert [each.stored for each in found[2]] == [NETWORK]
    assert [each.image for each in found[3]] == [hers]


async def test_a_ledger_that_has_a_key_keeps_it(server: SimServer) -> None:
    key = await seal_key(server.world)
    assert await adopt_key(server.world, "0" * 64) == key
    assert await server.world.ledger.read(older_key) is None


def test_the_key_is_kept_whole_and_roots_alone(tmp_path: Path) -> None:
    assert kept(tmp_path) is None
    keep(tmp_path, "a" * 64)
    file = tmp_path / "seal.key"
    assert (kept(tmp_path), file.stat().st_mode & 0o777) == ("a" * 64, 0o600)
    for broken in (b"", b"aa", b"\xff" * 64):
        file.write_bytes(broken)
        assert kept(tmp_path) is None
        keep(tmp_path, "b" * 64)
        assert kept(tmp_path) == "b" * 64


async def test_what_was_there_before_ds01_first_started_is_nobodys(server: SimServer) -> None:
    await server.engine.create_volume(VOLUME, OWNED, {})
    server.engine.add_image(NAMES[0], labels=OWNED)
    await server.world.ledger.write(nothing_before)
    await server.reconciler.round()
    left = await server.world.ledger.read(lambda books: (books.volumes(), books.tags(), books.ownerships()))
    assert left == ((), (), ())
    assert len(await planted(server.world)) == 2


async def test_what_runs_and_says_it_is_ds01s_keeps_the_first_ds01d_from_starting(server: SimServer) -> None:
    made, state = await server.launch(), server.world.paths.state
    state.mkdir(exist_ok=True)
    with pytest.raises(Ds01Error) as refused:
        await begin(server.world)
    assert refused.value.kind is DAEMON_UNSURE
    assert made.name in refused.value.problem.reason
    assert f"touch {state / BEGUN}" in refused.value.problem.hint
    assert is_first(state)
    (state / BEGUN).touch()
    assert not is_first(state)


async def test_a_ds01d_is_the_first_on_its_state_once(server: SimServer) -> None:
    state = server.world.paths.state
    with lock(state):
        assert is_first(state)
        await begin(server.world)
        assert not is_first(state)
    assert not is_first(state)
    assert not await server.world.ledger.read(is_lost)


def test_a_first_start_that_failed_leaves_the_next_one_the_first(tmp_path: Path) -> None:
    (tmp_path / "limits.yaml").write_text("defaults:\n  gpuss: 3\n")
    places = {name: tmp_path / name for name in ("state", "run", "limits.yaml")}
    command = ["--simulate", *(f"--{name.partition('.')[0]}={place}" for name, place in places.items())]
    started = [sys.executable, "-c", "import sys; from ds01.daemon.main import main; sys.exit(main())", *command]
    failed = subprocess.run(started, capture_output=True, text=True, check=False, timeout=60)
    assert "limits.yaml:2:3" in failed.stderr
    assert is_first(tmp_path / "state")


async def test_what_is_stopped_for_what_it_is_does_not_come_back_with_the_engine(server: SimServer) -> None:
    forged = await beside(server, "web", "always")
    made = await server.container()
    assert made is not None
    server.engine.alter(forged, Confinement(restart="always", cgroup_parent=f"/ds01-u{ALICE.uid}.slice"))
    await server.engine.start(forged)
    await Confiner(server.world).look(forged)
    seen = await server.engine.inspect(forged)
    assert seen is not None
    assert seen.confinement is not None
    assert (seen.running, seen.confinement.restart) == (False, "no")
