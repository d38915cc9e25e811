"""What is due, who hears of it first, and when it may be done."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from ds01.domain.container import ContainerState
from ds01.domain.lifecycle.case import Act, Case, Level, Rule, Warned
from ds01.domain.lifecycle.decide import concerned, decide
from ds01.domain.settings import LifecycleRules
from tests.values import container, limits

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
LIMITS = ("idle", "runtime", "runtime_without_gpu", "lead", "container_hold")


def case(state: ContainerState = ContainerState.RUNNING, *, extended: timedelta = MINUTE * 0, **given: Any) -> Case:
    held = {key: given.pop(key) for key in LIMITS if key in given}
    found = replace(limits(), **held)
    values: dict[str, Any] = {"holds_gpu": True, "up": 10 * HOUR, "ran": 10 * HOUR, **given}
    return Case(
        container=replace(container("thesis", state=state), extended=extended), limits=found,
        rules=LifecycleRules(), **values,
    )  # fmt: skip


def told(minutes: float, *, after: float | None = None, last: bool = False) -> Warned:
    """Tried so many minutes ago; reached somebody ``after`` minutes later."""
    delivered = None if after is None else (minutes - after) * MINUTE
    return Warned(tried=minutes * MINUTE, delivered=delivered, last=last)


def test_a_busy_container_is_left_alone() -> None:
    found = decide(case(), {})
    assert (found.notify, found.execute) == ((), None)
    assert found.standing == {Rule.IDLE: 30 * MINUTE, Rule.RUNTIME: 14 * HOUR}


def test_f4_it_is_warned_one_lead_before() -> None:
    assert decide(case(quiet=14.9 * MINUTE), {}).notify == ()
    (notice,) = decide(case(quiet=15 * MINUTE), {}).notify
    assert (notice.due.rule, notice.level, notice.acts_in) == (Rule.IDLE, Level.WARNING, 15 * MINUTE)


def test_f4_and_five_minutes_before() -> None:
    warned = {Rule.IDLE: told(10, after=0)}
    (notice,) = decide(case(quiet=25 * MINUTE), warned).notify
    assert (notice.level, notice.acts_in) == (Level.LAST, 5 * MINUTE)
    assert decide(case(quiet=25 * MINUTE), {Rule.IDLE: told(10, after=0, last=True)}).notify == ()


def test_it_is_stopped_when_it_is_due_and_was_told() -> None:
    found = decide(case(quiet=30 * MINUTE), {Rule.IDLE: told(15, after=0)}).execute
    assert found is not None
    assert (found.due.rule, found.due.act, found.due.detail) == (Rule.IDLE, Act.STOP, "30m")


def test_nobody_is_stopped_unwarned_however_late_it_is() -> None:
    found = decide(case(quiet=5 * HOUR), {})
    assert found.execute is None
    assert [notice.acts_in for notice in found.notify] == [15 * MINUTE]


def test_a_late_delivery_gets_its_whole_lead() -> None:
    late = {Rule.IDLE: told(20, after=10)}
    assert decide(case(quiet=40 * MINUTE), late).execute is None
    assert decide(case(quiet=40 * MINUTE), late).standing[Rule.IDLE] == 5 * MINUTE
    assert decide(case(quiet=45 * MINUTE), {Rule.IDLE: told(25, after=10)}).execute is not None


def test_what_reached_nobody_waits_one_more_lead() -> None:
    assert decide(case(quiet=40 * MINUTE), {Rule.IDLE: told(29)}).execute is None
    assert decide(case(quiet=45 * MINUTE), {Rule.IDLE: told(30)}).execute is not None


def test_an_end_that_others_count_on_is_told_two_leads_before() -> None:
    """So that the second lead of a warning that reached nobody is over when its GPU is to be back."""
    assert decide(case(ran=2 * HOUR, asked_left=31 * MINUTE), {}).notify == ()
    assert [notice.acts_in for notice in decide(case(ran=2 * HOUR, asked_left=30 * MINUTE), {}).notify] == [30 * MINUTE]
    over = case(ran=2 * HOUR, asked_left=0 * MINUTE)
    assert decide(over, {Rule.RUNTIME: told(30)}).execute is not None
    assert decide(over, {Rule.RUNTIME: told(30, after=0)}).execute is not None
    assert decide(over, {Rule.RUNTIME: told(30, after=20)}).standing[Rule.RUNTIME] == 5 * MINUTE
    assert [notice.acts_in for notice in decide(over, {}).notify] == [15 * MINUTE]


def test_who_wants_a_gpu_for_a_short_time_has_a_shorter_lead() -> None:
    assert decide(case(ran=4 * MINUTE, asked_left=6 * MINUTE), {}).notify == ()
    assert decide(case(ran=5 * MINUTE, asked_left=5 * MINUTE), {}).notify[0].acts_in == 5 * MINUTE
    late = {Rule.RUNTIME: told(5, after=4)}
    assert decide(case(ran=10 * MINUTE, asked_left=0 * MINUTE), late).standing[Rule.RUNTIME] == 1.5 * MINUTE


def test_what_has_a_booking_behind_it_ends_earlier_and_says_what_it_was_given() -> None:
    found = decide(case(ran=2 * HOUR, asked_left=2 * MINUTE, early=2 * MINUTE), {Rule.RUNTIME: told(15, after=0)})
    assert found.execute is not None
    assert found.execute.due.limit == 2 * HOUR + 2 * MINUTE


def test_the_seconds_before_the_start_are_not_taken_off_in_words() -> None:
    late = case(ran=2 * HOUR - 2 * MINUTE, asked_left=0 * MINUTE, planned=2 * HOUR, runtime=2 * HOUR)
    found = decide(late, {Rule.RUNTIME: told(15, after=0)}).execute
    assert found is not None
    assert found.due.detail == "2h"


def test_who_works_again_is_not_stopped_and_is_warned_anew() -> None:
    found = decide(case(quiet=0 * MINUTE), {Rule.IDLE: told(20, after=0)})
    assert (found.moot, found.execute) == ((Rule.IDLE,), None)


def test_on_a_busy_server_idling_is_shorter_but_never_than_the_warning() -> None:
    assert decide(case(busy=0.9), {}).standing[Rule.IDLE] == 15 * MINUTE
    assert decide(case(busy=0.9, idle=2 * HOUR), {}).standing[Rule.IDLE] == HOUR
    assert decide(case(busy=0.9, idle=20 * MINUTE), {}).standing[Rule.IDLE] == 15 * MINUTE
    assert decide(case(busy=0.9, idle=10 * MINUTE, lead=5 * MINUTE), {}).standing[Rule.IDLE] == 5 * MINUTE


def test_nothing_is_idle_just_after_a_start() -> None:
    assert decide(case(up=29 * MINUTE, quiet=29 * MINUTE), {}).notify == ()
    assert decide(case(up=45 * MINUTE, quiet=45 * MINUTE), {}).notify[0].acts_in == 15 * MINUTE


def test_a_limit_shorter_than_the_warning_does_not_cry_at_every_pause() -> None:
    assert decide(case(idle=10 * MINUTE, quiet=4 * MINUTE), {}).notify == ()
    (notice,) = decide(case(idle=10 * MINUTE, quiet=5 * MINUTE), {}).notify
    assert notice.acts_in == 15 * MINUTE


def test_a_word_to_keep_it_puts_idling_off_and_the_warning_comes_before_its_end() -> None:
    assert decide(case(quiet=5 * HOUR, kept=HOUR), {}).notify == ()
    (notice,) = decide(case(quiet=5 * HOUR, kept=14 * MINUTE), {}).notify
    assert notice.acts_in == 15 * MINUTE


def test_a_word_to_keep_it_is_no_more_running_time() -> None:
    found = decide(case(ran=24 * HOUR, kept=5 * HOUR), {Rule.RUNTIME: told(15, after=0)}).execute
    assert found is not None
    assert (found.due.rule, found.due.detail) == (Rule.RUNTIME, "1d")


def test_runtime_counts_over_restarts_and_can_be_extended() -> None:
    assert decide(case(up=MINUTE, ran=23.8 * HOUR), {}).notify[0].due.rule is Rule.RUNTIME
    assert decide(case(ran=23.8 * HOUR, extended=4 * HOUR), {}).standing[Rule.RUNTIME] == 4.2 * HOUR


def test_what_somebody_planned_binds_her() -> None:
    assert decide(case(asked_left=2 * HOUR), {}).standing[Rule.RUNTIME] == 2 * HOUR
    assert decide(case(asked_left=2 * HOUR, runtime=None), {}).standing[Rule.RUNTIME] == 2 * HOUR


@pytest.mark.parametrize("state", [ContainerState.RUNNING, ContainerState.PAUSED])
def test_e8_without_a_gpu_or_without_a_limit_it_runs_for_ever(state: ContainerState) -> None:
    assert decide(case(state, holds_gpu=False, quiet=99 * HOUR, paused=99 * HOUR, ran=9999 * HOUR), {}).standing == {}
    assert decide(case(state, idle=None, runtime=None, quiet=99 * HOUR, paused=99 * HOUR), {}).standing == {}


@pytest.mark.parametrize("state", [ContainerState.RUNNING, ContainerState.PAUSED])
def test_where_the_group_says_so_running_time_ends_without_a_gpu_and_nothing_else_does(state: ContainerState) -> None:
    bound: dict[str, Any] = {"holds_gpu": False, "quiet": 99 * HOUR, "paused": 99 * HOUR, "runtime_without_gpu": True}
    assert decide(case(state, ran=20 * HOUR, **bound), {}).standing == {Rule.RUNTIME: 4 * HOUR}
    (notice,) = decide(case(state, ran=24 * HOUR, **bound), {}).notify
    assert (notice.due.rule, notice.acts_in) == (Rule.RUNTIME, 15 * MINUTE)
    assert decide(case(state, ran=99 * HOUR, runtime=None, **bound), {}).standing == {}


@pytest.mark.parametrize("state", ContainerState)
@pytest.mark.parametrize("holds_gpu", [True, False])
@pytest.mark.parametrize("everywhere", [True, False])
def test_no_rule_is_about_a_container_that_is_not_looked_at(
    state: ContainerState, holds_gpu: bool, everywhere: bool
) -> None:
    every: dict[str, Any] = {
        "quiet": 40 * HOUR,
        "paused": 40 * HOUR,
        "stopped": 40 * HOUR,
        "age": 40 * HOUR,
        "wanted": True,
        "runtime_without_gpu": everywhere,
    }
    found = decide(case(state, holds_gpu=holds_gpu, idle=MINUTE, runtime=MINUTE, container_hold=MINUTE, **every), {})
    assert not found.standing or concerned(state, holds_gpu=holds_gpu, everywhere=everywhere)


def test_paused_with_a_gpu_is_warned_and_stopped() -> None:
    paused = case(ContainerState.PAUSED, paused=15 * MINUTE)
    assert decide(paused, {}).notify[0].due.rule is Rule.PAUSED
    found = decide(replace(paused, paused=30 * MINUTE), {Rule.PAUSED: told(15, after=0)}).execute
    assert found is not None
    assert found.due.detail == "30m, paused"


def test_a_stopped_one_is_removed_after_its_hold_and_told_a_day_before() -> None:
    days = timedelta(days=1)
    stopped = case(ContainerState.STOPPED, stopped=6 * days)
    assert decide(stopped, {}).notify[0].due.act is Act.REMOVE
    warned = {Rule.CONTAINER_HOLD: Warned(tried=days, delivered=days)}
    assert decide(replace(stopped, stopped=7 * days), warned).execute is not None
    assert decide(case(ContainerState.STOPPED, stopped=999 * days, container_hold=None), {}).standing == {}


def test_one_that_was_never_started_is_removed() -> None:
    made = case(ContainerState.CREATING, age=29 * MINUTE)
    assert decide(made, {}).execute is None
    found = decide(replace(made, age=30 * MINUTE), {}).execute
    assert found is not None
    assert (found.due.rule, found.due.act) == (Rule.NEVER_STARTED, Act.REMOVE)


def test_a_lab_that_wants_no_warning_has_none() -> None:
    assert decide(case(quiet=30 * MINUTE, lead=0 * MINUTE), {}).execute is not None
