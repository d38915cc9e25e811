"""The three programs of DS01 in the background, under one state directory: engine, ds01d, gateway.

    python -m dev.stack up      starts what does not run, waits until all answer, prints where they are as JSON
    python -m dev.stack down    stops exactly these

``STATE=DIR`` chooses the state directory. An engine that already answers on the standard socket is used and never
stopped; otherwise one of our own is started. What was started is recorded with pid and start time, so ``down`` can
end nothing else.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from dev import base, engine, installation, people, policy, programs, remains
from dev.programs import Program

STANDARD_ENGINE = "/var/run/docker.sock"
SOCKET_LENGTH = 107
_DEEPEST_SOCKET = "engine/exec/containerd/containerd-debug.sock"


class StackError(Exception):
    """The stack cannot run; the message is a sentence."""


@dataclass(frozen=True, kw_only=True)
class Stack:
    """What runs and where. ``engine_program`` is None for an engine that was running already."""

    state: Path
    engine: str
    python: str
    ds01d: Program | None = None
    gateway: Program | None = None
    engine_program: Program | None = None

    @property
    def run(self) -> Path:
        """The folder of the sockets."""
        return self.state / "run"

    @property
    def api(self) -> str:
        """ds01d's socket."""
        return str(self.run / "ds01d.sock")

    @property
    def door(self) -> str:
        """The gateway's socket."""
        return str(self.run / "docker.sock")

    @property
    def limits(self) -> Path:
        """The limits file."""
        return self.state / "limits.yaml"

    def log(self, name: str) -> Path:
        """The log of ``ds01d``, ``gateway`` or ``engine``."""
        return self.state / "log" / f"{name}.log"

    def shown(self) -> dict[str, object]:
        """The JSON that ``up`` prints."""
        named = {"ds01d": self.ds01d, "gateway": self.gateway, "engine": self.engine_program}
        return {
            "engine": self.engine, "api": self.api, "gateway": self.door, "state": str(self.state),
            "python": self.python, "pids": {name: program.pid if program else None for name, program in named.items()},
        }  # fmt: skip


# Where -----------------------------------------------------------------------------------------------
def place(chosen: str | None) -> Path:
    """The state directory: the chosen one, or one for this checkout; short enough for its sockets.

    A unix socket's path has at most 107 bytes. A deeper directory is reached through a short link.
    """
    if chosen:
        state = Path(chosen).absolute()
    else:
        checkout = hashlib.sha256(str(installation.CHECKOUT).encode()).hexdigest()[:8]
        state = Path(f"/var/lib/ds01-dev-{checkout}")
    if len(f"{state}/{_DEEPEST_SOCKET}") <= SOCKET_LENGTH:
        return state
    return Path("/run") / f"ds01-{hashlib.sha256(str(state).encode()).hexdigest()[:8]}"


def _prepare(chosen: str | None) -> Path:
    state = place(chosen)
    real = Path(chosen).absolute() if chosen else state
    real.mkdir(parents=True, exist_ok=True)
    real.chmod(0o755)
    if state != real and not state.is_symlink():
        state.symlink_to(real)
    closed = next((str(folder) for folder in real.parents if not folder.stat().st_mode & 0o001), None)
    if closed:
        raise StackError(
            f"Other accounts cannot enter {closed}, so they could not reach the sockets; choose another STATE."
        )
    for folder in ("ds01", "run", "log"):
        (state / folder).mkdir(exist_ok=True)
    return state


# The record --------------------------------------------------------------------------------------------
def recorded(state: Path) -> Stack | None:
    """What the last ``up`` started, whether or not it still runs."""
    file = state / "stack.json"
    if not file.exists():
        return None
    found = json.loads(file.read_text())
    known = {name: Program(**found[name]) if found[name] else None for name in ("ds01d", "gateway", "engine_program")}
    return Stack(state=state, engine=found["engine"], python=found["python"], **known)


def _record(stack: Stack) -> Stack:
    part = stack.state / "stack.part"
    part.write_text(json.dumps(asdict(stack) | {"state": str(stack.state)}))
    part.rename(stack.state / "stack.json")
    return stack


