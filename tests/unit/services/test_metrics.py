"""What ds01d says to Prometheus: every metric that is declared, in its format, and no names of people."""

from __future__ import annotations

import re
from fractions import Fraction

from ds01.domain.quarantine import Keeper
from ds01.services.metrics import METRICS, exposition
from ds01.sim.script import Load
from tests.server import ALICE, BOB, SimServer, settings

SAMPLE = re.compile(r"([a-z0-9_]+)(?:\{([^}]*)\})? (-?[0-9.e+]+)")


async def said(server: SimServer, *, people: bool = False) -> str:
    await server.launch(BOB, project="secret-project")
    server.devices.set_load("0", Load(utilisation=0.5, memory_used_bytes=2**30))
    await server.live(2)
    return await exposition(server.world, people=people)


async def test_every_declared_metric_is_there_with_its_labels(server: SimServer) -> None:
    text = await said(server, people=True)
    found: dict[str, set[str]] = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            match = SAMPLE.fullmatch(line)
            assert match is not None, line
            found.setdefault(match[1], set()).update(re.findall(r'([a-z_]+)="', match[2] or ""))
    assert {name: set(metric.labels) for name, metric in METRICS.items()} == found
    assert text.count("# TYPE") == len(METRICS)


async def test_the_numbers_are_right_and_nobody_is_named(server: SimServer) -> None:
    text = await said(server)
    for line in (
        'ds01_containers{state="running"} 1', 'ds01_slots{state="free"} 3', 'ds01_slots{state="leased"} 1',
        "ds01_leased_share 0.25", 'ds01_slot_utilisation{slot="0"} 0.5', "ds01_queue_waiting 0",
        'ds01_slot_leased{slot="0"} 1', 'ds01_slot_leased{slot="1"} 0', "ds01_limits_file_sound 1",
        "ds01_gateway_in_force 1", 'ds01_slots_out_of_service{keeper="driver"} 0',
        f'ds01_disk_free_bytes{{place="engine"}} {500 * 2**30}',
        f'ds01_disk_total_bytes{{place="state"}} {1000 * 2**30}',
    ):  # fmt: skip
        assert line in text.splitlines(), line
    assert "bob" not in text
    assert "secret" not in text


async def test_an_unknown_utilisation_is_left_out(server: SimServer) -> None:
    server.devices.set_load("1", Load(utilisation=None))
    text = await exposition(server.world)
    assert 'ds01_slot_utilisation{slot="1"}' not in text
    assert 'ds01_slot_utilisation{slot="2"}' in text


async def test_who_waits_and_since_when(server: SimServer) -> None:
    server.policy.settings = settings(gpus__max=Fraction(4), gpus__per_container=4)
    await server.launch(ALICE, gpus="4")
    waits = await server.waits(BOB, gpus="1")
    await server.clock.advance(90)
    told = (await exposition(server.world, people=True)).splitlines()
    assert "ds01_queue_waiting 1" in told
    assert "ds01_queue_longest_wait_seconds 90" in told
    assert 'ds01_user_waiting{user="bob@lab.lan"} 1' in told
    waits.cancel()


async def test_what_is_wrong_is_counted(server: SimServer) -> None:
    slot = server.devices.inventory()[1].uuid
    await server.books(lambda books: books.quarantine(slot, Keeper.PROCESS, "in use outside DS01"))
    server.policy.problem = "limits.yaml:3: no"
    told = (await exposition(server.world)).splitlines()
    assert 'ds01_slots_out_of_service{keeper="process"} 1' in told
    assert "ds01_limits_file_sound 0" in told
    assert not any(line.startswith("ds01_last_look_timestamp_seconds") for line in told), "it has not looked yet"
    await server.live(1)
    looked = server.clock.now().timestamp()
    assert f"ds01_last_look_timestamp_seconds {looked:.0f}" in (await exposition(server.world)).splitlines()


async def test_a_counter_keeps_all_its_digits(server: SimServer) -> None:
    server.world.memory.gpu_seconds = 123456789.25
    assert "ds01_gpu_seconds_total 123456789.25" in (await exposition(server.world)).splitlines()
