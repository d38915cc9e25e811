"""Devices besides GPUs: a limit gives them, at the create and at every start, and takes them away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import pytest

from ds01.domain.confinement import restarts_wrongly
from ds01.domain.container import (
    Attachment,
    Container,
    ContainerId,
    ContainerSpec,
    ContainerState,
    Device,
    Resources,
    StopReason,
)
from ds01.domain.devices import NodeKind
from ds01.domain.errors import NOT_ALLOWED, Ds01Error
from ds01.domain.gpu import SlotId
from ds01.domain.guard import StartGrant
from ds01.ports.engine import Guarding
from ds01.services import lease as leases
from ds01.services.confine import Confiner
from ds01.services.door.change import amounts
from ds01.services.door.create import grant
from ds01.services.door.redeem import commit
from ds01.services.door.start import start, started
from ds01.services.start import start as start_by_hand
from ds01.services.steps import Steps
from ds01.services.stop import stop
from ds01.wire.door import (
    DoorAmounts,
    DoorCommit,
    DoorCreate,
    DoorDevice,
    DoorGrant,
    DoorStart,
    DoorTicket,
    GrantedDevice,
)
from tests.server import ALICE, BOB, MINIMAL, SimServer, settings

FOLDER = "/var/lib/ds01/guard"
FUSE, PORT = "/dev/fuse", "/dev/ttyUSB0"


@pytest.fixture
def lab(server: SimServer) -> SimServer:
    """A guarded server with some devices, of which nobody has one."""
    server.engine.guarding = Guarding(folder=FOLDER, data_root="/var/lib/docker")
    put = server.host.put_node
    put(FUSE, 10, 229, "misc")
    put(PORT, 188, 0, "ttyUSB")
    put("/dev/serial/by-id/usb-0", 188, 0, "ttyUSB", real=PORT)
    put("/dev/serial/by-id/gpu", 195, 0, "nvidia", real="/dev/nvidia0")
    put("/dev/serial/by-id/disk", 0, 0, real="/dev/sda", kind=NodeKind.BLOCK)
    put("/dev/lab/gpu", 195, 0, "nvidia-frontend")
    put("/dev/lab/uvm", 511, 0, "nvidia-uvm")
    put("/dev/lab/mem", 1, 1, "mem")
    put("/dev/lab/console", 4, 7, "/dev/vc/0", "tty", "ttyS")
    put("/dev/lab/disk", 0, 0, kind=NodeKind.BLOCK)
    put("/dev/lab/folder", 0, 0, kind=NodeKind.FOLDER)
    return server


def give(server: SimServer, *patterns: str) -> None:
    server.policy.settings = settings(devices=patterns, gpus__max=Fraction(4))


def ask(*paths: str, gpus: str = "0") -> DoorCreate:
    devices = tuple(DoorDevice(host=path, inside=path, permissions="rw") for path in paths)
    return DoorCreate(
        uid=ALICE.uid, name="web", image=MINIMAL, image_id=MINIMAL, door="docker", devices=devices, gpus=gpus
    )  # fmt: skip


async def refusal(server: SimServer, *paths: str) -> str:
    with pytest.raises(Ds01Error) as caught:
        await grant(server.world, ask(*paths))
    problem = caught.value.problem
    assert (problem.kind, problem.details["rule"]) == (NOT_ALLOWED, "create.devices")
    assert await server.leases() == ()
    return f"{problem.message} {problem.reason} {problem.hint}".strip()


def spec(given: DoorGrant) -> ContainerSpec:
    devices = tuple(Device(host=each.host, inside=each.inside, permissions=each.permissions) for each in given.devices)
    amounts = Resources(
        cpus=given.cpus, memory_bytes=given.memory_bytes, swap_bytes=0, shm_bytes=given.shm_bytes, pids=given.pids
    )  # fmt: skip
    return ContainerSpec(
        name=given.stored_name, image=MINIMAL, command=("sleep",), user="0:0", hostname="web", working_dir="/",
        environment={}, labels=given.labels, mounts=(), attachment=Attachment(devices=devices), resources=amounts,
        cgroup_parent=given.cgroup_parent, network=given.network, stop_grace_seconds=10,
    )  # fmt: skip


async def made(server: SimServer, *paths: str, gpus: str = "0") -> ContainerId:
    given = await grant(server.world, ask(*paths, gpus=gpus))
    container = await server.engine.create(spec(given))
    await commit(server.world, DoorCommit(ticket=given.ticket, id=container))
    return container


async def runs(server: SimServer, container: ContainerId) -> None:
    begun = await start(server.world, DoorStart(uid=ALICE.uid, id=container))
    await server.engine.start(container)
    await started(server.world, DoorTicket(ticket=begun.ticket))


async def not_started(server: SimServer, container: ContainerId) -> str:
    with pytest.raises(Ds01Error) as caught:
        await start(server.world, DoorStart(uid=ALICE.uid, id=container))
    problem = caught.value.problem
    assert (problem.kind, problem.details["rule"]) == (NOT_ALLOWED, "create.devices")
    return f"{problem.message} {problem.reason} {problem.hint}".strip()


def granted(server: SimServer) -> StartGrant:
    (found,) = server.host.grants(FOLDER)
    return found


async def web(server: SimServer) -> Container:
    found = await server.container("web")
    assert found is not None
    return found


# The create -----------------------------------------------------------------------------------------


async def test_e15_without_an_allowance_nobody_gets_a_device(lab: SimServer) -> None:
    assert await refusal(lab, FUSE) == (
        "The device /dev/fuse is not allowed here. Containers of your group get none."
        " An admin decides, with 'devices' in limits.yaml."
    )
    assert await refusal(lab, "/dev/nothing") == (await refusal(lab, FUSE)).replace(FUSE, "/dev/nothing")


async def test_what_the_limit_allows_is_granted(lab: SimServer) -> None:
    give(lab, FUSE, "/dev/ttyUSB*")
    given = await grant(lab.world, ask(FUSE, PORT))
    assert given.devices == tuple(GrantedDevice(host=path, inside=path, permissions="rw") for path in (FUSE, PORT))


async def test_a_link_is_granted_as_what_it_leads_to(lab: SimServer) -> None:
    give(lab, "/dev/serial/by-id/*", "/dev/ttyUSB*")
    (given,) = (await grant(lab.world, ask("/dev/serial/by-id/usb-0"))).devices
    assert (given.host, given.inside) == (PORT, "/dev/serial/by-id/usb-0")


@pytest.mark.parametrize(
    ("path", "why"),
    [
        (PORT, "Containers of your group get: /dev/fuse /dev/serial/by-id/* /dev/lab/*."),
        ("/dev/serial/by-id/usb-0", "It leads to /dev/ttyUSB0. Containers of your group get: /dev/fuse"),
        ("/dev/serial/by-id/gpu", "It leads to /dev/nvidia0."), ("/dev/serial/by-id/disk", "It leads to /dev/sda."),
        ("/dev/lab/gpu", "It is given to nobody: GPUs come with a lease"), ("/dev/lab/uvm", "GPUs come with a lease"),
        ("/dev/lab/mem", "the server's memory"), ("/dev/lab/console", "the server's consoles"),
        ("/dev/lab/disk", "it is a block device"), ("/dev/lab/folder", "it is a folder"),
        ("/dev/lab/gone", "is not there. This server has no such device now."),
        ("/dev/lab/../mem", "is not allowed here"), ("/dev/mem", "is not allowed here"),
    ],
)  # fmt: skip
async def test_e15_what_is_there_is_looked_at(lab: SimServer, path: str, why: str) -> None:
    give(lab, FUSE, "/dev/serial/by-id/*", "/dev/lab/*")
    assert why in await refusal(lab, FUSE, path)


async def test_with_gpus_both_are_granted(lab: SimServer) -> None:
    give(lab, FUSE)
    hosts = [device.host for device in (await grant(lab.world, ask(FUSE, gpus="1"))).devices]
    assert hosts[-1] == FUSE
    assert len(hosts) > 1


# The start ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("gpus", ["0", "1"])
async def test_the_guard_is_told_of_them_at_every_start(lab: SimServer, gpus: str) -> None:
    give(lab, FUSE)
    container = await made(lab, FUSE, gpus=gpus)
    for _ in range(2):
        await runs(lab, container)
        assert FUSE in granted(lab).nodes
        await stop(lab.world, await lab.caller(), "web")


async def test_what_was_taken_away_is_not_started(lab: SimServer) -> None:
    give(lab, FUSE)
    container = await made(lab, FUSE, gpus="1")
    give(lab, "/dev/kvm")
    assert await not_started(lab, container) == (
        "'web' has the device /dev/fuse, which it may not have any more. Containers of your group get: /dev/kvm."
        " An admin decides, with 'devices' in limits.yaml. Remove it and make it anew without --device /dev/fuse"
    )
    assert lab.host.grants(FOLDER) == ()
    with pytest.raises(Ds01Error, match="may not have any more"):
        await start_by_hand(lab.world, await lab.caller(), "web", Steps(lab.clock))
    seen = await lab.engine.inspect(container)
    assert seen is not None
    assert not seen.running
    give(lab, FUSE)
    await runs(lab, container)


async def test_without_a_guard_as_well(lab: SimServer) -> None:
    give(lab, FUSE)
    container = await made(lab, FUSE)
    lab.engine.guarding = None
    lab.policy.settings = settings()
    assert "run as root" in str(await _error(lab, container))
    found = await web(lab)
    await lab.books(lambda books: books.put_container(replace(found, forced_user=True)))
    assert "may not have any more" in str(await _error(lab, container))


async def _error(server: SimServer, container: ContainerId) -> Ds01Error:
    with pytest.raises(Ds01Error) as caught:
        await start(server.world, DoorStart(uid=ALICE.uid, id=container))
    return caught.value


async def test_what_is_gone_or_is_something_else_now_is_not_started(lab: SimServer) -> None:
    give(lab, "/dev/lab/*", "/dev/ttyUSB*")
    lab.host.put_node("/dev/lab/port", 188, 0, "ttyUSB")
    container = await made(lab, "/dev/lab/port")
    del lab.host.nodes["/dev/lab/port"]
    assert "which is not there now. This server has no such device" in await not_started(lab, container)
    lab.host.put_node("/dev/lab/port", 195, 0, "nvidia")
    assert "given to nobody: GPUs" in await not_started(lab, container)
    lab.host.put_node("/dev/lab/port", 8, 0, real="/dev/sda", kind=NodeKind.BLOCK)
    assert "It leads to /dev/sda." in await not_started(lab, container)
    lab.host.put_node("/dev/lab/port", 188, 0, "ttyUSB", real=PORT)
    await runs(lab, container)
    assert PORT in granted(lab).nodes


@pytest.mark.parametrize("node", ["/dev/kmsg", "/dev/sda", "/dev/nvidia3", "/srv/node"])
async def test_what_no_limit_gives_is_the_guards_to_refuse(lab: SimServer, node: str) -> None:
    """Somebody with the engine's own socket made it so."""
    give(lab, FUSE)
    given = await grant(lab.world, ask(FUSE))
    wanted = spec(given)
    more = Attachment(devices=(*wanted.attachment.devices, Device(host=node, inside="/dev/x")))
    container = await lab.engine.create(replace(wanted, attachment=more))
    await commit(lab.world, DoorCommit(ticket=given.ticket, id=container))
    await start(lab.world, DoorStart(uid=ALICE.uid, id=container))
    assert granted(lab).nodes == (FUSE,)


