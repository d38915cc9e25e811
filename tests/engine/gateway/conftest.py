"""A ground for all tests here, and a victim whose container no test may touch."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from dev import tiny
from dev.engine import OwnEngine
from dev.registry import serving

from tests.engine.gateway.ground import Ground, User, ground

VICTIM = "victim"
NEWER = os.environ.get("DS01_TESTS_ENGINE") == "26"
"""Whether the server has Engine 26, instead of this machine's own."""


@dataclass(frozen=True, kw_only=True)
class Victim:
    """Alice's container, an exec in it, and her private image."""

    id: str
    exec: str
    image: str = "alice/private"
    secret: str = "the-secret-of-alice"


@pytest.fixture(scope="package")
def field(request: pytest.FixtureRequest) -> Iterator[Ground]:
    """The server under attack."""
    engine: OwnEngine = request.getfixturevalue("engine26" if NEWER else "engine")
    tiny.install(engine.socket)
    with tempfile.TemporaryDirectory(prefix="ds01g", dir="/var/tmp", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        (Path(folder) / "registry").mkdir()
        with serving(Path(folder) / "registry") as registry, ground(engine, Path(folder), registry) as made:
            yield made


@pytest.fixture(scope="package")
def alice(field: Ground) -> User:
    """The victim's owner."""
    return field.alice


@pytest.fixture(scope="package")
def mallory(field: Ground) -> User:
    """The attacker."""
    return field.mallory


@pytest.fixture(scope="package")
def victim(field: Ground, alice: User) -> Victim:
    """Alice's container; nothing but these tests' end ends it."""
    context = alice.folder("private")
    (context / "Dockerfile").write_text(
        f"FROM ds01/tiny\nRUN echo {Victim.secret} > /secret\nENV KEY={Victim.secret}\n"
    )
    built = alice.docker("build", "-q", "-t", Victim.image, str(context))
    assert built.code == 0, built.err
    container = alice.runs(VICTIM, Env=[f"KEY={Victim.secret}"])
    made = alice.call("POST", f"/v1.41/containers/{container}/exec", {"Cmd": ["true"], "AttachStdout": True})
    assert made.status == 201, made.body
    return Victim(id=container, exec=made.json["Id"])


def _state(field: Ground, container: str) -> dict[str, Any]:
    found = field.seen(container)
    return {key: found[key] for key in ("Id", "Name", "Created", "Image", "Config", "HostConfig", "RestartCount")} | {
        "State": {key: found["State"][key] for key in ("Status", "Pid", "StartedAt", "Paused")},
        "Networks": {name: net["NetworkID"] for name, net in found["NetworkSettings"]["Networks"].items()},
    }


@pytest.fixture(autouse=True)
def untouched(field: Ground, victim: Victim) -> Iterator[None]:
    """Whatever a test does, the victim is as it was, and the test's own containers go."""
    before = _state(field, victim.id)
    yield
    assert _state(field, victim.id) == before
    field.clear({victim.id})
