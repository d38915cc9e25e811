"""What notices say: every fact somebody needs to decide, and every command line with her container's name in it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from ds01.domain.headline import coming, past
from ds01.domain.lifecycle.case import OF_LIFE, ZERO, Act, Due, Rule
from ds01.domain.lifecycle.words import Facts, Outcome, done_text, done_title, text, title

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
CET = timezone(HOUR, "CET")
AT = datetime(2026, 3, 2, 15, 30, tzinfo=CET)
WORKSPACE = "/home/alice/workspace/thesis"

LIMITS = {
    Rule.IDLE: 30 * MINUTE, Rule.PAUSED: 40 * MINUTE, Rule.RUNTIME: 24 * HOUR, Rule.CONTAINER_HOLD: 7 * DAY,
    Rule.NEVER_STARTED: 30 * MINUTE, Rule.YIELDING: ZERO,
}  # fmt: skip


def due(rule: Rule, **changes: Any) -> Due:
    act = Act.REMOVE if rule in (Rule.CONTAINER_HOLD, Rule.NEVER_STARTED) else Act.STOP
    return replace(Due(rule=rule, act=act, left=ZERO, limit=LIMITS[rule], lead=15 * MINUTE), **changes)


def facts(rule: Rule, **changes: Any) -> Facts:
    """Alice's thesis, a quarter of an hour before."""
    usual = Facts(
        name="thesis", due=due(rule), now=AT - 15 * MINUTE, acts_at=AT, lasted=17 * MINUTE, usual=30 * MINUTE,
        grace=MINUTE, gpu_hold=20 * MINUTE, container_hold=7 * DAY, workspace=WORKSPACE, keep_max=24 * HOUR,
        extend_left=10 * HOUR,
    )  # fmt: skip
    return replace(usual, **changes)


def outcome(rule: Rule, **changes: Any) -> Outcome:
    usual = Outcome(
        name="thesis", due=due(rule), at=AT, grace=MINUTE, workspace=WORKSPACE, held_until=AT + 20 * MINUTE
    )  # fmt: skip
    return replace(usual, **changes)


def headline(found: Facts) -> str:
    """As whoever is there reads it when it is said."""
    return coming(title(found), found.acts_at, found.now, CET)


def done_headline(found: Outcome) -> str:
    return past(done_title(found), found.at, found.at, CET)


def says(found: str, *parts: str) -> None:
    missing = [part for part in parts if part not in found]
    assert not missing, f"{missing} not in:\n{found}"


def commands(found: str) -> list[str]:
    """The command lines, each up to what it does."""
    return [line.strip().partition("  ")[0] for line in found.split("\n") if line.startswith("  ")]


STOPS = (
    "Its programs get SIGTERM and 1m to save what they have.", "Then the container is kept for 7d and its GPU for 20m",
    f"your files in {WORKSPACE} stay.",
)  # fmt: skip
GOES = ("What is in it outside /workspace goes with it", f"your files in {WORKSPACE} stay.")
ADMIN, RETIRE = "ask an admin", "ds01 retire thesis"
LIFTS = "to lift it for a while: ds01 admin exempt"

WARNINGS: dict[Rule, tuple[str, tuple[str, ...], list[str]]] = {
    Rule.IDLE: (
        "thesis stops at 15:30 CET, in 15 minutes, unless it is used",
        ("have done nothing since 14:58 CET; it may idle for 30m.", *STOPS, "(at most 1d)", "good for 1d", LIFTS),
        ["ds01 keep thesis --for 2h", "touch /workspace/.keep-alive", ADMIN, RETIRE],
    ),
    Rule.PAUSED: (
        "thesis stops at 15:30 CET, in 15 minutes: it is paused and keeps a GPU",
        ("It has been paused since 14:58 CET and keeps its GPU from others; it may do so for 40m.", *STOPS, LIFTS),
        ["ds01 unpause thesis", "ds01 keep thesis --for 2h", ADMIN, RETIRE],
    ),
    Rule.RUNTIME: (
        "thesis stops at 15:30 CET, in 15 minutes: its time is over",
        ("It had run for 17m at 15:15 CET, of the 1d that a container with a GPU may run, restarts included.", *STOPS,
         "run longer (at most 10h more)", LIFTS),
        ["ds01 extend thesis 4h", ADMIN, RETIRE],
    ),
    Rule.CONTAINER_HOLD: (
        "thesis is removed at 15:30 CET, in 15 minutes, unless it is started",
        ("It has been stopped since 14:58 CET; a stopped container is kept for 7d.", *GOES, LIFTS),
        ["ds01 start thesis", ADMIN, RETIRE],
    ),
    Rule.NEVER_STARTED: (
        "thesis is removed at 15:30 CET, in 15 minutes, unless it is started",
        ("It was made at 14:58 CET and was never started.", *GOES),
        ["ds01 start thesis", RETIRE],
    ),
    Rule.YIELDING: (
        "thesis stops at 15:30 CET, in 15 minutes: somebody else is to have its GPU",
        ("gives way to others (preemptible), and somebody waits for what it has, or has it booked.",
         "Its programs get SIGTERM and 1m to save what they have.",
         "Then its GPU goes to them; the container and your files stay."),
        ["ds01 launch thesis --wait", RETIRE],
    ),
}  # fmt: skip

