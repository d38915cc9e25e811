"""What the engine makes of pins, slices and simulated GPUs: looked at from inside and from outside of containers."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from dev import tiny
from dev.engine import OwnEngine
from dev.programs import until

from ds01.domain.container import Attachment, ContainerId
from ds01.domain.gpu import Slot, slots_of
from ds01.domain.guard import StartGrant
from ds01.sim.clock import SimClock
from ds01.sim.devices import SimDevices
from tests.unit.host.conftest import ALICE, MALLORY, Place, place

__all__ = ["place"]

pytestmark = pytest.mark.engine


class Docker:
    """The engine by its command line, as root: what DS01 asks of it, without DS01."""

    def __init__(self, engine: OwnEngine) -> None:
        self._engine = engine
        self.image = tiny.install(engine.socket)

    def __call__(self, *words: str, fails: bool = False) -> str:
        command = ["docker", "-H", f"unix://{self._engine.socket}", *words]
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (ran.returncode != 0) == fails, ran.stderr
        return ran.stdout.strip()

    def granted(self, place: Place, parent: str, *command: str) -> str:
        """A container in this slice that the guard lets start; its id."""
        made = self("create", "--cgroup-parent", parent, "--cgroupns", "private", self.image, *command)
        user = place.alice
        grant = StartGrant(container=ContainerId(made), uid=user.uid, gid=user.gid, as_owner=True)
        place.host.grant(f"{self._engine.root}/guard", grant)
        return made


@pytest.fixture(scope="module")
def docker(engine: OwnEngine) -> Docker:
    return Docker(engine)


def bind(source: str, target: str = "/workspace", mode: str = "rw") -> tuple[str, str]:
    return "--mount", f"type=bind,source={source},target={target}{',readonly' if mode == 'ro' else ''}"


class TestPins:
    def test_w3_files_of_a_container_are_hers_on_the_host(self, docker: Docker, place: Place) -> None:
        pin = place.host.pin(place.alice, str(place.a / "workspace/thesis"), "c1", create=True)
        docker("run", "--rm", "-u", f"{ALICE}:{ALICE}", *bind(pin.source), docker.image, "touch", "/workspace/made")
        facts = (place.a / "workspace/thesis/made").stat()
        assert (facts.st_uid, facts.st_gid) == (ALICE, ALICE)

    def test_e5_a_swap_between_create_and_start_changes_nothing(self, docker: Docker, place: Place) -> None:
        work = place.folder("mallory/work", MALLORY)
        (work / "own").touch()
        place.file("alice/secret", ALICE, "hers")
        pin = place.host.pin(place.mallory, str(work), "c1")
        container = docker("create", *bind(pin.source), docker.image, "ls", "/workspace")
        work.rename(place.m / "old")
        work.symlink_to(place.a)
        try:
            assert docker("start", "-a", container) == "own"
            place.host.repin(place.mallory, str(work), "c1", 0)
            assert docker("start", "-a", container) == "own"
        finally:
            docker("rm", "-f", container)

    def test_e21_nothing_planted_by_root_in_a_container_harms_the_host(self, docker: Docker, place: Place) -> None:
        """On a file system that is safe: a setuid file of root's and a device node are only bytes on the host."""
        disk = place.folder("disk", 0)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "nosuid,nodev,mode=755", "tmpfs", str(disk)], check=True)
        try:
            home = place.folder("disk/mallory", MALLORY)
            pin = place.host.pin(place.mallory, str(home), "c1")
            assert pin.safe
            plant = "cp /bin/busybox /workspace/id; chmod 4755 /workspace/id; mknod -m 666 /workspace/zero c 1 5"
            docker("run", "--rm", *bind(pin.source), docker.image, "sh", "-c", plant)
            assert (home / "id").stat().st_mode & stat.S_ISUID
            as_mallory = ["setpriv", f"--reuid={MALLORY}", f"--regid={MALLORY}", "--clear-groups"]
            ran = subprocess.run([*as_mallory, home / "id", "-u"], capture_output=True, text=True, check=True)
            assert ran.stdout.strip() == str(MALLORY)
            assert subprocess.run([*as_mallory, "cat", home / "zero"], capture_output=True, check=False).returncode != 0
        finally:
            place.host.unpin("c1")
            subprocess.run(["umount", "-l", str(disk)], check=True)

    def test_a_pin_in_a_container_is_nosuid_and_nodev(self, docker: Docker, place: Place) -> None:
        pin = place.host.pin(place.alice, str(place.a), "c1")
        seen = docker("run", "--rm", *bind(pin.source), docker.image, "grep", " /workspace ", "/proc/mounts")
        assert {"nosuid", "nodev"} <= set(seen.split()[3].split(","))

    def test_shared_data_cannot_be_written_by_anybody(self, docker: Docker, place: Place) -> None:
        share = place.folder("data", 0, 0o777)
        pin = place.host.pin(place.alice, str(share), "c1", shared=(str(share),))
        docker("run", "--rm", *bind(pin.source, "/data"), docker.image, "touch", "/data/x", fails=True)

    def test_a_single_file_is_mounted_as_one(self, docker: Docker, place: Place) -> None:
        config = place.file("alice/config", ALICE, "value")
        pin = place.host.pin(place.alice, str(config), "c1", read_only=True)
        assert docker("run", "--rm", *bind(pin.source, "/etc/config"), docker.image, "cat", "/etc/config") == "value"


