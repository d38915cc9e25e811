"""Limits of time on a real engine and in real time: told first, stopped with grace and a reason, files as they were."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from dev.engine import pool

from ds01.wire.containers import ContainerView, StartResult, WhyEntry, WhyView
from ds01.wire.lifecycle import NoticeView
from tests.engine.daemon.conftest import Daemon, Docker, User, eventually

pytestmark = [pytest.mark.engine, pytest.mark.root]

LIMITS = """\
defaults:
  {{cpus: 1, memory: 256M, shm: 16M, pids: 256, containers: 80, stop_grace: 4s, gpu_hold: 15m, idle: 60s, runtime: 100s,
    lead: 20s}}
groups:
  student: {{members: ["*"], gpus: {{max: 4, per_container: 4}}}}
policy: {{idle: {{window: 1m, start_grace: 0s}}}}
gpus: {{source: simulated, simulated: [a100-40gb, a100-40gb, a100-40gb, a100-40gb]}}
docker: {{networks: {pool}}}
"""
LEAD = timedelta(seconds=20)
LATE = timedelta(seconds=60)
"""Nothing is done later than this after it may be, by the records of ds01d itself."""
WORK = "while :; do i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; sleep 0.1; done"
PATIENCE = 240.0
"""Seconds: the limits, the look every 15 s, and a machine that is busy with other things."""


@pytest.fixture
def short(daemon: Daemon) -> Daemon:
    """A ds01d whose limits of time are a minute."""
    return under(daemon, LIMITS)


def under(daemon: Daemon, limits: str) -> Daemon:
    """It, once these limits are in force."""
    daemon.limit(limits.format(pool=pool(daemon.engine)))
    return daemon


def works(docker: Docker, user: User, made: ContainerView, script: str) -> None:
    """A program in the container that works ten times as much as counts as idle, and leaves the others theirs."""
    docker("exec", "-d", "-u", str(user.uid), made.id, "sh", "-c", f"{script}; {WORK}")


def story(user: User, name: str) -> tuple[WhyEntry, ...]:
    found = user.ask("why", name)
    assert isinstance(found, WhyView)
    return found.entries


def told(user: User, name: str) -> list[str]:
    return [entry.what for entry in story(user, name)]


def notices(user: User, name: str) -> list[NoticeView]:
    found = user.ask("notices", past=True)
    assert isinstance(found, Sequence)
    return [notice for notice in found if notice.container == name]


def stopped(user: User, name: str) -> bool:
    return user.container(name).state == "stopped"


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """What ds01d wrote down about a stop for idling: its first warning and what came of it, and the stop itself."""

    warned: datetime
    deadline: datetime
    heard: datetime | None
    stopped: datetime

    @property
    def may_stop(self) -> datetime:
        """One lead after the warning that was heard, two after one that nobody heard, and never before it is due."""
        return max(self.deadline, self.warned + 2 * LEAD if self.heard is None else self.heard + LEAD)


def recorded(user: User, name: str) -> Recorded:
    """By the entries of ``why``; the notice itself says when it was begun and what it announced."""
    first = next(each for each in notices(user, name) if (each.rule, each.level) == ("idle", "warning"))
    entries = story(user, name)
    assert first.acts_at is not None
    acts = datetime.fromisoformat(first.acts_at).astimezone()
    says = f"{name} stops on {acts:%a %d %b} at {acts:%H:%M}"
    heard = (each for each in entries if "arrived" in each.what and says in each.what and read(each.what))
    (stop,) = [each for each in entries if each.detail == "idle:1m"]
    return Recorded(
        warned=datetime.fromisoformat(first.at), deadline=datetime.fromisoformat(first.acts_at),
        heard=next((datetime.fromisoformat(each.at) for each in heard), None), stopped=datetime.fromisoformat(stop.at),
    )  # fmt: skip


def read(what: str) -> bool:
    """Whether a word arrived somewhere where somebody looks: a file in the workspace is no such place."""
    return "shells (" in what or "terminals (" in what


def test_e6_e8_f4_idle_and_runtime_in_real_time(alice: User, bob: User, short: Daemon, docker: Docker) -> None:
    alice.launch("idle", on_stop="echo saved > /workspace/on-stop")
    saves, deaf = alice.launch("saves"), bob.launch("deaf")
    alice.launch("plain", gpus="0")
    docker("exec", "-u", str(alice.uid), alice.container("idle").id, "sh", "-c", "echo mine > /tmp/outside")
    works(docker, alice, saves, "trap 'echo epoch-7 > /workspace/checkpoint; exit 0' TERM")
    works(docker, bob, deaf, "trap '' TERM")
    workspace = alice.workspace()

    eventually(lambda: stopped(alice, "idle"), PATIENCE)
    assert alice.container("idle").reason == "idle for 1m"
    assert (workspace / "on-stop").read_text() == "saved\n"
    said = told(alice, "idle")
    warning = next(index for index, text in enumerate(said) if "in the workspace" in text or "workspace (" in text)
    assert warning < next(index for index, text in enumerate(said) if "stopped: idle for 1m" in text)
    assert "idle stops on" in (workspace / ".ds01/notices").read_text()
    unheard = recorded(alice, "idle")
    assert unheard.heard is None
    assert any(text.startswith("nobody could be told about idle, so it waits longer") for text in said)
    assert unheard.stopped - unheard.warned >= 2 * LEAD
    assert unheard.may_stop <= unheard.stopped <= unheard.may_stop + LATE

    back = alice.ask("undo", "idle")
    assert isinstance(back, StartResult)
    assert (back.container.state, back.recreated) == ("running", False)
    assert docker("exec", back.container.id, "cat", "/tmp/outside") == "mine"

    eventually(lambda: stopped(alice, "saves") and stopped(bob, "deaf"), PATIENCE)
    assert alice.container("saves").reason == "reached its runtime limit of 1m40s"
    assert (workspace / "checkpoint").read_text() == "epoch-7\n"
    eventually(lambda: any("killed, because it did not end within 4s" in text for text in told(bob, "deaf")))
    assert not any("killed" in text for text in told(alice, "saves"))
    eventually(lambda: "were killed" in (bob.workspace() / ".ds01/notices").read_text())
    assert alice.container("plain").state == "running"
    assert (notices(alice, "plain"), [text for text in told(alice, "plain") if "word" in text]) == ([], [])
    assert "plain" not in (workspace / ".ds01/notices").read_text()


def test_f4_whoever_is_in_the_container_reads_it_there_and_has_the_whole_lead(
    alice: User, short: Daemon, docker: Docker
) -> None:
    """A shell through the engine, on a terminal that stays open until the stop; what arrives on it she would see."""
    made = alice.launch("talk")
    screen = Path(short.folder) / "screen"
    screen.touch()
    command = f"docker -H unix://{short.engine} exec -it -u {alice.uid} {made.id} sh -c 'sleep 900'"
    with subprocess.Popen(["script", "-qfc", command, str(screen)], stdin=subprocess.DEVNULL) as session:
        try:
            eventually(lambda: "talk stops at" in screen.read_text(errors="replace"), PATIENCE)
            assert not stopped(alice, "talk")
            eventually(lambda: stopped(alice, "talk"), PATIENCE)
        finally:
            session.terminate()
    assert "ds01 keep talk --for 2h" in screen.read_text(errors="replace")
    eventually(lambda: any("shells (1 terminal)" in text for text in told(alice, "talk")))
    found = recorded(alice, "talk")
    assert found.heard is not None
    assert found.stopped - found.heard >= LEAD
    assert found.may_stop <= found.stopped <= found.may_stop + LATE
    assert not any(text.startswith("nobody could be told about talk") for text in told(alice, "talk"))


def test_p2_w3_packages_added_by_hand_are_hers_in_the_workspace_when_the_hold_is_over(
    alice: User, daemon: Daemon, docker: Docker
) -> None:
    under(daemon, LIMITS.replace("lead: 20s", "lead: 20s, container_hold: 60s"))
    made = alice.launch("held", gpus="0")
    site = "/tmp/env/lib/python3.11/site-packages"
    records = " ".join(f"{site}/{name}.dist-info" for name in ("six-1.16.0", "idna-3.6"))
    docker(
        "exec", "-u", str(alice.uid), made.id, "sh", "-c", f"mkdir -p {records}; touch {site}/idna-3.6.dist-info/RECORD"
    )
    docker("exec", "-u", str(alice.uid), made.id, "touch", f"{site}/six-1.16.0.dist-info/REQUESTED")
    alice.ask("stop", "held")
    eventually(lambda: not [each for each in alice.containers() if each.name == "held"], PATIENCE)
    noted = alice.workspace() / ".ds01/suggested-packages.txt"
    assert noted.read_text() == "six==1.16.0\n"
    assert (noted.stat().st_uid, noted.stat().st_mode & 0o777) == (alice.uid, 0o600)
    eventually(lambda: any(f"six==1.16.0, in {noted}" in text for text in told(alice, "held")))
    said = f"Packages you had added by hand are noted in {noted}: six==1.16.0."
    eventually(lambda: said in notices(alice, "held")[-1].text)
