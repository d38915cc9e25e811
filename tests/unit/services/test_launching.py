"""Launch: the one idempotent verb, and everything it takes back."""

from __future__ import annotations

import asyncio
import io
import tarfile
from dataclasses import replace

import pytest

from ds01.api.routers.launches import outcome
from ds01.api.stream import Client
from ds01.domain import errors
from ds01.domain.container import Container, ContainerId, ContainerState, StopReason
from ds01.domain.errors import Ds01Error, ErrorKind
from ds01.domain.image import ImageId
from ds01.domain.labels import Label
from ds01.domain.reasons import words
from ds01.services.account_inside import MOST, AccountsInside
from ds01.services.launch import MoreToDo, launch, plan
from ds01.services.looking import looked_into, one_look
from ds01.services.pause import pause
from ds01.services.retire import retire
from ds01.services.start import start
from ds01.services.steps import Abandoned, Steps
from ds01.services.stop import stop
from ds01.wire.containers import RetireRequest
from ds01.wire.launches import LaunchPlan
from tests.server import ALICE, BOB, MINIMAL, SimServer, settings

NOTHING = (0, 0, 0)


async def refused(kind: ErrorKind, server: SimServer, **changes: object) -> Ds01Error:
    with pytest.raises(Ds01Error) as caught:
        await server.launch(**changes)  # type: ignore[arg-type]
    assert caught.value.kind is kind, caught.value.problem
    return caught.value


async def test_launch_creates_what_is_not_there(server: SimServer) -> None:
    made = await server.launch()
    assert made.state is ContainerState.RUNNING
    (lease,) = await server.leases()
    assert (lease.container, lease.state, made.lease) == (made.id, "active", lease.id)
    spec = server.engine.spec(made.id)
    assert spec.name == "thesis._.1001"
    assert spec.user == "1001:1001"
    assert spec.environment["HF_HOME"] == "/workspace/.cache/huggingface"
    assert spec.labels[Label.LEASE] == lease.id
    assert spec.labels[Label.SLOTS] == ",".join(lease.slots)
    assert [mount.target for mount in spec.mounts] == ["/run/ds01/session", "/workspace"]
    assert spec.cgroup_parent == "/ds01-u1001.slice"
    (network,) = await server.engine.networks("ds01-u1001")
    assert (network.labels[Label.OWNER], network.labels[Label.EPOCH]) == ("1001", "1")
    assert await server.events(made.id) == ["container.created", "container.started"]


async def test_launch_again_attaches_and_changes_nothing(server: SimServer) -> None:
    made = await server.launch()
    again = await server.launch()
    assert again == made
    assert await server.traces() == (1, 1, 1)


async def test_launch_unpauses(server: SimServer) -> None:
    made = await server.launch()
    await pause(server.world, await server.caller(), "thesis")
    assert (await server.launch()) == made


async def test_launch_starts_what_is_stopped_with_its_own_gpu(server: SimServer) -> None:
    made = await server.launch()
    await stop(server.world, await server.caller(), "thesis")
    (held,) = await server.leases()
    assert held.state == "held"
    again = await server.launch()
    assert (again.id, again.state, again.reason, again.stopped_at) == (made.id, ContainerState.RUNNING, None, None)
    (lease,) = await server.leases()
    assert (lease.id, lease.state) == (held.id, "active")


async def test_launch_without_a_gpu_leases_none(server: SimServer) -> None:
    made = await server.launch(gpus="0")
    assert (made.lease, await server.leases()) == (None, ())
    assert server.engine.spec(made.id).attachment.devices == ()


async def test_two_users_may_use_one_name(server: SimServer) -> None:
    hers = await server.launch(ALICE)
    his = await server.launch(BOB)
    assert hers.id != his.id
    assert {lease.uid for lease in await server.leases()} == {1001, 1002}


async def test_c1_one_image_backs_many_containers(server: SimServer) -> None:
    one = await server.launch(name="one")
    two = await server.launch(name="two")
    assert one.image == two.image


