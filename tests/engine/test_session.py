"""E5: whatever runs in a container is told before it ends, and gets its full grace."""

from __future__ import annotations

import io
import subprocess
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from dev.engine import OwnEngine
from dev.programs import until

pytestmark = pytest.mark.engine
SESSION = Path(__file__).parents[2] / "src/ds01/adapters/host/session.sh"
APPLETS = ("sh", "sleep", "cat", "ps", "touch", "kill", "mkdir", "test")


def docker(engine: OwnEngine, *arguments: str, stdin: bytes | None = None) -> str:
    done = subprocess.run(
        ["docker", "-H", f"unix://{engine.socket}", *arguments], input=stdin, capture_output=True, check=True
    )
    return done.stdout.decode().strip()


@pytest.fixture(scope="module")
def busybox(engine: OwnEngine) -> str:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        tar.add("/bin/busybox", "bin/busybox")
        for applet in APPLETS:
            link = tarfile.TarInfo(f"bin/{applet}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(link)
        folder = tarfile.TarInfo("tmp")
        folder.type, folder.mode = tarfile.DIRTYPE, 0o1777
        tar.addfile(folder)
    return docker(engine, "import", "-", "session-test", stdin=packed.getvalue())


@pytest.fixture
def container(engine: OwnEngine, busybox: str) -> Iterator[str]:
    started = docker(
        engine, "run", "-d", "--init", "--user", "4242:4242", "-v", f"{SESSION}:/run/ds01/session:ro", busybox,
        "/run/ds01/session",
    )  # fmt: skip
    yield started
    docker(engine, "rm", "-f", started)


def stop(engine: OwnEngine, container: str, grace: int) -> float:
    before = time.monotonic()
    docker(engine, "stop", "-t", str(grace), container)
    return time.monotonic() - before


def up(engine: OwnEngine, container: str) -> None:
    """Until a program in the container says that it is."""
    assert until(lambda: docker(engine, "exec", container, "sh", "-c", "cat /tmp/up || true") == "up", 60)


def test_e5_a_script_in_a_shell_gets_sigterm_and_its_full_grace(engine: OwnEngine, container: str) -> None:
    script = "trap 'sleep 2; echo saved >/tmp/saved; exit 0' TERM; echo up >/tmp/up; while :; do sleep 0.1; done"
    docker(engine, "exec", "-d", container, "sh", "-c", script)
    up(engine, container)
    took = stop(engine, container, 20)
    assert 2 <= took < 15
    saved = subprocess.run(
        ["docker", "-H", f"unix://{engine.socket}", "cp", f"{container}:/tmp/saved", "-"],
        capture_output=True,
        check=True,
    )
    assert b"saved" in saved.stdout
    assert docker(engine, "inspect", "-f", "{{.State.ExitCode}}", container) == "0"


def test_e5_an_idle_interactive_shell_does_not_hold_up_the_stop(engine: OwnEngine, container: str) -> None:
    docker(engine, "exec", "-d", "-t", container, "sh", "-i")
    assert stop(engine, container, 30) < 5


def test_e5_what_ignores_the_signal_is_ended_after_the_grace(engine: OwnEngine, container: str) -> None:
    docker(engine, "exec", "-d", container, "sh", "-c", "trap '' TERM; echo up >/tmp/up; while :; do sleep 0.2; done")
    up(engine, container)
    assert 3 <= stop(engine, container, 3) < 10


def test_e5_orphans_are_reaped(engine: OwnEngine, container: str) -> None:
    for _ in range(5):
        docker(engine, "exec", container, "sh", "-c", "(sleep 0.1 &) ; exit 0")
    assert until(lambda: " Z" not in docker(engine, "exec", container, "ps", "-o", "pid,stat,comm"), 60)
