"""The doctor: every check sees what it is there for, and none stops the others."""

from __future__ import annotations

import ast
import asyncio
import importlib
import inspect
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from ds01.config.current import CurrentLimits
from ds01.domain.container import ContainerState, Mount
from ds01.domain.engine_versions import gates, runc_fixed
from ds01.domain.errors import LEDGER_ERROR, Ds01Error
from ds01.domain.events import Event, EventType
from ds01.domain.fence import Bridge
from ds01.domain.gpu import Slot, slots_of
from ds01.domain.people import Account
from ds01.ports.engine import DiskUse, Guarding, NetworkSeen
from ds01.ports.facts import DiskFacts, FileFacts, Hardware, MountFacts, ProcessFacts
from ds01.services import checks, fence
from ds01.services.checks import Check, Finding, State
from ds01.services.doctor import every, examine
from ds01.services.door import audit
from ds01.services.world import Paths, World
from ds01.sim.clock import SimClock
from ds01.sim.devices import SimDevices
from ds01.sim.directory import SimDirectory
from ds01.sim.engine import SimEngine
from ds01.sim.facts import SimFacts
from ds01.sim.fence import SimFence
from ds01.sim.host import SimHost
from ds01.sim.ledger import MemoryLedger
from ds01.sim.meters import SimMeters
from ds01.sim.script import Load
from ds01.wire.door import DoorAudit
from tests.values import ALICE, BOB, container

GIB = 1024**3
ENGINE, GATEWAY = "/run/engine/docker.sock", "/run/ds01/docker.sock"
DAEMON_JSON = "/etc/docker/daemon.json"
GUARD, DATA_ROOT = "/var/lib/ds01/guard", "/var/lib/docker"


def socket(mode: int = 0o600, group: str = "root") -> FileFacts:
    return FileFacts(kind="socket", owner_uid=0, group=group, mode=mode)


def folder(mode: int = 0o755, group: str = "root") -> FileFacts:
    return FileFacts(kind="folder", owner_uid=0, group=group, mode=mode)


@dataclass
class Lab:
    """A sound server. A test breaks one thing."""

    facts: SimFacts
    engine: SimEngine
    devices: SimDevices
    ledger: MemoryLedger
    directory: SimDirectory
    clock: SimClock
    limits: Path
    run: Path

    def write_limits(self, text: str) -> None:
        self.limits.write_text(text)
        self.facts.files[str(self.limits)] = FileFacts(kind="file", owner_uid=0, group="root", mode=0o644)

    def world(self) -> World:
        return World(
            engine=self.engine, devices=self.devices, ledger=self.ledger, directory=self.directory, host=SimHost(),
            facts=self.facts, fence=SimFence(), clock=self.clock,
            meters=SimMeters(clock=self.clock), policy=CurrentLimits(self.limits),
            paths=Paths(
                state=Path("/var/lib/ds01"), run=self.run, limits=self.limits, gateway=Path(GATEWAY),
                engine=f"unix://{ENGINE}",
            ),
        )  # fmt: skip

    async def check(self, name: str, world: World | None = None) -> Finding:
        return await every()[name].run(world or self.world())


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    clock = SimClock()
    made = Lab(
        facts=SimFacts(), engine=SimEngine(clock), ledger=MemoryLedger(), clock=clock,
        devices=SimDevices(["a100-40gb"] * 2, run=tmp_path / "run", clock=clock),
        directory=SimDirectory([ALICE, BOB]), limits=tmp_path / "limits.yaml", run=tmp_path / "run",
    )  # fmt: skip
    made.write_limits("groups:\n  student: {members: ['*']}\n")
    made.facts.files |= {ENGINE: socket(), "/run/engine": folder(), "/run": folder(), "/": folder()}
    made.facts.answers[GATEWAY, "/_ping"] = {"ds01-gateway": "1"}
    made.engine.guarding = Guarding(folder=GUARD, data_root=DATA_ROOT)
    made.facts.guards[ENGINE] = GUARD
    made.facts.files |= {GUARD: folder(), f"{GUARD}/grants": folder(0o700), DATA_ROOT: folder(0o710)}
    made.facts.answers["/run/docker.sock", "/_ping"] = {"ds01-gateway": "1"}
    made.facts.texts[DAEMON_JSON] = '{"builder": {"Entitlements": {"network-host": false}, "GC": {"Enabled": true}}}'
    made.facts.versions["runc"] = "1.3.4"
    made.engine.add_image("ds01/minimal:latest")
    return made


