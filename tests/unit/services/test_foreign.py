"""Processes on GPUs outside DS01: who, what, since when, for admins; nothing is ended."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ds01.domain.errors import ADMIN_ONLY, Ds01Error
from ds01.ports.facts import ProcessFacts
from ds01.services.doctor import examine
from ds01.services.foreign import mark, show
from ds01.sim.facts import SimFacts
from ds01.sim.script import Load
from ds01.wire.gpus import ForeignView
from tests.server import ALICE, BOB, ROOT, SimServer


async def seen(server: SimServer) -> tuple[ForeignView, ...]:
    return await show(server.world, await server.caller(ROOT))


def runs(server: SimServer, pid: int, **more: object) -> None:
    """A process is there."""
    facts = server.world.facts
    assert isinstance(facts, SimFacts)
    values: dict[str, object] = {
        "command": "python", "user": "eve", "cgroup": "0::/user.slice",
        "started_at": server.clock.now() - timedelta(hours=2),
    }  # fmt: skip
    facts.running[pid] = ProcessFacts(**(values | more))  # type: ignore[arg-type]


async def test_who_what_and_since_when(server: SimServer) -> None:
    server.devices.set_load("2", Load(processes=((4711, 3 * 2**30),)))
    runs(server, 4711)
    (found,) = await seen(server)
    assert (found.slot, found.pid, found.user, found.command, found.memory_bytes) == (
        "2",
        4711,
        "eve",
        "python",
        3 * 2**30,
    )
    assert found.started_at == (server.clock.now() - timedelta(hours=2)).isoformat()
    assert (found.container, found.leased_to) == ("", "")
    doctor = await examine(server.world, admin=True)
    (told,) = [check for check in doctor.checks if check.name == "foreign-processes"]
    assert "GPU 2: python of eve (process 4711) since 2026-03-02 07:00 UTC." in told.text
    plain = await examine(server.world, admin=False)
    assert not any("eve" in check.text for check in plain.checks if check.name == "foreign-processes")


async def test_a_container_on_the_gpu_of_another_is_named_with_both(server: SimServer) -> None:
    hers = await server.launch(ALICE)
    his = await server.launch(BOB, project="miner")
    server.devices.set_load("0", Load(processes=((1, 2**20), (2, 2**20))))
    runs(server, 1, cgroup=f"0::/ds01-u1001.slice/{hers.id}")
    runs(server, 2, cgroup=f"0::/ds01-u1002.slice/{his.id}")
    (found,) = await seen(server)
    assert (found.pid, found.container, found.leased_to) == (2, "bob@lab.lan's miner", "alice")


@pytest.mark.parametrize("below", ["", "ds01-u1001.slice/", "ds01.slice/ds01-u1001.slice/docker-"])
async def test_a_process_in_a_folder_named_after_the_container_is_not_in_it(server: SimServer, below: str) -> None:
    hers = await server.launch(ALICE)
    server.devices.set_load("0", Load(processes=((1, 2**20),)))
    end = ".scope" if below.endswith("-") else ""
    runs(server, 1, cgroup=f"0::/user.slice/user-1003.slice/user@1003.service/{below}{hers.id}{end}")
    (found,) = await seen(server)
    assert (found.pid, found.user, found.container, found.leased_to) == (1, "eve", "", "alice")


async def test_nothing_is_ended_and_what_is_gone_is_not_shown(server: SimServer) -> None:
    server.devices.set_load("1", Load(processes=((4711, 2**20),)))
    runs(server, 4711)
    await mark(server.world)
    assert len(await seen(server)) == 1
    assert "slot.quarantined" in await server.events()
    server.devices.set_load("1", Load())
    assert await seen(server) == ()


async def test_it_is_for_admins(server: SimServer) -> None:
    with pytest.raises(Ds01Error) as error:
        await show(server.world, await server.caller(ALICE))
    assert error.value.kind is ADMIN_ONLY
