"""Addresses on which ports are published: a limit gives them, at the create and at every start, and takes them away."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ds01.domain.container import Container, ContainerId, ContainerState, StopReason
from ds01.domain.errors import NOT_ALLOWED, Ds01Error
from ds01.ports.engine import Guarding
from ds01.services.confine import Confiner
from ds01.services.door.create import grant
from ds01.services.door.redeem import commit
from ds01.services.door.start import start
from ds01.services.start import start as start_by_hand
from ds01.services.steps import Steps
from ds01.wire.door import DoorCommit, DoorStart
from tests.server import ALICE, SimServer, settings
from tests.unit.services.test_devices import ask, runs, spec

CAMPUS, LAB = "10.20.0.5", "10.20.1.5"


@pytest.fixture
def campus(server: SimServer) -> SimServer:
    """A guarded server."""
    server.engine.guarding = Guarding(folder="/var/lib/ds01/guard", data_root="/var/lib/docker")
    return server


def give(server: SimServer, *addresses: str) -> None:
    server.policy.settings = settings(publish=addresses)


async def made(server: SimServer, *addresses: str) -> ContainerId:
    """A container that publishes ports on these, as the gateway had the engine make it."""
    given = await grant(server.world, ask())
    container = await server.engine.create(spec(given))
    await publishes(server, container, *addresses)
    await commit(server.world, DoorCommit(ticket=given.ticket, id=container))
    return container


async def publishes(server: SimServer, container: ContainerId, *addresses: str) -> None:
    found = await server.engine.inspect(container)
    assert found is not None
    assert found.confinement is not None
    server.engine.alter(container, replace(found.confinement, published=addresses))


async def web(server: SimServer) -> Container:
    found = await server.container("web")
    assert found is not None
    return found


async def looked_at(server: SimServer, container: ContainerId) -> bool:
    """Whether it still runs after ds01d's look."""
    await Confiner(server.world).look(container)
    seen = await server.engine.inspect(container)
    return seen is not None and seen.running


@pytest.mark.parametrize("given", [(), (CAMPUS,), (CAMPUS, LAB), ("any",)])
async def test_d12_a_create_is_told_where_its_ports_may_be(campus: SimServer, given: tuple[str, ...]) -> None:
    give(campus, *given)
    assert (await grant(campus.world, ask())).publish == given


@pytest.mark.parametrize(
    ("now", "others"),
    [
        ((), ""), ((LAB,), f", or where named on {LAB}"),
        ((LAB, "10.20.2.5"), f", or where named on {LAB} or 10.20.2.5"),
    ],
)  # fmt: skip
async def test_d12_where_it_may_be_no_more_it_does_not_start(
    campus: SimServer, now: tuple[str, ...], others: str
) -> None:
    give(campus, CAMPUS)
    container = await made(campus, CAMPUS)
    give(campus, *now)
    with pytest.raises(Ds01Error) as caught:
        await start(campus.world, DoorStart(uid=ALICE.uid, id=container))
    problem = caught.value.problem
    assert (problem.kind, problem.details["rule"]) == (NOT_ALLOWED, "create.ports")
    assert f"{problem.message} {problem.reason} {problem.hint}" == (
        f"'web' publishes ports on {CAMPUS}, where it may not any more. Ports of your group are published on 127.0.0.1"
        f"{others}. An admin decides, with 'publish' in limits.yaml. Remove it and make it anew without {CAMPUS}"
    )
    with pytest.raises(Ds01Error, match="may not any more"):
        await start_by_hand(campus.world, await campus.caller(), "web", Steps(campus.clock))
    give(campus, LAB, CAMPUS)
    await runs(campus, container)


@pytest.mark.parametrize(
    ("before", "address", "now", "stays"),
    [
        ((CAMPUS,), CAMPUS, (CAMPUS, LAB), True), ((CAMPUS,), CAMPUS, ("any",), True),
        ((CAMPUS,), CAMPUS, (LAB,), False), ((CAMPUS,), CAMPUS, (), False),
        (("any",), CAMPUS, (CAMPUS,), True), (("any",), "0.0.0.0", (CAMPUS, LAB), False),
    ],
)  # fmt: skip
async def test_e31_one_that_publishes_where_it_may_not_any_more_is_stopped(
    campus: SimServer, before: tuple[str, ...], address: str, now: tuple[str, ...], stays: bool
) -> None:
    give(campus, *before)
    container = await made(campus, address)
    await runs(campus, container)
    assert await looked_at(campus, container)
    give(campus, *now)
    assert await looked_at(campus, container) is stays
    if not stays:
        found = await web(campus)
        assert (found.state, found.reason) == (ContainerState.QUARANTINED, StopReason.QUARANTINE)
        assert found.reason_detail == f"it publishes ports on {address}"


async def test_e31_one_that_root_made_so_with_its_owners_name_is_stopped(campus: SimServer) -> None:
    container = await made(campus)
    await runs(campus, container)
    await publishes(campus, container, "0.0.0.0")
    assert not await looked_at(campus, container)
