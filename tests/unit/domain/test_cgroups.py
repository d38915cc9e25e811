"""Which container a process is in, by the paths of its cgroups."""

from __future__ import annotations

import pytest

from ds01.domain.cgroups import is_in
from ds01.domain.container import ContainerId
from ds01.domain.people import Uid

ID = ContainerId("c" * 64)
BOB = Uid(1002)
SLICE = "ds01-u1002.slice"


@pytest.mark.parametrize(
    "cgroups",
    [
        f"0::/{SLICE}/{ID}\n",
        f"0::/ds01.slice/{SLICE}/docker-{ID}.scope\n",
        f"9:name=systemd:/\n4:memory:/{SLICE}/{ID}\n1:cpu,cpuacct:/{SLICE}/{ID}\n0::/\n",
        f"4:memory:/ds01.slice/{SLICE}/docker-{ID}.scope\n0::/system.slice/docker.service\n",
        f"0::/{SLICE}/{ID}/worker:1\n",
    ],
    ids=["v2", "v2-systemd", "v1", "v1-systemd", "below"],
)
def test_whoever_is_in_it_is(cgroups: str) -> None:
    assert is_in(cgroups, ID, BOB)
    assert not is_in(cgroups, ID, Uid(1001))
    assert not is_in(cgroups, ContainerId("d" * 64), BOB)


@pytest.mark.parametrize(
    "path",
    [
        f"/user.slice/user-1003.slice/user@1003.service/{ID}",
        f"/user.slice/user-1003.slice/user@1003.service/{SLICE}/{ID}",
        f"/user.slice/user-1003.slice/user@1003.service/ds01.slice/{SLICE}/docker-{ID}.scope",
        f"/user.slice/user-1003.slice/user@1003.service/x:/{SLICE}/{ID}",
        f"/user.slice/user-1003.slice/user@1003.service/x\u2028/{SLICE}/{ID}",
        f"/ds01-u1003.slice/{'d' * 64}/{SLICE}/{ID}",
        f"/../{SLICE}/{ID}",
        f"/{SLICE}/{ID}0",
        f"/{SLICE}",
        "/",
        "",
    ],
)
@pytest.mark.parametrize("hierarchy", ["0::", "1:name=systemd:"])
def test_what_only_looks_like_it_is_not(hierarchy: str, path: str) -> None:
    assert not is_in(f"{hierarchy}{path}\n", ID, BOB)


def test_a_process_nothing_is_known_of_is_in_none() -> None:
    assert not is_in("", ID, BOB)
