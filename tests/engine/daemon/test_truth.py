"""The ledger stays true: whatever happens to containers, the engine or ds01d itself."""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from dev import engine as own
from dev import tiny
from dev.people import Person, acting_as

from ds01.client.daemon import Client
from ds01.domain.errors import DISK_FULL, ENGINE_DOWN, GPU_FULL, Ds01Error
from tests.engine.daemon.conftest import Daemon, Docker, User, eventually

pytestmark = [pytest.mark.engine, pytest.mark.root]


def slots_in_use(daemon: Daemon) -> list[str]:
    return [slot for lease in daemon.root().leases(everybody=True) for slot in lease.slots]


def test_e6_what_happens_outside_is_written_down_at_once(alice: User, docker: Docker) -> None:
    made = alice.launch()
    docker("kill", "--signal", "KILL", made.id)
    eventually(lambda: alice.container().state == "stopped")
    assert "SIGKILL" in alice.container().reason
    alice.ask("start", "thesis")
    docker("pause", made.id)
    eventually(lambda: alice.container().state == "paused")
    docker("unpause", made.id)
    eventually(lambda: alice.container().state == "running")
    docker("rm", "-f", made.id)
    eventually(lambda: alice.containers() == ())
    eventually(lambda: alice.ask("gpus").free == 4)  # type: ignore[attr-defined]
    told = [event.type for event in alice.ask("events")]  # type: ignore[attr-defined]
    assert "container.removed" in told


def test_e6_a_program_that_filled_the_memory_is_told(alice: User, docker: Docker) -> None:
    made = alice.launch(gpus="0")
    docker("exec", made.id, "sh", "-c", "head -c 400m /dev/zero | tail >/dev/null", fails=True)

    def told() -> bool:
        events = alice.ask("events", kind="container.out_of_memory")
        return bool(events) and "256M" in events[-1].text  # type: ignore[index]

    eventually(told)
    assert alice.container().state == "running"
    assert "memory" in str(alice.ask("why", "thesis"))


def test_w1_containers_go_on_without_ds01d_and_are_known_again(alice: User, docker: Docker) -> None:
    made = alice.launch()
    docker("exec", made.id, "sh", "-c", "echo 1 >/workspace/kept")
    alice.daemon.kill()
    assert docker("exec", made.id, "cat", "/workspace/kept") == "1"
    alice.daemon.start()
    assert [(c.id, c.state, c.gpus) for c in alice.containers()] == [(made.id, "running", made.gpus)]
    assert alice.launch().id == made.id


def test_a_clean_stop_ends_with_zero_and_leaves_containers(alice: User, docker: Docker) -> None:
    made = alice.launch()
    assert alice.daemon.stop() == 0
    assert not alice.daemon.socket.exists()
    assert docker.inspect(made.id)["State"]["Running"] is True
    alice.daemon.start()
    assert alice.container().state == "running"


def test_a_second_ds01d_refuses_to_start(daemon: Daemon) -> None:
    again = subprocess.run(daemon.command(), capture_output=True, text=True, check=False, timeout=60)
    assert again.returncode == 1
    assert again.stderr.startswith("ds01d: A ds01d is already running with the state in")
    assert "Traceback" not in again.stderr
    assert daemon.answers()


def test_a_socket_left_by_a_killed_ds01d_is_no_obstacle(daemon: Daemon) -> None:
    daemon.kill()
    assert daemon.socket.exists()
    assert not daemon.answers()
    daemon.start()
    assert daemon.answers()


def test_a_broken_limits_file_is_refused_at_the_first_start_with_its_place(docker: Docker, folder: Path) -> None:
    new = Daemon(folder=folder, engine=docker.socket)
    (folder / "limits.yaml").write_text("defaults:\n  gpuss: 3\n")
    refused = subprocess.run(new.command(), capture_output=True, text=True, check=False, timeout=60)
    assert refused.returncode == 2
    assert "limits.yaml:2:3" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_the_last_good_limits_stay_in_force(daemon: Daemon, alice: User) -> None:
    file = daemon.folder / "limits.yaml"
    good = file.read_text()
    file.write_text("defaults: [")
    eventually(lambda: daemon.root().events(kind="policy.rejected", everybody=True))
    assert alice.ask("limit", "memory").value == "256M"  # type: ignore[attr-defined]
    daemon.limit(good.replace("memory: 256M", "memory: 128M"))
    assert alice.ask("limit", "memory").value == "128M"  # type: ignore[attr-defined]


