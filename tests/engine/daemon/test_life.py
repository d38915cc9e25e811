"""Limits of time on a real engine and in real time: told first, stopped with grace and a reason, files as they were."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from dev.engine import pool

from ds01.wire.containers import ContainerView, StartResult, WhyView
from tests.engine.daemon.conftest import Daemon, Docker, User, eventually

pytestmark = [pytest.mark.engine, pytest.mark.root]

LIMITS = """\
defaults:
  {{cpus: 1, memory: 256M, shm: 16M, pids: 256, containers: 80, stop_grace: 4s, gpu_hold: 15m, idle: 60s, runtime: 80s,
    lead: 20s}}
groups:
  student: {{members: ["*"], gpus: {{max: 4, per_container: 4}}}}
policy: {{idle: {{window: 1m, start_grace: 0s}}}}
gpus: {{source: simulated, simulated: [a100-40gb, a100-40gb, a100-40gb, a100-40gb]}}
docker: {{networks: {pool}}}
"""
PATIENCE = 240.0
"""Seconds: the limits, the look every 15 s, and a machine that is busy with other things."""


@pytest.fixture
def short(daemon: Daemon) -> Daemon:
    """A ds01d whose limits of time are a minute."""
    limits = daemon.folder / "limits.yaml"
    limits.write_text(LIMITS.format(pool=pool(daemon.engine)))
    eventually(lambda: list(daemon.root().events(kind="policy.reloaded", everybody=True)))
    return daemon


def works(docker: Docker, user: User, made: ContainerView, script: str) -> None:
    """A program in the container that keeps its processor busy."""
    docker("exec", "-d", "-u", str(user.uid), made.id, "sh", "-c", f"{script}; while :; do :; done")


def told(user: User, name: str) -> list[str]:
    story = user.ask("why", name)
    assert isinstance(story, WhyView)
    return [entry.what for entry in story.entries]


def stopped(user: User, name: str) -> bool:
    return user.container(name).state == "stopped"


def test_e6_e8_f4_idle_and_runtime_in_real_time(alice: User, bob: User, short: Daemon, docker: Docker) -> None:
    alice.launch("idle", on_stop="echo saved > /workspace/on-stop")
    saves, deaf = alice.launch("saves"), bob.launch("deaf")
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
    assert "idle stops at" in (workspace / ".ds01/notices").read_text()

    back = alice.ask("undo", "idle")
    assert isinstance(back, StartResult)
    assert (back.container.state, back.recreated) == ("running", False)
    assert docker("exec", back.container.id, "cat", "/tmp/outside") == "mine"

    eventually(lambda: stopped(alice, "saves") and stopped(bob, "deaf"), PATIENCE)
    assert alice.container("saves").reason == "reached its runtime limit of 1m20s"
    assert (workspace / "checkpoint").read_text() == "epoch-7\n"
    assert any("killed, because it did not end within 4s" in text for text in told(bob, "deaf"))
    assert not any("killed" in text for text in told(alice, "saves"))
    assert "were killed" in (bob.workspace() / ".ds01/notices").read_text()


def test_whoever_is_in_the_container_reads_it_there(alice: User, short: Daemon, docker: Docker) -> None:
    """A shell through the engine, on a terminal; what arrives on it is what she would see."""
    made = alice.launch("talk")
    screen = Path(short.folder) / "screen"
    screen.touch()
    command = f"docker -H unix://{short.engine} exec -it -u {alice.uid} {made.id} sh -c 'sleep 300'"
    with subprocess.Popen(["script", "-qfc", command, str(screen)], stdin=subprocess.DEVNULL) as session:
        try:
            eventually(lambda: "talk stops at" in screen.read_text(errors="replace"), PATIENCE)
        finally:
            session.terminate()
    assert "ds01 keep talk --for 2h" in screen.read_text(errors="replace")
    assert any("shells (1 terminal)" in text for text in told(alice, "talk"))
