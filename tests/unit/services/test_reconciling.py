"""Reconcile: what happened behind our back is written down, what never came to be is cleared, nothing is guessed."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from ds01.daemon.loops import ROUND_SECONDS, Loops
from ds01.domain.container import ContainerId, ContainerState, StopReason
from ds01.domain.errors import LEDGER_ERROR, Ds01Error
from ds01.domain.labels import Label
from ds01.domain.people import Account
from ds01.domain.reconcile import WAITING
from ds01.services import mig, observe
from ds01.services.account import account
from ds01.services.door.create import grant
from ds01.services.door.redeem import commit
from ds01.services.intents import PATIENCE_SECONDS
from ds01.services.reconcile import Reconciler
from ds01.services.stop import stop
from ds01.services.tidy import ORPHANED_SECONDS
from ds01.sim.ledger import MemoryLedger
from ds01.sim.meters import Use
from ds01.wire.door import DoorCommit, DoorCreate
from tests.server import ALICE, BOB, MINIMAL, ROOT, SPEC, SimServer, settings
from tests.unit.services.test_gpus import cannot_divide
from tests.values import leased


async def now_is(server: SimServer, state: ContainerState, reason: StopReason | None = None, detail: str = "") -> None:
    found = await server.container()
    assert found is not None
    assert (found.state, found.reason, found.reason_detail) == (state, reason, detail)


async def test_a_true_ledger_is_left_alone(server: SimServer) -> None:
    await server.launch()
    before = await server.events()
    await server.reconciler.round()
    assert await server.events() == before


async def test_e6_a_session_that_was_asked_to_end_while_nobody_looked_went_with_the_engine(server: SimServer) -> None:
    made = await server.launch()
    server.engine.die(made.id, 0)
    await server.reconciler.look(made.id)
    await now_is(server, ContainerState.STOPPED, StopReason.ENGINE)


async def test_e6_a_program_that_ends_leaves_its_exit_code_and_its_gpu_held(server: SimServer) -> None:
    made = await server.launch()
    server.engine.die(made.id, 3)
    await server.reconciler.look(made.id)
    await now_is(server, ContainerState.STOPPED, StopReason.EXIT, "3")
    assert [lease.state for lease in await server.leases()] == ["held"]
    view = await observe.show_container(server.world, await server.caller(), "thesis")
    assert view.reason == "its program failed with an error of its own, exit code 3"


async def test_e6_out_of_memory_is_told_with_the_limit_alone_where_nobody_read_the_peak(server: SimServer) -> None:
    made = await server.launch()
    server.engine.die(made.id, 137, oom=True)
    await server.reconciler.round()
    await now_is(server, ContainerState.STOPPED, StopReason.OOM, f"/{32 * 1024**3}")
    view = await observe.show_container(server.world, await server.caller(), "thesis")
    assert view.reason == "out of memory (its limit is 32G)"


async def test_e6_out_of_memory_is_told_with_the_peak_that_was_read_in_time(server: SimServer) -> None:
    made = await server.launch()
    server.meters.use(made.id, Use(memory_peak_bytes=31 * 1024**3))
    await server.reconciler.out_of_memory(made.id)
    server.engine.die(made.id, 137, oom=True)
    await server.reconciler.round()
    await now_is(server, ContainerState.STOPPED, StopReason.OOM, f"{31 * 1024**3}/{32 * 1024**3}")
    events = await server.world.ledger.read(lambda books: books.events(subject=made.id))
    (full,) = [event for event in events if event.type == "container.out_of_memory"]
    assert (full.details["peak"], full.details["limit"]) == ("31G", "32G")


async def test_e6_a_program_that_filled_the_memory_is_told_once_in_a_while(server: SimServer) -> None:
    made = await server.launch()
    for _ in range(3):
        await server.reconciler.out_of_memory(made.id)
        await server.clock.advance(40)
    (first, second) = [
        event
        for event in await server.world.ledger.read(lambda books: books.events(subject=made.id))
        if event.type == "container.out_of_memory"
    ]
    assert (first.details["limit"], second.details["name"]) == ("32G", "thesis")
    await now_is(server, ContainerState.RUNNING)


async def test_e6_a_host_restart_is_told_as_such(server: SimServer) -> None:
    made = await server.launch()
    await server.reconciler.round()
    server.engine.die(made.id, 255)
    server.host.reboot()
    await Reconciler(server.another_world()).round()
    await now_is(server, ContainerState.STOPPED, StopReason.HOST_RESTART)
    again = await server.launch()
    assert (again.id, again.state) == (made.id, ContainerState.RUNNING)
    assert server.host.pinned() == {made.pins}


async def test_e6_an_engine_restart_is_told_as_such(server: SimServer) -> None:
    await server.launch()
    await server.reconciler.lost(server.clock.now())
    server.engine.go_away()
    await server.clock.advance(120)
    server.engine.come_back(restarted=True)
    server.reconciler.back(server.clock.now())
    await server.reconciler.round()
    await now_is(server, ContainerState.STOPPED, StopReason.ENGINE)


async def test_e6_an_engine_that_stops_everything_before_it_goes_is_told_as_such(server: SimServer) -> None:
    made = await server.launch()
    server.engine.die(made.id, 143)
    await server.reconciler.look(made.id)
    await now_is(server, ContainerState.STOPPED, StopReason.EXIT, "143")
    await server.clock.advance(8)
    await server.reconciler.lost(server.clock.now())
    await now_is(server, ContainerState.STOPPED, StopReason.ENGINE)


async def is_stopped(server: SimServer, name: str) -> None:
    """Wait until the ledger says so."""
    async with asyncio.timeout(60):
        while (found := await server.container(name)) is None or found.state is not ContainerState.STOPPED:
            await asyncio.sleep(0)


async def test_e6_an_event_that_cannot_be_followed_is_no_engine_that_stopped(server: SimServer) -> None:
    """And the next one is heard."""
    made, broken, other = [await server.launch(project=name, gpus="0") for name in ("thesis", "broken", "other")]
    async with Loops(server.world):
        await listening(server)
        server.engine.die(made.id, 143)
        await is_stopped(server, "thesis")
        server.engine.faults.refuse_inspect = server.engine.spec(broken.id).name
        server.engine.die(broken.id, 1)
        server.engine.die(other.id, 1)
        await is_stopped(server, "other")
        await now_is(server, ContainerState.STOPPED, StopReason.EXIT, "143")


async def test_a_gpu_that_cannot_be_divided_again_keeps_no_ds01d_from_starting(
    server: SimServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await server.launch(gpus="0")
    await mig.apply(server.world, await server.caller(ROOT), "0: 3g.20gb 3g.20gb")
    server.devices.repartition(0, "a100-40gb")
    (uuid,) = {card.uuid for card in server.devices.inventory() if card.index == 0}
    monkeypatch.setattr(server.devices, "divide", cannot_divide(server.devices, uuid))
    server.engine.die(made.id, 3)
    await Loops(server.world).first()
    await now_is(server, ContainerState.STOPPED, StopReason.EXIT, "3")


@pytest.mark.parametrize(("code", "seconds"), [(1, 8), (143, 60)])
async def test_e6_a_program_that_ended_by_itself_did_not_fall_with_the_engine(
    server: SimServer, code: int, seconds: int
) -> None:
    made = await server.launch()
    server.engine.die(made.id, code)
    await server.reconciler.look(made.id)
    await server.clock.advance(seconds)
    await server.reconciler.lost(server.clock.now())
    await now_is(server, ContainerState.STOPPED, StopReason.EXIT, str(code))


async def test_e6_what_was_asked_for_wins_over_what_the_engine_shows(server: SimServer) -> None:
    """ds01d died between asking the engine to stop and writing down that it did."""
    made = await server.launch()
    server.engine.faults.away_after = 2  # it says that it has no guard, and stops the container
    with pytest.raises(Exception, match="engine"):
        await stop(server.world, await server.caller(), "thesis")
    server.engine.come_back()
    await Reconciler(server.another_world()).round()
    assert made.state is ContainerState.RUNNING
    await now_is(server, ContainerState.STOPPED, StopReason.USER)


async def test_e6_a_reason_survives_whoever_waited_for_the_stop(server: SimServer) -> None:
    """ds01d ends, or loses the answer, while the engine stops the container."""
    await server.launch()
    server.engine.faults.slow_seconds = 5.0
    stopping = asyncio.create_task(stop(server.world, await server.caller(), "thesis"))
    while (found := await server.container()) is None or found.reason is None:
        await asyncio.to_thread(int)
    stopping.cancel()
    await asyncio.wait({stopping})
    server.engine.faults.slow_seconds = 0.0
    server.engine.die(found.id, 143)
    await Reconciler(server.another_world()).round()
    await now_is(server, ContainerState.STOPPED, StopReason.USER)


async def test_e6_a_stop_that_never_came_about_is_no_reason_for_what_comes_later(server: SimServer) -> None:
    made = await server.launch()
    server.engine.faults.away = True
    with pytest.raises(Ds01Error):
        await stop(server.world, await server.caller(), "thesis")
    server.engine.faults.away = False
    await server.reconciler.round()
    await server.clock.advance(PATIENCE_SECONDS - 1)
    await server.reconciler.round()
    await now_is(server, ContainerState.RUNNING, StopReason.USER)
    await server.clock.advance(1)
    await server.reconciler.round()
    server.engine.die(made.id, 3)
    await server.reconciler.look(made.id)
    await now_is(server, ContainerState.STOPPED, StopReason.EXIT, "3")


async def test_one_container_that_cannot_be_looked_at_keeps_nobody_else_waiting(server: SimServer) -> None:
    first, second = await server.launch(), await server.launch(BOB)
    for one in (first, second):
        server.engine.die(one.id, 1)
    server.engine.faults.refuse_inspect = "thesis._.1001"
    with pytest.raises(Ds01Error, match="refuses"):
        await server.reconciler.round()
    found = await server.container(user=BOB)
    assert found is not None
    assert found.state is ContainerState.STOPPED
    server.engine.faults.refuse_inspect = ""
    await server.reconciler.round()
    await now_is(server, ContainerState.STOPPED, StopReason.EXIT, "1")


async def listening(server: SimServer) -> None:
    """Wait until the engine's events are heard."""
    await asyncio.sleep(0)
    await server.clock.advance(1)
    async with asyncio.timeout(60):
        while not server.engine.listened:
            await asyncio.sleep(0)