SOUND = {"engine", "gpus"}
"""Checks with a warning on a sound simulated server: its engine is old and its GPUs are simulated."""


async def test_a_sound_server_is_healthy(lab: Lab) -> None:
    world = lab.world()
    await fence.keep(world)
    found = await examine(world, admin=True)
    assert found.healthy
    assert {check.name for check in found.checks if check.state != State.OK} <= SOUND
    assert len(found.checks) == len(every()) >= 16
    for check in found.checks:
        assert check.text.endswith("."), check
        assert check.fix or check.state == State.OK


async def test_d13_a_fence_that_somebody_emptied_is_found(lab: Lab) -> None:
    world = lab.world()
    await fence.keep(world)
    await fence.take_down(world)
    found = {check.name: check for check in (await examine(world, admin=True)).checks}
    assert found["isolation"].state == "failed"
    assert "not kept apart" in found["isolation"].text


async def test_d14_a_host_that_cannot_close_ipv6_is_told(lab: Lab) -> None:
    world = lab.world()
    await fence.keep(world)
    assert isinstance(world.fence, SimFence)
    world.fence.unclosed = "IPv6 (ip6tables does not work here)"
    found = {check.name: check for check in (await examine(world, admin=True)).checks}
    assert (found["isolation"].state, "IPv6" in found["isolation"].text) == ("warning", True)


async def test_d13_a_default_bridge_that_is_open_is_told(lab: Lab) -> None:
    bridge = NetworkSeen(
        id="0" * 64, name="bridge", labels={}, created_at=lab.clock.now(), ranges=("fd00::/64", "172.17.0.0/16"),
        default_bridge="docker0",
    )  # fmt: skip
    lab.engine.networks_made[bridge.id] = bridge
    docker0 = Bridge(range=IPv4Network("172.17.0.0/16"), interface="docker0")
    assert (await fence.plan(lab.world())).default == docker0
    lab.write_limits("docker: {default_bridge: open}\n")
    world = lab.world()
    assert (await fence.plan(world)).default is None
    await fence.keep(world)
    found = {check.name: check for check in (await examine(world, admin=True)).checks}
    assert (found["isolation"].state, found["isolation"].text) == (
        "warning", "Steps of BuildKit's builds reach each other and services of this server.",
    )  # fmt: skip


def test_every_check_says_what_it_is_about() -> None:
    assert all(isinstance(check, Check) and check.about for check in every().values())


class Trouble(SimFacts):
    """A host whose directory of users is gone and whose cgroups hang."""

    async def members(self, group: str) -> frozenset[str]:
        raise OSError("the directory is gone")

    async def cgroup_version(self) -> int:
        await asyncio.Event().wait()
        return 2


async def test_a_check_that_breaks_or_hangs_is_a_finding_and_stops_no_other(lab: Lab) -> None:
    lab.facts = Trouble(files=lab.facts.files, answers=lab.facts.answers)
    found = {c.name: c for c in (await examine(lab.world(), admin=True, patience_seconds=3)).checks}
    assert found["groups"].state == "failed"
    assert "could not be done: the directory is gone" in found["groups"].text
    assert found["cgroups"].text == "The check did not end in time."
    assert found["ledger"].state == "ok"


async def test_details_are_for_admins(lab: Lab) -> None:
    lab.facts.groups["disk"] = frozenset({"alice"})
    for admin in (True, False):
        found = {check.name: check for check in (await examine(lab.world(), admin=admin)).checks}
        assert found["groups"].state == "failed"
        assert ("alice in disk" in found["groups"].text) is admin