# What runs ------------------------------------------------------------------------------------------


async def look(server: SimServer, container: ContainerId) -> bool:
    """Whether it still runs after ds01d's look."""
    await Confiner(server.world).look(container)
    seen = await server.engine.inspect(container)
    return seen is not None and seen.running


@pytest.mark.parametrize("gpus", ["0", "1"])
async def test_e31_one_that_has_what_its_owner_may_not_have_any_more_is_stopped(lab: SimServer, gpus: str) -> None:
    give(lab, FUSE, "/dev/ttyUSB*")
    container = await made(lab, FUSE, PORT, gpus=gpus)
    await runs(lab, container)
    assert await look(lab, container)
    give(lab, "/dev/ttyUSB*")
    assert not await look(lab, container)
    found = await web(lab)
    assert (found.state, found.reason) == (ContainerState.QUARANTINED, StopReason.QUARANTINE)
    assert found.reason_detail == "it has the device /dev/fuse"
    assert "container.quarantined" in await lab.events(container)


@pytest.mark.parametrize("node", ["/dev/mem", "/dev/sda", "/dev/nvidia0", "/dev/net/../mem"])
async def test_e31_no_limit_makes_the_servers_own_devices_fine(lab: SimServer, node: str) -> None:
    give(lab, FUSE)
    container = await made(lab, FUSE)
    await runs(lab, container)
    give(lab, FUSE, node, "/dev/*", "/dev/*/*/*")
    found = await lab.engine.inspect(container)
    assert found is not None
    assert found.confinement is not None
    lab.engine.alter(container, replace(found.confinement, nodes=(FUSE, node)))
    assert not await look(lab, container)
    assert (await web(lab)).reason_detail == f"it has the device {node}"


