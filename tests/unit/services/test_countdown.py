"""Reservations and holds end by the time that passed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from ds01.domain.lease import LeaseState
from ds01.services.countdown import Countdown
from tests.values import NOW, lease

HOUR = timedelta(hours=1)


def test_a_hold_ends_when_its_time_has_passed() -> None:
    countdown = Countdown()
    mine = replace(lease("thesis", "GPU-0", state=LeaseState.HELD), expires_at=NOW + timedelta(minutes=15))
    assert countdown.over([mine], NOW, 100.0) == {}
    assert countdown.over([mine], NOW + timedelta(minutes=14), 100.0 + 14 * 60) == {}
    assert countdown.over([mine], NOW + timedelta(minutes=15), 100.0 + 15 * 60) == {mine.id: mine.expires_at}


@pytest.mark.parametrize("step", [HOUR, -HOUR])
def test_i5_a_clock_that_steps_ends_nothing_early_and_nothing_late(step: timedelta) -> None:
    countdown = Countdown()
    mine = replace(lease("thesis", "GPU-0", state=LeaseState.HELD), expires_at=NOW + timedelta(minutes=15))
    countdown.over([mine], NOW, 0.0)
    assert countdown.over([mine], NOW + step + timedelta(minutes=14), 14 * 60.0) == {}
    assert countdown.over([mine], NOW + step + timedelta(minutes=15), 15 * 60.0) == {mine.id: mine.expires_at}


def test_i5_an_end_first_seen_right_after_a_step_is_not_taken_for_over() -> None:
    countdown = Countdown()
    mine = replace(lease("thesis", "GPU-0", state=LeaseState.RESERVED), expires_at=NOW + timedelta(minutes=5))
    countdown.over([], NOW, 0.0)
    assert countdown.over([mine], NOW + HOUR, 2.0) == {}


def test_a_hold_that_was_prolonged_counts_anew() -> None:
    countdown = Countdown()
    mine = replace(lease("thesis", "GPU-0", state=LeaseState.HELD), expires_at=NOW + timedelta(minutes=1))
    countdown.over([mine], NOW, 0.0)
    longer = replace(mine, expires_at=NOW + timedelta(minutes=5))
    assert countdown.over([longer], NOW + timedelta(minutes=2), 120.0) == {}
    assert countdown.over([longer], NOW + timedelta(minutes=5), 300.0) == {mine.id: longer.expires_at}


def test_after_a_restart_the_wall_clock_counts() -> None:
    mine = replace(lease("thesis", "GPU-0", state=LeaseState.HELD), expires_at=NOW)
    assert Countdown().over([mine], NOW, 7.0) == {mine.id: NOW}


def test_an_active_lease_has_no_end() -> None:
    assert Countdown().over([lease("thesis", "GPU-0")], NOW + HOUR, 3600.0) == {}
