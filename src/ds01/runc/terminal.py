"""The terminal of whoever launches, passed to the start of her container.

ds01d names one in ``terminals/<container id>.json``, for one start. The container's session gets it as descriptor 3
and begins a shell on it (``adapters/host/session.sh``): a shell that is there as soon as the container is, where
another program would have to be brought into it first. It is the slave of a pseudo terminal that its owner made for
this launch. Whatever is amiss, the container starts without it.
"""

from __future__ import annotations

import os
import stat

from ds01.runc.documents import read_json
from ds01.runc.refusal import RefusedError

TYPE_CHECKING = False  # typing is slow to import, and this runs at every start of a container
if TYPE_CHECKING:
    from typing import Any

FOLDER = "terminals"
DESCRIPTOR = 3
"""The first that runc passes on (``--preserve-fds``)."""
VARIABLES = frozenset(("TERM", "COLORTERM", "NO_COLOR", "PS1", "PROMPT_COMMAND"))
"""What a shell wants to know of its terminal."""
CONSOLE = "/dev/console"
"""What the terminal is called in the container: of the host's ``/dev/pts`` it would have no name there."""
INIT = "/sbin/docker-init"
SESSION = "/run/ds01/session"
SLAVES = range(136, 144)
"""The kernel's major numbers of such slaves (``UNIX98_PTY_SLAVE_MAJOR``)."""


class Terminal:
    """An open terminal, what it is called as long as it is open, and the variables that go with it."""

    def __init__(self, descriptor: int, variables: list[str]) -> None:
        self.descriptor = descriptor
        self.path = os.ttyname(descriptor)
        self.variables = variables


def take_terminal(folder: str, container: str, uid: int) -> Terminal | None:
    """What ds01d offers for this start, opened; none when it offers nothing, or nothing of this owner's."""
    path = os.path.join(folder, FOLDER, f"{container}.json")
    try:
        data = read_json(path)
        os.unlink(path)
        return Terminal(_opened(data["path"], uid), _variables(data["environment"]))
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RefusedError):
        return None


def with_terminal(config: dict[str, Any], terminal: Terminal) -> dict[str, Any]:
    """The configuration in which the session begins on the terminal, which becomes descriptor 3 of this process, and of
    runc, which this process becomes.
    """
    os.dup2(terminal.descriptor, DESCRIPTOR)
    os.set_inheritable(DESCRIPTOR, True)  # it may have been this one already
    process = config["process"]
    named = {
        "destination": CONSOLE, "type": "bind", "source": terminal.path, "options": ["bind", "nosuid", "noexec"],
    }  # fmt: skip
    return {
        **config,
        "mounts": [*(config.get("mounts") or ()), named],
        "process": {
            **process,
            "args": [SESSION, "begin", *process["args"]],
            "env": [*(process.get("env") or ()), *terminal.variables],
        },
    }


def begins_a_session(config: dict[str, Any]) -> bool:
    """Whether its first program is DS01's session, below the engine's init and with no terminal of its own."""
    process = config["process"]
    return process.get("args") == [INIT, "--", SESSION] and not process.get("terminal")


def _opened(path: str, uid: int) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_NOCTTY)
    found = os.fstat(descriptor)
    if not stat.S_ISCHR(found.st_mode) or os.major(found.st_rdev) not in SLAVES or found.st_uid != uid:
        os.close(descriptor)
        raise RefusedError(f"{path}, which is no terminal of its owner's")
    return descriptor


def _variables(environment: dict[str, Any]) -> list[str]:
    return [f"{name}={value}" for name, value in environment.items() if name in VARIABLES]
