"""The doctor on this machine: a real engine, a real ledger, the real host."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from dev.engine import OwnEngine

from ds01.adapters.docker.engine import DockerEngine
from ds01.adapters.host.clock import SystemClock
from ds01.adapters.host.facts import SystemFacts
from ds01.adapters.nss.directory import NssDirectory
from ds01.adapters.sql.ledger import SqlLedger
from ds01.config.current import CurrentLimits
from ds01.services.checks import State
from ds01.services.doctor import every, examine
from ds01.services.world import Paths, World
from ds01.sim.devices import SimDevices
from ds01.sim.fence import SimFence
from ds01.sim.host import SimHost
from ds01.sim.meters import SimMeters

pytestmark = [pytest.mark.engine, pytest.mark.root]


@pytest.fixture
async def world(engine: OwnEngine, tmp_path: Path) -> AsyncIterator[World]:
    tmp_path.chmod(0o755)
    clock = SystemClock()
    (tmp_path / "limits.yaml").write_text("groups: {student: {members: ['*']}}\n")
    docker = DockerEngine(f"unix://{engine.socket}")
    ledger = SqlLedger(tmp_path / "ledger.db")
    yield World(
        engine=docker, devices=SimDevices(["a100-40gb"], run=tmp_path / "run", clock=clock), ledger=ledger,
        directory=NssDirectory(), host=SimHost(), facts=SystemFacts(), fence=SimFence(), clock=clock,
        meters=SimMeters(clock=clock),
        policy=CurrentLimits(tmp_path / "limits.yaml"),
        paths=Paths(
            state=tmp_path, run=tmp_path / "run", limits=tmp_path / "limits.yaml", gateway=tmp_path / "docker.sock",
            engine=f"unix://{engine.socket}",
        ),
    )  # fmt: skip
    await docker.close()
    await ledger.close()


async def test_every_check_can_be_done_on_this_machine(world: World) -> None:
    found = await examine(world, admin=True, patience_seconds=120)
    assert [check.name for check in found.checks] == list(every())
    for check in found.checks:
        assert "could not be done" not in check.text, check
        assert "did not end in time" not in check.text, check
    by_name = {check.name: check for check in found.checks}
    assert by_name["engine"].state in (State.OK, State.WARNING)
    assert by_name["engine-socket"].state == State.OK
    assert by_name["ledger"].state == State.OK
    assert by_name["limits-file"].state == State.OK
    assert by_name["gateway"].state == State.FAILED
    assert "SIMULATED" in by_name["gpus"].text


async def test_an_engine_that_went_away_is_told(world: World) -> None:
    gone = DockerEngine("unix:///nowhere/engine.sock")
    without = replace(world, engine=gone)
    found = await asyncio.gather(*(every()[name].run(without) for name in ("engine", "unowned", "bases")))
    await gone.close()
    assert [finding.state for finding in found] == [State.FAILED, State.WARNING, State.WARNING]


async def test_an_engine_socket_open_to_all_is_told(world: World, engine: OwnEngine) -> None:
    socket, folder = Path(engine.socket), Path(engine.root)
    before, above = socket.stat().st_mode & 0o777, folder.stat().st_mode & 0o777
    try:
        socket.chmod(0o666)
        folder.chmod(0o755)
        assert (await every()["engine-socket"].run(world)).state == State.FAILED
    finally:
        socket.chmod(before)
        folder.chmod(above)