async def test_c3_a_rebuilt_image_changes_no_container_and_recreate_does(server: SimServer) -> None:
    made = await server.launch()
    rebuilt = await server.build(spec="spec-2")
    found = await plan(server.world, await server.caller(), server.request(spec="spec-2"))
    assert (found.action, found.stale) == ("attach", "its image was rebuilt since")
    assert (await server.launch(spec="spec-2")).image == made.image
    fresh = await server.launch(spec="spec-2", recreate=True)
    assert fresh.image == rebuilt
    assert await server.engine.inspect(made.id) is None
    assert await server.traces() == (1, 1, 1)


async def test_a_plan_changes_nothing_and_says_all(server: SimServer) -> None:
    caller = await server.caller()
    first = await plan(server.world, caller, server.request(gpus=None))
    assert (first.action, first.build, first.gpus) == ("create", "the project has no image yet", "1")
    assert first.missing
    await server.build(spec="old")
    second = await plan(server.world, caller, server.request())
    assert (second.build, second.missing) == ("the project file changed since the image was built", False)
    assert second.steps[-2:] == ("create the container", "start it")
    assert await server.traces() == NOTHING


@pytest.mark.parametrize(("gpus", "kind"), [("3", errors.GPU_QUOTA), ("9g.90gb", errors.GPU_IMPOSSIBLE)])
async def test_a_plan_refuses_what_no_wait_would_mend(server: SimServer, gpus: str, kind: errors.ErrorKind) -> None:
    with pytest.raises(errors.Ds01Error) as raised:
        await plan(server.world, await server.caller(), server.request(gpus=gpus))
    assert raised.value.kind is kind


async def test_a_plan_of_one_who_may_wait_is_a_plan(server: SimServer) -> None:
    await server.build()
    server.policy.settings = settings(gpus__max=None)
    await server.launch(BOB, gpus="2")
    await server.launch(BOB, name="more", gpus="2")
    assert (await plan(server.world, await server.caller(), server.request(gpus="1"))).action == "create"


async def test_a_plan_shows_the_container_it_would_start(server: SimServer) -> None:
    await server.launch()
    await stop(server.world, await server.caller(), "thesis")
    found = await plan(server.world, await server.caller(), server.request())
    assert found.action == "start"
    assert found.container is not None
    assert found.container.reason == "stopped by you"
    assert found.steps == ("lease its GPU again", "start the container")


async def only_new(server: SimServer, **changes: object) -> LaunchPlan:
    """The plan that a launch of nothing but a new container ends with."""
    before = await server.traces()
    with pytest.raises(MoreToDo) as told:
        await server.launch(if_new=True, **changes)  # type: ignore[arg-type]
    assert await server.traces() == before
    return told.value.plan


async def test_where_only_a_new_container_is_wanted_anything_else_is_a_plan(server: SimServer) -> None:
    caller = await server.caller()
    request = server.request(if_new=True)
    with pytest.raises(MoreToDo) as told:
        await launch(server.world, caller, request, Steps(server.clock))
    assert told.value.plan == await plan(server.world, caller, request)
    assert told.value.plan.missing
    made = await server.launch(if_new=True)
    assert made.state is ContainerState.RUNNING
    assert (await only_new(server)).action == "attach"
    assert (await only_new(server, recreate=True)).action == "recreate"
    assert (await only_new(server, name="other", spec="new")).build == (
        "the project file changed since the image was built"
    )
    await pause(server.world, caller, "thesis")
    assert (await only_new(server)).action == "unpause"
    await server.launch()
    await stop(server.world, caller, "thesis")
    stopped = await only_new(server)
    assert (stopped.action, stopped.container and stopped.container.reason) == ("start", "stopped by you")


async def test_a_missing_image_is_said_with_the_command_that_builds_it(server: SimServer) -> None:
    error = await refused(errors.NO_IMAGE, server, image="nobody/nothing:1")
    assert error.problem.hint == "ds01 image create"


async def test_w5_nobody_launches_the_image_of_somebody_else(server: SimServer) -> None:
    await server.build(BOB, "secret")
    await refused(errors.NO_IMAGE, server, image="ds01-1002/secret:latest")
    assert (await server.launch(image=MINIMAL)).state is ContainerState.RUNNING


@pytest.mark.parametrize("name", ["Upper", "../x", "", "a" * 41, "-x", "naïve", "a_b"])
async def test_a_bad_name_is_refused_before_anything_happens(server: SimServer, name: str) -> None:
    await server.build()
    with pytest.raises(Ds01Error) as caught:
        await server.launch(project="thesis", name=name or "é")
    assert caught.value.kind is errors.BAD_NAME
    assert await server.traces() == NOTHING


