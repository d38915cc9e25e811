"""A bench for images: a real engine with the minimal base, builds as any user, programs in what was built."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from dev import base
from dev.engine import OwnEngine

from ds01.domain.people import Uid, User
from ds01.projects import file, prepare
from ds01.projects.build import Built, Order, build
from ds01.projects.buildlog import BuildEvent
from ds01.wire.images import BaseView, BuildSettings

ADA = User(uid=Uid(1722830498), gid=1722830513, login="h.baker@lab.lan", home="/home/ada")
MINIMAL = BaseView(name="minimal", reference=base.REFERENCE, description="Debian and Python")


@dataclass(kw_only=True)
class Bench:
    """Builds project folders on one engine, and looks at what came out."""

    socket: str
    settings: BuildSettings
    events: list[BuildEvent] = field(default_factory=list)

    def build(self, folder: Path, *, owner: User = ADA, anew: bool = False) -> Built:
        """Build a project as ``image create`` does."""
        project = file.load(str(folder))
        made = prepare.recipe(project, self.settings)
        prepare.write(project, made)
        order = Order(
            socket=self.socket, owner=owner, project=project.name, folder=str(folder), recipe=made, anew=anew
        )  # fmt: skip
        self.events.clear()
        return build(order, now=datetime.now(UTC), say=self.events.append)

    def step(self, title: str) -> BuildEvent:
        """How a step of the last build ended."""
        return next(event for event in self.events if event.state == "done" and event.title == title)

    def docker(self, *words: str) -> str:
        """A docker command at the engine."""
        done = subprocess.run(
            ["docker", "-H", f"unix://{self.socket}", *words], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def inside(self, image: str, script: str, *options: str) -> str:
        """Run a shell line in a new container of an image."""
        return self.docker("run", "--rm", *options, image, "sh", "-c", script)


@pytest.fixture(scope="session")
def bench(engine: OwnEngine) -> Bench:
    """The engine with its base, and settings as a lab with certificates of its own has them."""
    base.install(engine.socket, say=False)
    settings = BuildSettings(bases=(MINIMAL,), ca_pem=base.host_certificates().read_text())
    return Bench(socket=engine.socket, settings=settings)


@dataclass(frozen=True)
class Desk:
    """A place for project folders."""

    root: Path

    def project(self, name: str, image: str, files: Mapping[str, str] | None = None) -> Path:
        """Write (or write anew) a project whose file has this ``[image]`` table."""
        folder = self.root / name
        for path, text in {"ds01.toml": f"[image]\n{image}\n", **(files or {})}.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
        return folder


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """An empty desk."""
    return Desk(tmp_path)