@contextmanager
def _alone(state: Path) -> Iterator[None]:
    with (state / "stack.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


# Up ----------------------------------------------------------------------------------------------------
def up(
    chosen: str | None = None, *, with_base: bool = True, own_engine: bool = False, engine_programs: Path | None = None,
    gpus: Sequence[str] = policy.GPUS,
) -> Stack:  # fmt: skip
    """Start what does not run and wait until everything answers. ``own_engine``: use no other, even if one runs;
    ``engine_programs`` is the folder of its programs (``dev.engine26``), this machine's by default. ``gpus`` are
    simulated in a state that is begun here.
    """
    if os.geteuid() != 0:
        raise StackError("The engine, ds01d and the gateway's account need root: use sudo make up.")
    state = _prepare(chosen)
    with _alone(state):
        python = str(installation.python(state))
        before = recorded(state)
        stack = replace(before, python=python) if before else Stack(state=state, engine="", python=python)
        stack = _record(_engine(stack, own_engine, engine_programs))
        policy.write(state / "limits.yaml", engine.pool(stack.engine), gpus)
        if with_base:
            base.install(stack.engine)
        stack = _record(_ds01d(stack))
        return _record(_gateway(stack))


def _engine(stack: Stack, own: bool, newer: Path | None) -> Stack:
    if stack.engine and engine.answers(stack.engine):
        return stack
    if not own and not stack.engine_program and engine.answers(STANDARD_ENGINE):
        return replace(stack, engine=STANDARD_ENGINE, engine_program=None)
    if not engine.available():
        raise StackError("No engine answers and dockerd is not installed: run make up, which installs it.")
    _say("starting an engine of our own")
    remains.end_containers(stack.state / "engine")
    try:
        started = engine.start(
            stack.state / "engine", group=people.gateway().login, log=stack.log("engine"), programs=newer
        )
    except RuntimeError as error:
        raise StackError(f"{error}\n{programs.tail(stack.log('engine'))}") from error
    assert started.process is not None
    return replace(stack, engine=started.socket, engine_program=programs.let_go(started.process))


def _ds01d(stack: Stack) -> Stack:
    if programs.alive(stack.ds01d) and engine.answers(stack.api, "/v1/ping"):
        return stack
    programs.stop(stack.ds01d)
    _say("starting ds01d")
    command = [
        _script(stack, "ds01d"), "--state", str(stack.state / "ds01"), "--run", str(stack.run),
        "--engine", f"unix://{stack.engine}", "--limits", str(stack.limits), "--gateway-socket", stack.door,
        "--gateway-uid", str(people.gateway().uid),
    ]  # fmt: skip
    program = programs.start(command, stack.log("ds01d"), environment=_environment())
    _wait("ds01d", program, stack, lambda: engine.answers(stack.api, "/v1/ping"))
    return replace(stack, ds01d=program)


def _gateway(stack: Stack) -> Stack:
    if programs.alive(stack.gateway) and engine.answers(stack.door):
        return stack
    programs.stop(stack.gateway)
    _say("starting the gateway")
    # It takes its socket as root and then becomes its own account, in the group that opens the engine's socket.
    command = [
        _script(stack, "ds01-gateway"), "--run", str(stack.run), "--engine", f"unix://{stack.engine}",
        "--api", stack.api, "--user", people.gateway().login,
    ]  # fmt: skip
    program = programs.start(command, stack.log("gateway"), environment=_environment())
    _wait("the gateway", program, stack, lambda: engine.answers(stack.door))
    return replace(stack, gateway=program)


def _script(stack: Stack, name: str) -> str:
    return str(Path(stack.python).with_name(name))


def _environment() -> dict[str, str]:
    """A service's environment: nothing of the shell that happened to start it."""
    return {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}


def _wait(name: str, program: Program, stack: Stack, ready: Callable[[], bool]) -> None:
    """Wait for a program just started; if it ends or never answers, its own last words are the message."""
    came = programs.until(lambda: ready() or not programs.alive(program), 120)
    if came and programs.alive(program):
        return
    programs.stop(program)
    log = stack.log(name.removeprefix("the "))
    raise StackError(f"{name} did not start; the end of {log}:\n{programs.tail(log)}")


# Down --------------------------------------------------------------------------------------------------
def down(chosen: str | None = None) -> list[str]:
    """Stop what ``up`` started and take away its mounts, links and rules; files stay. Returns what was stopped."""
    state = place(chosen)
    stack = recorded(state)
    if stack is None:
        return []
    if os.geteuid() != 0:
        raise StackError("These programs run as root: use sudo make down.")
    with _alone(state):
        stopped = [
            name for name, program in (("gateway", stack.gateway), ("ds01d", stack.ds01d)) if programs.stop(program)
        ]
        if stack.engine_program and programs.stop(stack.engine_program, seconds=60):
            stopped.append("engine")
        _clear(stack)
    if state.is_symlink():
        state.unlink()
    return stopped


def _clear(stack: Stack) -> None:
    if stack.engine_program:
        remains.end_containers(stack.state / "engine")
    remains.unfence(stack.run)
    folders = (stack.run, stack.state / "engine")
    remains.clear(folders, engine.left(stack.state / "engine") if stack.engine_program else ())
    for socket in (stack.api, stack.door):
        Path(socket).unlink(missing_ok=True)
    (stack.state / "stack.json").unlink()


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main() -> int:
    """``up`` or ``down``."""
    parser = argparse.ArgumentParser(prog="make", description="The three programs of DS01 in the background.")
    parser.add_argument("act", choices=("up", "down"))
    parser.add_argument("--no-base", action="store_true", help="do not put the minimal base into the engine")
    options = parser.parse_args()
    chosen = os.environ.get("STATE") or None
    try:
        if options.act == "up":
            print(json.dumps(up(chosen, with_base=not options.no_base).shown()))
        else:
            stopped = down(chosen)
            _say(f"stopped: {', '.join(stopped)}" if stopped else "nothing of this stack was running")
    except (StackError, base.BaseError, installation.InstallationError, RuntimeError) as error:
        _say(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