@pytest.mark.parametrize("gpus", ["many", "-1", "1.5", "2g", "9999"])
async def test_gpus_that_cannot_be_read_are_refused(server: SimServer, gpus: str) -> None:
    error = await refused(errors.BAD_REQUEST, server, gpus=gpus)
    assert gpus in error.problem.message


async def test_what_was_there_goes_only_when_what_is_wanted_can_be_had(server: SimServer) -> None:
    made = await server.launch(gpus="2")
    await refused(errors.GPU_QUOTA, server, recreate=True, gpus="3")
    assert await server.container() == made
    again = await server.launch(recreate=True, gpus="2")
    assert again.id != made.id
    assert await server.traces() == (1, 1, 1)


async def test_quotas_are_said_with_their_source_and_nothing_stays(server: SimServer) -> None:
    await refused(errors.GPU_QUOTA, server, gpus="3")
    assert await server.traces() == NOTHING
    server.policy.settings = settings(containers=1)
    await server.launch()
    error = await refused(errors.CONTAINER_QUOTA, server, name="second")
    assert "limits.yaml:3" in error.problem.reason
    assert error.problem.hint == "ds01 retire thesis"
    assert await server.traces() == (1, 1, 1)


async def test_two_launches_at_once_pass_no_container_quota(server: SimServer) -> None:
    server.policy.settings = settings(containers=1)
    await server.build()
    both = await asyncio.gather(
        *(server.launch(name=name, gpus="0") for name in ("one", "two")), return_exceptions=True
    )  # fmt: skip
    assert sorted(type(each).__name__ for each in both) == ["Container", "Ds01Error"]
    assert await server.traces() == (1, 0, 1)


async def test_f3_everybody_at_once_gets_four_gpus_once(server: SimServer) -> None:
    await asyncio.gather(server.build(ALICE), server.build(BOB))
    server.policy.settings = settings(gpus__max=None, containers=None)
    names = [(user, f"run-{n}") for n in range(32) for user in (ALICE, BOB)]
    outcomes = await asyncio.gather(
        *(server.launch(user, name=name) for user, name in names), return_exceptions=True
    )  # fmt: skip
    refusals = [each for each in outcomes if isinstance(each, Ds01Error)]
    assert len(refusals) == 60
    assert {error.kind for error in refusals} == {errors.GPU_FULL}
    slots = [slot for lease in await server.leases() for slot in lease.slots]
    assert len(slots) == len(set(slots)) == 4
    assert await server.traces() == (4, 4, 4)


@pytest.mark.parametrize("workspace", ["/etc", "/home/bob/workspace/thesis", "relative", "/"])
async def test_a_workspace_that_cannot_be_used_is_refused(server: SimServer, workspace: str) -> None:
    server.host.put("/home/bob", 1002)
    server.host.put("/home/bob/workspace", 1002)
    server.host.put("/home/bob/workspace/thesis", 1002)
    error = await refused(errors.BAD_WORKSPACE, server, workspace=workspace)
    assert error.problem.reason
    assert await server.traces() == NOTHING


async def test_a_launch_names_a_workspace(server: SimServer) -> None:
    """The command line does; whoever asks ds01d by themselves may not leave it out."""
    for changes in ({}, {"image": MINIMAL}, {"create_only": True}):
        error = await refused(errors.BAD_WORKSPACE, server, workspace="", **changes)
        assert str(error.problem.message) == "A container of DS01's has a workspace, and none was named."
    with pytest.raises(Ds01Error, match="has a workspace"):
        await plan(server.world, await server.caller(), server.request(workspace="", image=MINIMAL))
    assert await server.traces() == NOTHING


async def test_one_that_is_there_needs_no_workspace_to_be_launched(server: SimServer) -> None:
    made = await server.launch()
    assert (await server.launch(workspace="")).id == made.id
    await stop(server.world, await server.caller(), "thesis")
    assert (await server.launch(workspace="")).id == made.id


