"""What every clock promises, the system's or one that a test moves."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ds01.adapters.host.clock import SystemClock, local_zone
from ds01.ports.clock import Clock
from ds01.sim.clock import SimClock

SOON = 0.01


@pytest.fixture(params=[SystemClock, SimClock])
def clock(request: pytest.FixtureRequest) -> Clock:
    made: Clock = request.param()
    return made


async def passes(clock: Clock, seconds: float) -> None:
    """Let time pass; of real time a little suffices."""
    await (clock.advance(seconds) if isinstance(clock, SimClock) else asyncio.sleep(seconds))


class TestClock:
    async def test_i5_times_are_aware_and_in_utc(self, clock: Clock) -> None:
        assert clock.now().tzinfo is UTC

    async def test_i5_both_hands_move_on_together(self, clock: Clock) -> None:
        before, count = clock.now(), clock.monotonic()
        await passes(clock, SOON)
        assert clock.monotonic() - count >= SOON
        assert clock.now() - before >= timedelta(seconds=SOON) / 2, "the wall clock may be slewed meanwhile"

    async def test_a_sleeper_wakes_when_the_time_has_passed_and_not_before(self, clock: Clock) -> None:
        begun = clock.monotonic()
        sleeper = asyncio.ensure_future(clock.sleep(SOON))
        await asyncio.sleep(0)
        assert not sleeper.done()
        await passes(clock, 2 * SOON)
        await sleeper
        assert clock.monotonic() - begun >= SOON


def test_the_server_s_zone_is_where_its_clock_is_linked_to(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("TZ", raising=False)
    link = tmp_path / "localtime"
    link.symlink_to("/usr/share/zoneinfo/Europe/Berlin")
    assert str(local_zone(link)) == "Europe/Berlin"
    assert local_zone(tmp_path / "none") is UTC
    (tmp_path / "copied").write_bytes(Path("/usr/share/zoneinfo/Europe/Berlin").read_bytes())
    summer = datetime(2026, 7, 1, tzinfo=UTC).astimezone(local_zone(tmp_path / "copied"))
    assert summer.utcoffset() == timedelta(hours=2)
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    assert str(local_zone(link)) == "Asia/Kolkata"
    monkeypatch.setenv("TZ", "nowhere")
    assert str(local_zone(link)) == "Europe/Berlin"
