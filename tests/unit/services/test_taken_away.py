"""What a running container has by a limit goes with it: at the next round, not when its turn comes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from ds01.daemon.loops import CONFINE_SECONDS, POLICY_SECONDS
from ds01.domain.container import ContainerId
from ds01.domain.errors import Ds01Error
from ds01.domain.limits import Group, Policy, Sourced
from ds01.domain.settings import DockerSettings, Settings
from ds01.domain.standing import OutsideRule
from ds01.ports.engine import Guarding
from ds01.services import confine
from ds01.services.confine import GRACE_SECONDS, Confiner
from tests.server import ALICE, BOB, SimServer, settings
from tests.unit.services import test_devices as by_device
from tests.unit.services import test_publish as by_address

FUSE, CAMPUS = by_device.FUSE, by_address.CAMPUS
IN_THE_LAB = replace(ALICE, gids=frozenset({1001, 2001}), groups=frozenset({"lab"}))


@pytest.fixture
def lab(server: SimServer) -> SimServer:
    """A guarded server with a device."""
    server.engine.guarding = Guarding(folder=by_device.FOLDER, data_root="/var/lib/docker")
    server.host.put_node(FUSE, 10, 229, "misc")
    return server


@pytest.fixture
def confiner(lab: SimServer) -> Confiner:
    return Confiner(lab.world)


async def runs(server: SimServer, container: ContainerId) -> bool:
    seen = await server.engine.inspect(container)
    return seen is not None and seen.running


async def with_device(server: SimServer) -> ContainerId:
    """One that runs with a device of the server."""
    by_device.give(server, FUSE)
    container = await by_device.made(server, FUSE)
    await by_device.runs(server, container)
    return container


async def on_campus(server: SimServer) -> ContainerId:
    """One that runs with a port on an address of the server."""
    by_address.give(server, CAMPUS)
    container = await by_address.made(server, CAMPUS)
    await by_device.runs(server, container)
    return container


@pytest.mark.parametrize("begin", [with_device, on_campus])
async def test_e31_what_a_change_of_the_limits_file_takes_away_is_gone_at_the_next_round(
    lab: SimServer, confiner: Confiner, begin: Callable[[SimServer], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where a round has time for one, and others are due."""
    monkeypatch.setattr(confine, "AT_ONCE", 1)
    others = [(await lab.launch(BOB, project)).id for project in ("one", "two")]
    container = await begin(lab)
    await lab.clock.advance(10)
    for _ in range(4):
        await confiner.round()
    assert await runs(lab, container)
    lab.policy.settings = settings()
    await confiner.round()
    assert not await runs(lab, container)
    assert [await runs(lab, other) for other in others] == [True, True]


def test_the_rounds_that_this_takes_are_within_ten_seconds() -> None:
    assert POLICY_SECONDS + CONFINE_SECONDS + GRACE_SECONDS < 10


async def test_e31_who_left_a_group_has_what_it_was_given_no_more(lab: SimServer, confiner: Confiner) -> None:
    container = await with_device(lab)
    layer = {"devices": Sourced(value=(FUSE,), source="limits.yaml:5")}
    group = Group(name="lab", unix_groups=frozenset({"lab"}), layer=layer)
    lab.policy.settings = Settings(policy=Policy(groups=(group,)))
    lab.directory.add(IN_THE_LAB)
    await lab.clock.advance(10)
    for _ in range(2):
        await confiner.round()
    assert await runs(lab, container)
    lab.directory.add(ALICE)
    await confiner.round()
    assert not await runs(lab, container)


async def test_an_account_that_cannot_be_found_takes_nothing_away(lab: SimServer, confiner: Confiner) -> None:
    container = await with_device(lab)
    await lab.clock.advance(10)
    await confiner.round()
    lab.directory.remove(ALICE.uid)
    by_device.give(lab, "/dev/kvm")
    for _ in range(2):
        await confiner.round()
    assert await runs(lab, container)


async def test_e31_one_that_cannot_be_ended_hides_no_other(
    lab: SimServer, confiner: Confiner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each round has time for one."""
    monkeypatch.setattr(confine, "AT_ONCE", 1)
    broken, other = await with_device(lab), (await lab.launch(BOB)).id
    await lab.clock.advance(10)
    for _ in range(2):
        await confiner.round()
    await lab.clock.advance(CONFINE_SECONDS)
    lab.engine.faults.refuse_kill = lab.engine.spec(broken).name
    lab.policy.settings = settings()
    await altered(lab, other, privileged=True)
    with pytest.raises(Ds01Error, match="refuses"):
        await confiner.round()
    assert await runs(lab, other)
    await confiner.round()
    assert not await runs(lab, other)
    lab.engine.faults.refuse_kill = ""
    await confiner.round()
    assert not await runs(lab, broken)


async def altered(server: SimServer, container: ContainerId, **changes: Any) -> None:
    """Somebody changes a running container on the engine's own socket, and nobody hears of it."""
    seen = await server.engine.inspect(container)
    assert seen is not None
    assert seen.confinement is not None
    server.engine.alter(container, replace(seen.confinement, **changes))


async def test_after_any_change_of_the_file_all_are_looked_at_a_few_at_a_time(
    lab: SimServer, confiner: Confiner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(confine, "AT_ONCE", 1)
    made = [(await lab.launch(user, project)).id for user in (ALICE, BOB) for project in ("one", "two")]
    await lab.clock.advance(10)
    for _ in made:
        await confiner.round()
    for container in made:
        await altered(lab, container, privileged=True)
    await confiner.round()
    assert all([await runs(lab, container) for container in made])
    lab.policy.settings = replace(lab.policy.settings, docker=DockerSettings(outside_rule=OutsideRule.STOPPED))
    for left in (3, 2, 1, 0):
        await confiner.round()
        assert [await runs(lab, container) for container in made].count(True) == left


async def test_e31_the_grace_of_one_is_no_wait_for_the_next(
    lab: SimServer, confiner: Confiner, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [(await lab.launch(user)).id for user in (ALICE, BOB)]
    for container in made:
        await altered(lab, container, privileged=True)
    await lab.clock.advance(10)
    begun, stop = asyncio.Barrier(len(made)), lab.engine.stop

    async def when_all_have_begun(container: ContainerId, grace_seconds: int) -> None:
        async with asyncio.timeout(20):
            await begun.wait()
        await stop(container, grace_seconds)

    monkeypatch.setattr(lab.engine, "stop", when_all_have_begun)
    await confiner.round()
    assert not any([await runs(lab, container) for container in made])