async def test_data_is_mounted_read_only(server: SimServer) -> None:
    made = await server.launch(data=("/home/alice/a", "/home/alice/b"))
    mounts = {mount.target: mount.read_only for mount in server.engine.spec(made.id).mounts}
    assert mounts == {"/run/ds01/session": True, "/workspace": False, "/data/a": True, "/data/b": True}
    assert [mount.shown for mount in made.mounts] == [
        "/home/alice/workspace/thesis", "/home/alice/a", "/home/alice/b",
    ]  # fmt: skip


async def test_d9_more_folders_than_a_container_may_have_mounts_are_not_opened(server: SimServer) -> None:
    error = await refused(errors.BAD_BIND, server, data=("/home/alice/a",) * 64)
    assert error.problem.message == "65 folders cannot be mounted."
    server.engine.add_image("ds01/many:1", volumes=64)
    error = await refused(errors.BAD_BIND, server, image="ds01/many:1")
    assert error.problem.reason == "A container has 64 mounts at most. Its image wants 64 volumes."
    assert await server.traces() == NOTHING


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"refuse_create": "bad mount"}, errors.ENGINE_ERROR),
        ({"refuse_start": "no such device"}, errors.START_FAILED),
        ({"die_at_once": 127}, errors.START_FAILED),
        ({"full": True}, errors.DISK_FULL),
        ({"away": True}, errors.ENGINE_DOWN),
    ],
)
async def test_whatever_fails_takes_everything_back(
    server: SimServer, fault: dict[str, object], kind: ErrorKind
) -> None:
    await server.build()
    request = server.request()
    for name, value in fault.items():
        setattr(server.engine.faults, name, value)
    with pytest.raises(Ds01Error) as caught:
        await server.launch(project=request.project)
    assert caught.value.kind is kind
    server.engine.faults.away = False
    assert await server.traces() == NOTHING
    assert await server.container() is None


@pytest.mark.parametrize("acts", range(1, 6))
@pytest.mark.parametrize("gpus", ["0", "1"])
async def test_an_engine_that_goes_away_in_the_middle_leaves_nothing_in_the_end(
    server: SimServer, acts: int, gpus: str
) -> None:
    await server.build()
    server.engine.faults.away_after = acts
    with pytest.raises(Ds01Error) as caught:
        await server.launch(image="ds01-1001/thesis:latest", gpus=gpus)
    assert caught.value.kind is errors.ENGINE_DOWN
    server.engine.come_back()
    there = await server.engine.list()
    assert len(await server.leases()) == (len(there) if gpus == "1" else 0)  # what may use a GPU keeps it
    await server.reconciler.round()
    await server.expire(6)
    await server.reconciler.round()
    assert await server.traces() == NOTHING


async def test_a_start_whose_answer_is_lost_does_not_run_without_its_gpu(server: SimServer) -> None:
    await server.launch()
    await stop(server.world, await server.caller(), "thesis")
    await server.expire(20)
    assert await server.leases() == ()
    server.engine.faults.lose_answer = "start"
    with pytest.raises(Ds01Error) as caught:
        await server.launch()
    assert caught.value.kind is errors.ENGINE_DOWN
    (seen,) = await server.engine.list()
    assert (seen.running, await server.leases()) == (False, ())


async def test_a_start_that_cannot_be_taken_back_keeps_its_gpu(server: SimServer) -> None:
    await server.launch()
    await stop(server.world, await server.caller(), "thesis")
    await server.expire(20)
    server.engine.faults.lose_answer = "start"
    server.engine.faults.away_after = 8
    with pytest.raises(Ds01Error):
        await server.launch()
    assert server.engine.faults.lose_answer == ""
    server.engine.come_back()
    (seen,) = await server.engine.list()
    assert seen.running
    assert len(await server.leases()) == 1


async def test_a_launch_that_ds01d_breaks_off_when_it_ends_leaves_nothing(server: SimServer) -> None:
    await server.build()
    server.engine.faults.slow_seconds = 5.0
    steps: list[str] = []
    caller = await server.caller()

    async def act(heard: Steps) -> Container:
        steps.append("begun")
        return await launch(server.world, caller, server.request(), heard)

    work = asyncio.create_task(outcome(server.world, caller, act, Client()))
    while not await server.leases():
        await asyncio.to_thread(int)
        await server.clock.advance(1.0)
    work.cancel()
    while not work.done():
        await asyncio.to_thread(int)
        await server.clock.advance(1.0)
    assert work.cancelled()
    server.engine.faults.slow_seconds = 0.0
    assert steps == ["begun"]
    assert await server.traces() == NOTHING


