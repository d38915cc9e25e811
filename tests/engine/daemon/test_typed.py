"""What an admin types, on a real ds01d and a real engine; and that whoever waits is told everything."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ds01.domain.errors import ADMIN_ONLY, Ds01Error, Exit
from ds01.wire.containers import WhyView
from ds01.wire.queue import QueueView
from tests.engine.daemon.conftest import Daemon, Docker, User
from tests.engine.daemon.test_queue import waits

pytestmark = [pytest.mark.engine, pytest.mark.root]

DS01 = Path(sys.executable).with_name("ds01")


def typed(daemon: Daemon, *words: str, given: str = "", exits: Exit = Exit.DONE) -> subprocess.CompletedProcess[str]:
    """A command of root at this ds01d, without a terminal."""
    done = subprocess.run(
        [DS01, *words], input=given, text=True, capture_output=True, check=False,
        env=os.environ | {"DS01_SOCKET": str(daemon.socket)},
    )  # fmt: skip
    assert done.returncode == exits, f"{done.returncode}: {done.stdout}{done.stderr}"
    return done


def data(daemon: Daemon, *words: str, given: str = "") -> Any:
    """What it says to programs."""
    return json.loads(typed(daemon, *words, "--json", given=given).stdout)


@pytest.fixture
def undivided(daemon: Daemon, docker: Docker) -> Iterator[Daemon]:
    """It, and at the end every GPU is whole again."""
    yield daemon
    docker.clear()
    if data(daemon, "admin", "mig", "show")["gpus"][1]["now"] != "off":
        typed(daemon, "admin", "mig", "apply", "1: off", "--yes")


def test_f5_who_waits_sees_place_reason_estimate_and_what_would_run_now(alice: User, bob: User) -> None:
    alice.launch("most", gpus="3")
    stream, told = waits(bob, "mine", gpus="2", time_seconds=3600)
    queue, why = bob.ask("queue"), bob.ask("why", "mine")
    assert isinstance(queue, QueueView)
    assert isinstance(why, WhyView)
    (place,) = queue.places
    for seen in (told, place):
        assert (seen.place, seen.of, seen.reason) == (1, 1, "full")
        assert seen.text == "nothing that fits is free, and you are next"
        assert seen.earliest is not None
        assert seen.latest is not None
        assert seen.earliest <= seen.latest
        assert [(one.flags, one.what) for one in seen.instead] == [("--gpus 1", "fewer GPUs")]
    assert bob.launch("now", gpus="1").state == "running"
    bob.ask("cancel", "mine")
    del stream


def test_the_past_is_printed_as_a_trace_and_replayed(alice: User, daemon: Daemon) -> None:
    alice.launch("past", gpus="2")
    alice.ask("retire", "past")
    with pytest.raises(Ds01Error) as refused:
        alice.ask("history", "")
    assert refused.value.kind is ADMIN_ONLY
    trace = typed(daemon, "admin", "history", "--since", "1h").stdout
    heading, *jobs = trace.splitlines()
    assert heading.startswith("job_id,user,submit_s,duration_s,gpus")
    assert alice.person.login in jobs[-1].split(",")
    (found,) = data(daemon, "simulate", "--trace", "-", "--gpus", "4", given=trace)
    assert (found["jobs"], found["refused"]) == (len(jobs), 0)


def test_a_gpu_is_divided_when_nobody_is_on_it_and_stays_so(
    alice: User, undivided: Daemon, docker: Docker
) -> None:  # fmt: skip
    plan = "1: 3g.20gb 2g.10gb 2g.10gb"
    alice.launch("all", gpus="4")
    (gpu,) = data(undivided, "admin", "mig", "plan", plan)["gpus"]
    assert (gpu["now"], gpu["then"], gpu["changes"]) == ("off", "3g.20gb 2g.10gb 2g.10gb", True)
    assert f"{alice.person.login}'s all (active)" in gpu["in_the_way"]
    refused = typed(undivided, "admin", "mig", "apply", plan, "--yes", exits=Exit.FAILED)
    assert "GPU 1 is in use" in refused.stderr
    alice.ask("retire", "all")
    unknown = typed(undivided, "admin", "mig", "plan", "1: 9g.90gb", exits=Exit.USAGE)
    assert "9g.90gb" in unknown.stderr
    typed(undivided, "admin", "mig", "apply", plan, "--yes")
    part = alice.launch("part", gpus="2g.10gb")
    assert [one.split(":")[0] for one in part.gpus] == ["1"]
    undivided.kill()
    undivided.start()
    assert data(undivided, "admin", "mig", "show")["gpus"][1]["now"] == "3g.20gb 2g.10gb 2g.10gb"
    assert docker("exec", part.id, "true") == ""
    alice.ask("retire", "part")
