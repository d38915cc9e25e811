"""Two servers, one with each engine, and an ordinary user of each."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from dev import engine26 as newer
from dev import people, tiny
from dev.engine import OwnEngine
from dev.registry import serving

from tests.engine.gateway.ground import Ground, User, ground

ENGINES = ("engine", "engine26")


@contextmanager
def served(engine: OwnEngine, mark: str) -> Iterator[Ground]:
    """A server with this engine."""
    tiny.install(engine.socket)
    with tempfile.TemporaryDirectory(prefix="ds01c", dir="/var/tmp", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)
        (Path(name) / "registry").mkdir()
        with serving(Path(name) / "registry") as registry, ground(engine, Path(name), registry, mark) as made:
            for user in (made.alice, made.mallory):
                newer.plugins(user.folder(".docker"))
            yield made


@pytest.fixture(scope="package", params=ENGINES)
def place(request: pytest.FixtureRequest) -> Iterator[Ground]:
    """One server after the other."""
    with served(request.getfixturevalue(request.param), f"c{request.param[-1]}") as made:
        yield made


@pytest.fixture(scope="session")
def new_client() -> str:
    """The docker command of Debian 13, which came with the newer engine, whatever this machine's own is."""
    if not newer.available():
        pytest.skip("left out: the newer docker command needs mmdebstrap and patchelf")
    return str(newer.programs() / "docker")


@pytest.fixture
def user(place: Ground) -> Iterator[User]:
    """Somebody who has nothing yet."""
    yield place.mallory
    place.clear(set())


def run(user: User, within: Path, *words: str, **extra: str) -> people.Done:
    """A command of this user's in one of her folders; ``docker`` has compose and buildx."""
    path = f"{newer.programs()}:/usr/local/bin:/usr/bin:/bin"
    mine = {"DOCKER_HOST": f"unix://{user.gateway}", "PATH": path, "IMAGE": user.person.login, **extra}
    person = people.person(user.person.login, **mine)
    return person.run(*words, folder=within, seconds=600)
