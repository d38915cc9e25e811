"""The newer engine runs beside this machine's own, with the clients that belong to it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from dev import engine26 as newer
from dev import tiny
from dev.engine import OwnEngine, get

pytestmark = [pytest.mark.root, pytest.mark.engine]


def test_the_newer_engine_runs_and_builds(engine26: OwnEngine, tmp_path: Path) -> None:
    assert json.loads(get(engine26.socket, "/version"))["ApiVersion"] == "1.45"
    tiny.install(engine26.socket)
    newer.plugins(tmp_path)
    (tmp_path / "Dockerfile").write_text(f"FROM {tiny.REFERENCE}\nRUN echo built > /said\n")

    def docker(*arguments: str) -> str:
        command = [str(newer.programs() / "docker"), "-H", f"unix://{engine26.socket}", "--config", str(tmp_path)]
        done = subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    docker("buildx", "build", "-t", "said", str(tmp_path))
    assert docker("run", "--rm", "said", "cat", "/said") == "built\n"
    assert "v2." in docker("compose", "version") or " 2." in docker("compose", "version")
