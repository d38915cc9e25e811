"""The queue over a simulated server: waiting, turns, claims, giving up, and that nothing leads past it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from pathlib import Path

import pytest

from ds01.adapters.sql.ledger import SqlLedger
from ds01.domain import errors
from ds01.domain.container import ContainerState
from ds01.domain.errors import Ds01Error, ErrorKind
from ds01.domain.gpu import SlotId
from ds01.domain.labels import Label
from ds01.domain.lease import LeaseState
from ds01.domain.people import Uid, User
from ds01.domain.quarantine import Keeper
from ds01.domain.queue.plan import Order, Rules
from ds01.domain.queue.request import Request, RequestState
from ds01.services.door.create import grant
from ds01.services.door.patience import in_docker
from ds01.services.launch import claim, plan
from ds01.services.queue.give_up import give_up
from ds01.services.queue.show import show
from ds01.services.reconcile import Reconciler
from ds01.services.remove import remove
from ds01.services.start import start
from ds01.services.steps import Abandoned, Steps
from ds01.services.stop import stop
from ds01.sim.ledger import MemoryLedger
from ds01.wire.door import DoorCreate
from ds01.wire.queue import InsteadView, PlaceView
from tests.server import ALICE, BOB, MINIMAL, SimServer, settings

CAROL = User(uid=Uid(1003), gid=1003, login="carol", home="/home/carol", gids=frozenset({1003}))


async def crowded(server: SimServer) -> SimServer:
    """Bob has all four GPUs, in two containers."""
    server.policy.settings = settings(gpus__max=Fraction(4))
    server.directory.add(CAROL)
    await server.launch(BOB, "one", gpus="2")
    await server.launch(BOB, "two", gpus="2")
    return server


@pytest.fixture
async def busy(server: SimServer) -> SimServer:
    return await crowded(server)


async def queue(server: SimServer) -> list[Request]:
    return list(await server.ledger.read(lambda books: books.open_requests()))


async def retire(server: SimServer, user: User, name: str) -> None:
    await remove(server.world, await server.caller(user), name, force=True)


def raised(kind: ErrorKind, caught: pytest.ExceptionInfo[Ds01Error]) -> errors.Problem:
    assert caught.value.kind is kind, caught.value.problem
    return caught.value.problem


# waiting and turns ---------------------------------------------------------------------------------------


async def test_who_does_not_wait_is_told_her_place_and_how_to_wait(busy: SimServer) -> None:
    with pytest.raises(Ds01Error) as caught:
        await busy.launch(ALICE)
    problem = raised(errors.GPU_FULL, caught)
    assert problem.message == ("No GPU that fits is free right now: 4 of 4 that fit are in use. You would be next.")
    assert problem.hint == "Wait for your turn: ds01 launch thesis --wait"
    assert problem.details["place"] == "1"
    assert await queue(busy) == []


async def test_f6_a_waiting_launch_gets_its_gpu_when_another_one_retires(busy: SimServer) -> None:
    waits = await busy.waits(ALICE)
    await busy.turns.take()
    assert (await queue(busy))[0].state is RequestState.WAITING
    await retire(busy, BOB, "one")
    await busy.turns.take()
    container = await waits
    assert container.state is ContainerState.RUNNING
    (lease,) = [lease for lease in await busy.leases() if lease.uid == ALICE.uid]
    assert (lease.state, lease.container) == (LeaseState.ACTIVE, container.id)
    assert await queue(busy) == []
    told = [event for event in await busy.events() if event.startswith("queue.")]
    assert told == ["queue.joined", "queue.turn", "queue.claimed"]


async def test_f5_who_waits_hears_place_reason_and_what_would_run_now(busy: SimServer) -> None:
    heard: list[PlaceView] = []
    await retire(busy, BOB, "one")
    await busy.launch(BOB, "small")
    waits = await busy.waits(ALICE, gpus="2", steps=Steps(busy.clock, waits=heard.append))
    await busy.turns.take()
    while not heard:
        await asyncio.sleep(0)
    assert (heard[-1].place, heard[-1].of, heard[-1].reason) == (1, 1, "full")
    assert heard[-1].asked == "--gpus 2"
    assert heard[-1].instead == (InsteadView(flags="--gpus 1", what="fewer GPUs"),)
    waits.cancel()


async def test_f2_nobody_passes_those_who_wait(busy: SimServer) -> None:
    """Bob had much and Alice nothing: what comes free is hers, however quick he is."""
    await busy.clock.advance(3600)
    waits = await busy.waits(ALICE)
    await retire(busy, BOB, "one")
    with pytest.raises(Ds01Error) as caught:
        await busy.launch(BOB, "three", gpus="2")
    problem = raised(errors.GPU_FULL, caught)
    assert problem.message == "What is free goes to others first. You would be next."
    await busy.turns.take()
    assert (await waits).state is ContainerState.RUNNING


async def test_what_is_left_over_goes_to_who_comes_now(busy: SimServer) -> None:
    waits = await busy.waits(ALICE)
    await retire(busy, BOB, "one")
    await busy.launch(CAROL, "quick")
    await busy.turns.take()
    await waits
    assert len(await busy.leases()) == 3


async def test_f2_a_start_does_not_pass_either(busy: SimServer) -> None:
    await busy.clock.advance(3600)
    await stop(busy.world, await busy.caller(BOB), "one")
    waits = await busy.waits(ALICE, gpus="2")
    await busy.reconciler.end_leases()
    await busy.clock.advance(16 * 60)
    await busy.reconciler.end_leases()
    with pytest.raises(Ds01Error) as caught:
        await start(busy.world, await busy.caller(BOB), "one", Steps(busy.clock))
    assert "What is free goes to others first." in raised(errors.GPU_FULL, caught).message
    await busy.turns.take()
    await waits


async def test_f2_plain_docker_does_not_pass_either(busy: SimServer) -> None:
    await busy.clock.advance(3600)
    waits = await busy.waits(ALICE, gpus="2")
    await retire(busy, BOB, "one")
    with pytest.raises(Ds01Error) as caught:
        await grant(
            busy.world, DoorCreate(uid=BOB.uid, name="x", image=MINIMAL, image_id=MINIMAL, door="docker", gpus="1")
        )
    raised(errors.GPU_FULL, caught)
    await busy.turns.take()
    await waits


async def test_a_docker_client_is_told_where_to_look_or_waits_as_long_as_it_said(busy: SimServer) -> None:
    ask = DoorCreate(uid=ALICE.uid, name="x", image=MINIMAL, image_id=MINIMAL, door="docker", gpus="1")
    with pytest.raises(Ds01Error) as caught:
        await grant(busy.world, ask)
    problem = raised(errors.GPU_FULL, caught)
    wait = "Wait for your turn: -e DS01_WAIT=10m, or the label ds01.wait=10m. Who waits: ds01 queue"
    assert problem.hint == wait
    assert "You would be next. Leases on this server: 2 active; it is likely to start in " in problem.message
    assert problem.reason == "", "what is the case is no way out"
    smaller = in_docker(Ds01Error(errors.GPU_FULL, "Full.", reason="some are", place="1", fits_now="--gpus 1")).problem
    assert (smaller.message, smaller.hint) == ("Full. Some are.", f"This would start now: --gpus 1. Or w{wait[1:]}")
    waits = asyncio.create_task(grant(busy.world, replace(ask, wait_seconds=600)))
    while not await queue(busy):
        await asyncio.sleep(0)
    await retire(busy, BOB, "one")
    await busy.turns.take()
    assert (await waits).ticket
    (request,) = await queue(busy)
    assert request.state is RequestState.RESERVED


async def test_a_docker_client_that_waited_in_vain_is_told_where_it_would_stand(busy: SimServer) -> None:
    ask = DoorCreate(
        uid=ALICE.uid, name="x", image=MINIMAL, image_id=MINIMAL, door="docker", gpus="1", wait_seconds=600
    )
    waits = asyncio.create_task(grant(busy.world, ask))
    while not await queue(busy):
        await asyncio.sleep(0)
    await busy.expire(11)
    with pytest.raises(Ds01Error) as caught:
        await waits
    problem = raised(errors.GPU_FULL, caught)
    assert problem.details["place"]
    assert problem.hint == "Who waits: ds01 queue"
    assert await queue(busy) == []


async def test_launching_the_same_again_joins_the_same_place(busy: SimServer) -> None:
    first = await busy.waits(ALICE)
    second = asyncio.create_task(busy.launch(ALICE, wait=True))
    await retire(busy, BOB, "one")
    await busy.turns.take()
    one, other = await asyncio.gather(first, second)
    assert one.id == other.id
    assert (await busy.events()).count("queue.joined") == 1


# claims --------------------------------------------------------------------------------------------------


async def test_a_place_that_stays_is_claimed_later_also_after_a_restart(busy: SimServer) -> None:
    left = asyncio.Event()
    waits = await busy.waits(ALICE, steps=Steps(busy.clock, left=left), stays=True)
    left.set()
    with pytest.raises(Abandoned):
        await waits
    busy.restart()
    await retire(busy, BOB, "one")
    await busy.turns.take()
    await busy.reconciler.round()
    (request,) = await queue(busy)
    assert request.state is RequestState.RESERVED
    container = await claim(busy.world, await busy.caller(ALICE), "thesis", Steps(busy.clock))
    assert container.state is ContainerState.RUNNING
    assert await queue(busy) == []


async def test_a_waiting_place_survives_ds01d_and_is_taken_by_launching_again(busy: SimServer) -> None:
    waits = await busy.waits(ALICE)
    waits.cancel()
    busy.restart()
    await retire(busy, BOB, "one")
    await busy.turns.take()
    assert (await busy.launch(ALICE)).state is ContainerState.RUNNING
    assert await queue(busy) == []


async def test_what_nobody_claims_goes_to_the_next_one(busy: SimServer) -> None:
    (await busy.waits(ALICE, gpus="2")).cancel()
    await busy.clock.advance(60)
    (await busy.waits(CAROL, gpus="2")).cancel()
    await retire(busy, BOB, "one")
    await busy.turns.take()
    assert [(r.uid, r.state) for r in await queue(busy)] == [
        (ALICE.uid, RequestState.RESERVED), (CAROL.uid, RequestState.WAITING),
    ]  # fmt: skip
    await busy.expire(11)
    assert [(r.uid, r.state) for r in await queue(busy)] == [(CAROL.uid, RequestState.RESERVED)]
    assert "queue.expired" in await busy.events()


@pytest.mark.parametrize("hours", [-1, 1])
async def test_i5_a_clock_that_steps_ends_no_claim_and_no_wait(busy: SimServer, hours: int) -> None:
    (await busy.waits(ALICE, gpus="2")).cancel()
    await busy.clock.advance(60)
    (await busy.waits(CAROL, gpus="2", wait_seconds=1800)).cancel()
    await retire(busy, BOB, "one")
    await busy.expire(1)
    busy.clock.jump(timedelta(hours=hours))
    await busy.expire(5)
    states = [(r.uid, r.state) for r in await queue(busy)]
    assert sorted(states) == [(ALICE.uid, RequestState.RESERVED), (CAROL.uid, RequestState.WAITING)]


async def test_killed_between_start_and_record_of_a_turn_she_has_taken_it(server: SimServer) -> None:
    made = await server.launch()
    spec = server.engine.spec(made.id)
    await retire(server, ALICE, made.name)
    await crowded(server)
    waits = await server.waits(ALICE, stays=True)
    await retire(server, BOB, "one")
    await server.turns.take()
    waits.cancel()
    (request,) = await queue(server)
    assert (request.state, request.name) == (RequestState.RESERVED, made.name)
    (lease,) = [lease for lease in await server.leases() if lease.id == request.lease]
    labels = {**spec.labels, Label.LEASE: lease.id, Label.SLOTS: ",".join(lease.slots)}
    server.host.pin(ALICE, "/home/alice/workspace/thesis", made.pins)
    left = await server.engine.create(replace(spec, labels=labels))
    await server.engine.start(left)
    await Reconciler(server.another_world()).round()
    assert await queue(server) == []
    found = await server.container()
    assert found is not None
    assert (found.id, found.state) == (left, ContainerState.RUNNING)
    assert [lease.state for lease in await server.leases() if lease.uid == ALICE.uid] == [LeaseState.ACTIVE]


async def test_who_waits_at_most_so_long_gives_up_then(busy: SimServer) -> None:
    waits = await busy.waits(ALICE, wait_seconds=600)
    await busy.expire(5)
    assert not waits.done()
    await busy.expire(6)
    with pytest.raises(Ds01Error) as caught:
        await waits
    problem = raised(errors.REQUEST_ENDED, caught)
    assert problem.message == "'thesis' does not wait any more: it waited as long as it was asked to."


async def test_a_claim_that_fails_keeps_what_is_kept(busy: SimServer) -> None:
    waits = await busy.waits(ALICE)
    await retire(busy, BOB, "one")
    busy.engine.faults.refuse_start = "no such device"
    await busy.turns.take()
    with pytest.raises(Ds01Error):
        await waits
    (request,) = await queue(busy)
    assert request.state is RequestState.RESERVED
    busy.engine.faults.refuse_start = ""
    await busy.launch(ALICE)
    assert await queue(busy) == []


async def test_a_claim_before_its_turn_says_when(busy: SimServer) -> None:
    (await busy.waits(ALICE)).cancel()
    with pytest.raises(Ds01Error) as caught:
        await claim(busy.world, await busy.caller(ALICE), "thesis", Steps(busy.clock))
    problem = raised(errors.NOT_YET, caught)
    assert problem.message == "It is not the turn of 'thesis' yet: it is 1st of 1 in the queue."
    with pytest.raises(Ds01Error) as caught:
        await claim(busy.world, await busy.caller(ALICE), "thesys", Steps(busy.clock))
    assert "Did you mean 'thesis'?" in raised(errors.NO_REQUEST, caught).message


async def test_slots_that_fall_ill_while_they_are_kept_bring_the_place_back(busy: SimServer) -> None:
    (await busy.waits(ALICE, gpus="2")).cancel()
    await retire(busy, BOB, "one")
    await busy.turns.take()
    (lease,) = [lease for lease in await busy.leases() if lease.uid == ALICE.uid]
    await busy.books(lambda books: books.quarantine(SlotId(lease.slots[0]), Keeper.DRIVER, "Xid 79"))
    await busy.turns.take()
    (request,) = await queue(busy)
    assert (request.state, request.lease) == (RequestState.WAITING, None)
    assert "queue.returned" in await busy.events()


# giving up -----------------------------------------------------------------------------------------------


async def test_a_client_that_goes_away_gives_its_place_up(busy: SimServer) -> None:
    left = asyncio.Event()
    waits = await busy.waits(ALICE, steps=Steps(busy.clock, left=left))
    left.set()
    with pytest.raises(Abandoned):
        await waits
    assert await queue(busy) == []


async def test_of_a_pass_that_could_not_be_written_nothing_is_remembered(busy: SimServer) -> None:
    busy.policy.settings = settings(gpus__max=Fraction(4), gpus__per_container=4)
    waits = await busy.waits(ALICE, gpus="2")
    await retire(busy, BOB, "one")
    assert isinstance(busy.ledger, MemoryLedger)
    busy.ledger.fault = Ds01Error(errors.LEDGER_ERROR, "The disk is full.")
    with pytest.raises(Ds01Error):
        await busy.turns.take()
    assert busy.world.line.gathered == {}
    busy.ledger.fault = None
    await busy.turns.take()
    await waits
    assert [owner.uid for owner in busy.world.line.gathered] == [ALICE.uid]


async def test_of_two_who_wait_for_the_same_the_last_one_gives_it_up(busy: SimServer) -> None:
    left = asyncio.Event()
    first = await busy.waits(ALICE)
    second = asyncio.create_task(busy.launch(ALICE, wait=True, steps=Steps(busy.clock, left=left)))
    for _ in range(500):
        await asyncio.sleep(0)
    left.set()
    with pytest.raises(Abandoned):
        await second
    assert len(await queue(busy)) == 1
    first.cancel()


async def test_a_client_that_goes_away_while_it_takes_its_turn_gives_it_up(busy: SimServer) -> None:
    left = asyncio.Event()
    waits = await busy.waits(
        ALICE, steps=Steps(busy.clock, lambda step, *_: left.set() if step == "create" else None, left=left)
    )
    await retire(busy, BOB, "one")
    await busy.turns.take()
    with pytest.raises(Abandoned):
        await waits
    assert await queue(busy) == []
    assert [lease.uid for lease in await busy.leases()] == [BOB.uid]


async def test_a_place_is_moot_when_its_container_is_made_without_a_gpu_or_removed(busy: SimServer) -> None:
    (await busy.waits(ALICE)).cancel()
    await busy.launch(ALICE, gpus="0")
    assert await queue(busy) == []
    await stop(busy.world, await busy.caller(BOB), "one")
    await busy.clock.advance(60)
    await busy.reconciler.end_leases()
    await busy.clock.advance(16 * 60)
    await busy.reconciler.end_leases()
    await busy.launch(CAROL, gpus="2")
    (await busy.waits(BOB, "one", gpus="2")).cancel()
    await retire(busy, BOB, "one")
    assert await queue(busy) == []


async def test_giving_up_gives_back_what_was_kept(busy: SimServer) -> None:
    (await busy.waits(ALICE, gpus="2")).cancel()
    await retire(busy, BOB, "one")
    await busy.turns.take()
    was = await give_up(busy.world, await busy.caller(ALICE), "thesis")
    assert (was.state, was.slots) == ("reserved", ("0", "1"))
    assert await queue(busy) == []
    assert len(await busy.leases()) == 1


async def test_a_ds01d_that_stops_sends_those_who_wait_away_and_keeps_their_places(busy: SimServer) -> None:
    waits = await busy.waits(ALICE)
    busy.world.line.close()
    with pytest.raises(Ds01Error) as caught:
        await waits
    raised(errors.DAEMON_DOWN, caught)
    assert len(await queue(busy)) == 1


async def test_i6_a_uid_that_changes_hands_gives_its_places_up(busy: SimServer) -> None:
    (await busy.waits(ALICE)).cancel()
    busy.directory.add(replace(ALICE, login="dave"))
    await busy.caller(ALICE)
    assert await queue(busy) == []


# what is refused at once ---------------------------------------------------------------------------------


async def test_what_somebody_waits_for_counts_against_her_quota(busy: SimServer) -> None:
    busy.policy.settings = settings()
    (await busy.waits(ALICE)).cancel()
    await busy.clock.advance(60)
    (await busy.waits(ALICE, "second")).cancel()
    with pytest.raises(Ds01Error) as caught:
        await busy.launch(ALICE, "third", wait=True)
    problem = raised(errors.GPU_QUOTA, caught)
    assert problem.message == (
        "You may use 2 GPUs at once, you use 0, wait for 2 (thesis, second), and this needs 1 more."
    )
    assert problem.hint == "Give up waiting for it: ds01 cancel thesis"


async def test_another_request_under_the_same_name_is_refused(busy: SimServer) -> None:
    (await busy.waits(ALICE)).cancel()
    with pytest.raises(Ds01Error) as caught:
        await busy.launch(ALICE, gpus="2", wait=True)
    problem = raised(errors.REQUEST_OTHER, caught)
    assert (problem.message, problem.hint) == (
        "'thesis' waits already for --gpus 1.", "Give that up first: ds01 cancel thesis",
    )  # fmt: skip


async def test_time_beyond_the_limit_is_refused_before_anything_is_built(busy: SimServer) -> None:
    busy.policy.settings = settings(runtime=timedelta(hours=24))
    with pytest.raises(Ds01Error) as caught:
        await plan(busy.world, await busy.caller(ALICE), busy.request(ALICE, time_seconds=172800))
    problem = raised(errors.BAD_REQUEST, caught)
    assert problem.message == "A container of yours may run 1d with a GPU, and you asked for 2d."
    assert problem.hint == "Ask for less: --time 1d"


async def test_the_impossible_is_refused_at_once_even_with_patience(busy: SimServer) -> None:
    busy.policy.settings = settings(gpus__max=None, gpus__per_container=None)
    with pytest.raises(Ds01Error) as caught:
        await busy.launch(ALICE, gpus="5", wait=True)
    raised(errors.GPU_IMPOSSIBLE, caught)


# asking for something else -------------------------------------------------------------------------------


async def test_what_would_start_now_starts_under_the_same_name_and_gives_the_place_up(busy: SimServer) -> None:
    await retire(busy, BOB, "one")
    await busy.launch(BOB, "small")
    (await busy.waits(ALICE, gpus="2")).cancel()
    assert (await busy.launch(ALICE, gpus="1")).state is ContainerState.RUNNING
    assert await queue(busy) == []
    assert "queue.cancelled" in await busy.events()


async def test_a_shorter_time_starts_from_the_same_place(busy: SimServer) -> None:
    """Carol is next and needs all four in four hours: what is free until then is for whoever is done by then."""
    allowed = settings(gpus__max=Fraction(4), gpus__per_container=4, runtime=timedelta(hours=24))
    busy.policy.settings = replace(allowed, queue=Rules(order=Order.EASY))
    await retire(busy, BOB, "one")
    await retire(busy, BOB, "two")
    await busy.launch(BOB, "long", gpus="2", time_seconds=4 * 3600)
    (await busy.waits(CAROL, gpus="4")).cancel()
    await busy.clock.advance(60)
    heard: list[PlaceView] = []
    waits = await busy.waits(ALICE, gpus="1", steps=Steps(busy.clock, waits=heard.append))
    await busy.turns.take()
    while not heard:
        await asyncio.sleep(0)
    assert heard[-1].reason == "head reservation"
    assert heard[-1].instead == (InsteadView(flags="--gpus 1 --time 3h59m", what="a shorter time"),)
    shorter = await busy.launch(ALICE, gpus="1", time_seconds=3600)
    assert shorter.state is ContainerState.RUNNING
    await busy.turns.take()
    assert (await waits).id == shorter.id
    assert [request.uid for request in await queue(busy)] == [CAROL.uid]


# what is shown -------------------------------------------------------------------------------------------


async def test_others_are_shown_by_count_and_to_admins_by_name(busy: SimServer) -> None:
    (await busy.waits(ALICE, gpus="2")).cancel()
    await busy.clock.advance(60)
    (await busy.waits(CAROL, gpus="2")).cancel()
    mine = await show(busy.world, await busy.caller(CAROL))
    assert (mine.waiting, mine.reserved, mine.others) == (2, 0, 1)
    assert [(place.name, place.place, place.of, place.reason) for place in mine.places] == [
        ("thesis", 2, 2, "fair share")
    ]
    every = await show(busy.world, await busy.caller(CAROL), everybody=True)
    assert [place.owner for place in every.places] == ["alice", "carol"]


# races ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wait", [True, False])
@pytest.mark.parametrize("ledger", ["memory", "sql"])
async def test_f3_64_clients_race_for_the_last_gpu(tmp_path: Path, ledger: str, wait: bool) -> None:
    """One wins; the others get a place each, or the same clear refusal."""
    kept = MemoryLedger() if ledger == "memory" else SqlLedger(tmp_path / "ledger.db")
    busy = await crowded(await SimServer(run=tmp_path, ledger=kept).open())
    await retire(busy, BOB, "one")
    await busy.launch(BOB, "most", gpus="1")
    people = [User(uid=Uid(2000 + n), gid=2000 + n, login=f"u{n}", home=f"/home/u{n}") for n in range(64)]
    for user in people:
        busy.directory.add(user)
        await busy.build(user)
    tasks = [asyncio.create_task(busy.launch(user, wait=wait)) for user in people]
    while sum(task.done() for task in tasks) + len(await queue(busy)) < 64:
        await asyncio.sleep(0)
    won = [task for task in tasks if task.done() and task.exception() is None]
    assert len(won) == 1
    assert len([lease for lease in await busy.leases() if lease.uid >= 2000]) == 1
    if wait:
        assert len(await queue(busy)) == 63
    else:
        refused = {repr(task.exception()) for task in tasks if task not in won}
        assert len(refused) == 1
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await kept.close()


async def test_how_long_somebody_runs_is_learned_from_what_she_did_also_after_a_restart(busy: SimServer) -> None:
    for _ in range(4):
        await retire(busy, BOB, "one")
        await busy.launch(BOB, "one", gpus="2", time_seconds=7200)
        await busy.clock.advance(1800)
    for _ in range(2):
        await busy.waits(ALICE, name="all", gpus="2", stays=True)
        await busy.turns.take()
        assert busy.world.line.runs.part((BOB.uid, 1)) == pytest.approx(0.25)
        busy.restart()
        await give_up(busy.world, await busy.caller(ALICE), "all")
