"""The program: check, edit, then become runc.

The engine calls it with runc's own arguments. Whatever cannot be understood, read or granted is refused in runc's own
way, so that the engine shows the sentence to whoever started the container. Nothing here falls through to runc: an
error nobody thought of ends the program, and with it the start.
"""

from __future__ import annotations

import fcntl
import os
import sys
import time

from ds01.runc import edits, streams
from ds01.runc.call import CHECKED, Call, read_call, with_descriptors
from ds01.runc.documents import read_json, write_json, written
from ds01.runc.edits import KIND, OUTSIDE, edited, edited_process, read_kind
from ds01.runc.first import ENDED, First, hold, with_opened
from ds01.runc.grants import Grant, Server, owner_of, read_server, step_grant, take_grant
from ds01.runc.namespace import with_namespace
from ds01.runc.refusal import BeforeError, RefusedError, StepRefusedError
from ds01.runc.rules import process_refusals, refusals
from ds01.runc.seal import sealed
from ds01.runc.step import is_step, placed, read_step
from ds01.runc.terminal import begins_a_session, take_terminal, with_terminal

TYPE_CHECKING = False  # typing is slow to import, and this runs at every start of a container
if TYPE_CHECKING:
    from typing import IO, Any, NoReturn

HINT = "Ask for it through DS01, or see your admin."
BEFORE = (
    "DS01: no command can be run in this container: it was started before ds01-runc stood behind the engine, so what "
    "it may is not known. What runs in it goes on. Start it again first: docker restart, or ds01 stop and ds01 start."
)
LOG_BYTES = 4 * 1024 * 1024
"""The record of refusals begins anew beyond this size, so that nobody fills the disk with them."""


def main(folder: str, runc: str) -> NoReturn:
    """Read the arguments, check, edit, exec. ``folder`` is the guard's own, ``runc`` the real one."""
    arguments = sys.argv[1:]
    try:
        arguments = guard(folder, arguments)
    except RefusedError as refused:
        _refuse(folder, arguments, f"DS01: {_what(arguments)}: it asks for {refused}. {HINT}")
    except BeforeError:
        _refuse(folder, arguments, BEFORE)
    except StepRefusedError as refused:
        _refuse(folder, arguments, f"DS01: this step of a build may not run: {refused}.")
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        detail = f"{type(error).__name__}: {error}"
        _refuse(folder, arguments, f"DS01: {_what(arguments)}: it cannot be checked ({detail}). {HINT}")
    os.execv(runc, [runc, *arguments])  # noqa: S606 - becoming runc is the point


def _what(arguments: list[str]) -> str:
    """What is refused, in words."""
    joins = read_call(arguments).command == "exec"
    return "this command may not run in the container" if joins else "this container may not start"


def guard(folder: str, arguments: list[str]) -> list[str]:
    """Check one call, and edit what it starts; returns what runc is called with. Raises RefusedError."""
    call = read_call(arguments)
    if call.command not in CHECKED:
        return arguments
    if call.command == "restore":
        raise RefusedError("a start from a checkpoint")
    if call.command == "exec":
        _exec(folder, call)
        return arguments
    passed_on = _create(folder, call)
    return with_descriptors(arguments, call, passed_on) if passed_on else arguments


def _create(folder: str, call: Call) -> int:
    """Returns how many open files the container gets besides the usual three."""
    server = read_server(folder)
    bundle = call.option("--bundle")
    path = os.path.join(bundle, "config.json")
    config = read_json(path)
    if is_step(bundle, server):
        step = read_step(folder, config, server)
        if step is not None:
            streams.of_a_start(config["process"])
            write_json(path, placed(_judged(call, config, step[0], server), step[1], call.container))
        return 0
    granted = _granted(folder, server, call, config)
    if granted is not None and granted.owner is None:
        streams.of_a_start(config["process"])
    if granted is None:
        write_json(path, {**config, "annotations": {**(config.get("annotations") or {}), KIND: OUTSIDE}})
        return 0
    judged = _judged(call, config, granted, server)
    if granted.owner is not None:
        judged = sealed(judged)
    own = granted.owner is not None and begins_a_session(config)
    terminal = take_terminal(folder, call.container, granted.uid) if own else None
    write_json(path, judged if terminal is None else with_terminal(judged, terminal))
    return 0 if terminal is None else 1


def _judged(call: Call, config: dict[str, Any], grant: Grant, server: Server) -> dict[str, Any]:
    joined: dict[int, First] = {}
    _refuse_any(refusals(config, grant, server, call.container, lambda pid: _joined(call, pid, joined)))
    made = with_opened(edited(config, grant), joined)
    for first in joined.values():
        if not _joined(call, first.pid, joined):
            raise RefusedError(ENDED)
    return with_namespace(made, grant.uid)


