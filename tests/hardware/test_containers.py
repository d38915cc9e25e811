"""DS01 on real GPUs: a container has the leased GPU and no other, and its work is seen where it should be seen."""

from __future__ import annotations

import io
import json
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from dev import engine as own
from dev import tiny
from dev.engine import OwnEngine
from dev.people import Person

from ds01.domain.errors import Ds01Error
from tests.engine.daemon.conftest import Daemon, Docker, User, eventually, persons, short_folder
from tests.engine.daemon.test_jobs import ended, log, submit
from tests.hardware.conftest import Burn, Smi, driver_files

__all__ = ["persons"]
pytestmark = [pytest.mark.engine, pytest.mark.root]

IMAGE = "ds01/burn:latest"
LIMITS = """\
defaults: {{cpus: 2, memory: 4G, shm: 64M, pids: 256, containers: 80, stop_grace: 5s, gpu_hold: {hold}}}
groups:
  student: {{members: ["*"], gpus: {{max: 4, per_container: 4}}}}
gpus: {{source: nvml}}
docker: {{networks: {pool}}}
"""
INSIDE = "/usr/lib/nvidia"


def specification(gpus: tuple[Smi, ...]) -> dict[str, object]:
    """What NVIDIA's toolkit writes for these GPUs, as far as these tests need it."""
    files = [
        {"hostPath": str(file.resolve()), "containerPath": f"{INSIDE}/{file.name}", "options": ["ro", "nosuid", "bind"]}
        for file in driver_files()
    ]
    beside = [{"path": f"/dev/{name}"} for name in ("nvidiactl", "nvidia-uvm", "nvidia-uvm-tools", "nvidia-modeset")
              if Path(f"/dev/{name}").exists()]  # fmt: skip
    return {
        "cdiVersion": "0.5.0", "kind": "nvidia.com/gpu",
        "devices": [
            {"name": gpu.uuid, "containerEdits": {"deviceNodes": [{"path": f"/dev/nvidia{index}"}]}}
            for index, gpu in enumerate(gpus)
        ],
        "containerEdits": {"deviceNodes": beside, "mounts": files},
    }  # fmt: skip


@pytest.fixture(scope="module")
def engine(gpus: tuple[Smi, ...]) -> Iterator[OwnEngine]:
    """An engine of version 25 or newer with a specification of these GPUs."""
    with tempfile.TemporaryDirectory(prefix="ds01e", dir="/var/tmp", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        (folder / "cdi").mkdir()
        (folder / "cdi/nvidia.json").write_text(json.dumps(specification(gpus)))
        settings = {"features": {"cdi": True}, "cdi-spec-dirs": [str(folder / "cdi")]}
        (folder / "daemon.json").write_text(json.dumps(settings))
        running = own.start(folder / "engine", options=("--config-file", str(folder / "daemon.json")))
        yield running
        own.stop(running)


@pytest.fixture(scope="module")
def docker(engine: OwnEngine, program: Path) -> Docker:
    """With an image of busybox, this machine's C library and ``burn``."""
    needed = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    names = {word for line in needed.splitlines() for word in line.split() if word.startswith("/")}
    more = {Path(name).with_name(other) for name in names for other in ("libm.so.6", "libpthread.so.0", "librt.so.1",
                                                                        "libdl.so.2")}  # fmt: skip
    content = io.BytesIO(tiny.layer())
    with tarfile.open(fileobj=content, mode="a") as tar:
        for file in sorted({*map(Path, names), *(one for one in more if one.exists())}):
            tar.add(file.resolve(), arcname=str(file))
        tar.add(program, arcname="/usr/bin/burn")
    environment = f"ENV PATH=/bin:/usr/bin:{INSIDE} LD_LIBRARY_PATH={INSIDE}"
    command = ["docker", "-H", f"unix://{engine.socket}", "import", "--change", environment, "-", IMAGE]
    subprocess.run(command, input=content.getvalue(), check=True, capture_output=True)
    return Docker(socket=engine.socket)


@pytest.fixture
def daemon(docker: Docker) -> Iterator[Daemon]:
    with short_folder() as folder:
        started = Daemon(folder=folder, engine=docker.socket, limits=LIMITS).start()
        yield started
        docker.clear()
        started.kill()


@pytest.fixture
def alice(persons: tuple[Person, Person], daemon: Daemon) -> User:
    return User(person=persons[0], daemon=daemon)


@pytest.fixture
def bob(persons: tuple[Person, Person], daemon: Daemon) -> User:
    return User(person=persons[1], daemon=daemon)


def test_the_server_shows_its_real_gpus(daemon: Daemon, gpus: tuple[Smi, ...]) -> None:
    found = daemon.root().gpus()
    assert not found.simulated
    assert [slot.id for slot in found.slots] == [gpu.uuid for gpu in gpus]
    assert {slot.state for slot in found.slots} == {"free"}


def test_g1_a_container_computes_on_its_gpu_alone(
    alice: User, bob: User, docker: Docker, gpus: tuple[Smi, ...]
) -> None:
    alice.launch(image=IMAGE, gpus="1")
    mine = alice.container()
    seen = docker("exec", mine.id, "burn", "64", "0").splitlines()
    slots = [slot for slot in alice.daemon.root().gpus().slots if slot.container]
    assert seen == [*(slot.id for slot in slots), "ready"]
    assert docker("exec", mine.id, "nvidia-smi", "-L").count("GPU-") == 1
    if len(gpus) == 1:
        with pytest.raises(Ds01Error) as refused:
            bob.launch(image=IMAGE, gpus="1")
        assert refused.value.problem.kind.code == "gpu.full"


def test_g3_without_a_lease_there_is_no_gpu(alice: User, docker: Docker) -> None:
    alice.launch(image=IMAGE, gpus="0")
    docker("exec", alice.container().id, "burn", "64", "0", fails=True)
    assert docker("exec", alice.container().id, "sh", "-c", "ls /dev | grep nvidia || echo none") == "none"


def test_its_work_is_shown_as_its(alice: User, docker: Docker) -> None:
    alice.launch(image=IMAGE, gpus="1")
    docker("exec", "-d", alice.container().id, "burn", "1024", "60", "work")

    def busy() -> bool:
        return any((slot.utilisation or 0) > 50 and slot.container for slot in alice.daemon.root().gpus().slots)

    eventually(busy, 30)
    assert alice.daemon.root().foreign() == ()


def test_a_job_computes_and_gives_its_gpu_back(alice: User, gpus: tuple[Smi, ...]) -> None:
    (view,) = submit(alice, "burn 256 2 work", image=IMAGE, gpus="1").jobs
    done = ended(alice, view.name)
    assert done.code == 0, log(done)
    assert log(done).splitlines()[0] in {gpu.uuid for gpu in gpus}
    eventually(lambda: {slot.state for slot in alice.daemon.root().gpus().slots} == {"free"})


def test_work_outside_ds01_keeps_the_gpu_from_being_given_away(alice: User, burn: Burn, gpus: tuple[Smi, ...]) -> None:
    with burn(512, "work") as pid:
        eventually(lambda: {process.pid for process in alice.daemon.root().foreign()} == {pid}, 60)
        eventually(lambda: {slot.state for slot in alice.daemon.root().gpus().slots} == {"quarantined"}, 90)
        with pytest.raises(Ds01Error):
            alice.launch(image=IMAGE, gpus="1")
    eventually(lambda: {slot.state for slot in alice.daemon.root().gpus().slots} == {"free"}, 90)
    alice.launch(image=IMAGE, gpus="1")
