"""What root does at the engine beside DS01 is seen, and ended where DS01 answers for it."""

from __future__ import annotations

import contextlib
import socket
import subprocess
from collections.abc import Iterator

import pytest

from ds01.services.fence import name_of
from tests.engine.daemon.conftest import Daemon, Docker, User, eventually

pytestmark = [pytest.mark.engine, pytest.mark.root]

SECONDS = 10
"""In which it must be over. Twice that is waited here, for a busy machine; that DS01's own waits are no more than ten
is told by ``tests/unit/services/test_confining.py``."""


@pytest.fixture
def root(docker: Docker, daemon: Daemon) -> Iterator[Docker]:
    """The engine as root has it; what a test made there goes with it."""
    assert daemon.running
    before = set(docker("ps", "-aq", "--no-trunc").split())
    yield docker
    made = set(docker("ps", "-aq", "--no-trunc").split()) - before
    for container in made:  # what ds01d clears at the same moment is gone as well
        subprocess.run(["docker", "-H", f"unix://{docker.socket}", "rm", "-f", container], capture_output=True)


def made_beside(root: Docker, *words: str) -> str:
    """A container that root makes and starts; ds01d may be quicker than the start."""
    made = root("create", *words, "ds01/tiny", "sleep", "1000")
    started = subprocess.run(["docker", "-H", f"unix://{root.socket}", "start", made], capture_output=True, text=True)
    assert started.returncode == 0 or "removal" in started.stderr or "No such container" in started.stderr
    return made


def running(docker: Docker, container: str) -> bool:
    return bool(docker.inspect(container)["State"]["Running"])


def told(daemon: Daemon, container: str, kind: str) -> list[str]:
    found = daemon.root().events(everybody=True, kind=kind)
    return [event.text for event in found if event.subject == container]


@contextlib.contextmanager
def read_slowly(docker: Docker, container: str) -> Iterator[None]:
    """Somebody copies a file out of it and does not read on: the engine answers nothing about it."""
    with socket.socket(socket.AF_UNIX) as reader:
        reader.connect(str(docker.socket))
        reader.sendall(f"GET /containers/{container}/archive?path=/bin HTTP/1.1\r\nHost: docker\r\n\r\n".encode())
        assert b"200 OK" in reader.recv(1024)
        assert not answers(docker, container)
        yield
    eventually(lambda: answers(docker, container))


def answers(docker: Docker, container: str) -> bool:
    asked = ["docker", "-H", f"unix://{docker.socket}", "inspect", container]
    try:
        return subprocess.run(asked, capture_output=True, check=False, timeout=2).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def test_one_that_does_not_answer_keeps_nothing_else_from_being_stopped(alice: User, root: Docker) -> None:
    """All are looked at anew, because the limits changed, and it is the first of them."""
    quiet = alice.launch("quiet")
    miner = root("run", "-d", "--name", "miner", "ds01/tiny", "sleep", "1000")
    eventually(lambda: told(alice.daemon, miner, "container.outside"), 2 * SECONDS)
    limits = (alice.daemon.folder / "limits.yaml").read_text()
    with read_slowly(root, quiet.id), alice.daemon.limited(limits.replace("docker: {", "docker: {outside: stopped, ")):
        eventually(lambda: not running(root, miner), 2 * SECONDS)
        assert told(alice.daemon, miner, "container.quarantined")
    assert alice.container("quiet").state == "running"


def test_d1_limits_raised_with_docker_update_are_put_back(alice: User, root: Docker) -> None:
    made = alice.launch()
    root("update", "--memory", "900m", "--memory-swap", "900m", "--pids-limit", "-1", "--cpus", "2", made.id)
    eventually(lambda: told(alice.daemon, made.id, "container.corrected"), 2 * SECONDS)
    host = root.inspect(made.id)["HostConfig"]
    assert (host["Memory"], host["MemorySwap"], host["PidsLimit"]) == (256 << 20, 256 << 20, 256)
    assert host["NanoCpus"] == 1_000_000_000
    assert alice.container().state == "running"


