"""Stop, start again, pause, remove, retire: what is kept, what goes, and what is told."""

from __future__ import annotations

import asyncio
import io
import tarfile
from collections.abc import Awaitable
from datetime import timedelta
from pathlib import Path

import pytest

import ds01
from ds01.domain import errors
from ds01.domain.assembly import read_slots
from ds01.domain.changes import Change
from ds01.domain.container import Container, ContainerState, StopReason
from ds01.domain.errors import Ds01Error, ErrorKind
from ds01.domain.labels import Label
from ds01.domain.quarantine import Keeper
from ds01.services import observe
from ds01.services.caller import stand_in
from ds01.services.door.start import start as start_by_docker
from ds01.services.pause import pause, unpause
from ds01.services.remove import remove
from ds01.services.retire import preview, retire
from ds01.services.start import Started, start
from ds01.services.steps import Steps
from ds01.services.stop import LONGEST_GRACE, stop
from ds01.wire.containers import RetireRequest
from ds01.wire.door import DoorStart
from tests.server import ALICE, BOB, ROOT, SimServer, settings


async def started(server: SimServer, name: str = "thesis") -> Started:
    return await start(server.world, await server.caller(), name, Steps(server.clock))


async def refused(kind: ErrorKind, work: Awaitable[object]) -> Ds01Error:
    with pytest.raises(Ds01Error) as caught:
        await work
    assert caught.value.kind is kind, caught.value.problem
    return caught.value


async def test_e4_a_stop_holds_the_gpu_and_then_gives_it_back(server: SimServer) -> None:
    await server.launch()
    stopped = await stop(server.world, await server.caller(), "thesis")
    assert (stopped.state, stopped.reason) == (ContainerState.STOPPED, StopReason.USER)
    (lease,) = await server.leases()
    assert lease.state == "held"
    await server.clock.advance(14 * 60)
    await server.reconciler.end_leases()
    assert len(await server.leases()) == 1
    await server.clock.advance(61)
    await server.reconciler.end_leases()
    assert await server.leases() == ()
    kept = await server.container()
    assert kept is not None
    assert kept.state is ContainerState.STOPPED


async def test_e4_a_start_leases_the_same_gpu_again(server: SimServer) -> None:
    made = await server.launch()
    (before,) = await server.leases()
    await stop(server.world, await server.caller(), "thesis")
    await server.clock.advance(16 * 60)
    await server.reconciler.end_leases()
    again = await started(server)
    (lease,) = await server.leases()
    assert (again.recreated, again.container.id) == (False, made.id)
    assert (lease.slots, lease.state) == (before.slots, "active")
    assert lease.id != before.id


async def evicted(server: SimServer) -> Container:
    """Alice's stopped container, whose old GPU is Bob's by now, and one GPU is free."""
    server.policy.settings = settings(gpus__max=None, gpus__per_container=4)
    made = await server.launch()
    await stop(server.world, await server.caller(), "thesis")
    await server.clock.advance(16 * 60)
    await server.reconciler.end_leases()
    await server.launch(BOB, name="greedy", gpus="4")
    await server.launch(BOB, name="greedy", gpus="3", recreate=True)
    (his,) = await server.leases()
    assert set(his.slots) >= set(read_slots(server.engine.spec(made.id).labels))
    return made


async def test_a_gpu_that_is_out_of_service_is_not_said_to_be_in_use(server: SimServer) -> None:
    made = await server.launch()
    await stop(server.world, await server.caller(), "thesis")
    await server.expire(16)
    (had,) = read_slots(server.engine.spec(made.id).labels)
    await server.books(lambda books: books.quarantine(had, Keeper.ADMIN, "to be cleaned"))
    with pytest.raises(Ds01Error, match="cannot be started") as caught:
        await start_by_docker(server.world, DoorStart(uid=ALICE.uid, id=made.id))
    assert caught.value.problem.reason.startswith("Its former GPU is out of service, and Docker ")
    assert (await started(server)).notes[0].startswith("Its former GPU is out of service, so it was recreated")