def _granted(folder: str, server: Server, call: Call, config: dict[str, Any]) -> Grant | None:
    """What was granted; None for a container that is in nobody's slice and may be."""
    path = str((config.get("linux") or {}).get("cgroupsPath", ""))
    owner = owner_of(path, call.container)
    if owner is not None:
        uid, step = owner
        grant = step_grant(uid) if step else take_grant(folder, call.container)
        if grant.uid != uid:
            raise RefusedError(f"the cgroup {path}, which is not its owner's")
        return grant
    if server.outside or _in_admin_slice(path, server, call.container):
        return None
    raise RefusedError(f"the cgroup {path}, which belongs to no user of DS01")


def _in_admin_slice(path: str, server: Server, container: str) -> bool:
    name = server.admin_slice
    return bool(name) and path in (f"{name}/{container}", f"/{name}/{container}", f"{name}:docker:{container}")


def _exec(folder: str, call: Call) -> None:
    path = call.option("--process")
    kind = _kind(call, call.container)
    if kind == OUTSIDE:
        return
    process = read_json(path)
    _refuse_any(process_refusals(process))
    _hold(call)
    owner = read_kind(kind)
    if owner is None:
        streams.of_an_exec(process)
    write_json(path, edited_process(process, owner, gpus=None))


def _hold(call: Call) -> None:
    """Until runc has joined the container, its first process's number is nobody else's."""
    if call.options.get("--detach") != "true":
        raise RefusedError("a command that runc itself waits for, which no engine does")
    state = _state(call, call.container)
    first = First(state["init_process_pid"])
    hold(first, lambda: first.is_first_of(state))
    first.close()


def _joined(call: Call, pid: int, joined: dict[int, First]) -> tuple[int, str, bool] | None:
    """Whose container it is whose first process has this number; ``joined`` keeps it for what is opened of it."""
    first = joined.get(pid) or First(pid)
    found = first.container()
    if found is None or not first.is_first_of(_state(call, found[1])):
        first.close()
        return None
    joined[pid] = first
    uid, container = found
    return uid, container, _kind(call, container) != edits.WITH_ROOT


def _kind(call: Call, container: str) -> str:
    """The kind a running container was started with. One without is of before the guard, or nobody's."""
    state = _state(call, container)
    for label in state["config"].get("labels") or ():
        name, _, value = str(label).partition("=")
        if name == KIND:
            return value
    if "ds01-u" in written(state["config"].get("cgroups")):
        raise BeforeError
    return OUTSIDE


def _state(call: Call, container: str) -> dict[str, Any]:
    """runc's own record of a container."""
    if "/" in container or not container:
        raise RefusedError(f"a container called '{container[:80]}'")
    return read_json(os.path.join(call.option("--root"), container, "state.json"))


def _refuse_any(found: Any) -> None:
    first = list(dict.fromkeys(found))
    if first:
        raise RefusedError(", ".join(first[:5]) + (" and more" if len(first) > 5 else ""))


def _refuse(folder: str, arguments: list[str], message: str) -> NoReturn:
    """Tell the engine, which reads the last error of runc's own log, and write it down for ds01d."""
    call = read_call(arguments)
    if log := call.options.get("--log"):
        _append(log, {"level": "error", "msg": message})
    _record(os.path.join(folder, "refused.log"), {"at": time.time(), "container": call.container, "message": message})
    print(message, file=sys.stderr)
    sys.exit(1)


def _record(path: str, line: dict[str, Any]) -> None:
    """A line into ds01d's record. It may take the record away at any moment: then the line is for the next one."""
    try:
        while not _recorded(path, line):
            pass
    except OSError as error:
        print(f"DS01: {path}: {error}", file=sys.stderr)


def _recorded(path: str, line: dict[str, Any]) -> bool:
    with _opened(path) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if not _is_there(path, file):
            return False
        file.write(written(line) + "\n")
    return True


def _is_there(path: str, file: IO[str]) -> bool:
    try:
        return os.path.samestat(os.stat(path), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False


def _append(path: str, line: dict[str, Any]) -> None:
    """One line more. Where it cannot be written, the exit status alone must do."""
    try:
        with _opened(path) as file:
            file.write(written(line) + "\n")
    except OSError as error:
        print(f"DS01: {path}: {error}", file=sys.stderr)


def _opened(path: str) -> IO[str]:
    """A log, for root alone."""
    full = os.path.exists(path) and os.path.getsize(path) >= LOG_BYTES
    flags = os.O_WRONLY | os.O_CREAT | (os.O_TRUNC if full else os.O_APPEND)
    return open(os.open(path, flags, 0o600), "a")
