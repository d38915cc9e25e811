"""The guard of build steps, on a configuration as BuildKit writes it."""

from __future__ import annotations

from typing import Any

import pytest

from ds01.domain.names import step_host
from ds01.runc import step
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
