"""What every Fence promises, the real firewall's and the simulated one's."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from ds01.adapters.host.fence import IptablesFence
from ds01.domain.fence import Bridge, FencePlan
from ds01.ports.fence import Fence
from ds01.sim.fence import SimFence

PLAN = FencePlan(
    name="DS01-contract", pool=IPv4Network("198.19.240.0/20"), ports=(53,),
    networks=tuple(
        Bridge(range=IPv4Network(f"198.19.240.{first}/26"), interface=f"br-contract{first}") for first in (0, 64)
    ),
)  # fmt: skip


class FenceContract:
    """The tests; a subclass gives the fence."""

    async def test_it_stands_when_it_was_put_up(self, fence: Fence) -> None:
        assert await fence.missing(PLAN)
        await fence.put_up(PLAN)
        assert await fence.missing(PLAN) == ""
        await fence.put_up(PLAN)
        assert await fence.missing(PLAN) == ""

    async def test_another_plan_is_another_fence(self, fence: Fence) -> None:
        await fence.put_up(PLAN)
        other = replace(PLAN, networks=PLAN.networks[:1])
        assert await fence.missing(other)
        await fence.put_up(other)
        assert await fence.missing(other) == ""
        assert await fence.missing(PLAN)

    async def test_it_is_taken_down_without_a_trace(self, fence: Fence) -> None:
        await fence.put_up(PLAN)
        await fence.take_down(PLAN)
        assert await fence.missing(PLAN)
        await fence.take_down(PLAN)


class TestSimFence(FenceContract):
    """The simulated one."""

    @pytest.fixture
    def fence(self) -> Fence:
        return SimFence()


@pytest.mark.engine
@pytest.mark.root
class TestIptablesFence(FenceContract):
    """The host's firewall."""

    @pytest.fixture
    async def fence(self) -> AsyncIterator[Fence]:
        real = IptablesFence()
        yield real
        await real.take_down(PLAN)
        assert PLAN.name not in rules("iptables") + rules("ip6tables")

    async def test_what_somebody_empties_is_missed(self, fence: Fence) -> None:
        """As another engine or a reload of the firewall does."""
        await self._missed(fence, "iptables", "192.0.2.77")

    async def test_the_same_for_ipv6(self, fence: Fence) -> None:
        """A container that makes its own packets would reach the host by an address the bridge has all the same."""
        await self._missed(fence, "ip6tables", "2001:db8::77")
        assert await fence.left_open(PLAN) == ""

    async def test_the_firewall_is_asked_about_the_default_bridge(self, fence: Fence, unasked: FencePlan) -> None:
        """Engines from 28 on leave it to the kernel's setting, and what goes from one to another would pass."""
        assert await fence.missing(unasked)
        await fence.put_up(unasked)
        assert await fence.missing(unasked) == ""
        assert await fence.left_open(unasked) == ""
        await asyncio.to_thread(ip, "set", "dev", "ds01contract", "type", "bridge", "nf_call_iptables", "0")
        assert "does not see what goes from one to another on ds01contract" in await fence.missing(unasked)

    async def test_d13_there_is_no_moment_without_a_fence(self, fence: Fence) -> None:
        """Every network that is made fills it anew, and what passes in a moment goes on passing."""
        await fence.put_up(PLAN)
        filling = asyncio.create_task(_fill(fence))
        while not filling.done():
            shown = await asyncio.to_thread(rules, "iptables")
            assert f"-A INPUT {PLAN.jump_input}" in shown
            assert f" {PLAN.jump_forward}" in shown
        await filling

    async def _missed(self, fence: Fence, program: str, somebody: str) -> None:
        await fence.put_up(PLAN)
        for command in (
            ["-F", PLAN.forward], ["-D", PLAN.forward, "2"], ["-D", "INPUT", *PLAN.jump_input.split()],
            ["-I", "INPUT", "1", "-s", somebody, "-j", "ACCEPT"],
        ):  # fmt: skip
            subprocess.run([program, "-w", "5", *command], check=True)
            assert await fence.missing(PLAN), command
            await fence.put_up(PLAN)
            assert await fence.missing(PLAN) == ""
        subprocess.run([program, "-w", "5", "-D", "INPUT", "-s", somebody, "-j", "ACCEPT"], check=True)


async def _fill(fence: Fence) -> None:
    """With other rules each time."""
    for number in range(20):
        await fence.put_up(replace(PLAN, ports=(53, 1000 + number)))


@pytest.fixture
def unasked() -> Iterator[FencePlan]:
    """A default bridge, where the kernel asks the firewall about no bridge."""
    settings = [Path(f"/proc/sys/net/bridge/bridge-nf-call-{name}") for name in ("iptables", "ip6tables")]
    before = [setting.read_text() for setting in settings]
    ip("add", "ds01contract", "type", "bridge")
    for setting in settings:
        setting.write_text("0")
    yield replace(PLAN, default=Bridge(range=IPv4Network("198.19.255.0/24"), interface="ds01contract"))
    for setting, value in zip(settings, before, strict=True):
        setting.write_text(value)
    ip("del", "ds01contract")


def ip(*words: str) -> None:
    """Change a link."""
    subprocess.run(["ip", "link", *words], check=True)


def rules(program: str) -> str:
    """The whole table, as root sees it."""
    return subprocess.run([program, "-w", "5", "-S"], check=True, capture_output=True, text=True).stdout