async def test_e4_a_start_on_another_gpu_recreates_on_the_same_layer_and_says_so(server: SimServer) -> None:
    made = await evicted(server)
    again = await started(server)
    assert again.recreated
    assert again.notes[0].startswith("Its former GPU is in use, so it was recreated with GPU ")
    assert again.container.id != made.id
    names = {seen.stored_name for seen in await server.engine.list()}
    assert names == {"thesis._.1001", "greedy._.1002"}
    spec = server.engine.spec(again.container.id)
    lease = next(lease for lease in await server.leases() if lease.uid == ALICE.uid)
    assert (lease.container, lease.state) == (again.container.id, "active")
    assert (spec.image.startswith("ds01-internal/"), spec.labels[Label.SLOTS]) == (True, ",".join(lease.slots))
    view = await observe.show_container(server.world, await server.caller(), "thesis")
    assert view.stale == ""
    await remove(server.world, await server.caller(), "thesis", force=True)
    assert await server.traces() == (1, 1, 1)
    assert not await internal_images(server)


async def test_a_recreation_that_fails_gives_the_container_its_name_back(server: SimServer) -> None:
    made = await evicted(server)
    server.engine.faults.refuse_start = "no such device"
    await refused(errors.START_FAILED, started(server))
    kept = await server.engine.inspect(made.id)
    assert kept is not None
    assert (kept.stored_name, kept.running) == ("thesis._.1001", False)
    assert await server.traces() == (2, 1, 2)
    assert not await internal_images(server)


async def internal_images(server: SimServer) -> list[str]:
    return [tag for image in await server.engine.images() for tag in image.tags if tag.startswith("ds01-internal/")]


async def test_a_start_with_no_free_gpu_says_what_it_waits_for(server: SimServer) -> None:
    server.policy.settings = settings(gpus__max=None, gpus__per_container=4)
    await server.launch(gpus="4")
    await stop(server.world, await server.caller(), "thesis")
    await server.clock.advance(16 * 60)
    await server.reconciler.end_leases()
    await server.launch(BOB, name="greedy", gpus="4")
    error = await refused(errors.GPU_FULL, started(server))
    assert error.problem.reason
    assert len(await server.leases()) == 1


async def test_a_start_that_fails_leaves_the_hold_as_it_was(server: SimServer) -> None:
    await server.launch()
    await stop(server.world, await server.caller(), "thesis")
    (before,) = await server.leases()
    server.engine.faults.refuse_start = "no such device"
    await refused(errors.START_FAILED, started(server))
    (after,) = await server.leases()
    assert (after.state, after.expires_at) == ("held", before.expires_at)


async def test_a_hold_that_ends_while_its_owner_starts_takes_nothing_from_her(server: SimServer) -> None:
    made = await server.launch()
    await stop(server.world, await server.caller(), "thesis")
    await server.clock.advance(15 * 60 - 1)
    server.engine.faults.slow_seconds = 5.0
    starting = asyncio.create_task(started(server))
    while not starting.done():
        await asyncio.to_thread(int)
        await server.clock.advance(1.0)
        await server.reconciler.end_leases()
    assert starting.result().container.id == made.id
    (lease,) = await server.leases()
    assert (lease.state, lease.container) == ("active", made.id)


async def test_stop_and_start_twice_is_fine(server: SimServer) -> None:
    made = await server.launch()
    caller = await server.caller()
    first = await stop(server.world, caller, "thesis")
    assert await stop(server.world, caller, "thesis") == first
    assert (await started(server)).container.id == made.id
    assert (await started(server)).container.id == made.id


async def test_pause_keeps_the_gpu_and_start_says_how_to_go_on(server: SimServer) -> None:
    await server.launch()
    caller = await server.caller()
    assert (await pause(server.world, caller, "thesis")).state is ContainerState.PAUSED
    assert [lease.state for lease in await server.leases()] == ["active"]
    error = await refused(errors.WRONG_STATE, started(server))
    assert error.problem.hint == "ds01 container unpause thesis"
    assert (await unpause(server.world, caller, "thesis")).state is ContainerState.RUNNING
    await pause(server.world, caller, "thesis")
    assert (await stop(server.world, caller, "thesis")).state is ContainerState.STOPPED


async def test_remove_refuses_what_runs_and_force_takes_it(server: SimServer) -> None:
    await server.launch()
    caller = await server.caller()
    error = await refused(errors.WRONG_STATE, remove(server.world, caller, "thesis"))
    assert error.problem.hint == "ds01 retire thesis"
    gone = await remove(server.world, caller, "thesis", force=True)
    assert (gone.state, gone.reason) == (ContainerState.REMOVED, StopReason.USER)
    assert await server.traces() == (0, 0, 0)


