"""Everything put together, in one place, top to bottom."""

from __future__ import annotations

import os
import shutil
import socket
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import tzinfo
from importlib import resources
from pathlib import Path

import ds01
from ds01.adapters.docker.engine import DockerEngine
from ds01.adapters.host.clock import SystemClock, local_zone
from ds01.adapters.host.facts import SystemFacts
from ds01.adapters.host.fence import IptablesFence
from ds01.adapters.host.host import LinuxHost
from ds01.adapters.host.meters import CgroupMeters
from ds01.adapters.notify.mail import Mail
from ds01.adapters.notify.shells import Shells
from ds01.adapters.notify.terminals import Terminals
from ds01.adapters.notify.webhook import Webhook
from ds01.adapters.notify.workspace import WorkspaceFile
from ds01.adapters.nss.directory import NssDirectory
from ds01.adapters.sql.ledger import SqlLedger
from ds01.config.current import CurrentLimits
from ds01.daemon.gpus import devices
from ds01.domain.errors import Ds01Error
from ds01.domain.settings import MINIMAL
from ds01.ports.channel import Channel
from ds01.ports.engine import Engine, EngineVersion
from ds01.ports.host import Host
from ds01.ports.meters import Meters
from ds01.services.tickets import Tickets
from ds01.services.world import Paths, World
from ds01.sim.fence import SimFence


@dataclass(frozen=True, kw_only=True)
class Options:
    """What ``ds01d`` was called with."""

    paths: Paths
    simulate: bool = False
    gateway_uids: frozenset[int] = frozenset({0})
    remove_fence: bool = False
    """Only take the rules out of the firewall, and end."""


async def build(options: Options) -> World:
    """The world of this server. Raises Ds01Error when the limits file or the ledger cannot be read, and leaves nothing
    open then.
    """
    paths = options.paths
    policy = CurrentLimits(paths.limits, paths.state / "limits.good.yaml")
    clock = SystemClock()
    _folders(paths)
    _place_of_doors(paths, options.gateway_uids)
    async with AsyncExitStack() as opened:
        engine = _engine(options, clock)
        opened.push_async_callback(engine.close)
        version = await _version(engine)
        meters = _meters(options, clock)
        zone = local_zone()
        gpus = devices(
            policy.settings.gpus, run=paths.run, clock=clock, cdi_folders=version.cdi_folders if version else (),
            simulate=options.simulate,
        )  # fmt: skip
        opened.callback(gpus.close)
        world = World(
            engine=engine,
            devices=gpus,
            ledger=SqlLedger(paths.state / "ledger.db"),
            directory=NssDirectory(),
            host=_host(options, version),
            facts=SystemFacts(),
            fence=SimFence() if options.simulate else IptablesFence(),
            meters=meters,
            channels=() if options.simulate else _channels(policy, meters, clock, zone),
            clock=clock,
            policy=policy,
            paths=paths,
            server=socket.gethostname(),
            cpus=len(os.sched_getaffinity(0)),
            version=ds01.__version__,
            zone=zone,
            tickets=Tickets(anew=not options.simulate),
        )
        opened.pop_all()
    return world


async def dismantle(world: World) -> None:
    """Let go of everything."""
    await world.engine.close()
    world.devices.close()
    await world.ledger.close()


def _folders(paths: Paths) -> None:
    """The run folder with what goes into containers: world-readable, written by root alone."""
    paths.run.mkdir(parents=True, exist_ok=True)
    paths.lib.mkdir(exist_ok=True)
    for name in ("session", "job"):
        script = resources.files("ds01.adapters.host") / f"{name}.sh"
        staged = paths.lib / f".{name}"
        with resources.as_file(script) as source:
            shutil.copyfile(source, staged)
        staged.chmod(0o755)
        staged.rename(paths.lib / name)


def _place_of_doors(paths: Paths, gateways: frozenset[int]) -> None:
    """Where the gateway puts its users' sockets for their containers; nobody else on the host gets there."""
    place = paths.doors
    place.mkdir(exist_ok=True)
    place.chmod(0o700)
    if os.geteuid() == 0:
        os.chown(place, next((uid for uid in sorted(gateways) if uid), 0), -1)


def _engine(options: Options, clock: SystemClock) -> Engine:
    if not options.simulate:
        return DockerEngine(options.paths.engine)
    from ds01.sim.engine import SimEngine

    engine = SimEngine(clock)
    engine.add_image(MINIMAL.reference)
    return engine


async def _version(engine: Engine) -> EngineVersion | None:
    """What the engine is, None when it does not answer yet: ds01d starts without it and waits."""
    try:
        return await engine.version()
    except Ds01Error:
        return None


def _meters(options: Options, clock: SystemClock) -> Meters:
    if not options.simulate:
        return CgroupMeters()
    from ds01.sim.meters import SimMeters

    return SimMeters(clock=clock)


def _channels(policy: CurrentLimits, meters: Meters, clock: SystemClock, zone: tzinfo) -> tuple[Channel, ...]:
    """Every way to reach people, the nearest first."""
    return (
        Terminals(),
        Shells(meters),
        WorkspaceFile(lambda: clock.now().astimezone(zone)),
        Mail(lambda: policy.settings.notices.mail, socket.gethostname()),
        Webhook(lambda: policy.settings.notices.webhooks),
    )


def _host(options: Options, version: EngineVersion | None) -> Host:
    if options.simulate:
        from ds01.sim.host import SimHost

        return SimHost(homes_are_full=True)
    guess = "systemd" if Path("/run/systemd/system").exists() else "cgroupfs"
    return LinuxHost(run=options.paths.run, cgroup_driver=version.cgroup_driver if version else guess)