def test_g14_a_restart_policy_is_put_back(alice: User, root: Docker) -> None:
    made = alice.launch()
    root("update", "--restart", "always", made.id)
    eventually(lambda: told(alice.daemon, made.id, "container.corrected"), 2 * SECONDS)
    assert root("inspect", "--format", "{{.HostConfig.RestartPolicy.Name}}", made.id) == "no"


@pytest.mark.parametrize(
    "words", [(), ("--pid", "host", "--network", "host", "-v", "/etc:/e", "--device", "/dev/kmsg")]
)
def test_s1_with_labels_of_ds01_it_is_stopped_and_nobodys(alice: User, root: Docker, words: tuple[str, ...]) -> None:
    labels = {"ds01.owner.uid": str(alice.uid), "ds01.owner.epoch": "1", "ds01.name": "forged", "ds01.schema": "1"}
    marks = [word for name, value in labels.items() for word in ("-l", f"{name}={value}")]
    forged = made_beside(root, *marks, *words)
    eventually(lambda: not running(root, forged), 2 * SECONDS)
    eventually(lambda: told(alice.daemon, forged, "container.quarantined"))
    assert [c.id for c in alice.containers()] == []


def test_s1_labels_copied_from_a_real_one_are_no_second_one(alice: User, root: Docker) -> None:
    made = alice.launch()
    copied = root.inspect(made.id)["Config"]["Labels"]
    assert isinstance(copied, dict)
    marks = [word for name, value in copied.items() for word in ("-l", f"{name}={value}")]
    copy = made_beside(root, *marks)
    eventually(lambda: copy not in root("ps", "-q", "--no-trunc").split(), 2 * SECONDS)
    assert [(c.id, c.state) for c in alice.containers()] == [(made.id, "running")]


def test_i3_without_a_word_of_ds01_it_is_told_and_its_gpu_is_kept_free(alice: User, root: Docker) -> None:
    node = str(alice.daemon.folder / "run/dev/nvidia2")
    outside = root("run", "-d", "--name", "beside", "--device", node, "ds01/tiny", "sleep", "1000")
    eventually(lambda: told(alice.daemon, outside, "container.outside"), 2 * SECONDS)
    (text,) = told(alice.daemon, outside, "container.outside")
    assert "may use GPUs" in text or "made beside DS01" in text
    assert alice.ask("gpus").free == 3  # type: ignore[attr-defined]
    assert running(root, outside)
    root("rm", "-f", outside)
    eventually(lambda: alice.ask("gpus").free == 4, 2 * SECONDS)  # type: ignore[attr-defined]


def test_where_the_admin_wants_it_what_is_beside_ds01_is_stopped_but_what_she_named(alice: User, root: Docker) -> None:
    before = (alice.daemon.folder / "limits.yaml").read_text()
    stopped = before.replace("docker: {", 'docker: {outside: stopped, outside_allowed: ["prom-*"], ')
    with alice.daemon.limited(stopped):
        hers = root("run", "-d", "--privileged=false", "--name", "prom-node", "ds01/tiny", "sleep", "1000")
        other = root("run", "-d", "--name", "miner", "ds01/tiny", "sleep", "1000")
        eventually(lambda: not running(root, other), 2 * SECONDS)
        assert running(root, hers)
        assert told(alice.daemon, hers, "container.outside") == []


def test_where_ds01_is_removed_nothing_of_it_stays_in_the_firewall(daemon: Daemon, docker: Docker) -> None:
    chain = f"{name_of(daemon.folder / 'run')}-"
    eventually(lambda: chain in firewall())
    refused = subprocess.run([*daemon.command(), "--remove-fence"], capture_output=True, text=True, check=False)
    assert "already running" in refused.stderr
    assert chain in firewall()
    daemon.stop()
    subprocess.run([*daemon.command(), "--remove-fence"], check=True)
    assert chain not in firewall()
    daemon.start()
    eventually(lambda: chain in firewall())


def firewall() -> str:
    """Every rule there is."""
    return subprocess.run(["iptables", "-w", "60", "-S"], capture_output=True, text=True, check=True).stdout
