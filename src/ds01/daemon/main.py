"""``ds01d``: read the options, take the lock, build the world, serve until told to stop."""

from __future__ import annotations

import argparse
import asyncio
import faulthandler
import logging
import os
import pwd
import signal
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import uvloop

import ds01
from ds01.adapters.host.fence import IptablesFence
from ds01.api.app import create_app
from ds01.daemon import logs
from ds01.daemon.lock import BEGUN, begun, is_first, lock
from ds01.daemon.loops import Loops
from ds01.daemon.sealkey import keep, kept
from ds01.daemon.serve import GRACE_SECONDS, Server, notify
from ds01.daemon.wiring import Options, build, dismantle
from ds01.domain.errors import ENGINE_DOWN, Ds01Error, Problem
from ds01.domain.events import Event, EventType
from ds01.domain.fence import FencePlan
from ds01.domain.settings import POOL
from ds01.garbage import look_seldom
from ds01.services.fence import name_of
from ds01.services.lost import check_nothing_runs, nothing_before
from ds01.services.seal import adopt_key
from ds01.services.world import Paths, World
from ds01.watchdog import every, stay_awake

_log = logging.getLogger("ds01d")

THREADS = 32
"""For what waits for the disk or for accounts: so many that nobody's own long looks keep others from being known."""


def main(arguments: Sequence[str] | None = None) -> int:
    """The program. Ends with the exit code of what stopped it from starting, else with 0."""
    faulthandler.enable()
    options = parse(sys.argv[1:] if arguments is None else arguments)
    logs.configure()
    look_seldom()
    try:
        with lock(options.paths.state):
            uvloop.run(remove_fence(options) if options.remove_fence else run(options))
    except Ds01Error as error:
        sys.stderr.write(sentence(error.problem) + "\n")
        return int(error.kind.exit)
    return 0


def parse(arguments: Sequence[str]) -> Options:
    """The options, with the paths a packaged ds01d uses as defaults."""
    parser = argparse.ArgumentParser(prog="ds01d", description="The daemon of DS01: it decides who gets what.")
    parser.add_argument("--state", type=Path, default=Path("/var/lib/ds01"), help="folder of the ledger")
    parser.add_argument("--run", type=Path, default=Path("/run/ds01"), help="folder of the sockets")
    parser.add_argument("--engine", default="unix:///var/run/docker.sock", help="address of the Docker engine")
    parser.add_argument("--limits", type=Path, default=Path("/etc/ds01/limits.yaml"), help="the limits file")
    parser.add_argument("--gateway-socket", type=Path, help="the gateway's socket (default: RUN/docker.sock)")
    parser.add_argument(
        "--gateway-uid", type=_uid, action="append", default=[], help="uid the gateway runs as, or the account's name"
    )
    parser.add_argument("--simulate", action="store_true", help="no engine, no GPUs, no mounts: all of it simulated")
    parser.add_argument(
        "--remove-fence", action="store_true",
        help="take DS01's rules out of the firewall and end: when DS01 is removed from this server",
    )  # fmt: skip
    parser.add_argument("--version", action="version", version=f"ds01d {ds01.__version__}")
    given = parser.parse_args(arguments)
    run = given.run.absolute()
    paths = Paths(
        state=given.state.absolute(), run=run, limits=given.limits.absolute(), engine=given.engine,
        gateway=(given.gateway_socket or run / "docker.sock").absolute(),
    )  # fmt: skip
    return Options(
        paths=paths, simulate=given.simulate, gateway_uids=frozenset({0, *given.gateway_uid}),
        remove_fence=given.remove_fence,
    )  # fmt: skip


def _uid(text: str) -> int:
    """A uid, also by the name of its account."""
    try:
        return int(text) if text.isdecimal() else pwd.getpwnam(text).pw_uid
    except KeyError as error:
        raise argparse.ArgumentTypeError(f"there is no account {text}") from error


async def remove_fence(options: Options) -> None:
    """What stays in the kernel when DS01 is gone: its chains. Which ranges they are about does not matter for that."""
    plan = FencePlan(name=name_of(options.paths.run), pool=POOL, networks=(), ports=())
    await IptablesFence().take_down(plan)


async def run(options: Options) -> None:
    """Serve until SIGTERM or SIGINT."""
    world = await build(options)
    loops = Loops(world)
    try:
        if is_first(options.paths.state):
            await begin(world)
        await _keep_key(options, world)
        await loops.first()
        await _record(world, EventType.DAEMON_STARTED)
        await _serve(options, world, loops)
        await _record(world, EventType.DAEMON_STOPPED)
    finally:
        await dismantle(world)


async def begin(world: World) -> None:
    """The very first start on this server: nothing that is there is DS01's. Unless it comes so far, the next one is the
    first again. Raises Ds01Error (``daemon.unsure``).
    """
    try:
        await check_nothing_runs(world, world.paths.state / BEGUN)
    except Ds01Error as error:
        if error.kind is not ENGINE_DOWN:
            raise
        _log.warning("not looked at what runs already", extra={"why": error.problem.message})
    await world.ledger.write(nothing_before)
    begun(world.paths.state)


async def _keep_key(options: Options, world: World) -> None:
    """The seal's key beside the ledger. On a full disk there is none, and that keeps nobody from working."""
    state = options.paths.state
    try:
        keep(state, await adopt_key(world, kept(state)))
    except OSError as error:
        _log.warning("the key of the seal is not kept beside the ledger", extra={"why": error.strerror})


async def _serve(options: Options, world: World, loops: Loops) -> None:
    app = create_app(world, gateway_uids=options.gateway_uids)
    server = Server(app, options.paths.run / "ds01d.sock")
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(THREADS, thread_name_prefix="work"))

    async def stop() -> None:
        notify("STOPPING=1")
        world.line.close()
        await app.state.streams.stop(GRACE_SECONDS)
        server.stop()

    def asked() -> None:
        stopping.append(loop.create_task(stop()))

    stopping: list[asyncio.Task[None]] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, asked)
    _log.info("serving", extra={"socket": str(options.paths.run / "ds01d.sock"), "simulated": options.simulate})
    awake = loop.create_task(stay_awake(every(os.environ, os.getpid()), notify))
    try:
        async with loops:
            await server.listen()
    finally:
        awake.cancel()
    await asyncio.gather(*stopping)


async def _record(world: World, type_: EventType) -> None:
    event = Event(
        at=world.clock.now(), type=type_, actor=None, uid=None, subject="ds01d", details={"version": ds01.__version__}
    )
    await world.ledger.write(lambda books: books.record(event))


def sentence(problem: Problem) -> str:
    """A problem as a program without colours says it."""
    lines = (problem.message, problem.reason, f"Next: {problem.hint}" if problem.hint else "")
    return "ds01d: " + " ".join(line for line in lines if line)
