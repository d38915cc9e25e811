"""Going into a container: the greeting, the shell, and what to say when one comes back out.

The shell is the container's bash, else its sh. It is no login shell: ``/etc/profile`` would put the system's Python
before the project's.
"""

from __future__ import annotations

import signal
import sys
import time

from ds01.cli import here, show
from ds01.cli.call import Call
from ds01.cli.failures import tell
from ds01.cli.variables import shell_variables
from ds01.client.screen import Ended
from ds01.domain.errors import DAEMON_DOWN, NEEDS_ANSWER, START_FAILED, WRONG_STATE, Ds01Error, Exit, Problem

TYPE_CHECKING = False  # who launches mostly needs none of this
if TYPE_CHECKING:
    from ds01.client.docker import Docker
    from ds01.client.first_shell import FirstShell
    from ds01.wire.containers import ContainerView
    from ds01.wire.status import PingView

_KILLED = (128 + signal.SIGHUP, 128 + signal.SIGKILL, 128 + signal.SIGTERM)
_SETTLING_SECONDS = 3.0
SHELL = ("/bin/sh", "-c", "command -v bash >/dev/null 2>&1 && exec bash; exec sh")


def docker(call: Call) -> Docker:
    """The gateway's Docker API."""
    from ds01.client.docker import Docker

    return Docker(gateway(call))


def gateway(call: Call) -> str:
    """The path of the gateway's socket."""
    return _socket(call.client.ping())


def _socket(ping: PingView) -> str:
    if not ping.gateway:
        raise Ds01Error(
            DAEMON_DOWN, "The gateway does not run, so nothing can be entered or copied.",
            reason="ds01d knows of none.", hint="ds01 doctor",
        )  # fmt: skip
    return ping.gateway


def running(container: ContainerView) -> ContainerView:
    """The container, when something can run in it now."""
    if container.state == "running":
        return container
    hint = f"ds01 unpause {container.name}" if container.state == "paused" else here.back_in(container)
    raise Ds01Error(WRONG_STATE, f"{container.name} is {show.described(container)}.", hint=hint)


def enter(call: Call, container: ContainerView, *, hello: bool = False) -> int:
    """A shell in the container on this terminal; its exit code."""
    from ds01.client.attach import attach
    from ds01.client.docker import Docker, Exec

    running(container)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise Ds01Error(
            NEEDS_ANSWER, "A shell needs a terminal.", reason=f"{container.name} runs; nothing was changed.",
            hint=f"ds01 exec {container.name} -- COMMAND",
        )  # fmt: skip
    ping = call.client.ping()
    if hello:
        greet(call, container, simulated=ping.simulated_gpus)
    variables = shell_variables(container.name, simulated=ping.simulated_gpus and bool(container.gpus))
    ended = attach(Docker(_socket(ping)), container.id, Exec(command=SHELL, tty=True, environment=variables))
    return _came_back(call, container, ended)


def begin(call: Call, container: ContainerView, shell: FirstShell, *, hello: bool, simulated: bool) -> int:
    """The shell that began with the container, or where none did another one; its exit code."""
    running(container)
    if hello:
        greet(call, container, simulated=simulated)
    ended = shell.run()
    return enter(call, container) if ended is None else _came_back(call, container, ended)


def _came_back(call: Call, container: ContainerView, ended: Ended) -> int:
    if ended.left or ended.lost or ended.refused:
        return left_behind(call, container.name, ended)
    farewell(call, container.name, killed=ended.code in _KILLED)
    return ended.code


def farewell(call: Call, name: str, *, killed: bool) -> None:
    """After a shell: whether the container goes on and what it still holds, or that it went too.

    A shell that was ``killed`` mostly went with its container, whose end is known a moment later. The shell's own
    end stands whether or not ds01d answers.
    """
    try:
        now = _settled(call, name) if killed else _now(call, name)
    except Ds01Error:
        return
    talk = call.talk
    if now is None:
        talk.say(f"{name} is gone; the files in its workspace stay.")
        talk.next(f"ds01 why {name}", "ds01 list")
    elif now.state != "running":
        talk.say(f"{name} is {show.described(now)}.")
        talk.next(here.back_in(now), f"ds01 why {name}")
    elif killed:
        talk.say(f"The shell in {name} was ended.")
        talk.next(here.back_in(now), f"ds01 why {name}")
    else:
        talk.say(f"{name} goes on{f', with {show.which_gpus(now.gpus)}' if now.gpus else ''}.")
        talk.next(here.back_in(now), f"ds01 retire {name}")


def _now(call: Call, name: str) -> ContainerView | None:
    return next((found for found in call.client.containers() if found.name == name), None)


def _settled(call: Call, name: str) -> ContainerView | None:
    """The container once it is seen to have stopped, or as it is when that does not happen soon."""
    deadline = time.monotonic() + _SETTLING_SECONDS
    while (now := _now(call, name)) is not None and now.state == "running" and time.monotonic() < deadline:
        time.sleep(0.1)
    return now


def greet(call: Call, container: ContainerView, *, simulated: bool) -> None:
    """What she has, where her files are, how to leave."""
    talk = call.talk
    gpus = show.count(len(container.gpus), "GPU") if container.gpus else "no GPU"
    what = ", simulated" if container.gpus and simulated else ""
    talk.done(f"{talk.err('bold', container.name)} is yours, with {gpus}{what}.")
    if container.workspace:
        talk.say(
            f"  /workspace is {container.workspace}: it stays. Everything else in here is deleted with the container."
        )
    back = f"'ds01 retire {container.name}' ends it and frees what it holds"
    talk.say(f"  Leave with 'exit': the container goes on. Then, on the server, {back}.")
    talk.say()


def left_behind(call: Call, name: str, ended: Ended) -> int:
    """Say what stands after a program ended or was left; the exit code."""
    talk = call.talk
    if ended.refused:
        return _not_started(call, name, ended.refused)
    if ended.lost:
        talk.warn(f"The connection was lost. {name} goes on, with everything that runs in it.")
        talk.next(f"ds01 attach {name}", f"ds01 why {name}")
        return int(Exit.FAILED)
    if ended.left:
        talk.say()
        talk.say(f"Left running in {name}.")
        talk.next(f"ds01 attach {name}", f"ds01 container top {name}")
        return 0
    return ended.code


def _not_started(call: Call, name: str, why: str) -> int:
    """A program that did not start, in our words; the code is what shells give: 127 for none such, else 126."""
    if "outside of container mount namespace" in why:
        message, reason = f"Nothing can be started in {name}.", "The folder that is its /workspace was deleted."
        hint, code = f"ds01 retire {name}", 126
    elif "not found" in why or "no such file" in why:
        message, reason = f"There is no such program in {name}.", _engines_words(why)
        hint, code = f"ds01 attach {name}", 127
    else:
        message, reason = f"The program could not be started in {name}.", _engines_words(why)
        hint, code = f"ds01 attach {name}", 126
    tell(Problem(kind=START_FAILED, message=message, reason=reason, hint=hint), call.talk)
    return code


def _engines_words(why: str) -> str:
    """The end of the engine's sentence, which is the part about the program."""
    return why.removesuffix(": unknown").rpartition("container process: ")[2] + "."
