"""systemd's watchdog is told as long as the loop turns."""

from __future__ import annotations

import asyncio
from ast import literal_eval

import pytest

from ds01.install import units
from ds01.install.machine import Package
from ds01.watchdog import SECONDS, every, stay_awake


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ("{}", None),
        ("{'WATCHDOG_USEC': '60000000'}", 15.0),
        ("{'WATCHDOG_USEC': '60000000', 'WATCHDOG_PID': '42'}", 15.0),
        ("{'WATCHDOG_USEC': '60000000', 'WATCHDOG_PID': '43'}", None),
        ("{'WATCHDOG_USEC': 'soon'}", None),
    ],
)
def test_systemd_says_how_often(environment: str, expected: float | None) -> None:
    assert every(literal_eval(environment), 42) == expected


async def test_it_is_told_again_and_again_and_not_while_the_loop_stands_still() -> None:
    told: list[str] = []
    task = asyncio.create_task(stay_awake(0.001, told.append))
    while len(told) < 3:
        await asyncio.sleep(0.001)
    task.cancel()
    assert set(told) == {"WATCHDOG=1"}
    told.clear()
    await stay_awake(None, told.append)
    assert told == []


def test_both_units_ask_for_it_and_bound_their_memory() -> None:
    package = Package(version="1.0.0", bin="/opt/ds01/bin")
    for unit in (units.ds01d(package), units.gateway(package)):
        assert f"WatchdogSec={SECONDS}s" in unit
        assert "MemoryMax=4G" in unit