async def test_c4_removing_a_container_keeps_its_image(server: SimServer) -> None:
    await server.launch()
    await remove(server.world, await server.caller(), "thesis", force=True)
    assert await server.engine.image("ds01-1001/thesis:latest") is not None


async def test_e2_retire_frees_the_gpu_before_it_answers(server: SimServer) -> None:
    server.policy.settings = settings(gpus__max=None, gpus__per_container=4)
    await server.launch(gpus="4")
    result = await retire(server.world, await server.caller(), "thesis", RetireRequest())
    assert result.freed == ("0", "1", "2", "3")
    assert (await server.launch(BOB, name="next", gpus="4")).state is ContainerState.RUNNING
    last = await server.world.ledger.read(lambda books: books.named(ALICE.uid, "thesis", removed=True))
    assert last is not None
    assert (last.state, last.reason) == (ContainerState.REMOVED, StopReason.RETIRED)


async def test_w2_retire_lists_what_would_be_lost_before_it_removes_anything(server: SimServer) -> None:
    made = await server.launch()
    changes = (
        Change(kind="A", path="/home/alice/notes.txt"),
        Change(kind="A", path="/workspace/kept.txt"),
        Change(kind="A", path="/opt/ds01/env/lib/python3.11/site-packages/six-1.16.0.dist-info"),
        Change(kind="A", path="/opt/ds01/env/lib/python3.11/site-packages/six-1.16.0.dist-info/REQUESTED"),
    )
    server.engine.write_layer(made.id, changes, {"/home/alice/notes.txt": b"tar of notes"})
    caller = await server.caller()
    shown = await preview(server.world, caller, "thesis")
    assert (shown.files, shown.files_total) == (("/home/alice/notes.txt",), 1)
    assert [(package.name, package.version) for package in shown.packages] == [("six", "1.16.0")]
    assert (await server.container()) == made
    result = await retire(server.world, caller, "thesis", RetireRequest(rescue=True))
    assert result.rescued == "/workspace/.ds01/rescued/2026-03-02-090000"
    assert server.host.unpacked == {
        "/home/alice/workspace/thesis/.ds01/rescued/2026-03-02-090000/home/alice": b"tar of notes"
    }
    assert result.files_lost == 0
    assert made.id not in {each.seen.id for each in server.engine.archived}, "nothing it has is mounted for that (E36)"
    assert "packages.suggested" in await server.events(made.id)