@pytest.mark.parametrize("after", range(1, 6))
async def test_a_client_that_hangs_up_takes_everything_back(server: SimServer, after: int) -> None:
    await server.build()
    looks = iter(range(100))
    with pytest.raises(Abandoned):
        await server.launch(gone=lambda: next(looks) >= after - 1 if after < 5 else next(looks) >= 3)
    assert await server.traces() == NOTHING


@pytest.mark.parametrize("state", ["running", "stopped"])
async def test_recreate_that_fails_leaves_the_container_there_was(server: SimServer, state: str) -> None:
    made = await server.launch()
    if state == "stopped":
        await stop(server.world, await server.caller(), "thesis")
    (before,) = await server.leases()
    server.engine.faults.refuse_create = "bad mount"
    with pytest.raises(Ds01Error):
        await server.launch(recreate=True)
    kept = await server.container()
    assert kept is not None
    assert (kept.id, kept.state) == (made.id, state)
    assert await server.traces() == (1, 1, 1)
    (seen,) = await server.engine.list()
    assert (seen.stored_name, seen.running) == ("thesis._.1001", state == "running")
    (lease,) = await server.leases()
    assert (lease.id, lease.state, lease.expires_at) == (before.id, before.state, before.expires_at)


async def test_recreate_that_does_not_start_keeps_the_old_one_stopped_with_its_gpu(server: SimServer) -> None:
    made = await server.launch()
    server.engine.faults.refuse_start = "no such device"
    with pytest.raises(Ds01Error):
        await server.launch(recreate=True)
    server.engine.faults.refuse_start = ""
    again = await server.launch()
    assert again.id == made.id
    assert await server.traces() == (1, 1, 1)


async def test_recreate_keeps_its_gpu_on_a_full_server(server: SimServer) -> None:
    server.policy.settings = settings(gpus__max=None, gpus__per_container=4)
    made = await server.launch()
    (before,) = await server.leases()
    await server.launch(BOB, name="greedy", gpus="3")
    fresh = await server.launch(recreate=True)
    hers = next(lease for lease in await server.leases() if lease.uid == ALICE.uid)
    assert (hers.id, hers.slots, hers.state, hers.container) == (before.id, before.slots, "active", fresh.id)
    assert await server.engine.inspect(made.id) is None
    assert server.host.pinned() == {fresh.pins, *(p for p in server.host.pinned() if p != made.pins)}
    assert await server.traces() == (2, 2, 2)


async def test_recreate_with_other_gpus_counts_against_the_quota_once(server: SimServer) -> None:
    await server.launch(gpus="1")
    fresh = await server.launch(recreate=True, gpus="2")
    assert fresh.gpus == 2
    assert [len(lease.slots) for lease in await server.leases()] == [2]
    assert (await server.launch(recreate=True, gpus="0")).lease is None
    assert await server.traces() == (1, 0, 1)


async def test_recreate_stops_the_old_container_with_its_grace(server: SimServer) -> None:
    made = await server.launch()
    await server.launch(recreate=True)
    assert server.engine.grace_seconds == 60
    assert "container.stopped" in await server.events(made.id)


async def test_e6_what_was_replaced_says_so(server: SimServer) -> None:
    made = await server.launch()
    await server.launch(recreate=True)
    old = await server.world.ledger.read(lambda books: books.container(made.id))
    assert old is not None
    assert old.reason is not None
    assert words(old.reason, old.reason_detail) == "replaced by you"


async def test_create_only_reserves_and_start_uses_the_reservation(server: SimServer) -> None:
    made = await server.launch(create_only=True)
    assert made.state is ContainerState.CREATING
    (lease,) = await server.leases()
    assert lease.state == "reserved"
    started = await server.launch()
    assert (started.id, started.state) == (made.id, ContainerState.RUNNING)
    assert [each.state for each in await server.leases()] == ["active"]


async def test_a_container_out_of_service_says_so(server: SimServer) -> None:
    made = await server.launch()
    aside = replace(made, state=ContainerState.QUARANTINED, reason=StopReason.QUARANTINE, reason_detail="why not")
    await server.books(lambda books: books.put_container(aside))
    error = await refused(errors.WRONG_STATE, server)
    assert error.problem.hint == "ds01 why thesis"