def test_the_ledger_is_deleted_and_live_state_is_rebuilt(alice: User, bob: User, docker: Docker) -> None:
    hers, his = alice.launch(gpus="2"), bob.launch("runs")
    alice.launch("idle", gpus="0")
    alice.ask("stop", "idle")
    alice.daemon.kill()
    for file in alice.daemon.ledger.parent.glob("ledger.db*"):
        file.unlink()
    alice.daemon.start()
    assert [(c.name, c.id, c.state, c.gpus) for c in alice.containers()][1] == ("thesis", hers.id, "running", hers.gpus)
    assert [(c.name, c.state) for c in alice.containers()] == [("idle", "stopped"), ("thesis", "running")]
    assert [(c.id, c.gpus) for c in bob.containers()] == [(his.id, his.gpus)]
    assert len(slots_in_use(alice.daemon)) == len(set(slots_in_use(alice.daemon))) == 3
    assert alice.container().workspace == str(alice.workspace())
    alice.ask("retire", "thesis")
    assert alice.ask("gpus").free == 3  # type: ignore[attr-defined]


def test_the_engine_restarts_under_running_containers(
    persons: tuple[Person, Person], folder: Path, tmp_path: Path
) -> None:
    engine = own.start(folder / "engine")
    daemon = Daemon(folder=folder, engine=engine.socket)
    try:
        tiny.install(engine.socket)
        docker = Docker(socket=engine.socket)
        daemon.start()
        alice = User(person=persons[0], daemon=daemon)
        made = alice.launch()
        own.stop(engine)
        eventually(lambda: alice.ask("ping").engine == "")  # type: ignore[attr-defined]
        assert [(c.id, c.gpus) for c in alice.containers()] == [(made.id, made.gpus)]
        with pytest.raises(Ds01Error) as refused:
            alice.launch("other")
        assert refused.value.kind is ENGINE_DOWN
        assert len(daemon.root().leases(everybody=True)) == 1
        engine = own.start(folder / "engine")
        eventually(lambda: alice.container().state == "stopped")
        eventually(lambda: alice.container().reason == "the Docker engine stopped")
        assert docker.inspect(made.id)["State"]["Running"] is False
        assert alice.launch().id == made.id
        alice.ask("retire", "thesis")
    finally:
        daemon.kill()
        own.stop(engine)


def test_ds01d_starts_before_the_engine_and_serves(persons: tuple[Person, Person], folder: Path) -> None:
    daemon = Daemon(folder=folder, engine=str(folder / "engine" / "engine.sock")).start()
    alice = User(person=persons[0], daemon=daemon)
    assert alice.containers() == ()
    assert daemon.root().ping().engine == ""
    engine = own.start(folder / "engine")
    try:
        tiny.install(engine.socket)
        eventually(lambda: daemon.root().ping().engine != "")
        assert alice.launch().state == "running"
        alice.ask("retire", "thesis")
    finally:
        daemon.kill()
        own.stop(engine)


def test_f3_64_clients_race_for_4_gpus(alice: User, docker: Docker) -> None:
    request = [alice.request(f"race-{n}") for n in range(64)]

    def one(number: int) -> str:
        try:
            events = list(Client(str(alice.daemon.socket)).launch(request[number]))
        except Ds01Error as error:
            return error.kind.code
        return events[-1].step

    with acting_as(alice.person), ThreadPoolExecutor(64) as pool:
        outcomes = list(pool.map(one, range(64)))
    assert sorted(set(outcomes)) == sorted({"ready", GPU_FULL.code, "gpu.quota"} & set(outcomes))
    assert outcomes.count("ready") == 4
    slots = slots_in_use(alice.daemon)
    assert len(slots) == len(set(slots)) == 4
    running = docker("ps", "-q", "--filter", "label=ds01.owner.uid").split()
    assert len(running) == len(docker("ps", "-aq", "--filter", "label=ds01.owner.uid").split()) == 4