# Other GPUs -----------------------------------------------------------------------------------------


async def _take(server: SimServer, slots: Sequence[SlotId]) -> None:
    """Somebody else has these now, and two GPUs are free."""
    for project in ("one", "two"):
        await server.launch(BOB, project, gpus="2")
    (other,) = [lease for lease in await server.leases() if not set(slots) & set(lease.slots)]
    await server.books(lambda books: leases.release(books, other.id, "a test says so", server.clock.now()))


async def test_made_anew_on_other_gpus_it_keeps_them(lab: SimServer) -> None:
    give(lab, FUSE)
    container = await made(lab, FUSE, gpus="1")
    await runs(lab, container)
    (before,) = await lab.leases()
    await stop(lab.world, await lab.caller(), "web")
    await lab.expire(20)
    await _take(lab, before.slots)
    again = await start_by_hand(lab.world, await lab.caller(), "web", Steps(lab.clock))
    assert again.recreated
    (lease,) = [lease for lease in await lab.leases() if lease.name == "web"]
    assert lease.slots != before.slots
    devices = lab.engine.spec(again.container.id).attachment.devices
    assert [device.host for device in devices].count(FUSE) == 1
    assert {device.host for device in devices} != {FUSE}
    assert FUSE in next(each for each in lab.host.grants(FOLDER) if each.container == again.container.id).nodes


@pytest.mark.parametrize(("paths", "gpus", "has"), [((FUSE,), "0", True), ((), "1", True), ((), "0", False)])
async def test_an_update_hears_that_it_has_devices(
    lab: SimServer, paths: tuple[str, ...], gpus: str, has: bool
) -> None:
    give(lab, FUSE)
    container = await made(lab, *paths, gpus=gpus)
    assert (await amounts(lab.world, DoorAmounts(uid=ALICE.uid, id=container))).devices is has


def test_what_has_a_device_is_never_started_by_the_engine() -> None:
    assert restarts_wrongly("unless-stopped", devices=True)
    assert not restarts_wrongly("unless-stopped", devices=False)
    assert not restarts_wrongly("no", devices=True)
