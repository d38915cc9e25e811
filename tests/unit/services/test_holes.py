"""What programs below DS01 with known holes close, where the admin wants them to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ds01.domain.engine_versions import HolesRule
from ds01.domain.errors import KNOWN_HOLE, Ds01Error
from ds01.domain.settings import DockerSettings
from ds01.services import holes
from ds01.services.door import building
from ds01.services.measured import KNOWN_SECONDS
from ds01.services.start import start
from ds01.services.steps import Steps
from ds01.services.stop import stop
from ds01.sim.devices import SimDevices
from ds01.sim.facts import SimFacts
from ds01.wire.door import DoorBuild
from tests.server import ALICE, MINIMAL, SimServer

OLD, MENDED = "1.1.5", "1.2.8"


class RealDevices(SimDevices):
    """GPUs that NVIDIA's hooks put into containers."""

    @property
    def simulated(self) -> bool:
        return False


async def found(
    server: SimServer, runc: str = MENDED, toolkit: str = "1.17.8", rule: HolesRule = HolesRule.REFUSED
) -> None:
    """What is installed, and the admin's rule."""
    server.policy.settings = replace(server.policy.settings, docker=DockerSettings(known_holes=rule))
    assert isinstance(server.world.facts, SimFacts)
    server.world.facts.versions |= {"runc": runc, holes.TOOLKIT: toolkit}
    await server.clock.advance(KNOWN_SECONDS)


async def refused(server: SimServer, **changes: object) -> str:
    with pytest.raises(Ds01Error) as error:
        await server.launch(**changes)  # type: ignore[arg-type]
    assert error.value.kind is KNOWN_HOLE
    return error.value.problem.message


@pytest.mark.parametrize(
    ("runc", "rule", "open_"),
    [(OLD, HolesRule.REFUSED, False), (OLD, HolesRule.TOLD, True), (MENDED, HolesRule.REFUSED, True),
     ("", HolesRule.REFUSED, False)],
)  # fmt: skip
async def test_nothing_starts_on_a_runc_with_a_known_way_out(
    server: SimServer, runc: str, rule: HolesRule, open_: bool
) -> None:
    await server.launch(project="before")
    await stop(server.world, await server.caller(), "before")
    await found(server, runc, rule=rule)
    if open_:
        await server.launch()
        await start(server.world, await server.caller(), "before", Steps(server.clock))
        return
    assert "until runc is newer" in await refused(server)
    with pytest.raises(Ds01Error, match="until runc is newer"):
        await start(server.world, await server.caller(), "before", Steps(server.clock))
    with pytest.raises(Ds01Error, match="until runc is newer"):
        await building.grant(server.world, DoorBuild(uid=ALICE.uid, refs=()))
    assert await server.container("thesis") is None


async def test_an_admin_mends_things_meanwhile(server: SimServer) -> None:
    await found(server, OLD)
    caller = await server.caller()
    with pytest.raises(Ds01Error):
        await holes.check(server.world, caller)
    await holes.check(server.world, replace(caller, limits=replace(caller.limits, admin=True)))


async def test_e30_with_an_old_toolkit_gpus_are_for_the_servers_own_images(server: SimServer) -> None:
    server.devices = RealDevices(("a100-40gb",) * 4, run=server.run, clock=server.clock)
    server.restart()
    await server.open()
    await found(server, toolkit="1.17.7")
    assert "GPUs are for the server's own images" in await refused(server)
    assert (await server.launch(gpus="0")).gpus == 0
    assert (await server.launch(name="own", image=MINIMAL)).gpus == 1
    await found(server)
    assert (await server.launch(name="newer")).gpus == 1
