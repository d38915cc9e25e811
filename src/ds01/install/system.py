"""What is asked of the system: units, accounts, and whether the programs answer. Every failure names its step."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Sequence

from ds01.client.http import BadAnswerError, Request, send
from ds01.domain.errors import INSTALL_FAILED, Ds01Error
from ds01.install.paths import API, ENGINE, PATH, USUAL
from ds01.wire.door import GATEWAY_HEADER

PATIENCE_SECONDS = 60.0
_STEP_SECONDS = 300.0


def environment() -> dict[str, str]:
    """For programs that root starts here: found where only root puts them, whatever her shell says."""
    return {**os.environ, "PATH": PATH}


def run(*command: str) -> None:
    """Do it. Raises Ds01Error with the program's own words."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_STEP_SECONDS, check=False,
                              env=environment())  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _failed(" ".join(command), str(error)) from error
    if done.returncode != 0:
        raise _failed(" ".join(command), (done.stderr or done.stdout).strip())


def add_user(login: str) -> None:
    """An account without a home, a shell or a password, with a group of its own."""
    run("useradd", "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent",
        "--shell", "/usr/sbin/nologin", login)  # fmt: skip


def restart_engine(*, containerd: bool, engine: bool) -> None:
    """The engine anew, on the socket the units name; with its containerd, which takes nothing down, first."""
    if engine:
        run("systemctl", "stop", "docker.service", "docker.socket")
    if containerd:
        run("systemctl", "restart", "containerd.service")
    if engine:
        run("systemctl", "start", "docker.socket", "docker.service")


def start(units: Sequence[str]) -> None:
    """Enable and start, or start anew. A socket can only be made while its service is away."""
    if not units:
        return
    run("systemctl", "enable", "--quiet", *units)
    services = [unit for unit in units if unit.endswith(".service")]
    sockets = [unit for unit in units if unit.endswith(".socket")]
    again = [f"{unit.removesuffix('.socket')}.service" for unit in sockets]
    if sockets:
        run("systemctl", "stop", *again)
        run("systemctl", "restart", *sockets)
    run("systemctl", "restart", *dict.fromkeys((*services, *again)))


def wait_for_engine(socket: str = ENGINE) -> None:
    """Until the engine answers."""
    _wait(lambda: answer(socket) is not None, "The engine does not answer on its new socket.", "docker")


def wait_for_ds01() -> None:
    """Until ds01d answers, and the gateway does where users look for Docker."""
    _wait(lambda: answer(API, "/v1/ping") is not None, "ds01d does not answer.", "ds01d")
    _wait(lambda: GATEWAY_HEADER in (answer(USUAL) or {}), "The gateway does not answer.", "ds01-gateway")


def answer(socket: str, target: str = "/_ping") -> dict[str, str] | None:
    """The head of a good answer; None when there is none."""
    try:
        found = send(socket, Request(method="GET", target=target), 5.0)
        found.read()
    except (OSError, BadAnswerError):
        return None
    return found.headers if found.status == 200 else None


def _wait(ready: Callable[[], bool], message: str, unit: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not ready():
        if time.monotonic() > deadline:
            raise Ds01Error(INSTALL_FAILED, message, reason=_journal(unit), hint=f"journalctl -u {unit}")
        time.sleep(0.1)


def _journal(unit: str) -> str:
    said = subprocess.run(
        ["journalctl", "--no-pager", "--quiet", "--output=cat", "--lines=5", f"--unit={unit}"],
        capture_output=True, text=True, check=False, env=environment(),
    )  # fmt: skip
    return said.stdout.strip()


def _failed(step: str, said: str) -> Ds01Error:
    return Ds01Error(INSTALL_FAILED, f"'{step}' failed.", reason=said)
