"""What every Fence promises, the real firewall's and the simulated one's."""

from __future__ import annotations

import subprocess
from collections.abc import AsyncIterator
from dataclasses import replace
from ipaddress import IPv4Network

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
        assert await fence.left_open() == ""

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


def rules(program: str) -> str:
    """The whole table, as root sees it."""
    return subprocess.run([program, "-w", "5", "-S"], check=True, capture_output=True, text=True).stdout