def archive(**files: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, text in files.items():
            entry = tarfile.TarInfo(f"folder/{name}")
            entry.size = len(text)
            tar.addfile(entry, io.BytesIO(text.encode()))
    return buffer.getvalue()


async def test_p2_what_came_along_with_uv_or_apt_is_no_wish(server: SimServer) -> None:
    made = await server.launch()
    site = "/opt/ds01/env/lib/python3.11/site-packages"
    needs = {
        "requests-2.31.0": "Name: x\nRequires-Dist: idna (<4,>=2.5)\nRequires-Dist: PySocks ; extra == 'socks'\n",
        "idna-3.6": "Name: idna\n",
        "pysocks-1.7.1": "Name: PySocks\n",
    }
    changes = [Change(kind="A", path=f"{site}/{name}.dist-info/REQUESTED") for name in needs]
    changes += [Change(kind="A", path=f"/var/lib/dpkg/info/{name}.list") for name in ("ffmpeg", "libx264-164:amd64")]
    files = {f"{site}/{name}.dist-info": archive(INSTALLER="uv\n", METADATA=text) for name, text in needs.items()}
    states = "Package: libx264-164\nArchitecture: amd64\nAuto-Installed: 1\n\nPackage: x\nAuto-Installed: 0\n"
    files["/var/lib/apt/extended_states"] = archive(extended_states=states)
    server.engine.write_layer(made.id, tuple(changes), files)
    shown = await preview(server.world, await server.caller(), "thesis")
    assert {p.name for p in shown.packages if p.requested} == {"requests", "pysocks", "ffmpeg"}
    assert {p.name for p in shown.packages if not p.requested} == {"idna", "libx264-164"}


async def test_p2_where_a_package_came_from_is_read_from_its_record(server: SimServer) -> None:
    made = await server.launch()
    record = "/opt/ds01/env/lib/python3.11/site-packages/mine-0.1.dist-info"
    said = '{"url": "https://git.lab.lan/mine", "vcs_info": {"vcs": "git", "commit_id": "4f1c2d"}}'
    changes = tuple(Change(kind="A", path=f"{record}/{name}") for name in ("REQUESTED", "direct_url.json"))
    server.engine.write_layer(made.id, changes, {record: archive(**{"direct_url.json": said})})
    (shown,) = (await preview(server.world, await server.caller(), "thesis")).packages
    assert (shown.direct, shown.origin) == (True, "git+https://git.lab.lan/mine@4f1c2d")


@pytest.mark.parametrize("spoilt", [b"no archive", b"", archive(INSTALLER="uv", METADATA="\0\n\n")])
async def test_records_that_cannot_be_read_leave_every_package_found(server: SimServer, spoilt: bytes) -> None:
    made = await server.launch()
    site = "/opt/ds01/env/lib/python3.11/site-packages"
    paths = [f"{site}/{name}-1.0.dist-info" for name in ("a", "b")]
    changes = tuple(Change(kind="A", path=f"{path}/REQUESTED") for path in paths)
    server.engine.write_layer(made.id, changes, dict.fromkeys(paths, spoilt))
    shown = await preview(server.world, await server.caller(), "thesis")
    assert [p.requested for p in shown.packages] == [True, True]


async def test_a_rescue_that_fails_removes_nothing(server: SimServer) -> None:
    made = await server.launch()
    server.engine.write_layer(made.id, (Change(kind="A", path="/root/gone"),), {})
    await refused(
        errors.ENGINE_ERROR, retire(server.world, await server.caller(), "thesis", RetireRequest(rescue=True))
    )  # fmt: skip
    assert await server.engine.inspect(made.id) is not None
    await server.reconciler.round()
    kept = await server.container()
    assert kept is not None
    assert kept.state is ContainerState.STOPPED


async def test_retiring_what_the_engine_removes_with_its_end_keeps_what_was_asked_for_before(server: SimServer) -> None:
    made = await server.launch()
    server.engine.goes_with_its_end(made.id)
    server.engine.write_layer(made.id, (Change(kind="A", path="/root/notes"),), {"/root/notes": b"tar of notes"})
    result = await retire(server.world, await server.caller(), "thesis", RetireRequest(rescue=True))
    assert [*server.host.unpacked.values()] == [b"tar of notes"]
    assert (result.files_lost, await server.traces()) == (0, (0, 0, 0))


async def test_a_rescue_that_fails_stops_nothing_that_would_go_with_its_end(server: SimServer) -> None:
    made = await server.launch()
    server.engine.goes_with_its_end(made.id)
    server.engine.write_layer(made.id, (Change(kind="A", path="/root/gone"),), {})
    await refused(
        errors.ENGINE_ERROR, retire(server.world, await server.caller(), "thesis", RetireRequest(rescue=True))
    )  # fmt: skip
    seen = await server.engine.inspect(made.id)
    assert seen is not None
    assert (seen.running, seen.paused) == (True, False)


async def test_a_stop_of_what_the_engine_removes_with_its_end_keeps_neither_it_nor_its_gpu(server: SimServer) -> None:
    made = await server.launch()
    server.engine.goes_with_its_end(made.id)
    stopped = await stop(server.world, await server.caller(), "thesis")
    assert (stopped.state, stopped.reason) == (ContainerState.REMOVED, StopReason.USER)
    assert await server.traces() == (0, 0, 0)
    told = await server.events(made.id)
    assert told[-2:] == ["container.stopped", "container.removed"]


async def test_a_server_without_ps_keeps_nobody_from_retiring(server: SimServer) -> None:
    await server.launch()
    server.engine.faults.no_ps = True
    caller = await server.caller()
    assert (await preview(server.world, caller, "thesis")).processes == ()
    await retire(server.world, caller, "thesis", RetireRequest())
    assert await server.traces() == (0, 0, 0)


async def test_retire_works_on_a_stopped_container(server: SimServer) -> None:
    await server.launch()
    caller = await server.caller()
    await stop(server.world, caller, "thesis")
    assert (await preview(server.world, caller, "thesis")).processes == ()
    await retire(server.world, caller, "thesis", RetireRequest())
    assert await server.traces() == (0, 0, 0)


async def test_an_admin_stops_for_somebody_else_by_name_and_nobody_else_may(server: SimServer) -> None:
    await server.launch()
    admin = await stand_in(server.world, await server.caller(ROOT), "alice")
    stopped = await stop(server.world, admin, "thesis")
    assert (stopped.reason, stopped.reason_detail) == (StopReason.ADMIN, "root")
    await refused(errors.ADMIN_ONLY, stand_in(server.world, await server.caller(BOB), "alice"))
    await refused(errors.NO_USER, stand_in(server.world, await server.caller(ROOT), "nobody-here"))


async def test_a_name_that_is_nearly_right_is_offered(server: SimServer) -> None:
    await server.launch()
    error = await refused(errors.NO_CONTAINER, stop(server.world, await server.caller(), "tesis"))
    assert "Did you mean 'thesis'?" in error.problem.message
    error = await refused(errors.NO_CONTAINER, stop(server.world, await server.caller(BOB), "thesis"))
    assert "thesis" not in error.problem.reason


async def test_two_verbs_on_one_container_do_not_interleave(server: SimServer) -> None:
    await server.launch()
    caller = await server.caller()
    outcomes = await asyncio.gather(
        stop(server.world, caller, "thesis"), started(server), stop(server.world, caller, "thesis"),
        retire(server.world, caller, "thesis", RetireRequest()), return_exceptions=True,
    )  # fmt: skip
    late = [each for each in outcomes if isinstance(each, BaseException)]
    assert all(isinstance(each, Ds01Error) and each.kind is errors.NO_CONTAINER for each in late), late
    assert await server.traces() == (0, 0, 0)


async def test_the_list_says_all_a_person_needs(server: SimServer) -> None:
    await server.launch()
    caller = await server.caller()
    await stop(server.world, caller, "thesis")
    (view,) = await observe.list_containers(server.world, caller)
    assert (view.state, view.reason, view.gpus, view.lease) == ("stopped", "stopped by you", ("0",), "held")
    assert view.gpu_hold_until == (server.clock.now() + timedelta(minutes=15)).isoformat()
    assert view.remove_at == (server.clock.now() + timedelta(days=7)).isoformat()
    await server.build(spec="spec-2")
    assert (await observe.show_container(server.world, caller, "thesis")).stale == "its image was rebuilt since"
    picture = await observe.status(server.world, caller)
    assert [(usage.what, usage.used, usage.limit) for usage in picture.usage] == [
        ("GPUs", "1", "2"), ("containers", "1 (0 running)", "3"),
        ("disk", "1M (images 1M, containers 0B, volumes 0B)", "60G"),
    ]  # fmt: skip
    assert await observe.list_containers(server.world, await server.caller(BOB)) == ()


async def test_somebody_elses_gpu_shows_no_name(server: SimServer) -> None:
    await server.launch()
    bobs = (await observe.status(server.world, await server.caller(BOB))).gpus.slots[0]
    assert (bobs.state, bobs.holder, bobs.container) == ("active", "in use", "")
    hers = (await observe.status(server.world, await server.caller())).gpus.slots[0]
    assert (hers.holder, hers.container) == ("alice", "thesis")


@pytest.mark.parametrize(("asked", "given"), [(10**12, LONGEST_GRACE), (-1, 0), (120, 120), (0, 0)])
async def test_d16_nobody_stops_for_ever(server: SimServer, asked: int, given: int) -> None:
    """While a stop waits nothing else acts on the container: an endless grace would keep it from every limit."""
    await server.launch()
    await stop(server.world, await server.caller(), "thesis", asked)
    assert server.engine.grace_seconds == given


async def test_the_way_to_a_port_is_no_program_of_hers(server: SimServer) -> None:
    made = await server.launch()
    relay = Path(ds01.__file__).with_name("cli").joinpath("editors/relay.py").read_text()
    tunnel = f"/opt/ds01/env/bin/python3 -c {relay} /workspace/.ds01/thesis-port-8501.sock 8501"
    server.engine.run_in(made.id, tunnel, "python train.py")
    shown = await preview(server.world, await server.caller(), "thesis")
    assert shown.processes == ("python train.py",)
