"""The guard of build steps, on a configuration as BuildKit writes it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from ds01.domain.names import step_host
from ds01.runc import step
from ds01.runc.grants import Server
from ds01.runc.refusal import StepRefusedError

CAPABILITIES = ["CAP_CHOWN", "CAP_SETUID"]
NAMESPACES = [{"type": kind} for kind in ("pid", "ipc", "uts", "mount", "network")]
CONFIG: dict[str, Any] = {
    "process": {"user": {"uid": 0, "gid": 0}, "capabilities": {"bounding": CAPABILITIES, "effective": CAPABILITIES}},
    "mounts": [{"destination": "/etc/hosts", "source": "/x/hosts"}],
    "linux": {
        "cgroupsPath": "/docker/buildkit/abc",
        "resources": {"devices": [{"allow": False, "access": "rwm"}]},
        "seccomp": {"defaultAction": "SCMP_ACT_ERRNO"},
        "namespaces": NAMESPACES,
    },
}
PERMIT = {
    "cgroup": "/ds01-u1001.slice", "memory_bytes": 100, "swap_bytes": 10, "cpu_period_us": 5, "cpu_quota_us": 7,
    "pids": 3,
}  # fmt: skip


HERS, ANOTHERS = 1001, 1002
OWN = "buildkit/executor/hosts.nayqhvvzgoiuqd7wlh8i7dqxk"
BROUGHT = "tmp/buildkit-mount2744/hosts"


@pytest.fixture
def engine(tmp_path: Path) -> Server:
    """An engine that runs a step of hers, whose Dockerfile brings a file that names another; both may build."""
    for place, uid in ((OWN, HERS), (BROUGHT, ANOTHERS)):
        file = tmp_path / "docker" / place
        file.parent.mkdir(parents=True)
        file.write_text(f"127.0.0.1\tlocalhost\n127.0.0.1\t{step_host(uid)}\n")
        permit = tmp_path / "builds" / f"{uid}.json"
        permit.parent.mkdir(exist_ok=True)
        permit.write_text(json.dumps(PERMIT))
    facts = {"data_root": str(tmp_path / "docker"), "init": [], "hooks": [], "folders": "/f", "driver": []}
    return Server({**facts, "outside": "passed", "admin_slice": ""})


def owner_with(engine: Server, **mounts: str) -> int | None:
    """Whose step it is with these mounts, by where they are of: a target and what is there."""
    found = [{"destination": target, "source": f"{engine.data_root}/{source}"} for target, source in mounts.items()]
    read = step.read_step(os.path.dirname(engine.data_root), {**CONFIG, "mounts": found}, engine)
    return None if read is None else read[0].uid


def test_d15_the_engines_own_file_says_whose_a_step_is(engine: Server) -> None:
    assert owner_with(engine, **{"/proc": "x", "/etc/hosts": OWN, "/etc/resolv.conf": BROUGHT}) == HERS
    assert owner_with(engine, **{"/etc/hosts": OWN, "/etc": "tmp/buildkit-mount2744"}) == HERS
    assert owner_with(engine, **{"/proc": "x"}) is None


@pytest.mark.parametrize(
    "mounts",
    [{"/etc/hosts": BROUGHT}, {"/etc/hosts": OWN, "/etc/./hosts": BROUGHT}, {"/etc//hosts": BROUGHT},
     {"/etc/../etc/hosts/": BROUGHT}, {"//etc/hosts": BROUGHT}, {"etc/hosts": BROUGHT},
     {"/etc/hosts": f"buildkit/executor/hosts.x/../../../{BROUGHT}"}],
)  # fmt: skip
def test_d15_a_step_with_another_file_there_is_refused(engine: Server, mounts: dict[str, str]) -> None:
    """Also where steps of nobody's pass: without the line it would be one."""
    with pytest.raises(StepRefusedError, match="mounts a file at /etc/hosts"):
        owner_with(engine, **mounts)


def test_the_owner_is_the_one_line_the_gateway_wrote() -> None:
    hosts = f"127.0.0.1\tlocalhost buildkitsandbox\n::1\tlocalhost\n127.0.0.1\t{step_host(1722830498)}\n"
    assert step.owner(hosts) == 1722830498


@pytest.mark.parametrize(
    "hosts", ["", "127.0.0.1 localhost ds01-u1001\n", "127.0.0.1\tds01-u1\n127.0.0.1\tds01-u2\n", "10.0.0.1 ds01-u1\n"]
)
def test_any_other_file_has_no_owner(hosts: str) -> None:
    with pytest.raises(StepRefusedError, match="through DS01"):
        step.owner(hosts)


def test_a_step_gets_a_slice_and_limits() -> None:
    made = step.placed(CONFIG, PERMIT, "abc")["linux"]
    assert made["cgroupsPath"] == "/ds01-u1001.slice/abc"
    assert made["resources"]["memory"] == {"limit": 100, "swap": 110}
    assert made["resources"]["pids"] == {"limit": 3}
    assert made["resources"]["devices"] == CONFIG["linux"]["resources"]["devices"]