def test_e4_f3_a_hold_ends_while_its_owner_starts_the_container(alice: User, bob: User, docker: Docker) -> None:
    """Before, in and after that moment, beside another start that wants the same GPU: one of the two has it."""
    before = (alice.daemon.folder / "limits.yaml").read_text()
    with alice.daemon.limited(before.replace("gpu_hold: 15m", "gpu_hold: 2s")):
        bob.launch("greedy", gpus="3")
        made = alice.launch()
        for late in (-0.3, -0.05, 0.0, 0.05, 0.3, 1.0):
            alice.ask("stop", "thesis")
            for held in [lease for lease in alice.daemon.root().leases(everybody=True) if lease.state == "held"]:
                assert held.expires_at is not None
                until(datetime.fromisoformat(held.expires_at) + timedelta(seconds=late))
            started, other = at_once(alice)
            assert started != other, late
            assert {started, other} <= {"running", GPU_FULL.code}, late
            slots = slots_in_use(alice.daemon)
            assert len(slots) == len(set(slots)) == 4
            running = docker("ps", "-q", "--filter", "label=ds01.owner.uid").split()
            nodes = [node for each in running for node in gpu_nodes(docker, each)]
            assert len(nodes) == len(set(nodes)) == 4
            if other == "running":
                alice.ask("retire", "other")
                alice.ask("start", "thesis")
            assert alice.container().lease == "active"
        assert docker("inspect", "-f", "{{.Name}}", alice.container().id) == f"/thesis._.{alice.uid}", made.id


def until(moment: datetime) -> None:
    """Wait for a moment."""
    while datetime.now(UTC) < moment:
        time.sleep(0.005)


def at_once(user: User) -> tuple[str, str]:
    """What becomes of her container's start and of another launch beside it."""

    def one(act: Callable[[Client], object]) -> str:
        try:
            act(Client(str(user.daemon.socket)))
        except Ds01Error as error:
            return error.kind.code
        return "running"

    wanted = user.request("other")
    with acting_as(user.person), ThreadPoolExecutor(2) as pool:
        started = pool.submit(one, lambda client: client.start("thesis"))
        other = pool.submit(one, lambda client: list(client.launch(wanted)))
        return started.result(), other.result()


def gpu_nodes(docker: Docker, container: str) -> list[str]:
    """The devices of this server's that a container has."""
    devices = docker.inspect(container)["HostConfig"]["Devices"]
    assert isinstance(devices, list)
    return [device["PathOnHost"] for device in devices if "nvidia" in device["PathInContainer"]]


def launch_many(user: User) -> None:
    for n in range(50):
        user.launch(f"more-{n}", gpus="0")


def fill(ballast: Path) -> None:
    """Leave not a byte free on its file system."""
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(b"x" * 4096):
            pass


def test_a_full_disk_acknowledges_nothing_and_reads_go_on(alice: User, docker: Docker, folder: Path) -> None:
    small = folder / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(small)], check=True)
    full = Daemon(folder=folder, engine=docker.socket, state=small / "state")
    try:
        alice.daemon.kill()
        full.start()
        her = alice(full)
        made = her.launch()
        fill(small / "ballast")
        with pytest.raises(Ds01Error) as refused:
            launch_many(her)
        assert refused.value.kind is DISK_FULL, refused.value.problem
        listed = {c.id for c in her.containers()}
        assert made.id in listed
        assert listed == set(docker("ps", "-q", "--no-trunc", "--filter", "label=ds01.owner.uid").split())
        (small / "ballast").unlink()
        eventually(lambda: her.launch("again").state == "running")
        full.kill()
    finally:
        subprocess.run(["umount", "-l", str(small)], check=True)


def test_the_open_files_of_ds01d_do_not_grow(alice: User) -> None:
    process = alice.daemon.process
    assert process is not None
    alice.launch(gpus="0")

    def descriptors() -> int:
        return len(os.listdir(f"/proc/{process.pid}/fd"))

    for _ in range(10):
        alice.containers()
    before = descriptors()
    for _ in range(100):
        alice.containers()
    assert descriptors() <= before + 5