@pytest.mark.parametrize(("code", "reason", "detail"), [
    (0, StopReason.EXIT, "0"), (3, StopReason.EXIT, "3"), (137, StopReason.ADMIN, ""), (143, StopReason.ADMIN, ""),
])  # fmt: skip
async def test_what_goes_with_its_end_ended_by_itself(
    server: SimServer, code: int, reason: StopReason, detail: str
) -> None:
    """``docker run --rm``; who is at work on it when it ends keeps nobody from knowing how."""
    made = await server.launch()
    server.engine.goes_with_its_end(made.id)
    async with Loops(server.world):
        await listening(server)
        async with server.world.locks.hold(made.uid, made.name, "somebody"):
            server.engine.die(made.id, code)
            await asyncio.sleep(0.05)
        await server.clock.advance(ROUND_SECONDS)
        async with asyncio.timeout(60):
            while await server.container() is not None:
                await asyncio.sleep(0)
    gone = await server.world.ledger.read(lambda books: books.container(made.id))
    assert gone is not None
    assert (gone.state, gone.reason, gone.reason_detail) == (ContainerState.REMOVED, reason, detail)


async def test_an_end_of_before_its_last_start_is_not_why_it_is_gone(server: SimServer) -> None:
    made = await server.launch()
    server.engine.die(made.id, 3)
    await server.reconciler.died(made.id, 3)
    await server.engine.start(made.id)
    await server.reconciler.look(made.id)
    server.engine.vanish(made.id)
    await server.reconciler.look(made.id)
    gone = await server.world.ledger.read(lambda books: books.container(made.id))
    assert gone is not None
    assert (gone.state, gone.reason) == (ContainerState.REMOVED, StopReason.ADMIN)


