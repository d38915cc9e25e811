"""``ds01-gateway``: the Docker API as users see it.

Started as root it takes its socket, then becomes ``--user`` for good; started unprivileged (by systemd, say) it uses
what it has. It keeps no state: killed and started again it knows everything again within a moment.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import faulthandler
import os
import signal
import socket
import sys
from collections.abc import Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any

import structlog
import uvloop

from ds01.domain.names import GLASS_SOCKET
from ds01.garbage import look_seldom
from ds01.gateway import kept
from ds01.gateway.accounts import LocalAccounts
from ds01.gateway.audit import Audit
from ds01.gateway.call import Gate
from ds01.gateway.door import Door
from ds01.gateway.engine import EngineFacts
from ds01.gateway.glass import Glass
from ds01.gateway.identity import Presence
from ds01.gateway.listen import Listener, many_files, own_socket
from ds01.gateway.memory import give_back, keep_some
from ds01.gateway.own_sockets import OwnSockets
from ds01.gateway.privilege import become
from ds01.gateway.registry import Registry
from ds01.gateway.serve import Server
from ds01.gateway.table import TABLE
from ds01.gateway.upstream import Upstream
from ds01.watchdog import every, stay_awake

_LOG = structlog.get_logger("ds01.gateway")


def main(arguments: Sequence[str] | None = None) -> int:
    """The program."""
    options = _parser().parse_args(arguments)
    structlog.configure(processors=[
        structlog.processors.add_log_level, structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info, structlog.processors.JSONRenderer(),
    ], cache_logger_on_first_use=True)  # fmt: skip
    faulthandler.enable()
    try:
        passed = kept.passed(os.environ, os.getpid())
        listening = passed.own or own_socket(options.socket or options.run / "docker.sock")
        past = _past(options.run)
        if options.user and os.geteuid() == 0:
            become(options.user, Path(_unix(options.engine)))
    except (OSError, ValueError, KeyError) as error:
        print(f"ds01-gateway: cannot start: {error}", file=sys.stderr)
        return 1
    if os.geteuid() == 0:
        _LOG.warning("privilege.root", what="the gateway runs as root; start it with --user")
    many_files()
    look_seldom()
    keep_some()
    with contextlib.suppress(KeyboardInterrupt):
        api = str(options.api or options.run / "ds01d.sock")
        folder = options.run / "u"
        engine = _unix(options.engine)
        return uvloop.run(run(listening, past, engine=engine, api=api, folder=folder, passed=passed.of_users))
    return 0


def _past(run: Path) -> socket.socket | None:
    """The socket of the way past the gateway; none where there is no place for it."""
    try:
        return own_socket(run / GLASS_SOCKET)
    except OSError as error:
        _LOG.warning("glass.closed", reason=str(error))
        return None


async def run(
    listening: socket.socket, past: socket.socket | None = None, *, engine: str, api: str, folder: Path,
    passed: Mapping[str, socket.socket],
) -> int:  # fmt: skip
    """Serve until SIGTERM or SIGINT; the status to end with.

    ``past`` is the socket of the way past the gateway, ``folder`` is where users' own are, ``passed`` those of them
    that were kept over a restart.
    """
    presence = Presence()
    gate, own = _made(engine, api, folder, passed, presence)
    listener, glass = Listener(Server(gate, TABLE, may_watch=True), presence), Listener(Glass(gate), presence)
    await gate.facts.refresh()
    stop = _stop()
    tasks = [asyncio.create_task(work, name=name) for name, work in _always(gate).items()]
    await own.again(gate.engine)
    tasks.append(asyncio.create_task(own.keep_trying(), name="own sockets"))
    await listener.listen(listening)
    if past is not None:
        await glass.listen(past)
    _LOG.info("ready", engine=engine, api=api, uid=os.geteuid())
    kept.tell("READY=1")
    status = await _until(stop, tasks)
    kept.tell("STOPPING=1")
    try:
        await _ended(tasks)
        for each in (listener, glass, own):
            await each.close()
    finally:
        await gate.audit.flush()
    _LOG.info("stopped", status=status)
    return status


def _made(
    engine: str, api: str, folder: Path, passed: Mapping[str, socket.socket], presence: Presence
) -> tuple[Gate, OwnSockets]:
    """What requests are served with, and the sockets of users' containers, which are served with the same."""
    upstream, door = Upstream(engine, "the engine"), Door(api)
    audit = Audit(door)
    registry = Registry(door, local=LocalAccounts().login)
    own = OwnSockets(folder, lambda: Server(gate, TABLE), presence, passed, audit, registry.people.user)
    gate = Gate(
        engine=upstream, door=door, registry=registry, audit=audit, facts=EngineFacts(upstream, door),
        own_socket=own.open,
    )  # fmt: skip
    return gate, own


def _stop() -> asyncio.Event:
    """Set when the gateway is told to stop."""
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    return stop


async def _until(stop: asyncio.Event, tasks: Sequence[asyncio.Task[object]]) -> int:
    """Wait for the word to stop. What goes on always must not end meanwhile: without it nothing would be shown, or
    written down, so then this process ends too and is started again, and knows everything again.
    """
    stopped = asyncio.create_task(stop.wait())
    done, _ = await asyncio.wait({stopped, *tasks}, return_when=asyncio.FIRST_COMPLETED)
    if stopped in done:
        return 0
    stopped.cancel()
    for task in done:
        _LOG.error("ended", what=task.get_name(), exc_info=task.exception())
    return 1


async def _ended(tasks: Sequence[asyncio.Task[object]]) -> None:
    """End what goes on always: some of it opens what is closed next."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _always(gate: Gate) -> dict[str, Coroutine[Any, Any, object]]:
    """What goes on for as long as the gateway runs, by what it is for."""
    always: dict[str, Coroutine[Any, Any, object]] = {
        "registry": gate.registry.follow(), "ending": gate.registry.people.keep_ending(), "audit": gate.audit.run(),
        "facts": gate.facts.keep(), "held": gate.door.held.keep(), "memory": give_back(),
    }  # fmt: skip
    seconds = every(os.environ, os.getpid())
    return always | ({"watchdog": stay_awake(seconds, kept.tell)} if seconds is not None else {})


def _unix(address: str) -> str:
    if not address.startswith("unix://"):
        raise ValueError(f"the engine's address must start with unix://, not {address!r}")
    return address.removeprefix("unix://")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="ds01-gateway", description="The Docker API, safe to give to everybody.")
    parser.add_argument("--run", type=Path, default=Path("/run/ds01"), help="where the sockets are")
    parser.add_argument("--engine", default="unix:///var/run/docker.sock", help="the engine's address")
    parser.add_argument("--api", type=Path, help="the socket of ds01d (default: <run>/ds01d.sock)")
    parser.add_argument("--socket", type=Path, help="the socket to serve (default: <run>/docker.sock)")
    parser.add_argument("--user", default="", help="become this account after taking the socket")
    return parser


if __name__ == "__main__":
    sys.exit(main())
