"""Containers that are not as DS01 made them: stopped, put back or told, and what the admin named is left alone."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from ds01.daemon.loops import CONFINE_SECONDS
from ds01.domain.confinement import ANY, Amounts, Confinement
from ds01.domain.container import Container, ContainerId, ContainerState, Observed, StopReason
from ds01.domain.errors import Ds01Error
from ds01.domain.labels import Label
from ds01.domain.settings import DockerSettings
from ds01.domain.standing import OutsideRule
from ds01.ports.engine import Guarding
from ds01.services import confine
from ds01.services.confine import GRACE_SECONDS, YOUNG, Confiner
from ds01.services.door.start import start, started
from ds01.services.reconcile import Reconciler
from ds01.services.stop import stop
from ds01.sim.host import ADMIN_SLICE
from ds01.wire.door import DoorStart, DoorTicket
from tests.server import ALICE, BOB, SimServer

GIB = 1024**3


@pytest.fixture
def confiner(server: SimServer) -> Confiner:
    return Confiner(server.world)


async def seen(server: SimServer, container: ContainerId) -> Observed:
    found = await server.engine.inspect(container)
    assert found is not None
    return found


async def walls(server: SimServer, container: ContainerId) -> Confinement:
    found = (await seen(server, container)).confinement
    assert found is not None
    return found


async def altered(server: SimServer, confiner: Confiner, made: Container, **changes: Any) -> Observed:
    """The container after somebody changed this on the engine's own socket, and ds01d's next look."""
    server.engine.alter(made.id, replace(await walls(server, made.id), **changes))
    await confiner.look(made.id)
    return await seen(server, made.id)


async def beside(
    server: SimServer, name: str = "grafana", labels: dict[str, str] | None = None, **changes: Any
) -> ContainerId:
    """A container that root made at the engine."""
    made = await server.container() or await server.launch()
    spec = replace(server.engine.spec(made.id), name=name, labels=labels or {}, cgroup_parent="")
    outside = await server.engine.create(spec)
    await server.engine.start(outside)
    server.engine.alter(outside, Confinement(**changes))
    return outside


async def told(server: SimServer, container: ContainerId) -> list[tuple[str, str]]:
    found = await server.world.ledger.read(lambda books: books.events(subject=container))
    return [(event.type.value, event.details.get("reason", "")) for event in found]


def allow(server: SimServer, *names: str, rule: OutsideRule = OutsideRule.TOLD) -> None:
    docker = DockerSettings(outside_rule=rule, outside_allowed=names)
    server.policy.settings = replace(server.policy.settings, docker=docker)


@pytest.mark.parametrize(
    ("changes", "runs"), [({"host": ("cgroup",)}, True), ({"privileged": True}, False), ({"host": ("pid",)}, False)]
)
async def test_a_step_of_a_users_build_runs_to_its_end(
    server: SimServer, confiner: Confiner, changes: dict[str, Any], runs: bool
) -> None:
    """The engine makes it, without a label of DS01, in the cgroup of the user's builds."""
    step = await beside(
        server, "happy_turing", cgroup_parent=f"/ds01-u{ALICE.uid}.slice/ds01-u{ALICE.uid}-build.slice",
        capabilities=("MKNOD",), **changes,
    )  # fmt: skip
    await confiner.look(step)
    assert (await seen(server, step)).running is runs


async def test_what_ds01_made_is_fine(server: SimServer, confiner: Confiner) -> None:
    made = await server.launch()
    before = await server.events()
    await server.clock.advance(60)
    await confiner.round()
    assert (await seen(server, made.id)).running
    assert await server.events() == before


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"privileged": True}, "is privileged"), ({"host": ("pid",)}, "pid namespace of the host"),
        ({"capabilities": ("SYS_ADMIN",)}, "the capability SYS_ADMIN"), ({"rules": ("c 195:* rwm",)}, "the rule"),
        ({"nodes": ("/dev/sda",)}, "the device /dev/sda"), ({"opened": ("no MaskedPaths",)}, "runs with no Masked"),
        ({"cgroup_parent": "/ds01-u1002.slice"}, "not in its owner's"), ({"sources": ("/etc",)}, "mounts /etc"),
        ({"joined": ("f" * 64,)}, "shares a namespace with container ffffffffffff"),
    ],
)  # fmt: skip
async def test_e31_one_that_left_its_walls_is_stopped_and_its_gpu_is_free(
    server: SimServer, confiner: Confiner, change: dict[str, Any], word: str
) -> None:
    made = await server.launch()
    after = await altered(server, confiner, made, **change)
    assert not after.running
    found = await server.container()
    assert found is not None
    assert (found.state, found.reason) == (ContainerState.QUARANTINED, StopReason.QUARANTINE)
    assert word in found.reason_detail
    assert await server.leases() == ()
    assert ("container.quarantined", found.reason_detail) in await told(server, made.id)
    await server.reconciler.round()
    assert (await server.container()) == found