async def test_i6_a_uid_that_changed_hands_inherits_no_container(server: SimServer) -> None:
    await server.launch()
    server.directory.add(replace(ALICE, login="carol"))
    with pytest.raises(Ds01Error) as hidden:
        await server.launch(name="mine")
    assert hidden.value.kind is errors.NO_IMAGE
    await server.caller()
    await server.build()
    assert (await server.launch(name="mine")).epoch == 2
    with pytest.raises(Ds01Error) as caught:
        await stop(server.world, await server.caller(), "thesis")
    assert caught.value.kind is errors.NO_CONTAINER


async def test_d9_many_begun_at_once_are_no_more_than_allowed(server: SimServer) -> None:
    """The limit counts containers from their beginning: not one more is made, not even for a moment."""
    allowed = (await server.caller()).limits.containers
    assert allowed is not None
    launches = asyncio.gather(
        *(server.launch(name=f"many-{number}", image=MINIMAL, gpus="0") for number in range(allowed + 10)),
        return_exceptions=True,
    )
    most = 0
    while not launches.done():
        hers = [seen for seen in await server.engine.list() if seen.labels[Label.OWNER] == str(ALICE.uid)]
        most = max(most, len(hers))
        await asyncio.sleep(0)
    refusals = [outcome for outcome in launches.result() if isinstance(outcome, Ds01Error)]
    assert (len(launches.result()) - len(refusals), most) == (allowed, allowed)
    assert {refusal.kind for refusal in refusals} == {errors.CONTAINER_QUOTA}


async def test_e29_no_retire_while_a_start_is_on_its_way(server: SimServer) -> None:
    """Root reads the container's files for its owner: nothing may run in it meanwhile."""
    made = await server.launch(gpus="0")
    caller = await server.caller()
    await stop(server.world, caller, "thesis")
    ticket = server.world.tickets.issue(caller, made, None, server.clock.monotonic())
    with pytest.raises(Ds01Error) as caught:
        await retire(server.world, caller, "thesis", RetireRequest(rescue=True))
    assert caught.value.kind is errors.BUSY
    server.world.tickets.redeem(ticket.id, server.clock.monotonic())
    assert (await retire(server.world, caller, "thesis", RetireRequest())).name == "thesis"


# an account in an image built for nobody -------------------------------------------------------------------


async def accounts(server: SimServer, container: ContainerId) -> str:
    found = b"".join([piece async for piece in server.engine.read_files(container, "/etc/passwd")])
    return found.decode(errors="replace")


async def test_in_an_image_that_is_not_hers_she_has_a_name_and_in_her_own_nothing_is_written(server: SimServer) -> None:
    plain = await server.launch(BOB, image=MINIMAL, gpus="0")
    assert "bob" in await accounts(server, plain.id)
    own = await server.launch(ALICE, gpus="0")
    assert "alice" not in await accounts(server, own.id)


@pytest.mark.parametrize("path", ["/etc", "/home", "/etc/passwd"])
async def test_nothing_is_written_through_a_link_of_an_image(server: SimServer, path: str) -> None:
    image = await server.engine.image(MINIMAL)
    assert image is not None
    server.engine.inside[image.id] = {path: link(path, "/data")}
    made = await server.launch(BOB, image=MINIMAL, gpus="0")
    assert "bob" not in await accounts(server, made.id)


