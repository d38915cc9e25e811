"""What is to be typed on the laptop: who one is there, and what the server is called from there."""

from __future__ import annotations

import os
import shlex
import shutil
import socket
import sys

from ds01.cli.project import me

SUFFIX = "ds01"
"""What the names of containers end with on the laptop: ``ssh thesis.ds01``."""

_SHELL = "$`;|&<>()"
"""What a shell would act on, and no container has in its name. ``ssh`` before 9.6 puts any name into the ProxyCommand,
and a name may come from somebody's link or repository.
"""

_USUAL_PATH = "/usr/local/bin:/usr/bin:/bin"


def server(given: str | None = None) -> str:
    """The server's name for the laptop: the one given, a full name, else the address that this login came to."""
    if given:
        return given
    name = socket.gethostname()
    if "." in name:
        return name
    came = os.environ.get("SSH_CONNECTION", "").split()
    return came[2] if len(came) == 4 else name


def login(given: str | None = None) -> str:
    """``alice@server``, as ``ssh`` takes it."""
    return f"{me().login}@{server(given)}"


def tunnel(port: int, target: str, where: str | None = None) -> str:
    """The line that leads a port of the laptop to a socket or a port of the server."""
    return f"ssh -N -L {port}:{shlex.quote(target)} {shlex.quote(login(where))}"


def host(name: str, suffix: str | None = None) -> str:
    """What the laptop calls a container."""
    return f"{name}.{suffix or SUFFIX}"


def ssh_block(name: str | None, where: str | None = None, suffix: str | None = None) -> str:
    """The block of ``~/.ssh/config`` for one container, or for all there are and will be.

    The way is that of ``ssh`` to the server, with the keys and jump hosts that lead there. The key of the inner
    connection is kept under a name of its own; it came over the outer one, which knows the server.
    """
    behind = suffix or SUFFIX
    lines = [
        f"# DS01 on {server(where)}, as 'ds01 ssh-config' prints it.",
        f"Host {_hosts(name, behind)}",
        f"    User {me().login}",
        f"    ProxyCommand ssh -T {login(where)} {_program()} ssh --stdio %h",
        f"    HostKeyAlias {behind}@{server(where)}",
        "    StrictHostKeyChecking accept-new",
        "    ServerAliveInterval 30",
    ]
    return "\n".join(lines)


def _hosts(name: str | None, suffix: str) -> str:
    return host(name, suffix) if name else " ".join([host("*", suffix), *(f"!*{each}*" for each in _SHELL)])


def _program() -> str:
    """How a login without a terminal finds ``ds01``, and the ds01d of this one when it is not the installed one."""
    own = os.path.abspath(sys.argv[0])
    found = "ds01" if shutil.which("ds01", path=_USUAL_PATH) else shlex.quote(own)
    chosen = os.environ.get("DS01_SOCKET")
    return f"env DS01_SOCKET={shlex.quote(chosen)} {found}" if chosen else found