def gone(name: str) -> bool:
    """Take slices of this name away; what the engine has not taken out of one yet is in the way."""
    for folder in Path("/sys/fs/cgroup").glob(f"**/{name}"):
        try:
            folder.rmdir()
        except OSError:
            return False
    return True


class TestSlices:
    def test_e31_d3_containers_are_in_their_users_slice_and_share_its_limits(
        self, docker: Docker, place: Place
    ) -> None:
        parent = place.host.ensure_slice(place.alice, {"pids": 12})
        container = docker.granted(place, parent, "sleep", "600")
        try:
            docker("start", container)
            pid = docker("inspect", "-f", "{{.State.Pid}}", container)
            assert f"/{place.alice.slice}/" in Path(f"/proc/{pid}/cgroup").read_text()
            forks = "for n in 1 2 3 4 5 6 7 8 9 10 11 12 13 14; do sleep 60 & done; wait"
            other = docker.granted(place, parent, "sh", "-c", forks)
            docker("start", "--attach", other, fails=True)
            docker("rm", "-f", other)
        finally:
            docker("rm", "-f", container)
            assert until(lambda: gone(place.alice.slice), 60)


class TestSimulatedGpus:
    @pytest.fixture
    def slots(self, place: Place) -> Iterator[dict[str, Slot]]:
        self.devices = SimDevices(
            ["a100-40gb", "a100-40gb: 3g.20gb 2g.10gb", "t4-16gb"], run=place.base / "run", clock=SimClock()
        )
        yield {slot.label: slot for gpu in self.devices.inventory() for slot in slots_of(gpu)}
        shutil.rmtree(place.base / "run/dev")

    def words(self, attached: Attachment) -> list[str]:
        words: list[str] = []
        for device in attached.devices:
            words += ["--device", f"{device.host}:{device.inside}:{device.permissions}"]
        for name, value in attached.environment.items():
            words += ["-e", f"{name}={value}"]
        for mount in attached.mounts:
            words += bind(mount.source, mount.target, "ro")
        return words

    def test_promise_e7_gpus_are_numbered_from_zero_whatever_the_host_calls_them(
        self, docker: Docker, place: Place, slots: dict[str, Slot]
    ) -> None:
        leased = [slots["2"], slots["1:2g.10gb"]]
        look = "ls /dev | grep nvidia; echo > /dev/nvidia1; nvidia-smi --query-gpu=index,uuid --format=csv,noheader"
        seen = docker(
            "run", "--rm", "-u", "4242:4242", *self.words(self.devices.attach(leased)), docker.image, "sh", "-c", look
        )
        assert seen.splitlines() == ["nvidia0", "nvidia1", f"0, {leased[0].id}", f"1, {leased[1].id}"]

    def test_i2_the_engines_device_list_says_which_slots(
        self, docker: Docker, place: Place, slots: dict[str, Slot]
    ) -> None:
        attached = self.devices.attach([slots["1:3g.20gb"], slots["0"]])
        container = docker("create", *self.words(attached), docker.image, "true")
        shown = docker("inspect", "-f", "{{range .HostConfig.Devices}}{{.PathOnHost}} {{end}}", container)
        docker("rm", container)
        assert shown.split() == [device.host for device in attached.devices]
        assert [os.path.basename(host) for host in shown.split()][1] == "nvidia0"

    def test_a_container_without_a_gpu_has_none(self, docker: Docker, place: Place, slots: dict[str, Slot]) -> None:
        look = "ls /dev | grep -c nvidia; echo $NVIDIA_VISIBLE_DEVICES; nvidia-smi || true"
        seen = docker("run", "--rm", *self.words(self.devices.attach([])), docker.image, "sh", "-c", look)
        assert seen.splitlines() == ["0", "void"]
