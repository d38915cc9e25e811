"""The fence where the firewall does not tell what stands in it: nothing is changed by what nobody knows."""

from __future__ import annotations

from ipaddress import IPv4Network
from pathlib import Path

import pytest

from ds01.adapters.host import fence
from ds01.adapters.host.fence import IptablesFence
from ds01.domain.errors import FENCE_FAILED, Ds01Error
from ds01.domain.fence import FencePlan

PLAN = FencePlan(name="DS01-unit", pool=IPv4Network("198.19.240.0/20"), ports=(53,), networks=())
HELD = "Another app is currently holding the xtables lock; still 0s 0us time ahead to have a chance to grab the lock..."
NONE = "can't initialize ip6tables table `filter': Table does not exist (do you need to insmod?)"


class Firewall:
    """Programs in a folder of their own, with what each was called with."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        for name in ("iptables", "ip6tables", "iptables-restore", "ip6tables-restore"):
            self.says(name)

    def says(self, name: str, error: str = "", status: int = 0) -> None:
        script = f'#!/bin/sh\necho {name} $@ >> {self._folder}/asked\necho "{error}" >&2\nexit {status}\n'
        (self._folder / name).write_text(script.replace("`", "\\`"))
        (self._folder / name).chmod(0o755)

    def gone(self, name: str) -> None:
        (self._folder / name).unlink()

    @property
    def asked(self) -> list[str]:
        return (self._folder / "asked").read_text().splitlines()


@pytest.fixture
def firewall(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Firewall:
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(fence, "_PAUSE_SECONDS", 0)
    return Firewall(tmp_path)


@pytest.mark.parametrize("program", ["iptables", "ip6tables"])
async def test_a_firewall_that_is_busy_is_not_an_empty_one(firewall: Firewall, program: str) -> None:
    firewall.says(program, HELD, 4)
    tried = IptablesFence()
    for asked in (tried.missing, tried.put_up, tried.take_down):
        with pytest.raises(Ds01Error) as error:
            await asked(PLAN)
        assert error.value.kind is FENCE_FAILED
        assert "xtables lock" in str(error.value.problem.reason)
    assert all(line.endswith("-w 5 -S") for line in firewall.asked), "something was changed"


async def test_without_a_firewall_for_ipv6_the_other_one_is_put_up(firewall: Firewall) -> None:
    firewall.says("ip6tables", NONE, 3)
    await IptablesFence().put_up(PLAN)
    firewall.gone("ip6tables")
    await IptablesFence().put_up(PLAN)
    assert [line.split()[0] for line in firewall.asked if "restore" in line] == ["iptables-restore"] * 2


async def test_without_a_firewall_nothing_is_put_up(firewall: Firewall) -> None:
    firewall.says("iptables", "Permission denied (you must be root)", 4)
    with pytest.raises(Ds01Error) as error:
        await IptablesFence().put_up(PLAN)
    assert "Permission denied" in str(error.value.problem.reason)