Break = Callable[[Lab], None]


def engine_gone(lab: Lab) -> None:
    lab.engine.go_away()


def open_socket(lab: Lab) -> None:
    lab.facts.files[ENGINE] = socket(0o666)


def group_socket(lab: Lab) -> None:
    lab.facts.files[ENGINE] = socket(0o660, "docker")
    lab.facts.groups["docker"] = frozenset({"alice", "ds01-gateway", "root"})


def tcp(lab: Lab) -> None:
    lab.facts.ports.add(("0.0.0.0", 2375))


def containerd(lab: Lab) -> None:
    lab.facts.files |= {"/run/containerd/containerd.sock": socket(0o666), "/run/containerd": folder()}


def second_engine(lab: Lab) -> None:
    lab.facts.answers["/run/docker.sock", "/_ping"] = {"server": "Docker"}
    lab.facts.files["/run/docker.sock"] = socket(0o660, "docker")
    lab.facts.groups["docker"] = frozenset({"alice"})


def gateway_gone(lab: Lab) -> None:
    lab.facts.answers.clear()


def engine_in_its_place(lab: Lab) -> None:
    lab.facts.answers[GATEWAY, "/_ping"] = {"api-version": "1.41"}


def read_only_ledger(lab: Lab) -> None:
    lab.ledger.fault = Ds01Error(LEDGER_ERROR, "The disk is full.")


def edited_ledger(lab: Lab) -> None:
    lab.ledger.damage = ("event 3 is not as DS01 wrote it",)