DONE: dict[Rule, tuple[str, tuple[str, ...], list[str]]] = {
    Rule.IDLE: (
        "thesis was stopped at 15:30 CET: idle for 30m",
        ("Its programs ended by themselves.", "Its GPU is kept for it until 15:50 CET."),
        ["ds01 undo thesis", "ds01 why thesis"],
    ),
    Rule.PAUSED: (
        "thesis was stopped at 15:30 CET: paused with a GPU for 40m",
        ("Its programs ended by themselves.", "Its GPU is kept for it until 15:50 CET."),
        ["ds01 undo thesis", "ds01 why thesis"],
    ),
    Rule.RUNTIME: (
        "thesis was stopped at 15:30 CET: it ran for 1d",
        ("Its programs ended by themselves.", "Its GPU is kept for it until 15:50 CET."),
        ["ds01 undo thesis", "ds01 why thesis"],
    ),
    Rule.CONTAINER_HOLD: (
        "thesis was removed at 15:30 CET: stopped for 7d", (f"Your files in {WORKSPACE} stay.",),
        ["ds01 launch thesis"],
    ),
    Rule.NEVER_STARTED: (
        "thesis was removed at 15:30 CET: not started for 30m", (f"Your files in {WORKSPACE} stay.",),
        ["ds01 launch thesis"],
    ),
    Rule.YIELDING: (
        "thesis was stopped at 15:30 CET: somebody else was to have its GPU",
        ("Its programs ended by themselves.", "Then its GPU goes to them; the container and your files stay."),
        ["ds01 launch thesis --wait", "ds01 why thesis"],
    ),
}  # fmt: skip


def test_every_rule_of_life_has_its_words_here() -> None:
    assert set(WARNINGS) == set(DONE) == OF_LIFE


@pytest.mark.parametrize("rule", sorted(OF_LIFE))
def test_f4_a_warning_says_what_when_why_what_becomes_of_it_and_every_way_out(rule: Rule) -> None:
    line, parts, typed = WARNINGS[rule]
    found = facts(rule)
    assert headline(found) == line
    says(text(found), *parts)
    assert commands(text(found)) == typed


@pytest.mark.parametrize("rule", sorted(OF_LIFE))
def test_e6_what_was_done_says_why_what_became_of_it_and_how_to_go_on(rule: Rule) -> None:
    line, parts, typed = DONE[rule]
    found = outcome(rule)
    assert done_headline(found) == line
    says(done_text(found), *parts)
    assert commands(done_text(found)) == typed


@pytest.mark.parametrize("rule", [Rule.IDLE, Rule.RUNTIME, Rule.YIELDING])
def test_what_goes_with_its_end_is_promised_nothing_after_it(rule: Rule) -> None:
    found = text(facts(rule, docker=True, goes=True))
    says(found, "to save what they have. It was started with --rm: then it is removed", f"files in {WORKSPACE} stay.")
    assert "is kept" not in found
    assert not [line for line in commands(found) if line.startswith(("ds01 launch", "ds01 start"))]


def test_no_launch_is_named_that_cannot_make_what_came_through_docker() -> None:
    assert commands(text(facts(Rule.YIELDING, docker=True))) == ["ds01 start thesis", RETIRE]
    assert commands(done_text(outcome(Rule.YIELDING, docker=True))) == ["ds01 start thesis", "ds01 why thesis"]
    assert commands(done_text(outcome(Rule.CONTAINER_HOLD, docker=True))) == ["ds01 list"]


def test_what_is_not_within_half_a_day_says_the_day() -> None:
    found = facts(Rule.CONTAINER_HOLD, now=AT - DAY)
    assert headline(found) == "thesis is removed on Mon 02 Mar at 15:30 CET, in 24 hours, unless it is started"


def test_a_busy_server_is_named_with_the_usual_time() -> None:
    busy = facts(Rule.IDLE, due=due(Rule.IDLE, limit=15 * MINUTE))
    says(text(busy), "it may idle for 15m (shortened from 30m: the server is busy).")
    assert "busy" not in text(facts(Rule.IDLE))


def test_held_gpu_memory_is_named() -> None:
    says(
        text(facts(Rule.IDLE, gpu_memory_bytes=12 * 1024**3)), "It holds 12G of GPU memory, but holding it is not using"
    )  # fmt: skip


