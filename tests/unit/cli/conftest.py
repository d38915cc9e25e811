"""Run a command in this process, as the terminal would, and look at what it said."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ds01.cli.main import run
from ds01.wire.images import BaseView, BuildSettings
from tests.unit.cli import values
from tests.unit.cli.daemon import Daemon, serving


@dataclass(frozen=True, kw_only=True)
class Ran:
    """What a command did."""

    code: int
    out: str
    err: str


Run = Callable[..., Ran]


@pytest.fixture
def ds01(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """``ds01("list", "--json")``, with ``tmp_path`` as home. A mistake of DS01 fails the test with its details."""
    places = {"HOME": tmp_path, "XDG_STATE_HOME": tmp_path / ".state", "DS01_SOCKET": tmp_path / "none.sock"}
    for name, place in places.items():
        monkeypatch.setenv(name, str(place))
    for name in ("NO_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)

    def call(*words: str) -> Ran:
        code = run(words)
        said = capsys.readouterr()
        if "DS01 made a mistake" in said.err:
            pytest.fail("".join(log.read_text() for log in (tmp_path / ".state").glob("ds01/*.log")))
        return Ran(code=code, out=said.out, err=said.err)

    return call


@pytest.fixture
def daemon(ds01: Run, monkeypatch: pytest.MonkeyPatch) -> Iterator[Daemon]:
    """A ds01d that says what the test tells it to. Short path: unix sockets allow 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="ds01t") as folder, serving(Path(folder, "api.sock")) as serves:
        monkeypatch.setenv("DS01_SOCKET", str(serves.socket))
        yield serves


@pytest.fixture
def full(daemon: Daemon, tmp_path: Path) -> Daemon:
    """A server where there is one of everything, and a project."""
    base = BaseView(name="minimal", reference="ds01/minimal:latest", digest="", description="Debian")
    daemon.have(values.container("thesis"))
    found: dict[str, Any] = {
        "/v1/images/settings": BuildSettings(bases=(base,)),
        "/v1/images": [{"reference": "ds01-1/thesis:latest", "project": "thesis"}],
        "/v1/queue": {"places": [{"name": "exp", "state": "waiting"}]},
        "/v1/bookings": {"bookings": [{"name": "weekly", "asked": "1 GPU", "kind": "user"}]},
        "/v1/classes": [{"name": "ml101", "asked": "1 GPU"}],
        "/v1/jobs": [{"name": "thesis-1", "state": "queued", "array": ""}],
        "/v1/gpus": values.gpus(values.slot("0")),
    }
    daemon.answers |= {("GET", path): answer for path, answer in found.items()}
    folder = tmp_path / "workspace/thesis"
    folder.mkdir(parents=True)
    (folder / "ds01.toml").write_text('[project]\nname = "thesis"\n')
    return daemon
