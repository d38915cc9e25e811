"""NVIDIA's hooks behind the guard: they put leased GPUs in, nothing of an image goes into them, and no other runs."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from dev import engine as own
from dev import tiny
from dev.engine import OwnEngine

from ds01.adapters.host.guard import GuardFolder
from ds01.domain.container import ContainerId
from ds01.domain.guard import StartGrant
from ds01.runc import launcher
from ds01.runc.grants import BOOT_ID
from ds01.runc.hooks import PATH, told

pytestmark = [pytest.mark.engine, pytest.mark.root]

UID = 61250
GPU = "GPU-5d5ba0d6-d33d-2b2c-524d-9e3d8d2b8a77"
HOOK = "nvidia-container-runtime-hook"
SCRIPT = """#!/bin/sh
# Stands in for NVIDIA's: what it was called with, and what the container's processes will be told.
{ echo "$1 uid=$(id -u) preload=$LD_PRELOAD"; cat; echo; } >> MARK
"""


@dataclass(frozen=True)
class Lab:
    """An engine that found NVIDIA's hook when it started."""

    engine: OwnEngine
    mark: Path

    def docker(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(["docker", "-H", f"unix://{self.engine.socket}", *words], capture_output=True, text=True)

    def start(self, *words: str, gpus: tuple[str, ...] = (GPU,), as_owner: bool = False) -> tuple[str, str]:
        """A container in a user's slice, granted these GPUs: its id, and why it does not start."""
        place = ("--cgroup-parent", f"/ds01-u{UID}.slice", "--cgroupns", "private")
        made = self.docker("create", *place, *words, tiny.REFERENCE, "sleep", "600")
        assert made.returncode == 0, made.stderr
        container = made.stdout.strip()
        grant = StartGrant(container=ContainerId(container), uid=UID, gid=UID, as_owner=as_owner, gpus=gpus)
        GuardFolder(Path(self.engine.root) / "guard").grant(grant, Path(BOOT_ID).read_text().strip())
        return container, self.docker("start", container).stderr

    def environment(self, container: str) -> list[str]:
        pid = self.docker("inspect", "-f", "{{.State.Pid}}", container).stdout.strip()
        return Path(f"/proc/{pid}/environ").read_text().split("\0")

    def hooked(self) -> int:
        return self.mark.read_text().count("prestart") if self.mark.exists() else 0

    def allow(self, *hooks: str) -> None:
        guard = Path(self.engine.root) / "guard"
        facts = json.loads((guard / "server.json").read_text())
        launcher.write_facts(guard, facts | {"hooks": list(hooks)})


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with tempfile.TemporaryDirectory(prefix="ds01h", dir="/var/tmp", ignore_cleanup_errors=True) as name:
        programs = Path(name) / "bin"
        programs.mkdir()
        found = shutil.which("dockerd")
        assert found is not None
        (programs / "dockerd").symlink_to(found)
        (programs / HOOK).write_text(SCRIPT.replace("MARK", f"{name}/mark"))
        (programs / HOOK).chmod(0o755)
        engine = own.start(Path(name) / "engine", programs=programs)
        try:
            tiny.install(engine.socket)
            made = Lab(engine=engine, mark=Path(name) / "mark")
            made.allow(str(programs / HOOK))
            yield made
            made.docker("rm", "-f", *made.docker("ps", "-aq").stdout.split())
        finally:
            own.stop(engine)


@pytest.mark.parametrize("as_owner", [True, False])
def test_g4_the_hook_runs_for_the_leased_gpu(lab: Lab, as_owner: bool) -> None:
    before = lab.hooked()
    container, refused = lab.start("--gpus", f"device={GPU}", as_owner=as_owner)
    assert refused == ""
    assert lab.hooked() == before + 1
    assert f"NVIDIA_VISIBLE_DEVICES={GPU}" in lab.environment(container)


def test_g1_another_gpu_than_the_leased_one_is_void(lab: Lab) -> None:
    container, refused = lab.start("--gpus", "all")
    assert refused == ""
    assert "NVIDIA_VISIBLE_DEVICES=void" in lab.environment(container)


def test_e30_nothing_of_an_image_is_loaded_into_the_hook(lab: Lab) -> None:
    before = lab.hooked()
    _, refused = lab.start("--gpus", f"device={GPU}", "-e", "LD_PRELOAD=/evil.so")
    assert "LD_PRELOAD beside a GPU" in refused
    assert lab.hooked() == before
    _, refused = lab.start("--gpus", f"device={GPU}", "-e", "LD_PRELOAD=")
    assert refused == ""
    assert "preload=/evil" not in lab.mark.read_text()


def test_e30_a_hook_from_elsewhere_does_not_run(lab: Lab) -> None:
    facts = json.loads((Path(lab.engine.root) / "guard/server.json").read_text())
    lab.allow("/usr/bin/nvidia-cdi-hook")
    before = lab.hooked()
    try:
        _, refused = lab.start("--gpus", f"device={GPU}")
        assert f"{HOOK}" in refused
        assert lab.hooked() == before
    finally:
        lab.allow(*facts["hooks"])


def test_e30_a_hook_in_the_containers_file_system_is_told_nothing_of_the_image(tmp_path: Path) -> None:
    """Of the kind ``createContainer``, and by runc alone: without the guard it has the image's variables."""
    mark, root = tmp_path / "mark", tmp_path / "bundle/rootfs"
    root.mkdir(parents=True)
    with tarfile.open(fileobj=io.BytesIO(tiny.layer())) as layer:
        layer.extractall(root)
    hook = {"path": "/bin/sh", "args": ["sh", "-c", f"{{ pwd; env; }} > {mark}"]}
    subprocess.run(["runc", "spec", "--bundle", root.parent], check=True)
    config = json.loads((root.parent / "config.json").read_text())
    config["process"] |= {"terminal": False, "args": ["true"], "env": ["PATH=/bin", "LD_LIBRARY_PATH=.", "A=image"]}

    def heard(hooks: dict[str, Any]) -> list[str]:
        (root.parent / "config.json").write_text(json.dumps(config | {"hooks": hooks}))
        words = ["--root", str(tmp_path / "state"), "run", "--bundle", str(root.parent), f"ds01-hook-{UID}"]
        done = subprocess.run(["runc", *words], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return mark.read_text().splitlines()

    bare = heard({"createContainer": [hook]})
    assert bare[0] == str(root)
    assert {"LD_LIBRARY_PATH=.", "A=image"} <= set(bare)
    guarded = heard(told({"createContainer": [hook]}))
    assert PATH in guarded
    assert not [line for line in guarded if line.startswith(("LD_", "A="))]
