"""The guard of BuildKit's steps, on real engines: whose a step is, what it gets, and that nobody reaches into it."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from dev import engine26 as newer
from dev import tiny
from dev.engine import OwnEngine, outside
from dev.programs import until

from ds01.adapters.host.steps import permit, step_guard
from ds01.domain.names import step_host
from ds01.ports.host import StepPermit

pytestmark = [pytest.mark.engine, pytest.mark.root]

UID = 61234
PERMIT = StepPermit(
    parent=f"/ds01-u{UID}.slice", memory_bytes=256 << 20, swap_bytes=0, cpu_period_us=100_000, cpu_quota_us=100_000,
    pids=64,
)  # fmt: skip


@pytest.fixture(params=["engine", "engine26"])
def guarded(request: pytest.FixtureRequest) -> Iterator[OwnEngine]:
    found: OwnEngine = request.getfixturevalue(request.param)
    tiny.install(found.socket)
    permit(Path(found.root) / "guard", UID, PERMIT)
    yield found
    assert until(slices_gone, 60)


def slices_gone() -> bool:
    """Take the user's away; what the engine has not taken out of one yet is in the way."""
    for folder, below, _ in os.walk("/sys/fs/cgroup"):  # which does not mind what goes while it looks
        if f"ds01-u{UID}.slice" in below:
            try:
                os.rmdir(f"{folder}/ds01-u{UID}.slice")
            except OSError:
                return False
    return True


def build(engine: OwnEngine, folder: Path, run: str, *options: str) -> subprocess.Popen[str]:
    """A build by root on the engine's own socket, with the client that belongs to it."""
    (folder / "Dockerfile").write_text(f"FROM {tiny.REFERENCE}\nRUN {run}\n")
    client = newer.programs() / "docker" if "ds01n" in engine.root else "/usr/bin/docker"
    newer.plugins(folder / "config")
    (folder / ".dockerignore").write_text("config\n")
    return subprocess.Popen(
        [client, "-H", f"unix://{engine.socket}", "build", "--progress", "plain", "--no-cache", *options, folder],
        env={"DOCKER_BUILDKIT": "1", "DOCKER_CONFIG": str(folder / "config"), "PATH": "/usr/bin:/bin"},
        text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def test_the_guard_is_found(guarded: OwnEngine) -> None:
    assert step_guard(Path("/proc"), guarded.socket) == f"{guarded.root}/guard"


def test_a_step_is_in_its_owners_cgroup_and_namespace(guarded: OwnEngine, tmp_path: Path) -> None:
    run = "cat /proc/self/cgroup /proc/self/uid_map; touch /mine; chown 1234 /mine; ls -ln /mine; mknod /null c 1 3"
    said, _ = build(guarded, tmp_path, f"{run} || true", "--add-host", f"{step_host(UID)}:127.0.0.1").communicate()
    assert f"/ds01-u{UID}.slice/" in said
    assert "4294967295" in said
    assert "1234" in said.partition("/mine")[2]
    assert "mknod: /null: Operation not permitted" in said


def test_a_step_that_did_not_come_through_ds01_is_refused(guarded: OwnEngine, tmp_path: Path) -> None:
    with outside(guarded, "refused"):
        _refused(guarded, tmp_path)


def _refused(guarded: OwnEngine, tmp_path: Path) -> None:
    building = build(guarded, tmp_path, "echo ran")
    said, _ = building.communicate()
    assert building.returncode != 0
    assert "this step of a build may not run: it did not come through DS01" in said
    stranger, _ = build(guarded, tmp_path, "echo ran", "--add-host", "ds01-u61235:127.0.0.1").communicate()
    assert "ds01d did not grant it" in stranger


def test_e33_nobody_reaches_into_a_step(guarded: OwnEngine, tmp_path: Path) -> None:
    """A process in the step takes her uid; from outside, with that uid, its root folder is still closed."""
    run = f"echo 'me:x:{UID}:{UID}::/:/bin/sh' >> /etc/passwd; su me -s /bin/sh -c 'sleep 600.75'; true"
    building = build(guarded, tmp_path, run, "--add-host", f"{step_host(UID)}:127.0.0.1")
    try:
        assert until(lambda: bool(hers()) or building.poll() is not None, 60)
        (pid,) = hers()
        reached = subprocess.run(
            ["setpriv", "--reuid", str(UID), "--regid", str(UID), "--clear-groups", "ls", f"/proc/{pid}/root/"],
            capture_output=True, text=True,
        )  # fmt: skip
        assert "Permission denied" in reached.stderr
        os.kill(pid, signal.SIGTERM)
        building.communicate(timeout=120)
    finally:
        building.kill()
        building.wait()
    assert building.returncode == 0


def hers() -> list[int]:
    """The process that a step waits for."""
    found = subprocess.run(["pgrep", "-u", str(UID), "-f", r"^sleep 600\.75$"], capture_output=True, text=True)
    return [int(pid) for pid in found.stdout.split()]


def test_d15_a_fork_bomb_ends_at_its_limit(guarded: OwnEngine, tmp_path: Path) -> None:
    run = "i=0; while [ $i -lt 200 ]; do sleep 300 & i=$((i+1)); done"
    said, _ = build(guarded, tmp_path, run, "--add-host", f"{step_host(UID)}:127.0.0.1").communicate()
    assert "can't fork" in said or "Resource temporarily unavailable" in said