async def test_a_container_removed_behind_our_back_frees_its_gpu_and_its_pins(server: SimServer) -> None:
    made = await server.launch()
    server.engine.vanish(made.id)
    await server.reconciler.round()
    assert await server.container() is None
    assert await server.traces() == (0, 0, 0)


async def test_starting_and_pausing_outside_is_seen(server: SimServer) -> None:
    made = await server.launch()
    await stop(server.world, await server.caller(), "thesis")
    await server.engine.start(made.id)
    await server.reconciler.look(made.id)
    await now_is(server, ContainerState.RUNNING)
    assert [lease.state for lease in await server.leases()] == ["active"]
    await server.engine.pause(made.id)
    await server.reconciler.look(made.id)
    await now_is(server, ContainerState.PAUSED)
    await server.engine.unpause(made.id)
    await server.reconciler.look(made.id)
    await now_is(server, ContainerState.RUNNING)


async def test_i2_a_container_that_runs_without_a_lease_is_set_aside_and_not_stopped(server: SimServer) -> None:
    made = await server.launch()
    await stop(server.world, await server.caller(), "thesis")
    await server.clock.advance(16 * 60)
    await server.reconciler.round()
    await server.engine.start(made.id)
    await server.reconciler.round()
    await now_is(
        server, ContainerState.QUARANTINED, StopReason.QUARANTINE, "it uses a GPU that is not leased to it"
    )  # fmt: skip
    seen = await server.engine.inspect(made.id)
    assert seen is not None
    assert seen.running
    used = server.engine.spec(made.id).labels[Label.SLOTS]
    broken = await server.world.ledger.read(lambda books: books.quarantined())
    assert list(broken) == [used]
    server.engine.die(made.id, 0)
    await server.reconciler.round()
    assert await server.world.ledger.read(lambda books: books.quarantined()) == {}