def test_what_she_planned_is_hers_and_no_exemption_lifts_it() -> None:
    planned = facts(Rule.RUNTIME, asked=True)
    says(text(planned), "of the 1d that it was launched for", "for more than that")
    assert commands(text(planned)) == ["ds01 extend thesis 4h", ADMIN, RETIRE]
    assert "exempt" not in text(planned)


@pytest.mark.parametrize(("asked", "how"), [(False, "for more time: ds01 admin exempt;"), (True, "for more time;")])
def test_whoever_may_extend_no_more_is_told_so(asked: bool, how: str) -> None:
    found = text(facts(Rule.RUNTIME, asked=asked, extend_left=30 * timedelta(seconds=1)))
    says(found, f"{how} thesis cannot be extended further")
    assert commands(found) == [ADMIN, RETIRE]


def test_without_a_gpu_none_is_spoken_of() -> None:
    found = text(facts(Rule.RUNTIME, gpu=False))
    says(found, "of the 1d that a container may run, restarts included.", "is kept for 7d; your files")
    assert "GPU" not in found


def test_no_more_is_offered_than_may_be_added() -> None:
    found = text(facts(Rule.RUNTIME, extend_left=90 * MINUTE))
    says(found, "(at most 1h30m more)")
    assert commands(found)[0] == "ds01 extend thesis 1h30m"


def test_what_is_booked_ends_then_and_its_gpu_is_not_kept() -> None:
    booked = facts(Rule.RUNTIME, booked="booking")
    assert headline(booked) == "thesis stops at 15:30 CET, in 15 minutes: its booking is over"
    says(
        text(booked),
        "Its GPU is booked until then; it had run for 17m at 15:15 CET.",
        "Then the container is kept for 7d; your files",
    )
    assert commands(text(booked)) == [RETIRE]
    assert done_headline(outcome(Rule.RUNTIME, booked="booking")).endswith("15:30 CET: its booking is over")


def test_a_class_takes_the_container_with_it() -> None:
    seat = facts(Rule.RUNTIME, booked="class")
    assert headline(seat).endswith("in 15 minutes: its class is over")
    says(text(seat), "Its GPU is booked until then", "Then the container goes with the class", WORKSPACE)
    done = outcome(Rule.RUNTIME, booked="class", held_until=None)
    says(done_text(done), "The container goes with the class.", f"Your files in {WORKSPACE} stay.")
    assert commands(done_text(done)) == []


def test_a_job_that_yields_starts_anew() -> None:
    says(text(facts(Rule.YIELDING, job=True)), "Then the job waits for its next turn and starts again")
    assert commands(text(facts(Rule.YIELDING, job=True))) == ["ds01 job show thesis"]
    assert commands(done_text(outcome(Rule.YIELDING, job=True))) == ["ds01 why thesis"]


def test_without_a_workspace_nothing_is_said_of_one() -> None:
    bare = text(facts(Rule.IDLE, workspace=""))
    says(bare, "its image stays")
    assert "workspace" not in bare
    says(done_text(outcome(Rule.CONTAINER_HOLD, workspace="")), "Its image stays.")


def test_a_container_that_is_kept_for_ever_says_so() -> None:
    says(text(facts(Rule.IDLE, container_hold=None)), "Then the container is kept for ever and its GPU for 20m")


def test_whoever_ignored_sigterm_was_killed_after_the_grace() -> None:
    killed = done_text(outcome(Rule.IDLE, killed=True))
    says(killed, "Its programs did not end within 1m and were killed.")
    assert "by themselves" not in killed


@pytest.mark.parametrize("how", [
    "Its on_stop command ended well.", "Its on_stop command did not end in time.",
    "Its on_stop command could not be run: the container has no sh.", "Its on_stop command failed with exit code 3.",
])  # fmt: skip
@pytest.mark.parametrize("rule", [Rule.IDLE, Rule.YIELDING])
def test_how_on_stop_went_is_said_first(rule: Rule, how: str) -> None:
    assert done_text(outcome(rule, on_stop=how)).startswith(f"{how} Its programs ended by themselves.")


def test_a_gpu_that_went_back_is_not_said_to_be_kept() -> None:
    assert "GPU" not in done_text(outcome(Rule.IDLE, held_until=None))


def test_p2_packages_added_by_hand_are_named_with_the_file_that_has_them_or_why_there_is_none() -> None:
    added = outcome(Rule.CONTAINER_HOLD, packages="six==1.16.0")
    says(done_text(added), "Packages you had added by hand: six==1.16.0.")
    noted = replace(added, noted=f"{WORKSPACE}/.ds01/suggested-packages.txt")
    says(
        done_text(noted),
        f"Packages you had added by hand are noted in {WORKSPACE}/.ds01/suggested-packages.txt: six==1.16.0.",
    )
    says(
        done_text(replace(added, problem="It was not written: the disk is full.")),
        "six==1.16.0. It was not written: the",
    )
    assert "Packages" not in done_text(outcome(Rule.CONTAINER_HOLD))
