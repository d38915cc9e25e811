"""What the page about Docker clients prints is what works, word for word."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path

import docker
import pytest
from dev import people, tiny

from ds01.install import minimal
from tests.engine.clients.conftest import run
from tests.engine.gateway.ground import ROOT, Ground, User

pytestmark = [
    pytest.mark.engine,
    pytest.mark.root,
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]
PAGE = (ROOT / "docs/howto/docker-clients.md").read_text()
ELSEWHERE = ("ds01 ", "docker compose", "devcontainer ")
"""Commands whose own tests are beside this one, or in the tests of the command line."""


@pytest.fixture(autouse=True)
def base(place: Ground) -> Iterator[None]:
    """The image that the page names, made of less."""
    tiny.install(place.engine.socket, minimal.REFERENCE)
    yield
    place.clear(set())
    place.root("DELETE", f"/images/{minimal.REFERENCE}")


def blocks(kind: str) -> list[str]:
    return [text for found, text in re.findall(r"```(\w*)\n(.*?)```", PAGE, re.DOTALL) if found == kind]


def test_the_commands_of_the_page(user: User) -> None:
    within = user.folder("page")
    lines = [line for block in blocks("") for line in block.splitlines() if not line.startswith(ELSEWHERE)]
    assert len(lines) == 6
    for line in lines:
        done = run(user, within, "sh", "-c", line.replace("-it ", "-i "))
        assert done.code == 0, (line, done.err)


def test_the_script_of_the_page(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{user.gateway}")
    (script,) = blocks("python")
    said = io.StringIO()
    assert docker.__name__ == "docker", "loaded before: the user may not read where it lies"
    with people.acting_as(user.person), redirect_stdout(said):
        exec(compile(script, str(Path("docker-clients.md")), "exec"), {})
    assert said.getvalue() == "hello\n"
