"""A server in trouble: no engine, a full disk, limits that cannot be. One sentence each, and nothing lost."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from dev import programs, stack, tiny
from dev.promises.lab import Lab, close_lab, open_lab

from tests.e2e.refusals import refused

pytestmark = [pytest.mark.e2e, pytest.mark.root, pytest.mark.engine, pytest.mark.slow]


@pytest.fixture(scope="module")
def frail() -> Iterator[Lab]:
    """A stack whose ledger lies on a file system of 24 MB, with an engine that may be killed."""
    with tempfile.TemporaryDirectory(prefix="ds01f", dir="/var/tmp", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        state = Path(folder, "s")
        small = state / "ds01"
        small.mkdir(parents=True)
        image = Path(folder, "disk")
        subprocess.run(["truncate", "-s", "24M", image], check=True)
        subprocess.run(["mkfs.ext4", "-q", "-F", image], check=True)
        subprocess.run(["mount", "-o", "loop", image, small], check=True)
        try:
            running = stack.up(str(state), with_base=False, own_engine=True)
            tiny.install(running.engine)
            opened = open_lab(running, f"ds01-c{os.getpid()}", f"ds01-d{os.getpid()}")
            yield opened
            close_lab(opened)
        finally:
            stack.down(str(state))
            subprocess.run(["umount", small], check=True)


def test_a_full_disk_grants_nothing_and_loses_nothing(frail: Lab) -> None:
    frail.ada.docker("run", "--detach", "--name", "before", "--gpus", "1", tiny.REFERENCE, "sleep", "600")
    assert frail.free_slots() == 3
    filler = frail.stack.state / "ds01/filler"
    subprocess.run(["dd", "if=/dev/zero", f"of={filler}", "bs=1M"], check=False, capture_output=True)
    try:
        for number in range(40):
            last = frail.ada.tries_docker("run", "--detach", "--gpus", "1", tiny.REFERENCE, "sleep", str(number))
            if last.code != 0 and "disk" in last.err.lower():
                break
            assert last.code == 0, last.err
            frail.ada.docker("rm", "--force", last.out.strip())
        assert "Traceback" not in last.err
        assert "disk" in last.err.lower(), "the disk is full and every request was granted"
        for made in _others(frail):  # while there was room; what was refused afterwards is its start
            assert frail.ada.container(made)["started_at"] is None
            frail.ada.docker("rm", "--force", made)
        assert frail.ada.docker("ps", "--all", "--format", "{{.Names}}") == "before"
    finally:
        filler.unlink()
    assert programs.until(lambda: frail.free_slots() == 3, 120), "what was removed meanwhile keeps its GPU"
    assert [found["name"] for found in frail.ada.containers()] == ["before"]
    frail.ada.docker("run", "--detach", "--name", "after", "--gpus", "1", tiny.REFERENCE, "sleep", "600")
    assert {found["name"] for found in frail.ada.containers()} == {"before", "after"}
    frail.fresh()


def _others(frail: Lab) -> list[str]:
    return [name for name in frail.ada.docker("ps", "--all", "--format", "{{.Names}}").split() if name != "before"]


def test_no_engine(frail: Lab) -> None:
    frail.ada.docker("run", "--detach", "--name", "mine", "--gpus", "1", tiny.REFERENCE, "sleep", "600")
    programs.stop(frail.stack.engine_program, seconds=60)
    refused(frail.ada.tries("start", "mine"), 1, "engine")
    assert frail.ada.container("mine")["name"] == "mine"
    assert frail.ada.tries_docker("ps").code != 0
    frail.stack = stack.up(str(frail.stack.state), with_base=False, own_engine=True)
    assert programs.until(lambda: bool(frail.ada.data("why", "mine")["reason"]), 60), frail.ada.data("why", "mine")
    frail.fresh()
    assert frail.free_slots() == 4


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("gpus: {source: nvml}\n", ("gpus.source",)),
        ("defaults:\n  cpus: many\n", ("limits.yaml:2", "cpus")),
        ("defaults: [\n", ("limits.yaml:",)),
    ],
)
def test_a_first_start_with_limits_that_cannot(frail: Lab, tmp_path: Path, text: str, words: tuple[str, ...]) -> None:
    (tmp_path / "limits.yaml").write_text(text)
    done = subprocess.run(
        [Path(frail.stack.python).with_name("ds01d"), "--state", tmp_path / "state", "--run", tmp_path / "run",
         "--engine", f"unix://{frail.stack.engine}", "--limits", tmp_path / "limits.yaml"],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode != 0
    assert "Traceback" not in done.stdout + done.stderr
    for word in words:
        assert word in done.stdout + done.stderr


def test_a_second_ds01d_refuses_to_start(frail: Lab) -> None:
    done = subprocess.run(
        [Path(frail.stack.python).with_name("ds01d"), "--state", frail.stack.state / "ds01", "--run", frail.stack.run,
         "--engine", f"unix://{frail.stack.engine}", "--limits", frail.stack.limits],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode != 0
    assert "already" in done.stdout + done.stderr
    assert frail.ada.data("status")["login"] == frail.ada.person.login