async def test_the_ledger_is_deleted_and_the_live_state_is_rebuilt(server: SimServer) -> None:
    server.policy.settings = settings(gpus__max=None)
    first, second = await server.launch(), await server.launch(BOB, name="runs", gpus="2")
    third = await server.launch(name="stopped")
    await stop(server.world, await server.caller(), "stopped")
    leases = {lease.id: lease.slots for lease in await server.leases() if lease.name != "stopped"}
    await server.lose_ledger(MemoryLedger())
    await server.reconciler.round()
    found = await server.world.ledger.read(lambda books: books.containers())
    assert {(c.id, c.name, c.uid, c.project, c.workspace, c.gpus, c.pins, c.mounts) for c in found} == {
        (c.id, c.name, c.uid, c.project, c.workspace, c.gpus, c.pins, c.mounts) for c in (first, second, third)
    }
    assert {lease.id: lease.slots for lease in await server.leases()} == leases
    assert {lease.state for lease in await server.leases()} == {"active"}
    again = await server.launch()
    assert again.id == first.id
    assert [view.stale for view in await observe.list_containers(server.world, await server.caller())] == ["", ""]
    assert server.host.pinned() == {c.pins for c in (first, second, third)}


async def test_i6_a_lost_ledger_knows_epochs_again(server: SimServer) -> None:
    old = Account(uid=ALICE.uid, login="someone", epoch=4)
    await server.books(lambda books: books.put_account(old))
    await server.books(lambda books: account(books, ALICE, server.clock.now()))
    made = await server.launch()
    assert made.epoch == 5
    await server.lose_ledger(MemoryLedger())
    await server.reconciler.round()
    assert (await server.caller()).epoch == 5
    assert (await server.launch()).id == made.id


async def crashed_launch(server: SimServer, *, start: bool) -> ContainerId:
    """What is left when ds01d is killed before it recorded a launch: the engine has it, the ledger its reservation."""
    made = await server.launch()
    spec = server.engine.spec(made.id)
    await server.engine.remove(made.id, force=True)
    server.host.unpin(made.pins)
    await server.reconciler.round()
    (world, caller) = server.world, await server.caller()

    granted = await world.ledger.write(
        lambda books: leased(books, ALICE, caller.limits, epoch=caller.epoch, now=server.clock.now())
    )
    labels = {**spec.labels, Label.LEASE: granted.id, Label.SLOTS: ",".join(granted.slots)}
    server.host.pin(ALICE, "/home/alice/workspace/thesis", made.pins)

    left = await server.engine.create(replace(spec, labels=labels))
    if start:
        await server.engine.start(left)
    return left


async def test_killed_between_create_and_start_the_launch_never_was(server: SimServer) -> None:
    await crashed_launch(server, start=False)
    assert await server.traces() == (1, 1, 1)
    await Reconciler(server.another_world()).round()
    assert await server.traces() == (0, 0, 0)


async def test_killed_between_start_and_record_the_container_is_its_owners(server: SimServer) -> None:
    left = await crashed_launch(server, start=True)
    await Reconciler(server.another_world()).round()
    await now_is(server, ContainerState.RUNNING)
    (lease,) = await server.leases()
    assert (lease.state, lease.container) == ("active", left)
    assert (await server.launch()).id == left


