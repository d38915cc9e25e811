"""The guard as a program: what it leaves behind for runc, and that it never becomes runc in doubt."""

from __future__ import annotations

import fcntl
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ds01.adapters.host.guard import GuardFolder
from ds01.domain.container import ContainerId
from ds01.domain.guard import StartGrant
from ds01.runc import launcher
from ds01.runc.edits import EVERYBODY
from ds01.runc.grants import BOOT_ID
from ds01.runc.hooks import PATH
from tests.unit.runc.test_rules import BIND, ID, PLAIN

DATA = "/var/lib/docker"
BOOT = Path(BOOT_ID).read_text().strip()


class Runtime:
    """A guard before a runc that does nothing, and a bundle."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.guard = place / "guard"
        self.bundle = place / "bundle"
        self.bundle.mkdir()
        self.data = place / "data"
        self.program = launcher.write(self.guard, self.data, "/bin/true")
        self.write(PLAIN)
        self.root = Path(json.loads((self.bundle / "config.json").read_text())["root"]["path"])
        self.root.mkdir(parents=True)
        of_the_engine = self.data / "containers" / ID
        of_the_engine.mkdir(parents=True)
        for name in ("hosts", "hostname", "resolv.conf"):
            (of_the_engine / name).touch()

    def write(self, config: dict[str, Any]) -> None:
        """Where the configuration names the engine's folder, it is one of the test's."""
        (self.bundle / "config.json").write_text(json.dumps(config).replace(DATA, str(self.data)))

    def grant(self, **changes: Any) -> None:
        values: dict[str, Any] = {"container": ContainerId(ID), "uid": 1001, "gid": 1001, "as_owner": False}
        GuardFolder(self.guard).grant(StartGrant(**(values | changes)), BOOT)

    def call(self, *words: str) -> subprocess.CompletedProcess[str]:
        options = ["--root", str(self.place / "state"), "--log", str(self.place / "log.json"), "--log-format", "json"]
        return subprocess.run([self.program, *options, *words], capture_output=True, text=True)

    def create(self) -> subprocess.CompletedProcess[str]:
        return self.call("create", "--bundle", str(self.bundle), "--pid-file", str(self.place / "pid"), ID)

    def exec(self, label: str, **process: Any) -> dict[str, Any]:
        """An exec in a container that runs with this label; what runc gets."""
        with first_process() as pid:
            self.runs(label, ID, pid)
            file = self.joining(**process)
            done = self.call("exec", "--process", str(file), "--detach", ID)
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(file.read_text())
        return found

    def joining(self, **process: Any) -> Path:
        """What an exec is to run."""
        file = self.place / "process.json"
        file.write_text(json.dumps({"user": {"uid": 0, "gid": 0, "additionalGids": [42]}, "args": ["id"], **process}))
        return file

    def runs(self, label: str, container: str, pid: int, began: int | None = None) -> None:
        """What runc has written down of a container whose first process this is."""
        state = self.place / "state" / container
        state.mkdir(parents=True, exist_ok=True)
        labels = [f"bundle={self.bundle}", *([label] if label else [])]
        cgroups = {"path": f"/ds01-u1001.slice/{container}"}
        first = {"init_process_pid": pid, "init_process_start": start_of(pid) if began is None else began}
        (state / "state.json").write_text(json.dumps({"config": {"labels": labels, "cgroups": cgroups}, **first}))

    @property
    def config(self) -> dict[str, Any]:
        text = (self.bundle / "config.json").read_text().replace(str(self.data), DATA)
        found: dict[str, Any] = json.loads(text)
        return found


@contextmanager
def first_process(*command: str) -> Iterator[int]:
    """A process that goes on meanwhile, as a container's first does."""
    running = subprocess.Popen(command or ("sleep", "600"))
    try:
        yield running.pid
    finally:
        running.kill()
        running.wait()


