"""What ds01d says to Prometheus: every metric that is declared, in its format, and no names of people."""

from __future__ import annotations

import re

from ds01.services.metrics import METRICS, exposition
from ds01.sim.script import Load
from tests.server import BOB, SimServer

SAMPLE = re.compile(r"([a-z0-9_]+)(?:\{([^}]*)\})? (-?[0-9.e+]+)")


async def said(server: SimServer) -> str:
    await server.launch(BOB, project="secret-project")
    server.devices.set_load("0", Load(utilisation=0.5, memory_used_bytes=2**30))
    await server.live(2)
    return await exposition(server.world)


async def test_every_declared_metric_is_there_with_its_labels(server: SimServer) -> None:
    text = await said(server)
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
    ):  # fmt: skip
        assert line in text.splitlines(), line
    assert "bob" not in text
    assert "secret" not in text


async def test_an_unknown_utilisation_is_left_out(server: SimServer) -> None:
    server.devices.set_load("1", Load(utilisation=None))
    text = await exposition(server.world)
    assert 'ds01_slot_utilisation{slot="1"}' not in text
    assert 'ds01_slot_utilisation{slot="2"}' in text