async def test_what_is_being_made_when_a_late_engine_is_first_met_keeps_its_gpu(server: SimServer) -> None:
    server.engine.go_away()
    again = Reconciler(server.another_world())
    with pytest.raises(Ds01Error):
        await again.round()
    server.engine.come_back()
    caller = await server.caller()
    granted = await server.world.ledger.write(
        lambda books: leased(books, ALICE, caller.limits, epoch=caller.epoch, now=server.clock.now())
    )
    await again.round()
    assert [lease.id for lease in await server.leases()] == [granted.id]
    await Reconciler(server.another_world()).round()
    assert await server.leases() == ()


async def test_a_host_restart_is_told_although_the_engine_came_late(server: SimServer) -> None:
    made = await server.launch()
    await server.reconciler.round()
    server.engine.die(made.id, 255)
    server.host.reboot()
    server.engine.go_away()
    again = Reconciler(server.another_world())
    with pytest.raises(Ds01Error):
        await again.round()
    server.engine.come_back()
    await again.round()
    await now_is(server, ContainerState.STOPPED, StopReason.HOST_RESTART)
    await server.launch()
    server.engine.die(made.id, 3)
    await again.round()
    await now_is(server, ContainerState.STOPPED, StopReason.EXIT, "3")


async def reserved(server: SimServer, name: str) -> None:
    caller = await server.caller()
    await server.books(
        lambda books: leased(books, ALICE, caller.limits, name=name, epoch=caller.epoch, now=server.clock.now())
    )


async def test_killed_right_after_the_grant_nothing_is_kept(server: SimServer) -> None:
    await server.reconciler.round()
    await reserved(server, "never-made")
    await server.reconciler.round()
    assert len(await server.leases()) == 1
    await Reconciler(server.another_world()).round()
    assert await server.leases() == ()


async def test_killed_during_a_start_the_next_start_uses_what_was_granted(server: SimServer) -> None:
    await server.launch()
    await stop(server.world, await server.caller(), "thesis")
    await server.clock.advance(16 * 60)
    await server.reconciler.end_leases()
    await reserved(server, "thesis")
    await Reconciler(server.another_world()).round()
    (before,) = await server.leases()
    await server.launch()
    (after,) = await server.leases()
    assert (after.id, after.state) == (before.id, "active")


async def test_a_container_whose_gpu_is_somebody_elses_by_now_is_set_aside(server: SimServer) -> None:
    made = await server.launch()
    spec = server.engine.spec(made.id)
    await server.lose_ledger(MemoryLedger())
    await server.build(BOB)
    stolen = await server.launch(BOB)
    assert server.engine.spec(stolen.id).labels[Label.SLOTS] == spec.labels[Label.SLOTS]
    await server.reconciler.round()
    await now_is(server, ContainerState.QUARANTINED, StopReason.QUARANTINE, "its GPU is leased to somebody else")
    assert len(await server.leases()) == 1


async def test_a_lost_ledger_and_a_lost_gpu_keep_nothing_else_from_being_rebuilt(server: SimServer) -> None:
    made, other = await server.launch(), await server.launch(BOB)
    (index,) = [
        gpu.index for gpu in server.devices.inventory() if gpu.uuid == server.engine.spec(made.id).labels[Label.SLOTS]
    ]
    server.devices.lose(index)
    await server.lose_ledger(MemoryLedger())
    await server.reconciler.round()
    await now_is(server, ContainerState.QUARANTINED, StopReason.QUARANTINE, "its GPU is not there any more")
    found = await server.container(user=BOB)
    assert found is not None
    assert (found.id, found.state) == (other.id, ContainerState.RUNNING)
    assert [lease.container for lease in await server.leases()] == [other.id]


async def test_i3_what_has_no_label_is_nobodys(server: SimServer) -> None:

    made = await server.launch()
    foreign = await server.engine.create(replace(server.engine.spec(made.id), name="foreign", labels={}))
    await server.engine.start(foreign)
    await server.reconciler.round()
    found = await server.world.ledger.read(lambda books: books.containers())
    assert [c.id for c in found] == [made.id]
    seen = await server.engine.inspect(foreign)
    assert seen is not None
    assert seen.running


