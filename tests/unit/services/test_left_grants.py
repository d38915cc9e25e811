"""F3, G13: a grant with GPUs is for the start it was written for, and nobody runs on a GPU that another has leased."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from ds01.adapters.host.guard import GuardFolder
from ds01.domain.container import Container, ContainerState
from ds01.domain.lease import LeaseState
from ds01.ports.engine import Guarding
from ds01.runc.grants import BOOT_ID, take_grant
from ds01.runc.refusal import RefusedError
from ds01.services.door.redeem import expire
from ds01.services.door.start import not_started, start, started
from ds01.services.stop import stop
from ds01.sim.devices import SimDevices
from ds01.sim.host import SimHost
from ds01.wire.door import DoorStart, DoorTicket
from tests.server import ALICE, BOB, SimServer, settings


class WithGuard(SimHost):
    """A host whose guard's folder is real."""

    def __init__(self, folder: Path) -> None:
        super().__init__(homes_are_full=True)
        self.folder = folder
        self.files = GuardFolder(folder)
        self.boot = Path(BOOT_ID).read_text().strip()
        for each in (folder, folder / "grants"):
            each.mkdir(mode=0o700)

    def starts(self, container: Container) -> bool:
        """Whether the guard lets the engine start it now."""
        try:
            return bool(take_grant(str(self.folder), container.id).gpus)
        except RefusedError:
            return False


@pytest.fixture
async def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WithGuard:
    made = WithGuard(tmp_path / "guard")
    monkeypatch.setattr(made, "grant", lambda _, grant: made.files.grant(grant, made.boot))
    monkeypatch.setattr(made, "withdraw", lambda _, container: made.files.withdraw(container))
    monkeypatch.setattr(made, "spend", lambda _, container: made.files.spend(container))
    monkeypatch.setattr(made, "grants", lambda _: made.files.grants())
    return made


@pytest.fixture
async def one_gpu(tmp_path: Path, host: WithGuard) -> SimServer:
    """A server with a single GPU, which nobody keeps after a stop."""
    server = SimServer(run=tmp_path)
    server.devices = SimDevices(("a100-40gb",), run=tmp_path, clock=server.clock)
    server.policy.settings = settings(gpu_hold=timedelta(0))
    server.engine.guarding = Guarding(folder=f"{host.folder}", data_root="/var/lib/docker")
    server.host = host
    server.restart()
    return await server.open()


async def running(server: SimServer, host: WithGuard) -> Container:
    """Hers, started once."""
    made = await server.launch()
    assert host.starts(made)
    assert not host.starts(made)
    return made


async def restarting(server: SimServer, container: Container, ending_seconds: int = 300) -> DoorTicket:
    asked = DoorStart(uid=ALICE.uid, id=container.id, ending_seconds=ending_seconds)
    return DoorTicket(ticket=(await start(server.world, asked)).ticket)


async def test_g13_a_start_of_what_runs_leaves_no_grant(one_gpu: SimServer, host: WithGuard) -> None:
    made = await running(one_gpu, host)
    await not_started(one_gpu.world, await restarting(one_gpu, made))
    assert not host.starts(made)


async def test_g13_a_restart_of_which_nothing_was_heard_starts_nothing_later(
    one_gpu: SimServer, host: WithGuard
) -> None:
    made = await running(one_gpu, host)
    await restarting(one_gpu, made)
    await one_gpu.clock.advance(601)
    await expire(one_gpu.world)
    assert not host.starts(made)


async def test_a_restart_is_granted_until_what_runs_had_its_time_to_end(one_gpu: SimServer, host: WithGuard) -> None:
    made = await running(one_gpu, host)
    ticket = await restarting(one_gpu, made)
    await one_gpu.clock.advance(301)
    await expire(one_gpu.world)
    await one_gpu.reconciler.round()
    one_gpu.engine.die(made.id, 137)
    await one_gpu.reconciler.look(made.id)
    (lease,) = await one_gpu.leases()
    assert (lease.state, lease.uid) == (LeaseState.HELD, ALICE.uid)
    assert host.starts(made)
    await one_gpu.engine.start(made.id)
    await started(one_gpu.world, ticket)
    (lease,) = await one_gpu.leases()
    assert (lease.state, lease.container) == (LeaseState.ACTIVE, made.id)


async def test_a_restart_that_fails_keeps_no_gpu(one_gpu: SimServer, host: WithGuard) -> None:
    made = await running(one_gpu, host)
    ticket = await restarting(one_gpu, made)
    one_gpu.engine.die(made.id, 137)
    await one_gpu.reconciler.look(made.id)
    await not_started(one_gpu.world, ticket)
    assert await one_gpu.leases() == ()
    assert not host.starts(made)


async def test_f3_g13_a_stop_ends_a_restart_that_waits_in_the_engine(one_gpu: SimServer, host: WithGuard) -> None:
    made = await running(one_gpu, host)
    await restarting(one_gpu, made)
    await stop(one_gpu.world, await one_gpu.caller(), "thesis")
    await one_gpu.launch(BOB)
    assert not host.starts(made)


async def test_g13_a_grant_of_a_ds01d_that_died_is_found(one_gpu: SimServer, host: WithGuard) -> None:
    made = await running(one_gpu, host)
    await restarting(one_gpu, made)
    one_gpu.restart()
    await one_gpu.reconciler.round()
    assert not host.starts(made)


async def test_a_start_granted_by_a_ds01d_that_died_may_come_while_its_gpu_is_held(
    one_gpu: SimServer, host: WithGuard
) -> None:
    one_gpu.policy.settings = settings(gpu_hold=timedelta(minutes=15))
    made = await running(one_gpu, host)
    await stop(one_gpu.world, await one_gpu.caller(), "thesis")
    await restarting(one_gpu, made)
    one_gpu.restart()
    await one_gpu.reconciler.round()
    (grant,) = host.files.grants()
    assert not grant.used
    await one_gpu.expire(16)
    await one_gpu.reconciler.round()
    assert not host.starts(made)


async def test_f3_what_runs_on_a_gpu_of_anothers_lease_is_stopped(one_gpu: SimServer, host: WithGuard) -> None:
    made = await running(one_gpu, host)
    await stop(one_gpu.world, await one_gpu.caller(), "thesis")
    his = await one_gpu.launch(BOB)
    await one_gpu.engine.start(made.id)
    await one_gpu.reconciler.round()
    assert [seen.id for seen in await one_gpu.engine.list() if seen.running] == [his.id]
    found = await one_gpu.container()
    assert found is not None
    assert (found.state, found.lease) == (ContainerState.QUARANTINED, None)
    assert found.reason_detail == "it uses a GPU that is not leased to it"
    assert [lease.uid for lease in await one_gpu.leases()] == [BOB.uid]


async def test_f3_what_could_not_be_stopped_at_once_is_stopped_later(one_gpu: SimServer, host: WithGuard) -> None:
    made = await running(one_gpu, host)
    await stop(one_gpu.world, await one_gpu.caller(), "thesis")
    await one_gpu.launch(BOB)
    await one_gpu.engine.start(made.id)
    aside = replace(made, state=ContainerState.QUARANTINED)
    await one_gpu.books(lambda books: books.put_container(aside))
    await one_gpu.reconciler.round()
    seen = await one_gpu.engine.inspect(made.id)
    assert seen is not None
    assert not seen.running
