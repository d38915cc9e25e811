"""A running container of busybox, and a way to be on a terminal in it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator

import pexpect
import pytest
from dev import tiny
from dev.engine import OwnEngine

from ds01.client.docker import Docker

ATTACH = """
import json, sys
from ds01.client.attach import attach
from ds01.client.docker import Docker, Exec
socket, container, program = json.loads(sys.argv[1])
ended = attach(Docker(socket), container, Exec(**program))
sys.stderr.write(f"left={ended.left} lost={ended.lost}\\n")
sys.exit(ended.code)
"""


@pytest.fixture(scope="module")
def docker(engine: OwnEngine) -> Docker:
    """The engine's own socket: to the client it is like the gateway's."""
    tiny.install(engine.socket)
    return Docker(engine.socket)


@pytest.fixture(scope="module")
def container(engine: OwnEngine, docker: Docker) -> Iterator[str]:
    """The id of a container that runs as uid 1001 and waits; it wrote a line to its output and one to its errors."""
    command = ["docker", "-H", f"unix://{engine.socket}", "run", "-d", "--init", "-u", "1001:1001", tiny.REFERENCE]
    command += ["sh", "-c", "echo out; echo err >&2; sleep 6000"]
    name = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    yield name
    subprocess.run(["docker", "-H", f"unix://{engine.socket}", "rm", "-f", name], capture_output=True, check=True)


@pytest.fixture
def terminal(docker: Docker, container: str) -> Iterator[Callable[..., pexpect.spawn[str]]]:
    """``terminal("sh")`` runs it in the container on a terminal of 24 lines and 80 columns."""
    opened: list[pexpect.spawn[str]] = []

    def attached(*command: str) -> pexpect.spawn[str]:
        program = {"command": command, "tty": True, "environment": {"PS1": "$ "}}
        words = ["-c", ATTACH, json.dumps([docker.socket, container, program])]
        opened.append(pexpect.spawn(sys.executable, words, dimensions=(24, 80), encoding="utf-8", timeout=120))
        return opened[-1]

    yield attached
    for each in opened:
        each.close(force=True)


@pytest.fixture
def piped(docker: Docker, container: str) -> Callable[..., subprocess.CompletedProcess[bytes]]:
    """``piped(b"input", "cat")`` runs it in the container with pipes."""

    def run(given: bytes, *command: str, **more: object) -> subprocess.CompletedProcess[bytes]:
        words = json.dumps([docker.socket, container, {"command": command} | more])
        return subprocess.run(
            [sys.executable, "-c", ATTACH, words], input=given, capture_output=True, check=False, timeout=600
        )

    return run
