"""The queue at the command line: what is asked, said while one waits, and sent."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ds01.domain.errors import GPU_FULL, NO_JOB, Ds01Error
from ds01.wire.containers import WhyEntry, WhyView
from ds01.wire.launches import LaunchEvent
from ds01.wire.queue import InsteadView, PlaceView, QueueView
from tests.unit.cli import values
from tests.unit.cli.conftest import Run
from tests.unit.cli.daemon import Asked, Daemon

FULL = Ds01Error(
    GPU_FULL, "No GPU that fits is free right now: 4 of 4 that fit are in use. You would be 3rd in the queue.",
    reason="leases on this server: 4 active", hint="Wait for your turn: ds01 launch thesis --wait", place="3",
)  # fmt: skip


def later(minutes: float) -> str:
    return (datetime.now(UTC) + timedelta(minutes=minutes, seconds=20)).isoformat()


def place(name: str = "thesis", **more: Any) -> PlaceView:
    fields: dict[str, Any] = {
        "owner": "anna", "state": "waiting", "asked": "--gpus 2", "since": later(-61), "planned_seconds": 7200,
        "place": 3, "of": 5, "reason": "fair share", "text": "others go first", "earliest": later(20),
        "latest": later(120), "instead": (InsteadView(flags="--gpus 1", what="fewer GPUs"),),
    }  # fmt: skip
    return PlaceView(name=name, **(fields | more))


def turn(name: str = "thesis") -> PlaceView:
    return place(
        name, state="reserved", place=0, of=0, reason="", text="", earliest=None, latest=None, instead=(),
        claim_until=later(9), slots=("0", "1"),
    )  # fmt: skip


def stream(*events: LaunchEvent) -> Callable[[Asked], Iterator[LaunchEvent]]:
    return lambda _: iter(events)


READY = LaunchEvent(step="ready", container=values.busy("thesis"))
LAUNCH = ("launch", "thesis", "--image", "minimal", "--gpus", "2")


def test_without_a_terminal_a_full_server_is_exit_3_with_the_place(ds01: Run, daemon: Daemon) -> None:
    daemon.answers["POST", "/v1/launches"] = FULL
    ran = ds01(*LAUNCH)
    assert ran.code == 3
    assert "You would be 3rd in the queue." in ran.err
    assert "ds01 launch thesis --wait" in ran.err
    assert ds01(*LAUNCH, "--no-wait", "--yes").code == 3


def test_yes_is_no_yes_to_waiting(ds01: Run, daemon: Daemon) -> None:
    daemon.answers["POST", "/v1/launches"] = FULL
    ran = ds01(*LAUNCH, "--yes")
    assert ran.code == 3
    assert "ds01 launch thesis --wait" in ran.err


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("--wait",), (True, None, None, False)),
        (("--wait=1h", "--time", "2h"), (True, 3600, 7200, False)),
        (("--no-wait", "--background"), (False, None, None, True)),
    ],
)
def test_what_is_typed_about_waiting_is_sent(
    ds01: Run, daemon: Daemon, words: tuple[str, ...], expected: tuple[object, ...]
) -> None:
    daemon.answers["POST", "/v1/launches"] = stream(READY)
    assert ds01(*LAUNCH, *words).code == 0
    body: Any = daemon.asked[-1].body
    assert (body["wait"], body["wait_seconds"], body["time_seconds"], body["stays"]) == expected


def test_f5_a_waiting_launch_says_place_reason_range_and_what_would_start_now(ds01: Run, daemon: Daemon) -> None:
    daemon.answers["POST", "/v1/launches"] = stream(
        LaunchEvent(step="queue", state="begin", place=place()),
        LaunchEvent(step="queue", state="begin", place=place()),
        LaunchEvent(step="queue", state="begin", place=place(place=1, reason="full", text="you are next")),
        READY,
    )
    ran = ds01(*LAUNCH, "--wait")
    assert ran.code == 0
    assert ran.err.splitlines()[:8] == [
        "thesis waits: others go first.",
        "  Would start now, with fewer GPUs: ds01 launch thesis --gpus 1",
        "Waiting for --gpus 2: 3rd of 5 in the queue, likely in 20m to 2h.",
        "thesis waits: you are next.",
        "  Would start now, with fewer GPUs: ds01 launch thesis --gpus 1",
        "Waiting for --gpus 2: 1st of 5 in the queue, likely in 20m to 2h.",
        "It is the turn of thesis.",
        "✓ thesis is running, with GPU 2:1g.5gb.",
    ]


def test_a_ds01d_that_restarts_is_waited_for(ds01: Run, daemon: Daemon) -> None:
    went: list[int] = []

    def launch(_: Asked) -> Iterator[LaunchEvent]:
        went.append(1)
        if len(went) > 1:
            yield READY
            return
        yield LaunchEvent(step="queue", state="begin", place=place())
        raise ConnectionError

    daemon.answers["POST", "/v1/launches"] = launch
    assert ds01(*LAUNCH, "--wait").code == 0
    assert len(went) == 2


def test_the_queue_shows_what_is_mine_and_how_many_others_wait(ds01: Run, daemon: Daemon) -> None:
    daemon.answers["GET", "/v1/queue"] = QueueView(places=(turn("exp"), place()), waiting=5, reserved=1, others=4)
    ran = ds01("queue")
    assert ran.out.splitlines() == [
        "NAME    ASKED      PLACE  WAITS  LIKELY        FOR  WHY",
        "exp     --gpus 2     now     1h                 2h  kept for 9m",
        "thesis  --gpus 2  3 of 5     1h  in 20m to 2h   2h  fair share",
        "",
        "✓ It is the turn of exp: GPUs 0, 1, kept for 9m.",
        "",
        "4 besides you.",
    ]
    assert "Next: ds01 claim exp" in ran.err


@pytest.mark.parametrize(
    ("view", "said"),
    [
        (QueueView(places=(), waiting=0, reserved=0, others=0), "Nobody waits for a GPU."),
        (QueueView(places=(), waiting=1, reserved=0, others=1), "Nothing of yours waits; of others 1 does."),
        (QueueView(places=(), waiting=3, reserved=0, others=3), "Nothing of yours waits; of others 3 do."),
    ],
)
def test_a_queue_without_me_is_a_sentence(ds01: Run, daemon: Daemon, view: QueueView, said: str) -> None:
    daemon.answers["GET", "/v1/queue"] = view
    assert ds01("queue").out == said + "\n"


def test_the_queue_is_readable_at_80_columns(ds01: Run, daemon: Daemon, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    long = "a-very-long-name-for-an-experiment-12345"
    daemon.answers["GET", "/v1/queue"] = QueueView(
        places=(place(long, reason="head reservation", asked="--gpus 3g.20gb"),), waiting=99, reserved=0, others=98
    )
    assert all(len(line) <= 80 for line in ds01("queue", "--all").out.splitlines())
    assert daemon.asked[-1].query == {"all": "1"}


def test_claim_takes_the_one_whose_turn_it_is(ds01: Run, daemon: Daemon) -> None:
    daemon.answers["GET", "/v1/queue"] = QueueView(places=(turn("exp"), place()), waiting=1, reserved=1, others=0)
    daemon.answers["POST", "/v1/queue/exp/claim"] = stream(READY)
    ran = ds01("claim", "--background")
    assert (ran.code, "thesis is running" in ran.err) == (0, True)


def test_claim_without_a_turn_says_what_waits(ds01: Run, daemon: Daemon) -> None:
    daemon.answers["GET", "/v1/queue"] = QueueView(places=(place(),), waiting=1, reserved=0, others=0)
    ran = ds01("claim")
    assert ran.code == 4
    assert "It is the turn of nothing of yours." in ran.err
    assert "thesis still waits." in ran.err


def test_cancel_says_what_becomes_of_what_was_kept(ds01: Run, daemon: Daemon) -> None:
    daemon.answers["DELETE", "/v1/queue/exp"] = turn("exp")
    daemon.answers["GET", "/v1/jobs/exp"] = Ds01Error(NO_JOB, "You have no job 'exp'.")
    ran = ds01("cancel", "exp")
    assert "exp does not wait any more. The GPUs that were kept for it go to the next one." in ran.err
    assert json.loads(ds01("cancel", "exp", "--json").out)["slots"] == ["0", "1"]
    before = [asked.method for asked in daemon.asked].count("DELETE")
    assert "Nothing was changed." in ds01("cancel", "exp", "--dry-run").err
    assert [asked.method for asked in daemon.asked].count("DELETE") == before


def test_f5_why_says_what_would_start_now(ds01: Run, daemon: Daemon) -> None:
    summary = "thesis waits for --gpus 2, 3rd of 5 in the queue: others go first. It is likely to start in 20m to 2h."
    entry = WhyEntry(at=later(-61), what="thesis waits for its turn with --gpus 2.")
    daemon.answers["GET", "/v1/containers/thesis/why"] = WhyView(
        name="thesis", state="waiting", reason="fair share", summary=summary, entries=(entry,), place=place()
    )
    ran = ds01("why", "thesis")
    assert "  ds01 launch thesis --gpus 1  fewer GPUs" in ran.out.splitlines()
    assert "Next: ds01 queue · ds01 cancel thesis" in ran.err