async def test_d1_amounts_that_were_raised_are_put_back_and_it_runs_on(server: SimServer, confiner: Confiner) -> None:
    made = await server.launch()
    before = (await walls(server, made.id)).amounts
    for raised in (replace(before, memory_bytes=0), replace(before, cpus=0), replace(before, pids=99999),
                   replace(before, swap_bytes=GIB), Amounts()):  # fmt: skip
        after = await altered(server, confiner, made, amounts=raised)
        assert after.running
        assert (await walls(server, made.id)).amounts == before
    assert ("container.corrected", "it may use more than it was granted") in await told(server, made.id)


async def test_g14_with_a_gpu_the_engine_starts_nothing_again(server: SimServer, confiner: Confiner) -> None:
    made = await server.launch()
    await altered(server, confiner, made, restart="always")
    assert (await walls(server, made.id)).restart == "no"


async def test_less_than_was_granted_is_fine(server: SimServer, confiner: Confiner) -> None:
    made = await server.launch()
    before = (await walls(server, made.id)).amounts
    await altered(server, confiner, made, amounts=replace(before, memory_bytes=before.memory_bytes // 2, cpus=0.5))
    assert [kind for kind, _ in await told(server, made.id)] == ["container.created", "container.started"]


async def test_what_cannot_be_put_back_is_stopped(server: SimServer, confiner: Confiner) -> None:
    made = await server.launch()
    server.engine.faults.refuse_update = "it uses 40G"
    after = await altered(server, confiner, made, amounts=Amounts())
    assert not after.running
    assert any(kind == "container.quarantined" and "it uses 40G" in why for kind, why in await told(server, made.id))


async def test_what_an_engine_that_is_away_did_not_put_back_is_put_back_when_it_answers(
    server: SimServer, confiner: Confiner
) -> None:
    """She keeps her container: the engine refused nothing."""
    made = await server.launch()
    known, before = await server.container(), (await walls(server, made.id)).amounts
    server.engine.alter(made.id, replace(await walls(server, made.id), amounts=Amounts()))
    server.engine.faults.away_after = 1  # it tells how the container is, and then nothing more
    with pytest.raises(Ds01Error):
        await confiner.look(made.id)
    assert await server.container() == known
    server.engine.come_back()
    await server.clock.advance(10)
    await confiner.round()
    assert (await seen(server, made.id)).running
    assert (await walls(server, made.id)).amounts == before
    assert await server.container() == known


async def test_f3_a_start_that_is_written_down_while_it_is_ended_leaves_no_gpu_behind(
    server: SimServer, confiner: Confiner
) -> None:
    made = await server.launch()
    await stop(server.world, await server.caller(), "thesis")
    await server.expire(20)
    granted = await start(server.world, DoorStart(uid=ALICE.uid, id=made.id))
    await server.engine.start(made.id)
    server.engine.alter(made.id, replace(await walls(server, made.id), privileged=True))
    server.engine.faults.slow_seconds = 5
    ending = asyncio.create_task(confiner.look(made.id))
    while (await server.container() or made).reason is not StopReason.QUARANTINE:
        await asyncio.sleep(0.001)
        await server.clock.advance(1)
    await started(server.world, DoorTicket(ticket=granted.ticket))
    await server.clock.advance(5)
    await ending
    server.engine.faults.slow_seconds = 0
    found = await server.container()
    assert found is not None
    assert found.state is ContainerState.QUARANTINED
    assert await server.leases() == ()


async def test_s1_labels_written_by_hand_make_nobody_its_owner(server: SimServer, confiner: Confiner) -> None:
    made = await server.launch()
    await server.reconciler.round()
    labels = {**server.engine.spec(made.id).labels, Label.OWNER: str(BOB.uid), Label.NAME: "mine", Label.LEASE: "",
              Label.SLOTS: ""}  # fmt: skip
    forged = await beside(server, f"mine._.{BOB.uid}", labels, cgroup_parent=f"/ds01-u{BOB.uid}.slice")
    await server.reconciler.round()
    assert await server.container("mine", BOB) is None
    await confiner.look(forged)
    assert not (await seen(server, forged)).running
    ((kind, why),) = await told(server, forged)
    assert (kind, why) == ("container.quarantined", "it bears labels that DS01 did not write")
    events = await server.world.ledger.read(lambda books: books.events(subject=forged))
    assert [event.uid for event in events] == [None]
    await server.reconciler.round()
    assert await server.container("mine", BOB) is None


async def test_labels_that_ds01_wrote_count_where_it_died_before_it_recorded(server: SimServer) -> None:
    made = await server.launch(gpus="0")
    await server.reconciler.round()
    spec = server.engine.spec(made.id)
    await server.engine.remove(made.id, force=True)
    await server.reconciler.round()
    again = await server.engine.create(spec)
    await server.engine.start(again)
    await Reconciler(server.another_world()).round()
    found = await server.container()
    assert found is not None
    assert (found.id, found.state) == (again, ContainerState.RUNNING)
    await Confiner(server.world).look(again)
    assert (await seen(server, again)).running


async def test_i3_what_root_made_beside_ds01_is_told_once_and_runs(server: SimServer, confiner: Confiner) -> None:
    outside = await beside(server, privileged=True)
    for _ in range(3):
        await confiner.look(outside)
    await Confiner(server.another_world()).look(outside)
    assert (await seen(server, outside)).running
    assert await told(server, outside) == [("container.outside", "it was made beside DS01, is privileged")]


@pytest.mark.parametrize("asked", [{"nodes": ("/dev/nvidia3",)}, {"gpus": (ANY,)}])
async def test_f3_a_gpu_that_root_took_is_leased_to_nobody_while_it_runs(
    server: SimServer, confiner: Confiner, asked: dict[str, Any]
) -> None:
    outside = await beside(server, **asked)
    await confiner.look(outside)
    free = {slot.minor for slot in await server.world.ledger.read(_free)}
    assert 3 not in free
    assert free == ({1, 2} if "nodes" in asked else set())
    assert (await told(server, outside))[0][1].endswith("may use GPUs without a lease")
    server.engine.die(outside, 0)
    await server.reconciler.round()
    assert len(await server.world.ledger.read(_free)) == 3


def _free(books: Any) -> list[Any]:
    taken = {slot for lease in books.open_leases() for slot in lease.slots} | books.quarantined().keys()
    return [slot for slot in books.slots() if slot.id not in taken]


async def test_f3_in_a_users_cgroup_it_is_stopped(server: SimServer, confiner: Confiner) -> None:
    outside = await beside(server, cgroup_parent=f"/ds01-u{ALICE.uid}.slice")
    await confiner.look(outside)
    assert not (await seen(server, outside)).running
    assert [kind for kind, _ in await told(server, outside)] == ["container.quarantined"]


@pytest.mark.parametrize("fault", ["refuse_update", "away_after"])
async def test_what_the_engine_would_start_again_is_told_and_kept_down_also_where_that_fails_first(
    server: SimServer, confiner: Confiner, fault: str
) -> None:
    outside = await beside(server, cgroup_parent=f"/ds01-u{ALICE.uid}.slice", restart="always")
    setattr(server.engine.faults, fault, {"refuse_update": "it cannot be written", "away_after": 4}[fault])
    with pytest.raises(Ds01Error):
        await confiner.look(outside)
    assert [kind for kind, _ in await told(server, outside)] == ["container.quarantined"]
    server.engine.faults.refuse_update = ""
    server.engine.come_back()
    assert not (await seen(server, outside)).running
    await confiner.round()
    assert (await walls(server, outside)).restart == "no"
    assert [kind for kind, _ in await told(server, outside)] == ["container.quarantined"]


async def test_what_cannot_be_stopped_is_told_once_and_each_time_that_it_is(
    server: SimServer, confiner: Confiner
) -> None:
    outside = await beside(server, cgroup_parent=f"/ds01-u{ALICE.uid}.slice")
    server.engine.faults.refuse_kill = server.engine.spec(outside).name
    for _ in range(3):
        with pytest.raises(Ds01Error):
            await confiner.look(outside)
    server.engine.faults.refuse_kill = ""
    for times in (1, 2):
        await confiner.look(outside)
        assert [kind for kind, _ in await told(server, outside)] == ["container.quarantined"] * times
        await server.engine.start(outside)


async def test_what_is_gone_need_not_be_kept_down(server: SimServer, confiner: Confiner) -> None:
    outside = await beside(server, cgroup_parent=f"/ds01-u{ALICE.uid}.slice", restart="always")
    server.engine.faults.refuse_update = "it cannot be written"
    with pytest.raises(Ds01Error):
        await confiner.look(outside)
    await server.engine.remove(outside)
    await confiner.round()


async def test_e31_what_is_out_of_service_is_not_started_again_by_the_engine(
    server: SimServer, confiner: Confiner
) -> None:
    made = await server.launch()
    await altered(server, confiner, made, privileged=True, restart="always")
    assert (await walls(server, made.id)).restart == "no"


async def test_where_the_admin_says_so_everything_beside_ds01_is_stopped(server: SimServer, confiner: Confiner) -> None:
    allow(server, rule=OutsideRule.STOPPED)
    outside = await beside(server)
    await confiner.look(outside)
    assert not (await seen(server, outside)).running


async def test_what_was_told_before_and_is_stopped_now_is_told_again(server: SimServer, confiner: Confiner) -> None:
    outside = await beside(server)
    await confiner.look(outside)
    allow(server, rule=OutsideRule.STOPPED)
    await confiner.look(outside)
    assert [kind for kind, _ in await told(server, outside)] == ["container.outside", "container.quarantined"]


def _by_name(server: SimServer) -> dict[str, Any]:
    allow(server, "graf*", rule=OutsideRule.STOPPED)
    return {}


def _by_slice(server: SimServer) -> dict[str, Any]:
    allow(server, rule=OutsideRule.STOPPED)
    server.engine.guarding = Guarding(folder="/guard", data_root="/var/lib/docker")
    return {"cgroup_parent": f"/{ADMIN_SLICE}"}


@pytest.mark.parametrize("declare", [_by_name, _by_slice])
async def test_what_the_admin_named_is_never_touched(
    server: SimServer, confiner: Confiner, declare: Callable[[SimServer], dict[str, Any]]
) -> None:
    outside = await beside(server, privileged=True, gpus=(ANY,), **declare(server))
    await server.clock.advance(60)
    await confiner.round()
    assert (await seen(server, outside)).running
    assert await told(server, outside) == []
    assert await server.world.ledger.read(lambda books: books.quarantined()) == {}


async def test_a_name_that_looks_like_a_users_is_no_way_around_it(server: SimServer, confiner: Confiner) -> None:
    """The admin's names are for what says nothing of DS01."""
    allow(server, "*")
    forged = await beside(server, labels={Label.OWNER: str(ALICE.uid), Label.NAME: "x"})
    await confiner.look(forged)
    assert not (await seen(server, forged)).running


async def test_a_round_looks_at_each_once_and_again_after_a_while(server: SimServer, confiner: Confiner) -> None:
    made = await server.launch()
    await server.clock.advance(10)
    await confiner.round()
    server.engine.alter(made.id, replace(await walls(server, made.id), privileged=True))
    await confiner.round()
    assert (await seen(server, made.id)).running
    await server.clock.advance(301)
    await confiner.round()
    assert not (await seen(server, made.id)).running


async def test_i5_a_clock_that_is_set_back_hides_nothing(server: SimServer, confiner: Confiner) -> None:
    known = await server.launch()
    await server.clock.advance(10)
    await confiner.round()
    fresh = await server.launch(BOB)
    server.clock.jump(timedelta(hours=-1))
    for made in (known, fresh):
        server.engine.alter(made.id, replace(await walls(server, made.id), privileged=True))
    await server.clock.advance(301)
    await confiner.round()
    assert [(await seen(server, made.id)).running for made in (known, fresh)] == [False, False]


async def test_who_is_at_work_on_it_is_not_disturbed(server: SimServer, confiner: Confiner) -> None:
    made = await server.launch()
    server.engine.alter(made.id, replace(await walls(server, made.id), privileged=True))
    await server.clock.advance(10)
    async with server.world.locks.hold(ALICE.uid, "thesis", "test"):
        await confiner.round()
        assert (await seen(server, made.id)).running
    await confiner.round()
    assert not (await seen(server, made.id)).running


@pytest.mark.parametrize("fault", ["refuse_inspect", "refuse_kill"])
@pytest.mark.parametrize("rounds", [1, 2])
async def test_one_that_cannot_be_looked_at_or_ended_hides_no_other(
    server: SimServer, confiner: Confiner, monkeypatch: pytest.MonkeyPatch, fault: str, rounds: int
) -> None:
    """Not even where a round has time for one."""
    monkeypatch.setattr(confine, "AT_ONCE", 3 - rounds)
    broken, other = await server.launch(), await server.launch(BOB)
    for made in (broken, other):
        server.engine.alter(made.id, replace(await walls(server, made.id), privileged=True))
    setattr(server.engine.faults, fault, server.engine.spec(broken.id).name)
    await server.clock.advance(10)
    for _ in range(rounds):
        with contextlib.suppress(Ds01Error):
            await confiner.round()
    assert not (await seen(server, other.id)).running
    with pytest.raises(Ds01Error):
        await confiner.round()
    setattr(server.engine.faults, fault, "")
    await confiner.round()
    assert not (await seen(server, broken.id)).running


def test_what_has_no_right_to_run_is_gone_in_ten_seconds_by_all_waits_together() -> None:
    """A container a moment too young for one round is in the next one, and is given its grace."""
    assert YOUNG.total_seconds() + CONFINE_SECONDS + GRACE_SECONDS < 10