def start_of(pid: int) -> int:
    """When a process began, as runc writes it down."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])


@pytest.fixture
def runtime(tmp_path: Path) -> Runtime:
    return Runtime(tmp_path)


def test_without_a_grant_nothing_starts_and_the_engine_is_told(runtime: Runtime) -> None:
    done = runtime.create()
    assert done.returncode == 1
    told = json.loads((runtime.place / "log.json").read_text())
    assert (told["level"], told["msg"]) == ("error", done.stderr.strip())
    assert "DS01 did not grant" in told["msg"]
    record = runtime.guard / "refused.log"
    assert json.loads(record.read_text())["container"] == ID
    assert record.stat().st_mode & 0o077 == 0
    assert runtime.config == PLAIN


def test_what_was_refused_stays_until_it_is_told(runtime: Runtime) -> None:
    folder = GuardFolder(runtime.guard)
    runtime.create()
    first = folder.refused()
    assert [refusal.container for refusal in first] == [ID]
    runtime.create()
    assert folder.refused() == first
    folder.told()
    (second,) = folder.refused()
    assert second not in first
    folder.told()
    assert folder.refused() == ()


def test_what_is_refused_while_the_record_is_taken_away_is_in_the_next_one(runtime: Runtime) -> None:
    record, taken = runtime.guard / "refused.log", runtime.guard / "refused.told"
    record.touch()
    with ThreadPoolExecutor() as pool, record.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        refusing = pool.submit(runtime.create)
        while not _waits_for(record):
            assert not refusing.done(), refusing.result().stderr
        record.rename(taken)
        fcntl.flock(held, fcntl.LOCK_UN)
        assert refusing.result().returncode == 1
    assert taken.read_text() == ""
    assert json.loads(record.read_text())["container"] == ID


def _waits_for(file: Path) -> bool:
    """Whether somebody waits for the lock of a file."""
    locks = Path("/proc/locks").read_text().splitlines()
    return any(" -> FLOCK" in line and f":{file.stat().st_ino} " in line for line in locks)


def test_a_container_with_root_gets_a_user_namespace(runtime: Runtime) -> None:
    runtime.grant()
    assert runtime.create().returncode == 0
    made = runtime.config
    (own,) = (each for each in made["linux"]["namespaces"] if each["type"] == "user")
    assert re.fullmatch(r"/proc/[0-9]+/fd/[0-9]+", own["path"])
    assert made["linux"]["uidMappings"] == made["linux"]["gidMappings"] == EVERYBODY
    for kept in made["process"]["capabilities"].values():
        assert not {"CAP_MKNOD", "CAP_NET_RAW"} & set(kept)
    assert made["process"]["user"] == PLAIN["process"]["user"]
    assert made["annotations"] == {"ds01.guard": "root"}
    assert made["linux"]["seccomp"] == PLAIN["linux"]["seccomp"]


@pytest.mark.root
def test_e21_an_owners_container_is_hers_whatever_it_asks(runtime: Runtime) -> None:
    runtime.grant(as_owner=True, binds=(BIND,))
    assert runtime.create().returncode == 0
    made = runtime.config
    assert made["process"]["user"] == {"uid": 1001, "gid": 1001, "additionalGids": []}
    assert made["process"]["capabilities"] == {}
    assert made["process"]["noNewPrivileges"] is True
    assert "uidMappings" not in made["linux"]
    assert made["annotations"] == {"ds01.guard": "1001:1001"}


@pytest.mark.parametrize("as_owner", [pytest.param(True, marks=pytest.mark.root), False])
def test_e30_no_hook_inherits_the_containers_variables(runtime: Runtime, as_owner: bool) -> None:
    """What the image says for itself stays with its own processes."""
    hook = {"path": "/usr/bin/nvidia-ctk", "args": ["nvidia-ctk", "hook", "update-ldcache"]}
    says = ["LD_AUDIT=./a.so", "LD_LIBRARY_PATH=/opt/conda/lib", "GCONV_PATH=."]
    process = {**PLAIN["process"], "env": [*PLAIN["process"]["env"], *says]}
    runtime.write({**PLAIN, "process": process, "hooks": {**PLAIN["hooks"], "createContainer": [hook]}})
    runtime.grant(as_owner=as_owner, gpus=("GPU-a",))
    done = runtime.create()
    assert done.returncode == 0, done.stderr
    made = runtime.config
    assert made["hooks"] == {
        "prestart": [{**PLAIN["hooks"]["prestart"][0], "env": [PATH]}], "createContainer": [{**hook, "env": [PATH]}],
    }  # fmt: skip
    assert set(says) <= set(made["process"]["env"])


def test_e15_a_link_is_no_device(runtime: Runtime) -> None:
    link = runtime.place / "lab"
    link.symlink_to("/dev/null")
    runtime.grant(nodes=(str(link), "/dev/zero", "/dev/nothing-there"))
    assert json.loads((runtime.guard / f"grants/{ID}.json").read_text())["devices"] == [["c", 1, 5]]


def test_an_exec_is_who_the_container_is(runtime: Runtime) -> None:
    hers = runtime.exec("ds01.guard=1001:1001")
    assert hers["user"] == {"uid": 1001, "gid": 1001, "additionalGids": []}
    assert hers["noNewPrivileges"] is True
    assert runtime.exec("ds01.guard=root")["user"]["uid"] == 0
    assert runtime.exec("ds01.guard=outside", capabilities={"bounding": ["CAP_SYS_ADMIN"]})["capabilities"]


def test_e23_a_privileged_exec(runtime: Runtime) -> None:
    with pytest.raises(AssertionError, match="CAP_SYS_ADMIN"):
        runtime.exec("ds01.guard=root", capabilities={"effective": ["CAP_SYS_ADMIN"]})


def test_a_container_of_before_the_guard_is_not_entered(runtime: Runtime) -> None:
    with pytest.raises(AssertionError, match="before ds01-runc stood behind the engine, so"):
        runtime.exec("")


def test_g13_a_lease_is_good_for_one_start(runtime: Runtime) -> None:
    runtime.grant(gpus=("GPU-a",))
    assert runtime.create().returncode == 0
    runtime.write(PLAIN)
    assert "whose lease is over" in runtime.create().stderr
    runtime.grant(gpus=("GPU-a",))
    assert runtime.create().returncode == 0


def test_g14_a_lease_of_before_a_reboot_starts_nothing(runtime: Runtime) -> None:
    values = StartGrant(container=ContainerId(ID), uid=1001, gid=1001, as_owner=True, gpus=("GPU-a",))
    GuardFolder(runtime.guard).grant(values, "another-boot")
    assert "whose lease is over" in runtime.create().stderr


@pytest.mark.parametrize("asked", ["all", "GPU-b", "GPU-a,GPU-b"])
def test_g3_g4_g10_g12_variables_give_no_gpu(runtime: Runtime, asked: str) -> None:
    config = json.loads(json.dumps(PLAIN))
    config["process"]["env"] += [f"NVIDIA_VISIBLE_DEVICES={asked}", "NVIDIA_MIG_CONFIG_DEVICES=all", "NVIDIA_GDS=1"]
    runtime.write(config)
    runtime.grant(gpus=("GPU-a",))
    assert runtime.create().returncode == 0
    variables = runtime.config["process"]["env"]
    assert [each for each in variables if each.startswith("NVIDIA")] == ["NVIDIA_VISIBLE_DEVICES=void"]


def test_a_lease_gives_its_gpus(runtime: Runtime) -> None:
    config = json.loads(json.dumps(PLAIN))
    config["process"]["env"] += ["NVIDIA_VISIBLE_DEVICES=void", "NVIDIA_VISIBLE_DEVICES=GPU-a"]
    runtime.write(config)
    runtime.grant(gpus=("GPU-a",))
    assert runtime.create().returncode == 0
    assert runtime.config["process"]["env"][-1] == "NVIDIA_VISIBLE_DEVICES=GPU-a"


WIDE = [
    {"names": ["unshare", "mount", "bpf", "read"], "action": "SCMP_ACT_ALLOW"},
    {"names": ["clone"], "action": "SCMP_ACT_ALLOW"},
    {"names": ["setns"], "action": "SCMP_ACT_LOG"},
    {"names": ["keyctl"], "action": "SCMP_ACT_TRACE"},
]


def test_e13_a_wide_profile_is_made_narrow(runtime: Runtime) -> None:
    config = json.loads(json.dumps(PLAIN))
    config["linux"]["seccomp"]["syscalls"] = WIDE
    runtime.write(config)
    runtime.grant()
    assert runtime.create().returncode == 0
    assert runtime.config["linux"]["seccomp"]["syscalls"] == [{"names": ["read"], "action": "SCMP_ACT_ALLOW"}]


@pytest.mark.parametrize("profile", [None, {}, {"defaultAction": "SCMP_ACT_ALLOW"}, {"defaultAction": "SCMP_ACT_LOG"}])
def test_e13_no_profile(runtime: Runtime, profile: Any) -> None:
    config = json.loads(json.dumps(PLAIN))
    config["linux"]["seccomp"] = profile
    runtime.write(config)
    runtime.grant()
    assert "without a system call filter" in runtime.create().stderr


@pytest.mark.parametrize("content", ["", "[]", "{", "null", '{"linux": 7}', "[" * 100_000])
def test_what_cannot_be_read_does_not_start(runtime: Runtime, content: str) -> None:
    runtime.grant()
    (runtime.bundle / "config.json").write_text(content)
    assert runtime.create().returncode != 0
    (runtime.guard / "server.json").write_text(content)
    runtime.write(PLAIN)
    assert runtime.create().returncode != 0
    (runtime.guard / "server.json").unlink()
    assert "ds01d has to run once" in runtime.create().stderr


def test_e31_nobodys_containers_pass_only_where_the_admin_says_so(runtime: Runtime) -> None:
    config = json.loads(json.dumps(PLAIN))
    config["linux"]["cgroupsPath"] = f"/docker/{ID}"
    runtime.write(config)
    assert "belongs to no user" in runtime.create().stderr
    facts = json.loads((runtime.guard / "server.json").read_text())
    config["linux"]["cgroupsPath"] = f"/{facts['admin_slice']}/{ID}"
    runtime.write(config)
    assert runtime.create().returncode == 0
    assert runtime.config["linux"] == config["linux"]
    launcher.write_facts(runtime.guard, facts | {"outside": "passed"})
    config["linux"]["cgroupsPath"] = f"/docker/{ID}"
    runtime.write(config)
    assert runtime.create().returncode == 0


def test_e27_a_checkpoint_does_not_come_back(runtime: Runtime) -> None:
    runtime.grant()
    assert "checkpoint" in runtime.call("restore", "--bundle", str(runtime.bundle), ID).stderr


def test_everything_else_is_runcs(runtime: Runtime) -> None:
    (runtime.guard / "guard.py").write_text("raise SystemExit('not asked')")
    for words in (("state", ID), ("kill", ID, "9"), ("delete", "--force", ID), ("start", ID), ("--version",)):
        assert runtime.call(*words).returncode == 0, words


def test_options_in_any_form_hide_nothing(runtime: Runtime) -> None:
    for bundle in ([f"--bundle={runtime.bundle}"], ["-b", str(runtime.bundle)], ["--no-pivot", f"-b={runtime.bundle}"]):
        for command in ("create", "run"):
            assert runtime.call("--debug", command, *bundle, ID).returncode == 1, (command, bundle)
            assert "did not grant" in runtime.call("--systemd-cgroup", command, *bundle, ID).stderr


def test_the_guards_folder_is_roots_alone(runtime: Runtime) -> None:
    assert (runtime.guard / "grants").stat().st_mode & 0o077 == 0
    assert (runtime.guard / "server.json").stat().st_mode & 0o077 == 0
    (runtime.guard / "grants").chmod(0o777)
    with pytest.raises(Exception, match="root's alone"):
        runtime.grant()


def test_it_loads_nothing_heavy(runtime: Runtime) -> None:
    """It starts with every container: what it imports is paid for each time."""
    shown = "import sys; sys.path.append({0!r}); import ds01.runc.main; print(*sys.modules)"
    source = str(Path(launcher.__file__).parents[2])
    done = subprocess.run(
        [os.path.realpath(sys.executable), "-IS", "-c", shown.format(source)], capture_output=True, text=True
    )
    assert not {"typing", "dataclasses", "pathlib", "subprocess", "ctypes"} & set(done.stdout.split()), done.stdout