@pytest.mark.parametrize("label", [Label.OWNER, Label.NAME, Label.EPOCH, Label.DOOR, Label.GPUS])
async def test_labels_that_make_no_sense_make_it_nobodys(server: SimServer, label: str) -> None:

    made = await server.launch()
    spec = server.engine.spec(made.id)
    odd = {key: value for key, value in spec.labels.items() if key != label} | (
        {} if label == Label.NAME else {label: "?"}
    )
    strange = await server.engine.create(replace(spec, name="strange", labels={**odd, Label.PROJECT: "x"}))
    await server.engine.start(strange)
    await server.engine.remove(made.id, force=True)
    await server.reconciler.round()
    await server.reconciler.round()
    assert await server.world.ledger.read(lambda books: books.containers()) == ()
    assert await server.engine.inspect(strange) is not None


async def test_a_replacement_that_never_came_to_be_gives_the_name_back(server: SimServer) -> None:
    """ds01d was killed while it recreated a container on other slots."""

    made = await server.launch()
    await stop(server.world, await server.caller(), "thesis")
    spec = server.engine.spec(made.id)
    await server.engine.commit(made.id, "ds01-internal/1001:x")
    await server.engine.rename(made.id, spec.name + WAITING)
    half = await server.engine.create(replace(spec, image="ds01-internal/1001:x"))
    await server.engine.start(half)
    await Reconciler(server.another_world()).round()
    (seen,) = await server.engine.list()
    assert (seen.id, seen.stored_name) == (made.id, spec.name)
    assert await server.engine.image("ds01-internal/1001:x") is None
    await now_is(server, ContainerState.STOPPED, StopReason.USER)


async def test_pins_that_belong_to_nothing_go_after_a_while(server: SimServer) -> None:
    made = await server.launch()
    server.host.pin(ALICE, "/home/alice/x", "lost")
    await server.reconciler.round()
    assert server.host.pinned() == {made.pins, "lost"}
    server.clock.jump(timedelta(hours=1))
    await server.reconciler.round()
    assert server.host.pinned() == {made.pins, "lost"}
    await server.clock.advance(ORPHANED_SECONDS + 1)
    await server.reconciler.round()
    assert server.host.pinned() == {made.pins}


async def test_a_reservation_that_nobody_used_expires(server: SimServer) -> None:
    await server.launch(create_only=True)
    await server.clock.advance(timedelta(minutes=6).total_seconds())
    await server.reconciler.round()
    assert await server.leases() == ()
    started = await server.launch()
    assert started.state is ContainerState.RUNNING


async def test_the_reconciler_leaves_a_container_alone_while_somebody_acts_on_it(server: SimServer) -> None:
    made = await server.launch()
    async with server.world.locks.hold(ALICE.uid, "thesis", "test"):
        server.engine.die(made.id, 1)
        await server.reconciler.round()
        await now_is(server, ContainerState.RUNNING)
    await server.reconciler.round()
    await now_is(server, ContainerState.STOPPED, StopReason.EXIT, "1")


async def test_images_are_known_again_by_what_the_gateway_wrote_into_them(server: SimServer) -> None:
    await server.build()
    server.engine.add_image("ds01-1002/forged:latest", labels={Label.OWNER: "1001", Label.SPEC: SPEC})
    await server.lose_ledger(MemoryLedger())
    await server.reconciler.round()
    tags = await server.world.ledger.read(lambda books: {tag.ref: tag.owner for tag in books.tags()})
    assert tags == {"ds01-1001/thesis:latest": 1001}
    assert MINIMAL not in tags


async def test_a_full_disk_keeps_no_gpu_for_what_was_not_made(server: SimServer) -> None:
    """What could not be given back at once is given back when it can be written down, not when it expires."""
    await server.build()
    ask = DoorCreate(uid=ALICE.uid, name="x", image=MINIMAL, image_id=MINIMAL, door="docker", gpus="1")
    given = await grant(server.world, ask)
    ledger = server.world.ledger
    assert isinstance(ledger, MemoryLedger)
    ledger.fault = Ds01Error(LEDGER_ERROR, "The disk of the ledger is full.")
    with pytest.raises(Ds01Error):
        await commit(server.world, DoorCommit(ticket=given.ticket, id="c" * 64))
    await server.reconciler.end_leases()
    ledger.fault = None
    assert [lease.state for lease in await server.leases()] == ["reserved"]
    await server.reconciler.end_leases()
    assert [lease.state for lease in await server.leases()] == []