def full_disk(lab: Lab) -> None:
    lab.facts.disks["/"] = DiskFacts(free_bytes=GIB // 2, total_bytes=500 * GIB)


def full_engine(lab: Lab) -> None:
    lab.facts.disks[DATA_ROOT] = DiskFacts(free_bytes=GIB // 2, total_bytes=500 * GIB)


def filling_disk(lab: Lab) -> None:
    lab.facts.disks["/"] = DiskFacts(free_bytes=20 * GIB, total_bytes=500 * GIB)


def no_limits_file(lab: Lab) -> None:
    lab.limits.unlink()


def writable_limits(lab: Lab) -> None:
    lab.facts.files[str(lab.limits)] = FileFacts(kind="file", owner_uid=0, group="staff", mode=0o664)


def replaceable_limits(lab: Lab) -> None:
    lab.facts.files[str(lab.limits.parent)] = folder(0o777)


def students_limits(lab: Lab) -> None:
    lab.facts.files[str(lab.limits)] = FileFacts(kind="file", owner_uid=1001, group="root", mode=0o644)


def too_much(lab: Lab) -> None:
    lab.write_limits("defaults: {memory: 64G, gpus: {max: 3}}\n")
    lab.facts.machine = Hardware(cpus=8, memory_bytes=24 * GIB)


def strangers(lab: Lab) -> None:
    lab.write_limits(
        "users: {alcie: {idle: 4h}}\ngroups: {g: {members: [bobb]}, h: {unix_groups: [phd, ds01-amdin]}}\n"
    )
    lab.facts.groups["phd"] = frozenset({"alice"})


def no_certificates(lab: Lab) -> None:
    lab.write_limits("images: {ca: /etc/ssl/lab.pem}\n")


def others_addresses(lab: Lab) -> None:
    lab.write_limits(
        "defaults: {publish: 10.20.0.5}\ngroups: {g: {publish: 10.20.0.5 10.20.0.6}}\nusers: {alice: {publish: any}}\n"
    )


def fault(lab: Lab) -> None:
    lab.devices.script.loads["0"] = replace(lab.devices.script.load(_slots(lab)[0]), fault="Xid 79")


def outside(lab: Lab) -> None:
    lab.devices.set_load("0", Load(processes=((4711, 2**20),)))
    lab.facts.running[4711] = ProcessFacts(command="python", user="eve", cgroup="0::/user.slice")


def no_nosuid(lab: Lab) -> None:
    lab.facts.mounts["/home"] = MountFacts(point="/home", kind="ext4", options=frozenset({"rw", "nodev"}))


def no_hardlinks(lab: Lab) -> None:
    lab.facts.sysctls["fs.protected_hardlinks"] = "0"


def ptrace(lab: Lab) -> None:
    lab.facts.sysctls["kernel.yama.ptrace_scope"] = "0"


def few_watchers(lab: Lab) -> None:
    lab.facts.sysctls["fs.inotify.max_user_instances"] = "128"


def no_yama(lab: Lab) -> None:
    del lab.facts.sysctls["kernel.yama.ptrace_scope"]


def cgroups(version: int) -> Break:
    def broken(lab: Lab) -> None:
        lab.facts.cgroups = version

    return broken


def no_minimal(lab: Lab) -> None:
    lab.write_limits("images: {bases: {minimal: {reference: ds01/other}}}\n")


def unsynchronised(lab: Lab) -> None:
    lab.facts.synchronised = False


def sudo(lab: Lab) -> None:
    lab.facts.groups["sudo"] = frozenset({"alice"})


def _slots(lab: Lab) -> list[Slot]:
    return [slot for gpu in lab.devices.inventory() for slot in slots_of(gpu)]


@pytest.mark.parametrize(
    ("name", "broken", "state", "said"),
    [
        ("engine", engine_gone, State.FAILED, "does not answer"),
        ("engine-socket", open_socket, State.FAILED, "makes everybody root"),
        ("engine-socket", group_socket, State.FAILED, "no admins may open the engine's socket"),
        ("other-engines", tcp, State.FAILED, "0.0.0.0:2375"),
        ("other-engines", containerd, State.FAILED, "/run/containerd/containerd.sock"),
        ("other-engines", second_engine, State.FAILED, "/run/docker.sock"),
        ("gateway", gateway_gone, State.FAILED, "does not answer"),
        ("gateway", engine_in_its_place, State.FAILED, "not the gateway"),
        ("ledger", read_only_ledger, State.FAILED, "The disk is full."),
        ("record", edited_ledger, State.FAILED, "is not as DS01 wrote it"),
        ("disk", full_disk, State.FAILED, "512M of 500G free"),
        ("disk", filling_disk, State.WARNING, "20G of 500G free"),
        ("disk", full_engine, State.FAILED, "/var/lib/docker: 512M of 500G free"),
        ("limits-file", no_limits_file, State.WARNING, "built-in limits are in force"),
        ("limits-file", writable_limits, State.FAILED, "they set everybody's limits"),
        ("limits-file", replaceable_limits, State.FAILED, "they set everybody's limits"),
        ("limits-file", students_limits, State.WARNING, "in 1 place."),
        ("limits-file", too_much, State.WARNING, "in 2 places."),
        ("limits-file", strangers, State.WARNING, "in 3 places."),
        ("limits-file", no_certificates, State.WARNING, "in 1 place."),
        ("limits-file", others_addresses, State.WARNING, "in 1 place."),
        ("quarantine", fault, State.WARNING, "1 GPU out of service"),
        ("foreign-processes", outside, State.WARNING, "Somebody works outside DS01 on 1 GPU"),
        ("file-systems", no_nosuid, State.WARNING, "/home: mounted without nosuid,nodev"),
        ("sysctls", no_hardlinks, State.FAILED, "fs.protected_hardlinks"),
        ("sysctls", ptrace, State.WARNING, "kernel.yama.ptrace_scope"),
        ("sysctls", few_watchers, State.WARNING, "too low or not in this kernel: fs.inotify.max_user_instances."),
        ("sysctls", no_yama, State.WARNING, "kernel.yama.ptrace_scope"),
        ("cgroups", cgroups(1), State.WARNING, "version 1"),
        ("cgroups", cgroups(0), State.FAILED, "no control groups"),
        ("bases", no_minimal, State.WARNING, "'minimal' is not built"),
        ("clock", unsynchronised, State.WARNING, "No time service"),
        ("groups", sudo, State.WARNING, "rights of its own (1 case)"),
    ],
)
async def test_a_check_sees_what_is_wrong(lab: Lab, name: str, broken: Break, state: State, said: str) -> None:
    assert (await lab.check(name)).state == (State.WARNING if name in SOUND else State.OK)
    broken(lab)
    found = await lab.check(name)
    assert found.state == state
    assert said in found.text
    assert found.fix


async def test_simulated_gpus_are_said_loudly(lab: Lab) -> None:
    found = await lab.check("gpus")
    assert found.state == State.WARNING
    assert "THE GPUS ARE SIMULATED" in found.text


async def test_a_broken_limits_file_is_shown_with_its_line_to_admins(lab: Lab) -> None:
    world = lab.world()
    lab.write_limits("defaults: {idle: soon}\n")
    world.policy.reload()
    found = await lab.check("limits-file", world)
    assert found.state == State.FAILED
    assert found.details[0].startswith(f"{lab.limits}:1:18 defaults.idle: expected a duration")


async def test_a_place_that_names_nobody_is_shown_to_all(lab: Lab) -> None:
    too_much(lab)
    found = await lab.check("limits-file")
    assert "in 2 places. limits.yaml:1 defaults.gpus.max: 3 is more" in found.text
    assert len(found.details) == 1
    strangers(lab)
    found = await lab.check("limits-file")
    assert "ds01-amdin" in found.text
    assert "alcie" not in found.text
    assert "alcie" in " ".join(found.details)


def nobody_in_a_group(lab: Lab) -> None:
    lab.write_limits("groups: {admin: {unix_groups: [ds01-admin]}}\n")


@pytest.mark.parametrize(
    ("odd", "fix"),
    [
        (nobody_in_a_group, "gpasswd -a <login> ds01-admin"),
        (too_much, "sudoedit {}, or leave it: more than there is means all there is."),
        (others_addresses, "sudoedit {}"),
        (strangers, "gpasswd -a <login> ds01-amdin; for the rest: sudoedit {}"),
    ],
)
async def test_what_to_do_about_limits_that_do_not_fit(lab: Lab, odd: Callable[[Lab], None], fix: str) -> None:
    odd(lab)
    found = await lab.check("limits-file")
    assert found.fix == fix.format(lab.limits)


async def test_admins_may_be_in_strong_groups(lab: Lab) -> None:
    lab.write_limits("users: {alice: {admin: true}}\n")
    lab.facts.groups |= {"disk": frozenset({"alice"}), "docker": frozenset({"alice"})}
    lab.facts.files[ENGINE] = socket(0o660, "docker")
    assert (await lab.check("groups")).state == State.OK
    assert (await lab.check("engine-socket")).state == State.OK


async def test_a_socket_in_a_closed_folder_is_closed(lab: Lab) -> None:
    lab.facts.files |= {ENGINE: socket(0o666), "/run/engine": folder(0o700)}
    assert (await lab.check("engine-socket")).state == State.OK


async def test_the_gateway_at_the_standard_place_is_no_second_engine(lab: Lab) -> None:
    lab.facts.files["/run/docker.sock"] = socket(0o666)
    lab.facts.answers["/run/docker.sock", "/_ping"] = {"ds01-gateway": "1"}
    assert (await lab.check("other-engines")).state == State.OK


async def test_e21_a_container_that_may_plant_a_setuid_file_is_a_failure(lab: Lab) -> None:
    no_nosuid(lab)
    mine = replace(container("thesis"), mounts=(Mount(source="/run/x", target="/w", shown="/home/alice/w"),))
    await lab.ledger.write(lambda books: books.put_container(mine))
    found = await lab.check("file-systems")
    assert (found.state, found.details) == (State.FAILED, ("thesis",))
    await lab.ledger.write(lambda books: books.put_container(replace(mine, forced_user=True)))
    assert (await lab.check("file-systems")).state == State.WARNING


async def test_o27_what_the_ledger_does_not_know_is_told(lab: Lab) -> None:
    gone = replace(container("gone"), state=ContainerState.RUNNING)
    await lab.ledger.write(lambda books: books.put_container(gone))
    assert (await lab.check("unowned")).state == State.OK
    await lab.clock.advance(120)
    found = await lab.check("unowned")
    assert (found.state, found.details) == (State.WARNING, ("gone",))


async def test_a_clock_behind_the_record_is_a_failure(lab: Lab) -> None:
    late = Event(at=lab.clock.now(), type=EventType.DAEMON_STARTED, actor=None, uid=None, subject="ds01d")
    await lab.ledger.write(lambda books: books.record(late))
    lab.clock.jump(timedelta(hours=-2))
    found = await lab.check("clock")
    assert found.state == State.FAILED
    assert "2h behind" in found.text


@pytest.mark.parametrize(
    ("engine", "api", "too_old", "closed"),
    [("19.03.1", "1.40", True, 2), ("20.10.24+dfsg1", "1.41", False, 2), ("29.4.0", "1.52", False, 1),
     ("29.5.1", "1.53", False, 0), ("31.0.0", "1.60", False, 1), ("unknown", "", False, 2)],
)  # fmt: skip
def test_versions_close_what_they_cannot_do_safely(engine: str, api: str, too_old: bool, closed: int) -> None:
    found = gates(engine, api)
    assert (found.too_old, len(found.closed)) == (too_old, closed)


async def test_an_engine_without_the_guard_is_said(lab: Lab) -> None:
    lab.engine.guarding = None
    found = await lab.check("guard")
    assert (found.state, "as its owner" in found.text) == (State.WARNING, True)
    assert "ds01-guard" in found.fix


@pytest.mark.parametrize(
    ("path", "facts", "word"),
    [
        (GUARD, folder(0o777), GUARD), (f"{GUARD}/grants", folder(0o720), "grants"),
        (DATA_ROOT, folder(0o711), "Everybody may enter"),
    ],
)  # fmt: skip
async def test_a_guard_others_can_write_to_is_none(lab: Lab, path: str, facts: FileFacts, word: str) -> None:
    assert (await lab.check("guard")).state == State.OK
    lab.facts.files[path] = facts
    found = await lab.check("guard")
    assert (found.state, word in found.text) == (State.FAILED, True)


async def test_e17_another_runc_in_front_of_the_guard(lab: Lab) -> None:
    lab.facts.guards.clear()
    assert "BuildKit" in (await lab.check("guard")).text


async def test_no_user_namespaces(lab: Lab) -> None:
    lab.facts.sysctls["user.max_user_namespaces"] = "0"
    assert (await lab.check("guard")).state == State.FAILED


class RealGpus(SimDevices):
    """GPUs that say they are real."""

    @property
    def simulated(self) -> bool:
        return False


def real(lab: Lab) -> None:
    lab.devices = RealGpus(["a100-40gb"] * 2, run=lab.run, clock=lab.clock)


@pytest.mark.parametrize(
    ("opened", "state", "word"),
    [
        ({}, State.OK, "not tried"), ({"/dev/nvidia0": False, "/dev/nvidia1": False}, State.OK, "cannot open"),
        ({"/dev/nvidia0": False, "/dev/nvidia1": True}, State.WARNING, "can open /dev/nvidia1"),
    ],
)  # fmt: skip
async def test_g16_g17_a_gpu_that_programs_of_the_host_can_open(
    lab: Lab, opened: dict[str, bool], state: State, word: str
) -> None:
    real(lab)
    lab.facts.opened = opened
    found = await lab.check("gpu-nodes")
    assert (found.state, word in found.text) == (state, True), found.text


async def test_simulated_gpus_need_no_toolkit_and_no_closed_nodes(lab: Lab) -> None:
    assert [(await lab.check(name)).state for name in ("gpu-nodes", "toolkit")] == [State.OK, State.OK]


@pytest.mark.parametrize(("version", "state"), [("", State.FAILED), ("1.17.7", State.FAILED), ("1.17.8", State.OK)])
async def test_e30_an_old_toolkit_is_a_hole(lab: Lab, version: str, state: State) -> None:
    real(lab)
    lab.facts.versions["nvidia-ctk"] = version
    assert (await lab.check("toolkit")).state is state


@pytest.mark.parametrize(
    ("text", "state"),
    [
        (None, State.WARNING), ("{}", State.WARNING), ("{", State.FAILED), ("[]", State.FAILED),
        ('{"builder": {"Entitlements": {"network-host": true}}}', State.FAILED),
        ('{"builder": {"Entitlements": {"security-insecure": true}}}', State.FAILED),
        ('{"builder": {"entitlements": {"network-host": false}, "gc": {"enabled": true}}}', State.OK),
        ('{"builder": {"entitlements": {"network-host": false}}}', State.WARNING),
        ('{"builder": {"entitlements": {"network-host": false}, "GC": {"enabled": false}}}', State.WARNING),
    ],
)  # fmt: skip
async def test_d15_what_the_engines_builder_gives(lab: Lab, text: str | None, state: State) -> None:
    lab.facts.texts = {} if text is None else {DAEMON_JSON: text}
    assert (await lab.check("builder")).state is state


@pytest.mark.parametrize(
    ("given", "state"),
    [
        ({"network-host": False}, State.WARNING),
        ({"network-host": False, "device": True}, State.FAILED),
        ({"network-host": False, "device": False}, State.OK),
    ],
)
async def test_g11_a_newer_engines_builder_gives_devices_too(lab: Lab, given: dict[str, bool], state: State) -> None:
    lab.engine.release = "29.0.1"
    lab.facts.texts = {DAEMON_JSON: json.dumps({"builder": {"Entitlements": given}})}
    found = await lab.check("builder")
    assert (found.state, "device" in found.fix) == (state, state is not State.OK)


@pytest.mark.parametrize(("version", "state"), [("", State.WARNING), ("1.1.5", State.WARNING), ("1.4.0", State.OK)])
async def test_the_runc_that_is_installed_is_looked_at(lab: Lab, version: str, state: State) -> None:
    lab.facts.versions["runc"] = version
    assert (await lab.check("runc")).state is state


async def test_containers_that_reach_the_kernels_ciphers(lab: Lab) -> None:
    assert (await lab.check("crypto-sockets")).state is State.OK
    lab.facts.ciphers = True
    found = await lab.check("crypto-sockets")
    assert (found.state, "modprobe" in found.fix) == (State.WARNING, True)


@pytest.mark.parametrize(
    ("version", "fixed"),
    [("1.1.12", False), ("1.2.7", False), ("1.2.8", True), ("1.3.2", False), ("1.3.3", True), ("1.4.0", True),
     ("2.0", True), ("", False), ("1.1.5+ds1", False)],
)  # fmt: skip
def test_a_runc_with_known_ways_out(version: str, fixed: bool) -> None:
    assert runc_fixed(version) is fixed


@pytest.mark.parametrize(
    ("answer", "mode", "state"),
    [
        (None, 0o600, State.WARNING), ({"server": "Docker"}, 0o600, State.WARNING),
        ({"server": "Docker"}, 0o666, State.FAILED), ({"ds01-gateway": "1"}, 0o666, State.OK),
    ],
)  # fmt: skip
async def test_what_plain_docker_finds(lab: Lab, answer: dict[str, str] | None, mode: int, state: State) -> None:
    lab.facts.answers.pop(("/run/docker.sock", "/_ping"))
    if answer is not None:
        lab.facts.answers["/run/docker.sock", "/_ping"] = answer
    lab.facts.files["/run/docker.sock"] = socket(mode)
    assert (await lab.check("usual-socket")).state is state


async def test_a_user_whose_socket_has_no_place_is_named_until_it_has_one(lab: Lab) -> None:
    world, place = lab.world(), "/run/ds01/u/1001-1/docker.sock"
    entry = DoorAudit(uid=ALICE.uid, method="", path=place, subject="", outcome="closed", rule="x", reason="a file")
    assert (await lab.check("own-sockets", world)).state is State.OK
    await audit.record(world, [entry])
    found = await lab.check("own-sockets", world)
    assert (found.state, found.details) == (State.WARNING, (f"1001: {place}: a file",))
    lab.facts.answers[place, "/_ping"] = {"ds01-gateway": "1"}
    assert (await lab.check("own-sockets", world)).state is State.OK


async def test_a_full_disk_says_what_takes_the_room_and_what_can_go(lab: Lab) -> None:
    full_engine(lab)
    lab.facts.disks["/var/lib/ds01"] = DiskFacts(free_bytes=20 * GIB, total_bytes=500 * GIB)
    for name, size in (("ledger.db", 2 * GIB), ("ledger.db-wal", GIB)):
        lab.facts.files[f"/var/lib/ds01/{name}"] = FileFacts(
            kind="file", owner_uid=0, group="root", mode=0o600, size_bytes=size
        )
    world = lab.world()
    hers = container("thesis")
    await lab.ledger.write(lambda books: books.put_account(Account(uid=ALICE.uid, login="alice", epoch=1)))
    await lab.ledger.write(lambda books: books.put_container(hers))
    world.disk.use = DiskUse(containers={hers.id: 40 * GIB})
    found = await lab.check("disk", world)
    assert found.state is State.FAILED
    assert "alice 40G (images 0B, containers 40G, volumes 0B)" in " ".join(found.details)
    assert "The ledger takes 3G" in found.details
    assert "docker builder prune -a" in found.fix
    assert "The ledger needs room" in found.fix
    assert "/home" not in found.text + found.fix
    shown = {check.name: check.text for check in (await examine(world, admin=False)).checks}
    assert "alice" not in shown["disk"]


async def test_a_disk_is_looked_at_also_while_the_engine_is_away(lab: Lab) -> None:
    full_disk(lab)
    lab.engine.faults.away = True
    found = await lab.check("disk")
    assert (found.state, DATA_ROOT in found.text) == (State.FAILED, False)


COMMANDS = re.compile(
    r"(?<![\w-])(apt-get install|chmod|chown|cp|df|docker|ds01|du|export|gpasswd|journalctl|mount|nvidia-smi|printf|"
    r"python3|runc --version|ss|sudoedit|sysctl|systemctl|timedatectl)(?![\w-])"
)
ELSEWHERE = ("See the check 'engine'.", "error.problem.hint")
"""What another check says, and what the error itself says to do."""


def fixes(name: str) -> Iterator[tuple[int, str]]:
    """What to do about each finding that a check has, as its file says it: line and text, with what it is made of."""
    module = importlib.import_module(f"{checks.__name__}.{name.replace('-', '_')}")
    tree = ast.parse(inspect.getsource(module))
    known: dict[str, str] = {
        target.id: ast.unparse(each.value)
        for each in ast.walk(tree) if isinstance(each, ast.Assign)
        for target in each.targets if isinstance(target, ast.Name)
    }  # fmt: skip
    known |= {each.name: ast.unparse(each) for each in ast.walk(tree) if isinstance(each, ast.FunctionDef)}
    for each in ast.walk(tree):
        if isinstance(each, ast.Call) and isinstance(each.func, ast.Name) and each.func.id in ("warning", "failed"):
            used = {found.id for found in ast.walk(each.args[1]) if isinstance(found, ast.Name)}
            also = {word for name in used for word in re.findall(r"\w+", known.get(name, "")) if word.isupper()}
            yield each.lineno, " ".join([ast.unparse(each.args[1]), *(known.get(word, "") for word in used | also)])


@pytest.mark.parametrize("name", sorted(every()))
def test_every_finding_of_the_server_names_a_command(name: str) -> None:
    """Nothing of the server is mended by itself, so what to type is said."""
    found = list(fixes(name))
    assert found
    for line, fix in found:
        assert COMMANDS.search(fix) or any(word in fix for word in ELSEWHERE), f"{name}, line {line}: {fix}"
