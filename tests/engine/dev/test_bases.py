"""The two bases that need no registry."""

from __future__ import annotations

import subprocess

import pytest
from dev import base, tiny
from dev.engine import OwnEngine

pytestmark = [pytest.mark.root, pytest.mark.engine]


def run(engine: OwnEngine, *command: str) -> str:
    docker = ["docker", "-H", f"unix://{engine.socket}", "run", "--rm"]
    return subprocess.run([*docker, *command], capture_output=True, text=True, check=True).stdout


def test_tiny_base_has_a_shell_and_its_tools(engine: OwnEngine) -> None:
    tiny.install(engine.socket)
    assert run(engine, tiny.REFERENCE, "sh", "-c", "echo hello | cat").strip() == "hello"


@pytest.mark.slow
def test_minimal_base_has_python_and_trusts_what_the_host_trusts(engine: OwnEngine) -> None:
    first = base.install(engine.socket)
    assert base.install(engine.socket) == first, "a second install must find the first"
    assert (
        run(engine, base.REFERENCE, "python3", "-c", "import venv, sys; print(sys.version_info >= (3, 11))") == "True\n"
    )
    inside = run(engine, base.REFERENCE, "cat", base.CERTIFICATES)
    assert inside == base.host_certificates().read_text()
