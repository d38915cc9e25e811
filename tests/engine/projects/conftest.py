"""A bench for images: a real engine with the minimal base, builds as any user, programs in what was built."""

from __future__ import annotations

import functools
import hashlib
import http.server
import subprocess
import threading
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from dev import base
from dev.engine import OwnEngine

from ds01.domain.people import Uid, User
from ds01.domain.record import replace
from ds01.projects import file, prepare, trial
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

    def foresee(self, folder: Path) -> trial.Forecast:
        """Resolve a project's packages, as ``image update`` does before it builds."""
        project = file.load(str(folder))
        return trial.resolve(self.socket, prepare.recipe(project, self.settings), project.name)

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


def everything(bench: Bench) -> set[str]:
    """Ids of all images and containers. The engine lists those made in one second in any order."""
    return {*bench.docker("images", "-aq", "--no-trunc").split(), *bench.docker("ps", "-aq", "--no-trunc").split()}


@pytest.fixture(scope="session")
def bench(engine: OwnEngine) -> Bench:
    """The engine with its base, and settings as a lab with certificates of its own has them."""
    base.install(engine.socket, say=False)
    settings = BuildSettings(bases=(MINIMAL,), ca_pem=base.host_certificates().read_text())
    return Bench(socket=engine.socket, settings=settings)


@pytest.fixture(scope="session")
def kit(bench: Bench) -> Bench:
    """The same where BuildKit may build."""
    return Bench(socket=bench.socket, settings=replace(bench.settings, buildkit=True))


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


@dataclass(frozen=True, kw_only=True)
class Index:
    """Where the index is, the hash of its package, and the packages that were fetched from it."""

    options: tuple[str, ...]
    sha256: str
    fetched: list[str]


@pytest.fixture
def index(bench: Bench, tmp_path: Path) -> Iterator[Index]:
    """A package index of one's own, with packages nobody else has, on the engine's bridge."""
    file = wheel(tmp_path / "index", "ds01-probe", "1.0")
    wheel(tmp_path / "index", "ds01-probe", "2.0")
    wheel(tmp_path / "index", "ds01-needy", "1.0", needs="ds01-probe>=2")
    wheel(tmp_path / "index", "ds01-older", "1.0", needs="ds01-probe<2")
    wheel(tmp_path / "index", "ds01-future", "1.0", python=">=3.90")
    address = bench.docker("network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Gateway}}")
    fetched: list[str] = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        """Packages may be kept, as those of any index."""

        def end_headers(self) -> None:
            if self.path.endswith(".whl"):
                fetched.append(self.path.rpartition("/")[2])
                self.send_header("Cache-Control", "max-age=600")
            super().end_headers()

    handler = functools.partial(Handler, directory=str(tmp_path / "index"))
    with http.server.ThreadingHTTPServer((address, 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield Index(
            options=(f"--index-url http://{address}:{server.server_port}/", f"--trusted-host {address}"),
            sha256=hashlib.sha256(file.read_bytes()).hexdigest(),
            fetched=fetched,
        )
        server.shutdown()


def wheel(index: Path, name: str, version: str, *, needs: str = "", python: str = "") -> Path:
    """An empty package, as an index offers it."""
    module = name.replace("-", "_")
    file = index / name / f"{module}-{version}-py3-none-any.whl"
    file.parent.mkdir(parents=True, exist_ok=True)
    info = f"{module}-{version}.dist-info"
    with zipfile.ZipFile(file, "w") as made:
        made.writestr(f"{module}.py", "")
        asked = f"Requires-Dist: {needs}\n" if needs else ""
        asked += f"Requires-Python: {python}\n" if python else ""
        made.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{asked}")
        made.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        made.writestr(f"{info}/RECORD", "")
    return file