def link(path: str, to: str) -> bytes:
    """A link at a path, as an engine tells of it."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        entry = tarfile.TarInfo(path.rpartition("/")[2])
        entry.type, entry.linkname = tarfile.SYMTYPE, to
        tar.addfile(entry)
    return buffer.getvalue()


def led_astray(server: SimServer, launched: ContainerId) -> list[str]:
    """Of which containers with something mounted files were asked for or written, the launched one by its name."""
    return [
        "launched" if made.seen.id == launched else made.spec.name
        for made in server.engine.archived
        if made.spec.mounts or made.seen.volumes
    ]


OLD, MENDED = "20.10.24", "29.5.1"
WAYS = ("/workspace", "/run", "/run/ds01", "/run/ds01/session")


@pytest.mark.parametrize("image", ["hers", "another's"])
async def test_e36_an_image_is_looked_into_where_nothing_of_hers_is_mounted(server: SimServer, image: str) -> None:
    server.engine.release = OLD
    await server.launch(ALICE, gpus="0") if image == "hers" else await server.launch(BOB, image=MINIMAL, gpus="0")
    bare = [made for made in server.engine.archived if not made.spec.mounts]
    assert bare
    assert not any(made.seen.ever_started for made in bare)
    written = len(server.engine.archived) - len(bare)
    assert written == (image == "another's"), "her name in it, where nothing lies within something else"
    assert not any(each.stored_name.startswith("ds01-look") for each in await server.engine.list())


async def test_e36_a_start_asks_for_no_file_of_what_ran(server: SimServer) -> None:
    server.engine.release = OLD
    await server.launch(gpus="0")
    await stop(server.world, await server.caller(), "thesis")
    server.restart()
    server.engine.archived.clear()
    await start(server.world, await server.caller(), "thesis", Steps(server.clock))
    assert server.engine.archived == []


@pytest.mark.parametrize("path", WAYS)
async def test_e36_no_account_is_written_where_a_link_may_lead_into_her_workspace(server: SimServer, path: str) -> None:
    server.engine.release = OLD
    image = await server.engine.image(MINIMAL)
    assert image is not None
    above = {each: folder(each) for each in WAYS if path.startswith(f"{each}/")}
    server.engine.inside[image.id] = {**above, path: link(path, "/workspace/sub")}
    made = await server.launch(BOB, image=MINIMAL, gpus="0")
    assert made.state is ContainerState.RUNNING
    assert led_astray(server, made.id) == []
    assert "bob" not in await accounts(server, made.id)


async def test_e36_no_account_is_written_into_what_has_volumes(server: SimServer) -> None:
    server.engine.release = OLD
    server.engine.add_image(MINIMAL, volumes=1)
    made = await server.launch(BOB, image=MINIMAL, gpus="0")
    assert "launched" not in led_astray(server, made.id)
    assert "bob" not in await accounts(server, made.id)


@pytest.mark.parametrize("linked", [False, True])
async def test_an_engine_that_is_not_led_astray_makes_no_container_to_look_into_an_image(
    server: SimServer, *, linked: bool
) -> None:
    server.engine.release = MENDED
    image = await server.engine.image(MINIMAL)
    assert image is not None
    server.engine.inside[image.id] = {"/run": link("/run", "/workspace")} if linked else {}
    made = await server.launch(BOB, image=MINIMAL, gpus="0")
    assert {each.seen.id for each in server.engine.archived} == {made.id}
    assert "bob" in await accounts(server, made.id)


async def test_many_launches_look_into_their_image_once(server: SimServer) -> None:
    server.engine.release = OLD
    await server.build()
    await asyncio.gather(*(server.launch(name=f"n{number}", gpus="0") for number in range(3)))
    assert len(server.engine.archived) == 1


async def test_what_a_killed_ds01d_looked_into_is_cleared(server: SimServer) -> None:
    server.engine.release = OLD
    image = await server.engine.image(MINIMAL)
    assert image is not None
    look = looked_into(server.world, image.id, ContainerId(""))
    bare = await look.__aenter__()
    await server.reconciler.round()
    assert await server.engine.inspect(bare) is None
    await look.__aexit__(None, None, None)
    async with one_look(server.world, image.id), looked_into(server.world, image.id, ContainerId("")) as bare:
        await server.reconciler.round()
        assert await server.engine.inspect(bare) is not None, "it is being looked into"


def folder(path: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        entry = tarfile.TarInfo(path.rpartition("/")[2])
        entry.type = tarfile.DIRTYPE
        tar.addfile(entry)
    return buffer.getvalue()


async def test_who_makes_many_images_does_not_fill_the_memory_of_their_accounts(server: SimServer) -> None:
    made = await server.launch(BOB, image=MINIMAL, gpus="0")
    image = await server.engine.image(MINIMAL)
    assert image is not None
    inside, spec = AccountsInside(), server.engine.spec(made.id)
    server.engine.release = MENDED
    for number in range(MOST + 5):
        await inside.settle_in(server.world, made.id, spec, replace(image, id=ImageId(f"sha256:{number}")), BOB)
    assert len(inside) == MOST
