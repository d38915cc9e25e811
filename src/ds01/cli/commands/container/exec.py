"""``ds01 container exec``: a command in a running container, on a terminal or in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from ds01.cli.call import Call
from ds01.cli.shell import docker, left_behind, running
from ds01.cli.variables import terminal_variables
from ds01.client.attach import attach
from ds01.client.docker import Exec


def run(
    call: Call, *, name: str, command: Sequence[str], env: Sequence[tuple[str, str]], workdir: str | None,
    no_tty: bool, detach: bool,
) -> int:  # fmt: skip
    """Run it; its exit code."""
    call.wanted = name
    container = running(call.client.container(name))
    tty = not no_tty and not detach and sys.stdin.isatty() and sys.stdout.isatty()
    variables = (terminal_variables() if tty else {}) | dict(env)
    program = Exec(command=command, tty=tty, stdin=not detach, environment=variables, folder=workdir or "")
    gateway = docker(call)
    if detach:
        gateway.exec_background(gateway.exec_create(container.id, program))
        call.talk.done(f"{command[0]} runs in {container.name}.")
        call.talk.next(f"ds01 container top {container.name}", f"ds01 attach {container.name}")
        return 0
    ended = attach(gateway, container.id, program)
    return left_behind(call, container.name, ended)
